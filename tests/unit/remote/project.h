// A small project on disk, and the key of a compile in it. Commands are parsed as the daemon parses them;
// closures are told by the test.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/files.h"
#include "base/path.h"
#include "compiler/parse.h"
#include "fake/temp_dir.h"
#include "inputs/file_index.h"
#include "inputs/scanner.h"
#include "remote/action.h"
#include "wire/reapi.pb.h"

namespace reapi = build::bazel::remote::execution::v2;

using Words = std::vector<std::string>;

// A plain compile in the working directory of a Project.
inline const Words kPlain{"-O2", "-c", "../../src/x.cc", "-o", "x.o"};

inline Words plus(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

inline bool has(const Words& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

inline void link_to(const std::string& target, const std::string& path) {
  std::filesystem::create_symlink(target, path);
}

struct Project {
  fake::TempDir dir;
  std::string root;       // the exec root, marked
  std::string directory;  // the working directory, two levels below
  std::string outside;    // a folder that no root holds
  std::string compiler_path = "/usr/bin/g++";
  std::vector<std::string> env{"LC_CTYPE=C.UTF-8", "LC_MESSAGES=C"};
  remote::KeySettings settings;
  compiler::Compiler compiler;
  inputs::FileIndex index{base::real_files(), base::real_clock(), false};
  inputs::Closure closure;
  std::vector<std::string> names;  // of the inputs, as typed or absolute

  explicit Project(const std::string& name = "proj") {
    root = dir.path() + "/" + name;
    directory = root + "/out/a";
    outside = dir.path() + "/outside";
    for (const std::string& folder : {root + "/.git", directory, root + "/src", root + "/inc", outside}) {
      std::filesystem::create_directories(folder);
    }
    write("src/x.cc", "int x;\n");
    write("inc/x.h", "int h;\n");
    write_absolute(outside + "/sys.h", "int s;\n");
    compiler.driver = compiler_path;
    compiler.family = compiler::Family::gcc;
    compiler.version = "g++ (Debian 12.2.0-14+deb12u1) 12.2.0";
    compiler.target = "x86_64-linux-gnu";
    compiler.parts = {{"/usr/bin/g++-12", base::digest_of("driver")},
                      {"/usr/lib/cc1plus", base::digest_of("cc1")}};
    compiler.absent = {"/usr/lib/specs"};
    names = {"../../src/x.cc", "../../inc/x.h", outside + "/sys.h"};
  }

  void use_clang(const std::string& version = "14.0.6") {
    compiler_path = "/usr/bin/clang++";
    compiler.family = compiler::Family::clang;
    compiler.version = "Debian clang version " + version;
  }

  static void write_absolute(const std::string& path, const std::string& text) {
    std::filesystem::remove(path);
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    REQUIRE(base::write_file_atomic(path, text));
  }
  void write(const std::string& path, const std::string& text) { write_absolute(root + "/" + path, text); }

  // Adds an input by the name the compiler gives it.
  inputs::Input& add(const std::string& spelled) {
    inputs::Trail trail;
    inputs::Found found = index.find(base::join(directory, spelled), trail);
    REQUIRE(found.type == base::FileType::regular);
    for (inputs::NodeId node : trail) {
      if (index.type(node) == base::FileType::symlink) closure.links.push_back(node);
    }
    inputs::Input input;
    input.node = found.node;
    input.spelled = spelled;
    input.in_depfile = true;
    closure.inputs.push_back(input);
    return closure.inputs.back();
  }

  compiler::Command command(const std::vector<std::string>& words) {
    std::vector<std::string> argv{compiler_path};
    argv.insert(argv.end(), words.begin(), words.end());
    base::Result<compiler::Command> parsed =
        compiler::parse({compiler_path, argv, directory, {}}, base::real_files());
    REQUIRE_MESSAGE(parsed, (parsed ? std::string() : parsed.error().message));
    return *parsed;
  }

  base::Result<remote::Action> try_action(const std::vector<std::string>& words) {
    index.refresh();
    if (closure.inputs.empty()) {
      for (const std::string& name : names) add(name);
    }
    return remote::make_action(command(words), compiler, closure, env, settings, index);
  }

  remote::Action action(const std::vector<std::string>& words) {
    base::Result<remote::Action> made = try_action(words);
    REQUIRE_MESSAGE(made, (made ? std::string() : made.error().message));
    return *made;
  }

  base::Digest key(const std::vector<std::string>& words) { return action(words).digest; }
};

inline reapi::Command command_of(const remote::Action& action) {
  reapi::Command command;
  REQUIRE(command.ParseFromString(action.command));
  return command;
}

inline std::vector<std::string> arguments_of(const remote::Action& action) {
  reapi::Command command = command_of(action);
  return {command.arguments().begin(), command.arguments().end()};
}

inline std::vector<std::string> outputs_of(const remote::Action& action) {
  reapi::Command command = command_of(action);
  return {command.output_paths().begin(), command.output_paths().end()};
}

inline std::string variable_of(const remote::Action& action, const std::string& name) {
  reapi::Command command = command_of(action);
  for (const auto& variable : command.environment_variables()) {
    if (variable.name() == name) return variable.value();
  }
  return "(unset)";
}

// Every file, link and directory of the input root: "path", "path -> target", "path/".
std::vector<std::string> tree_of(const remote::Action& action);

// Why a compile's key is in the absolute form; empty when it is portable.
inline std::string reason(Project& project, const Words& words) {
  remote::Action action = project.action(words);
  CHECK(action.portable == action.absolute_because.empty());
  CHECK((action.portable || !action.shared));
  return action.absolute_because;
}
