// From argv to a Command, or to the reason why this command is run locally and not cached.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "compiler/command.h"

namespace compiler {

// One request of gomacc as far as its command goes.
struct CommandLine {
  std::string compiler;           // absolute path, last symlink not resolved
  std::vector<std::string> argv;  // argv[0] as typed
  std::string directory;          // physical working directory
  std::vector<std::string> env;   // "NAME=VALUE", unfiltered
};

// The family told by the program's name (g++, gcc-12, x86_64-linux-gnu-g++, cc, c++, clang++-19); nothing
// when the name is none of them.
base::Result<Family> family_of_name(std::string_view compiler);

// `unsupported` with a stable label when the command must run locally ("unknown_flag: -fplugin=x.so",
// "several_sources", "no_source", "environment: LD_PRELOAD", ...). `files` is used for response files alone.
// Any thread.
base::Result<Command> parse(const CommandLine& line, base::Files& files);

}  // namespace compiler
