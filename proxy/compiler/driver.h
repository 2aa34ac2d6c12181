// Short questions to a compiler driver, and the parts that its answers name.
#pragma once

#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "base/spawn.h"
#include "compiler/command.h"

namespace compiler {

// Who is asked, and how: the program as called, with the options that choose tools.
struct DriverQuestions {
  std::string program;
  std::vector<std::string> options;
  std::vector<std::string> env;
  std::string directory;
};

// What a driver told about itself. Paths as it printed them.
struct DriverAnswers {
  Family family = Family::gcc;
  std::string version;  // the first line of --version
  std::string target;
  std::vector<std::string> programs;  // cc1plus, as: run for this language
  std::vector<std::string> files;     // read, not run: specs, lists of sanitizers
  std::vector<std::string> absent;    // configuration that would be read if it were there
  // Where a program was looked for in vain. Others' PATHs differ: this is no part of what the compiler is.
  std::vector<std::string> passed_over;
};

// The words of `command` that choose other tools or another target.
std::vector<std::string> selecting_options(const Command& command);

// Asks the driver. `unsupported` when it is not gcc's or clang's, or when a configuration file is in use. Any
// thread; some ten short runs.
base::Result<DriverAnswers> ask_driver(base::Files& files, base::Spawner& spawner,
                                       const DriverQuestions& questions, const std::string& real_driver,
                                       Language language, const std::stop_token& stop);

// What -march=native and its like stand for on this machine: the words that the driver makes of `options`.
base::Result<std::string> native_expansion(base::Spawner& spawner, const DriverQuestions& questions,
                                           Language language, const std::stop_token& stop);

}  // namespace compiler
