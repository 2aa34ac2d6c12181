#include "compiler/driver.h"

#include <algorithm>
#include <optional>

#include "base/path.h"
#include "compiler/environment.h"
#include "compiler/flag_table.h"
#include "compiler/text.h"

namespace compiler {
namespace {

// Stands for the whole family of options: whether the debug information goes to a file of its own.
constexpr std::string_view kSplit = "-gsplit-dwarf";

// The compiler proper that gcc's driver runs for a language.
const char* gcc_program(Language language) {
  switch (language) {
    case Language::cxx:
    case Language::cxx_preprocessed:
      return "cc1plus";
    case Language::objc:
    case Language::objc_preprocessed:
      return "cc1obj";
    case Language::objcxx:
    case Language::objcxx_preprocessed:
      return "cc1objplus";
    default:
      return "cc1";
  }
}

class Asker {
 public:
  Asker(base::Files& files, base::Spawner& spawner, const DriverQuestions& questions,
        const std::stop_token& stop)
      : files_(files), spawner_(spawner), questions_(questions), stop_(stop) {}

  base::Result<DriverAnswers> run(const std::string& real_driver, Language language) {
    base::Result<std::string> version = ask("--version");
    if (!version) return version.error();
    answers_.version = std::string(line_of(*version, 0));
    base::Result<std::string> machine = ask("-dumpmachine");
    if (!machine) return machine.error();
    answers_.target = std::string(line_of(*machine, 0));
    bool clang = version->find("clang version") != std::string::npos;
    bool gcc = version->find("Free Software Foundation") != std::string::npos;
    if (!clang && !gcc) return base::unsupported("wrapper: " + questions_.program + " is no gcc or clang");
    answers_.family = clang ? Family::clang : Family::gcc;
    base::Result<void> done = clang ? ask_clang(*version, real_driver) : ask_gcc(language);
    if (!done) return done.error();
    return std::move(answers_);
  }

 private:
  base::Result<std::string> ask(const std::string& question) {
    base::SpawnRequest request;
    request.argv.push_back(questions_.program);
    request.argv.insert(request.argv.end(), questions_.options.begin(), questions_.options.end());
    request.argv.push_back(question);
    request.env = questions_.env;
    request.directory = questions_.directory;
    base::Result<base::SpawnOutcome> outcome = spawner_.run(request, stop_);
    if (!outcome) return outcome.error();
    if (outcome->exit_code != 0) return base::unsupported("compiler: fails with " + question);
    return std::move(outcome->out);
  }

  bool is_file(const std::string& path) {
    base::Result<base::FileStat> stat = files_.stat(path);
    return stat && stat->type == base::FileType::regular;
  }

  // A program as execvp would find it. The places looked at in vain are remembered.
  base::Result<std::string> in_path(const std::string& name) {
    std::optional<std::string_view> path = variable(questions_.env, "PATH");
    for (std::string_view directory : split(path.value_or("/bin:/usr/bin"), ':')) {
      std::string candidate = base::join(base::join(questions_.directory, directory), name);
      if (is_file(candidate)) return candidate;
      answers_.passed_over.push_back(candidate);
    }
    return base::unsupported("compiler: no " + name);
  }

  base::Result<void> add_program(const std::string& name) {
    base::Result<std::string> printed = ask("-print-prog-name=" + name);
    if (!printed) return printed.error();
    std::string path(line_of(*printed, 0));
    if (path.find('/') == std::string::npos) {
      // What the driver does not find in its own folders it runs from PATH, like a shell.
      if (name != "as" && name != "objcopy") return base::unsupported("compiler: no " + name);
      base::Result<std::string> found = in_path(name);
      if (!found) return found.error();
      path = *found;
    }
    answers_.programs.push_back(base::join(questions_.directory, path));
    return {};
  }

  // Who leaves the object to an assembler cuts the debug information out of it afterwards.
  bool splits_debug() const {
    return std::find(questions_.options.begin(), questions_.options.end(), kSplit) !=
           questions_.options.end();
  }

  base::Result<void> ask_gcc(Language language) {
    base::Result<std::string> dirs = ask("-print-search-dirs");
    if (!dirs) return dirs.error();
    std::vector<std::string> programs = {gcc_program(language), "as"};
    if (splits_debug()) programs.emplace_back("objcopy");
    add_absent_gcc(*dirs, programs);
    for (const std::string& name : programs) {
      if (base::Result<void> added = add_program(name); !added) return added;
    }
    for (const char* question :
         {"-print-file-name=specs", "-print-prog-name=lto-wrapper", "-print-file-name=liblto_plugin.so"}) {
      base::Result<std::string> printed = ask(question);
      if (!printed) return printed.error();
      std::string path(line_of(*printed, 0));
      if (path.find('/') != std::string::npos)
        answers_.files.push_back(base::join(questions_.directory, path));
    }
    return {};
  }

  // A specs file, or a program of its own, in one of gcc's folders would be used from then on.
  void add_absent_gcc(std::string_view search_dirs, const std::vector<std::string>& programs) {
    auto look = [&](std::string_view heading, const std::string& name, std::vector<std::string>& into) {
      std::size_t at = search_dirs.find(heading);
      if (at == std::string_view::npos) return;
      std::string_view list = line_of(search_dirs.substr(at + heading.size()), 0);
      if (list.starts_with("=")) list.remove_prefix(1);
      for (std::string_view directory : split(list, ':')) {
        std::string path = base::join(base::join(questions_.directory, directory), name);
        if (!directory.empty() && !is_file(path)) into.push_back(path);
      }
    };
    look("install: ", "specs", answers_.absent);
    look("libraries: ", "specs", answers_.absent);
    for (const std::string& name : programs) look("programs: ", name, answers_.passed_over);
  }

  base::Result<void> ask_clang(std::string_view version, const std::string& real_driver) {
    if (version.find("Configuration file:") != std::string_view::npos) {
      return base::unsupported("config_file: " + questions_.program);
    }
    bool external = false;
    for (const std::string& option : questions_.options) {
      bool on = option == "-fintegrated-as" || option == "-integrated-as";
      bool off = option == "-fno-integrated-as" || option == "-no-integrated-as";
      external = (external || off) && !on;
    }
    if (external) {
      if (base::Result<void> added = add_program("as"); !added) return added;
    }
    if (external && splits_debug()) {
      if (base::Result<void> added = add_program("objcopy"); !added) return added;
    }
    base::Result<std::string> resources = ask("-print-resource-dir");
    if (!resources) return resources.error();
    std::string share = base::join(questions_.directory, std::string(line_of(*resources, 0)) + "/share");
    if (base::Result<std::vector<base::DirEntry>> entries = files_.list(share); entries.ok()) {
      // The sanitizers' own lists.
      for (const base::DirEntry& entry : *entries) {
        if (entry.name.ends_with("list.txt")) answers_.files.push_back(share + "/" + entry.name);
      }
    }
    add_absent_clang(real_driver);
    return {};
  }

  // Where a configuration file would be picked up unasked.
  void add_absent_clang(const std::string& real_driver) {
    std::string name(base::base_name(questions_.program));
    std::vector<std::string> names = {
        name, "clang", "clang++", answers_.target, answers_.target + "-clang", answers_.target + "-clang++"};
    for (const std::string& program : {questions_.program, real_driver}) {
      for (const std::string& stem : names) {
        answers_.absent.push_back(std::string(base::directory_name(program)) + "/" + stem + ".cfg");
      }
    }
  }

  base::Files& files_;
  base::Spawner& spawner_;
  const DriverQuestions& questions_;
  const std::stop_token& stop_;
  DriverAnswers answers_;
};

}  // namespace

std::vector<std::string> selecting_options(const Command& command) {
  std::vector<std::string> out;
  const std::vector<std::string>& words = command.dialect_args;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::optional<Match> match = find_flag(words[i], command.family);
    if (!match) continue;
    bool wanted = match->flag->has(kSelects) || (command.traits.native_cpu && match->flag->does == Does::cpu);
    if (wanted) out.push_back(words[i]);
    if (!match->value_is_next || i + 1 >= words.size()) continue;
    ++i;
    if (wanted) out.push_back(words[i]);
  }
  auto splits = [](const Output& output) { return output.kind == "dwo"; };
  if (std::any_of(command.outputs.begin(), command.outputs.end(), splits)) out.emplace_back(kSplit);
  return out;
}

base::Result<DriverAnswers> ask_driver(base::Files& files, base::Spawner& spawner,
                                       const DriverQuestions& questions, const std::string& real_driver,
                                       Language language, const std::stop_token& stop) {
  return Asker(files, spawner, questions, stop).run(real_driver, language);
}

base::Result<std::string> native_expansion(base::Spawner& spawner, const DriverQuestions& questions,
                                           Language language, const std::stop_token& stop) {
  base::SpawnRequest request;
  request.argv.push_back(questions.program);
  request.argv.insert(request.argv.end(), questions.options.begin(), questions.options.end());
  for (const char* word : {"-###", "-c", "-x", x_name(language), "/dev/null"})
    request.argv.emplace_back(word);
  request.env = questions.env;
  request.directory = questions.directory;
  base::Result<base::SpawnOutcome> outcome = spawner.run(request, stop);
  if (!outcome) return outcome.error();
  if (outcome->exit_code != 0) return base::unsupported("compiler: fails with -###");
  // The temporary files' names differ from run to run; the words about the processor are what is wanted.
  std::string expansion;
  bool value = false;
  for (std::string_view word : split(outcome->err, ' ')) {
    std::string plain;
    for (char c : word) {
      if (c != '"' && c != '\n') plain += c;
    }
    bool named =
        plain == "-target-cpu" || plain == "-tune-cpu" || plain == "-target-feature" || plain == "--param";
    if (value || named || plain.starts_with("-m")) expansion += plain + " ";
    value = named;
  }
  if (expansion.empty()) return base::unsupported("compiler: -### tells nothing of the processor");
  return expansion;
}

}  // namespace compiler
