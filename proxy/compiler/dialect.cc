#include "compiler/dialect.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "base/once_map.h"
#include "base/path.h"
#include "compiler/environment.h"
#include "compiler/flag_table.h"
#include "compiler/probe_text.h"
#include "compiler/record.h"
#include "compiler/stamp.h"

namespace compiler {
namespace {

// The language whose preprocessor is asked: a preprocessed source is lexed as what it came from.
Language probed_language(Language language) {
  switch (language) {
    case Language::c_preprocessed:
      return Language::c;
    case Language::cxx_preprocessed:
      return Language::cxx;
    case Language::objc_preprocessed:
      return Language::objc;
    case Language::objcxx_preprocessed:
      return Language::objcxx;
    case Language::assembler:
      return Language::assembler_cpp;
    default:
      return language;
  }
}

bool is_path(Does does) {
  return does == Does::path || does == Does::sysroot || does == Does::header_sysroot ||
         does == Does::side_input;
}

// Whether what the compiler answers can depend on the working directory.
bool depends_on_directory(const Command& command, const std::vector<std::string>& env) {
  for (const std::string& entry : env) {
    // These are lists of directories, relative ones and empty ones (the working directory) among them.
    bool list = entry.starts_with("C") || entry.starts_with("OBJC") || entry.starts_with("GCC_EXEC_PREFIX");
    if (list) return true;
  }
  const std::vector<std::string>& words = command.dialect_args;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::optional<Match> match = find_flag(words[i], command.family);
    if (!match || !is_path(match->flag->does)) continue;
    std::string value = words[i].substr(match->value_at);
    if (match->value_is_next) value = i + 1 < words.size() ? words[++i] : "";
    if (!base::is_absolute(value)) return true;
  }
  return false;
}

bool has_system_dir(const Command& command) {
  return std::any_of(command.search.begin(), command.search.end(),
                     [](const SearchDir& dir) { return dir.kind == SearchDir::Kind::system; });
}

// gcc reads <stdc-predef.h> first unless the program is freestanding or no standard header is to be found.
bool wants_stdc_predef(const Command& command) {
  if (command.family != Family::gcc) return false;
  bool wants = true;
  for (const std::string& word : command.dialect_args) {
    if (word == "-nostdinc" || word == "-ffreestanding" || word == "-fno-hosted") wants = false;
    if (word == "-fno-freestanding" || word == "-fhosted") wants = true;
  }
  return wants;
}

// A dialect with all that is needed to ask more.
struct Entry {
  DialectRecord record;  // its answers are guarded by State::mutex_
  std::shared_ptr<const Dialect> dialect;
  base::SpawnRequest run;  // without the input
  std::string key;
};

}  // namespace

class Dialects::State {
 public:
  State(base::Files& files, base::Spawner& spawner, const std::string& state_directory)
      : files_(files),
        spawner_(spawner),
        folder_(state_directory.empty() ? "" : state_directory + "/dialects") {}

  base::Result<std::shared_ptr<const Dialect>> get(const Command& command, const Compiler& compiler,
                                                   const std::vector<std::string>& env,
                                                   const std::stop_token& stop) {
    std::optional<std::string_view> cpath = variable(env, "CPATH");
    if (cpath && !cpath->empty() && has_system_dir(command)) {
      return base::unsupported("environment: CPATH with -isystem");
    }
    base::SpawnRequest run = probe(command, env);
    std::string key = key_of(run, compiler);
    for (int round = 0; round < 3; ++round) {
      base::Result<std::shared_ptr<Entry>> entry =
          entries_.get(key, stop, [&] { return look_up(key, run, command, stop); });
      if (!entry) {
        entries_.erase(key);
        return entry.error();
      }
      if (still_valid(files_, (*entry)->record.stamps)) return (*entry)->dialect;
      entries_.erase(key);
    }
    return base::Error{base::ErrorKind::transient, "the compiler's directories change"};
  }

  base::Result<std::vector<std::int64_t>> answer(const Dialect& dialect,
                                                 const std::vector<Question>& questions,
                                                 const std::stop_token& stop) {
    std::shared_ptr<Entry> entry;
    std::vector<Question> unknown;
    {
      std::lock_guard lock(mutex_);
      auto found = by_id_.find(dialect.id);
      if (found == by_id_.end()) return base::unsupported("dialect: unknown");
      entry = found->second;
      for (const Question& question : questions) {
        if (!is_well_formed(question)) continue;
        bool asked = std::find(unknown.begin(), unknown.end(), question) != unknown.end();
        if (!asked && entry->record.answers.count(question) == 0) unknown.push_back(question);
      }
    }
    if (!unknown.empty()) {
      if (base::Result<void> asked = ask(*entry, unknown, stop); !asked) return asked.error();
    }
    std::lock_guard lock(mutex_);
    std::vector<std::int64_t> out;
    for (const Question& question : questions) {
      auto found = entry->record.answers.find(question);
      out.push_back(found == entry->record.answers.end() ? kNoAnswer : found->second);
    }
    return out;
  }

 private:
  static base::SpawnRequest probe(const Command& command, const std::vector<std::string>& env) {
    base::SpawnRequest run;
    run.env = probe_environment(env);
    run.argv.push_back(command.compiler);
    run.argv.insert(run.argv.end(), command.dialect_args.begin(), command.dialect_args.end());
    for (const char* word : {"-E", "-dD", "-v", "-x", x_name(probed_language(command.language)), "-"}) {
      run.argv.emplace_back(word);
    }
    run.directory = depends_on_directory(command, run.env) ? command.directory : "/";
    return run;
  }

  static std::string key_of(const base::SpawnRequest& run, const Compiler& compiler) {
    std::string key = compiler.fingerprint.hex() + '\0' + run.directory;
    for (const std::string& word : run.argv) key += '\0' + word;
    for (const std::string& entry : run.env) {
      // The compiler's parts are in the fingerprint, however they were found.
      if (!entry.starts_with("PATH=")) key += '\1' + entry;
    }
    return key;
  }

  std::shared_ptr<Entry> enter(DialectRecord record, const base::SpawnRequest& run, const std::string& key) {
    auto entry = std::make_shared<Entry>();
    entry->run = run;
    entry->key = key;
    std::lock_guard lock(mutex_);
    record.dialect.id = ++last_id_;
    record.dialect.beside = record.stamps;
    entry->dialect = std::make_shared<const Dialect>(record.dialect);
    entry->record = std::move(record);
    by_id_[entry->dialect->id] = entry;
    return entry;
  }

  base::Result<std::shared_ptr<Entry>> look_up(const std::string& key, const base::SpawnRequest& run,
                                               const Command& command, const std::stop_token& stop) {
    if (!folder_.empty()) {
      base::Result<std::string> text = files_.read(record_path(folder_, key));
      std::optional<DialectRecord> record;
      if (text) record = dialect_from_text(key, *text);
      if (record && still_valid(files_, record->stamps)) return enter(std::move(*record), run, key);
    }
    base::SpawnRequest request = run;
    request.input = hidden_names_source();
    base::Result<base::SpawnOutcome> outcome = spawner_.run(request, stop);
    if (!outcome) return outcome.error();
    ProbedText text = read_probe(outcome->out);
    ProbedPath path = read_search_path(outcome->err);
    if (outcome->exit_code != 0 || !text.complete || !path.complete) {
      return base::unsupported("dialect: the compiler does not answer: " + run.argv[0]);
    }
    DialectRecord record;
    record.dialect.id = 0;
    record.dialect.predefined = std::move(text.predefined);
    record.dialect.builtin_names = std::move(text.builtin_names);
    record.dialect.directories = path.directories;
    record.dialect.includes_stdc_predef = text.saw_stdc_predef || wants_stdc_predef(command);
    if (base::Result<void> stamped = stamp(record, path, run.directory); !stamped) return stamped.error();
    if (!folder_.empty()) keep_record(record_path(folder_, key), to_text(key, record));
    return enter(std::move(record), run, key);
  }

  // The search path changes when a directory that was missing appears, or one that was there goes, or when
  // another gcc is installed beside the one that clang chose. What is in the directories does not matter.
  base::Result<void> stamp(DialectRecord& record, const ProbedPath& path, const std::string& directory) {
    std::vector<std::string> watched = path.nonexistent;
    watched.insert(watched.end(), path.installations.begin(), path.installations.end());
    std::sort(watched.begin(), watched.end());
    watched.erase(std::unique(watched.begin(), watched.end()), watched.end());
    for (const std::string& entry : watched) {
      base::Result<Stamp> taken = stamp_of(files_, base::join(directory, entry));
      if (!taken) return taken.error();
      record.stamps.push_back(*taken);
    }
    return {};
  }

  base::Result<void> ask(Entry& entry, const std::vector<Question>& questions, const std::stop_token& stop) {
    base::SpawnRequest request = entry.run;
    request.input = questions_source(questions);
    // Neither the macros nor the search path are wanted again.
    std::erase_if(request.argv, [](const std::string& word) { return word == "-dD" || word == "-v"; });
    base::Result<base::SpawnOutcome> outcome = spawner_.run(request, stop);
    if (!outcome) return outcome.error();
    // A question that the compiler does not take makes the run fail; the others are answered all the same.
    std::vector<std::int64_t> answers = read_answers(outcome->out, questions.size());
    std::string text;
    {
      std::lock_guard lock(mutex_);
      for (std::size_t i = 0; i < questions.size(); ++i) entry.record.answers[questions[i]] = answers[i];
      if (!folder_.empty()) text = to_text(entry.key, entry.record);
    }
    keep_record(record_path(folder_, entry.key), text);
    return {};
  }

  base::Files& files_;
  base::Spawner& spawner_;
  const std::string folder_;
  base::OnceMap<std::string, std::shared_ptr<Entry>> entries_;
  std::mutex mutex_;
  std::uint32_t last_id_ = 0;                              // guarded by mutex_
  std::map<std::uint32_t, std::shared_ptr<Entry>> by_id_;  // guarded by mutex_
};

Dialects::Dialects(base::Files& files, base::Spawner& spawner, const std::string& state_directory)
    : state_(std::make_unique<State>(files, spawner, state_directory)) {}

Dialects::~Dialects() = default;

base::Result<std::shared_ptr<const Dialect>> Dialects::get(const Command& command, const Compiler& compiler,
                                                           const std::vector<std::string>& env,
                                                           const std::stop_token& stop) {
  return state_->get(command, compiler, env, stop);
}

base::Result<std::vector<std::int64_t>> Dialects::answer(const Dialect& dialect,
                                                         const std::vector<Question>& questions,
                                                         const std::stop_token& stop) {
  return state_->answer(dialect, questions, stop);
}

}  // namespace compiler
