#include "compiler/identity.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/once_map.h"
#include "base/path.h"
#include "compiler/driver.h"
#include "compiler/environment.h"
#include "compiler/flag_table.h"
#include "compiler/loader.h"
#include "compiler/record.h"
#include "compiler/stamp.h"

namespace compiler {
namespace {

// A compiler, or why there is none, and what that rests on.
struct Known {
  base::Result<std::shared_ptr<const Compiler>> compiler;
  std::vector<Stamp> stamps;
};

// Text that only a driver of its own has in it: a wrapper that hands its arguments to a driver, and so
// answers as one, has not.
std::string_view own_text(Family family) {
  return family == Family::gcc ? "COLLECT_GCC" : "CCC_OVERRIDE_OPTIONS";
}

// Reads programs and libraries, each once, and digests them.
class Collector {
 public:
  Collector(base::Files& files, base::Spawner& spawner, const std::stop_token& stop)
      : files_(files), spawner_(spawner), stop_(stop) {}

  // `path` and, for a program, every library that it loads.
  base::Result<void> add_program(const std::string& path) {
    std::string bytes;
    if (base::Result<void> added = add(path, &bytes); !added) return added;
    base::Result<std::vector<std::string>> libraries = loaded_by(spawner_, path, bytes, stop_);
    if (!libraries) return libraries.error();
    for (const std::string& library : *libraries) {
      if (base::Result<void> added = add(library, nullptr); !added) return added;
    }
    return {};
  }

  base::Result<void> add(const std::string& path, std::string* keep) {
    bool seen = !paths_.insert(path).second;
    if (seen && keep == nullptr) return {};
    base::Result<Stamp> before = stamp_of(files_, path);
    if (!before) return before.error();
    base::Result<std::string> bytes = files_.read(path);
    if (!bytes) return bytes.error();
    base::Result<Stamp> after = stamp_of(files_, path);
    if (!after) return after.error();
    if (!(before->stat == after->stat)) {
      return base::Error{base::ErrorKind::transient, "changes while it is read: " + path};
    }
    for (Family family : {Family::gcc, Family::clang}) {
      bool& found = family == Family::gcc ? gcc_text_ : clang_text_;
      found = found || bytes->find(own_text(family)) != std::string::npos;
    }
    if (!seen) {
      parts_.push_back({path, base::digest_of(*bytes)});
      stamps_.push_back(*after);
    }
    if (keep != nullptr) *keep = std::move(*bytes);
    return {};
  }

  bool has_own_text(Family family) const { return family == Family::gcc ? gcc_text_ : clang_text_; }
  std::vector<Part>& parts() { return parts_; }
  std::vector<Stamp>& stamps() { return stamps_; }

 private:
  base::Files& files_;
  base::Spawner& spawner_;
  const std::stop_token& stop_;
  std::set<std::string> paths_;
  std::vector<Part> parts_;
  std::vector<Stamp> stamps_;
  bool gcc_text_ = false;
  bool clang_text_ = false;
};

base::Digest fingerprint_of(const Compiler& compiler, const std::string& native) {
  base::Hasher hasher;
  auto line = [&](std::string_view a, std::string_view b) {
    hasher.update(a);
    hasher.update(std::string_view("\0", 1));
    hasher.update(b);
    hasher.update("\n");
  };
  line("driver", compiler.driver);
  line("version", compiler.version);
  line("target", compiler.target);
  for (const Part& part : compiler.parts) line(part.path, part.digest.hex());
  for (const std::string& path : compiler.absent) line(path, "");
  if (!native.empty()) line("native", native);
  return hasher.finish();
}

void sort_unique(std::vector<std::string>& paths) {
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
}

// The variables that change which tools are run.
std::vector<std::string> tool_environment(const std::vector<std::string>& env) {
  std::vector<std::string> out;
  for (std::string_view name : {"COMPILER_PATH", "GCC_EXEC_PREFIX", "PATH"}) {
    std::optional<std::string_view> value = variable(env, name);
    if (value) out.push_back(std::string(name) + "=" + std::string(*value));
  }
  out.push_back("LC_ALL=C");
  return out;
}

// True when an option's value is a relative path, so that its meaning depends on the working directory.
bool has_relative_path(const std::vector<std::string>& options, Family family) {
  for (std::size_t i = 0; i < options.size(); ++i) {
    std::optional<Match> match = find_flag(options[i], family);
    if (!match) continue;
    Does does = match->flag->does;
    bool path = does == Does::path || does == Does::sysroot || does == Does::header_sysroot;
    std::string value = options[i].substr(match->value_at);
    if (match->value_is_next) value = i + 1 < options.size() ? options[++i] : "";
    if (path && !base::is_absolute(value)) return true;
  }
  return false;
}

}  // namespace

class Identifier::State {
 public:
  State(base::Files& files, base::Spawner& spawner, const std::string& state_directory)
      : files_(files),
        spawner_(spawner),
        folder_(state_directory.empty() ? "" : state_directory + "/compilers") {}

  base::Result<std::shared_ptr<const Compiler>> identify(const Command& command,
                                                         const std::vector<std::string>& env,
                                                         const std::stop_token& stop,
                                                         const Unchanged& unchanged) {
    DriverQuestions questions{command.compiler, selecting_options(command), tool_environment(env),
                              command.directory};
    if (!has_relative_path(questions.options, command.family)) questions.directory = "/";
    std::string key = key_of(questions, command);
    // A second round follows when what is known turned out to be old; a third would mean that the compiler is
    // being replaced right now.
    for (int round = 0; round < 3; ++round) {
      base::Result<std::shared_ptr<const Known>> known =
          known_.get(key, stop, [&] { return look_up(key, questions, command, stop); });
      if (!known) {
        known_.erase(key);
        return known.error();
      }
      const base::Result<std::shared_ptr<const Compiler>>& compiler = (*known)->compiler;
      if (compiler && unchanged && unchanged(**compiler)) return compiler;
      if (still_valid(files_, (*known)->stamps)) return compiler;
      known_.erase(key);
    }
    return base::Error{base::ErrorKind::transient, "the compiler changes: " + command.compiler};
  }

 private:
  // The stamps of what is not itself a part: parts are watched by content.
  static std::vector<Stamp> beside(const std::vector<Stamp>& stamps, const Compiler& compiler) {
    std::vector<Stamp> out;
    for (const Stamp& stamp : stamps) {
      bool part = std::any_of(compiler.parts.begin(), compiler.parts.end(),
                              [&](const Part& item) { return item.path == stamp.path; });
      if (!part) out.push_back(stamp);
    }
    return out;
  }

  static std::string key_of(const DriverQuestions& questions, const Command& command) {
    std::string key = questions.program + '\0' + x_name(command.language) + '\0' + questions.directory;
    for (const std::string& option : questions.options) key += '\0' + option;
    for (const std::string& entry : questions.env) key += '\1' + entry;
    return key;
  }

  base::Result<std::shared_ptr<const Known>> look_up(const std::string& key, const DriverQuestions& questions,
                                                     const Command& command, const std::stop_token& stop) {
    // What -march=native stands for is asked anew in each run of the daemon: the disk may move to another
    // machine.
    bool keeps = !folder_.empty() && !command.traits.native_cpu;
    if (keeps) {
      base::Result<std::string> text = files_.read(record_path(folder_, key));
      if (text) {
        std::optional<CompilerRecord> record = compiler_from_text(key, *text);
        if (record && still_valid(files_, record->stamps)) {
          record->compiler.beside = beside(record->stamps, record->compiler);
          auto compiler = std::make_shared<const Compiler>(std::move(record->compiler));
          return std::make_shared<const Known>(Known{compiler, std::move(record->stamps)});
        }
      }
    }
    base::Result<std::shared_ptr<const Known>> known = compute(questions, command, stop);
    if (known && (*known)->compiler && keeps) {
      CompilerRecord record{**(*known)->compiler, (*known)->stamps};
      keep_record(record_path(folder_, key), to_text(key, record));
    }
    return known;
  }

  base::Result<std::shared_ptr<const Known>> compute(const DriverQuestions& questions, const Command& command,
                                                     const std::stop_token& stop) {
    base::Result<std::string> driver = real_path(files_, command.compiler);
    if (!driver) return driver.error();
    base::Result<Stamp> called = stamp_of(files_, command.compiler);
    if (!called) return called.error();
    // "It is a wrapper" is remembered too, until the program changes.
    auto refuse = [&](const base::Error& error) -> base::Result<std::shared_ptr<const Known>> {
      if (error.kind != base::ErrorKind::unsupported) return error;
      return std::make_shared<const Known>(Known{error, {*called}});
    };

    Collector collector(files_, spawner_, stop);
    std::string bytes;
    if (base::Result<void> added = collector.add(*driver, &bytes); !added) return added.error();
    if (!is_elf(bytes)) return refuse(base::unsupported("wrapper: " + *driver + " is no ELF program"));
    base::Result<DriverAnswers> answers =
        ask_driver(files_, spawner_, questions, *driver, command.language, stop);
    if (!answers) return refuse(answers.error());
    if (base::Result<void> added = collector.add_program(*driver); !added) return refuse(added.error());
    if (answers->family != command.family) {
      return refuse(base::unsupported("unknown_compiler: the name of " + *driver + " misleads"));
    }
    if (!collector.has_own_text(answers->family)) {
      return refuse(base::unsupported("wrapper: " + *driver + " is not the driver itself"));
    }
    for (const std::string& program : answers->programs) {
      if (base::Result<void> added = collector.add_program(program); !added) return refuse(added.error());
    }
    for (const std::string& file : answers->files) {
      if (base::Result<void> added = collector.add(file, nullptr); !added) return added.error();
    }
    std::string native;
    if (command.traits.native_cpu) {
      base::Result<std::string> expansion = native_expansion(spawner_, questions, command.language, stop);
      if (!expansion) return refuse(expansion.error());
      native = *expansion;
    }
    return assemble(*driver, *called, *answers, native, collector);
  }

  base::Result<std::shared_ptr<const Known>> assemble(const std::string& driver, const Stamp& called,
                                                      const DriverAnswers& answers, const std::string& native,
                                                      Collector& collector) {
    Compiler compiler;
    compiler.driver = driver;
    compiler.family = answers.family;
    compiler.version = answers.version;
    compiler.target = answers.target;
    compiler.native = native;
    compiler.parts = std::move(collector.parts());
    std::sort(compiler.parts.begin(), compiler.parts.end(),
              [](const Part& a, const Part& b) { return a.path < b.path; });
    compiler.absent = answers.absent;
    sort_unique(compiler.absent);

    std::vector<Stamp> stamps = std::move(collector.stamps());
    stamps.push_back(called);
    for (const std::string& path : answers.passed_over) {
      base::Result<Stamp> stamp = stamp_of(files_, path);
      if (!stamp) return stamp.error();
      stamps.push_back(*stamp);
    }
    // Another library may be found when the loader's own tables change.
    for (const char* table : {"/etc/ld.so.cache", "/etc/ld.so.preload"}) {
      base::Result<Stamp> stamp = stamp_of(files_, table);
      if (!stamp) return stamp.error();
      stamps.push_back(*stamp);
    }
    for (const std::string& path : compiler.absent) {
      base::Result<Stamp> stamp = stamp_of(files_, path);
      if (!stamp) return stamp.error();
      if (stamp->stat.type == base::FileType::regular) {
        // A configuration file, which can change anything.
        base::Error error = base::unsupported("config_file: " + path);
        return std::make_shared<const Known>(Known{error, {called, *stamp}});
      }
      stamps.push_back(*stamp);
    }
    compiler.fingerprint = fingerprint_of(compiler, native);
    compiler.beside = beside(stamps, compiler);
    return std::make_shared<const Known>(
        Known{std::make_shared<const Compiler>(std::move(compiler)), std::move(stamps)});
  }

  base::Files& files_;
  base::Spawner& spawner_;
  const std::string folder_;
  base::OnceMap<std::string, std::shared_ptr<const Known>> known_;
};

Identifier::Identifier(base::Files& files, base::Spawner& spawner, const std::string& state_directory)
    : state_(std::make_unique<State>(files, spawner, state_directory)) {}

Identifier::~Identifier() = default;

base::Result<std::shared_ptr<const Compiler>> Identifier::identify(const Command& command,
                                                                   const std::vector<std::string>& env,
                                                                   const std::stop_token& stop,
                                                                   const Unchanged& unchanged) {
  return state_->identify(command, env, stop, unchanged);
}

}  // namespace compiler
