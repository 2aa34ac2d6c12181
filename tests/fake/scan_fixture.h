// A scan of files in memory for a compiler of which only the dialect is made up: no process is started.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "compiler/command.h"
#include "compiler/dialect.h"
#include "fake/fake_clock.h"
#include "fake/fake_files.h"
#include "fake/fake_spawner.h"
#include "inputs/file_index.h"
#include "inputs/lists.h"
#include "inputs/prelude.h"
#include "inputs/preprocessor.h"
#include "inputs/recorder.h"
#include "inputs/resolver.h"
#include "inputs/search_path.h"
#include "inputs/watcher.h"

namespace fake {

class ScanFixture {
 public:
  // Without a watcher every file is looked at in each scan.
  explicit ScanFixture(compiler::Family family = compiler::Family::gcc,
                       std::unique_ptr<inputs::Watcher> watcher = nullptr)
      : index(files, clock, std::move(watcher)) {
    command.family = family;
    command.directory = "/w";
    command.language = compiler::Language::cxx;
    command.source = "main.cc";
    with_subtrees.subtree_limits.least_gain = std::numeric_limits<std::int64_t>::min();
    files.make_directory("/w");
    dialect.id = 1;
    dialect.predefined = family == compiler::Family::gcc
                             ? "#define __GNUC__ 12\n#define __cplusplus 201703L\n"
                             : "#define __clang_major__ 19\n#define __cplusplus 201703L\n";
    dialect.builtin_names = {"__has_include", "__has_include_next", "__has_attribute", "__has_builtin"};
  }

  void search(compiler::SearchDir::Kind kind, const std::string& path) {
    command.search.push_back({kind, path});
  }
  void angle(const std::string& path) { search(compiler::SearchDir::Kind::angle, path); }

  // Runs a new walk with all that was learnt by those before but subtrees; and then some that record and take
  // subtrees wherever they can. An error if these come to something else.
  base::Result<inputs::Closure> scan() {
    index.refresh();
    scratch.subtree_limits.least_gain = std::numeric_limits<std::int64_t>::max();
    base::Result<inputs::Closure> plain = walk(scratch);
    const std::vector<std::string> asked = questions;
    // The first may record nothing, as it meets the files for the first time.
    for (int i = 0; i < 3; ++i) {
      const std::string other = described(walk(with_subtrees));
      if (other != described(plain)) {
        return base::unsupported("with subtrees: " + other + " and without: " + described(plain));
      }
    }
    questions = asked;
    return plain;
  }

  // The names in the depfile, joined by blanks; or "refused: " and the label.
  std::string listed() {
    base::Result<inputs::Closure> closure = scan();
    if (!closure) return "refused: " + closure.error().label();
    std::string out;
    for (const inputs::Input& input : closure->inputs) {
      if (input.in_depfile) out += (out.empty() ? "" : " ") + input.spelled;
    }
    return out;
  }

  // All that a scan tells, in words.
  std::string described(const base::Result<inputs::Closure>& closure) {
    if (!closure) return closure.error().message;
    std::string out;
    auto add = [&](const std::string& word) { out += word + '\n'; };
    for (const inputs::Input& input : closure->inputs) {
      add(index.path(input.node) + ' ' + input.spelled + (input.system ? " system" : "") +
          (input.in_depfile ? " listed" : "") + (input.by_system_dir ? " by flag" : ""));
    }
    auto add_sorted = [&](const char* what, inputs::Trail nodes) {
      std::sort(nodes.begin(), nodes.end());
      add(what);
      for (inputs::NodeId node : nodes) add(index.path(node));
    };
    add_sorted("links", closure->links);
    add_sorted("directories", closure->directories);
    add_sorted("trail", closure->trail);
    for (const std::string& name : closure->facts.absolute_includes) add("include " + name);
    for (const std::string& name : closure->facts.absolute_lines) add("line " + name);
    return out + (closure->facts.time_macro ? "time" : "");
  }

  FakeFiles files;
  FakeClock clock;
  FakeSpawner spawner;
  inputs::FileIndex index;
  compiler::Dialects dialects{files, spawner, ""};
  inputs::Lists lists{index};
  inputs::Answers answers{dialects};
  inputs::Scratch scratch;
  inputs::Scratch with_subtrees;
  compiler::Command command;
  bool canonical_system_headers = true;  // if it is gcc
  compiler::Dialect dialect;
  std::vector<std::string> env;
  std::vector<std::string> questions;
  std::stop_token stop;

 private:
  base::Result<inputs::Closure> walk(inputs::Scratch& memory) {
    inputs::Trail trail;
    const inputs::Found cwd = index.find(command.directory, trail);
    auto path = inputs::make_search_path(command, dialect, env, index, cwd.node, trail);
    if (!path) return path.error();
    const auto prelude = lists.prelude(command, dialect);
    inputs::ScanTask task{command, dialect, *prelude, index, lists, answers, stop};
    task.cwd = cwd.node;
    task.since = index.epoch();
    inputs::Resolver& resolver = resolver_for(cwd.node, std::move(*path), memory);
    ++memory.scan;
    resolver.begin(memory.scan);
    inputs::Recorder recorder(index, memory);
    recorder.depends_on(trail);
    inputs::Preprocessor preprocessor(task, memory, resolver, recorder);
    const inputs::Found source = index.find_in(cwd.node, command.source, trail);
    const std::size_t slash = command.source.rfind('/');
    const std::string directory = slash == std::string::npos ? "." : command.source.substr(0, slash);
    auto done = preprocessor.run(source.node, index.find_in(cwd.node, directory, trail).node);
    questions = preprocessor.open_questions();
    if (!done) return done.error();
    return recorder.finish();
  }

  inputs::Resolver& resolver_for(inputs::NodeId cwd, inputs::SearchPath path, inputs::Scratch& memory) {
    inputs::SearchConfig config{command.family,
                                canonical_system_headers && command.family == compiler::Family::gcc, cwd,
                                std::move(path)};
    std::unique_ptr<inputs::Resolver>& slot = memory.resolvers[config.key()];
    if (!slot) {
      slot = std::make_unique<inputs::Resolver>(index, lists.vocabulary().headers, std::move(config));
    }
    return *slot;
  }
};

}  // namespace fake
