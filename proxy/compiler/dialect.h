// What a compiler, with the flags that matter, tells the preprocessor before the first line of source:
// predefined macros, built-in include directories, and its answers to __has_builtin and friends. Asked from
// the compiler itself, never guessed; kept in memory and on disk.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "base/spawn.h"
#include "compiler/command.h"
#include "compiler/identity.h"

namespace compiler {

struct BuiltinDir {
  std::string path;  // as the compiler prints it under -v
  bool framework;
};

// A question to the compiler's preprocessor with an integer answer: "__has_builtin(__builtin_trap)",
// "__has_cpp_attribute(gnu::packed)".
using Question = std::string;

struct Dialect {
  std::uint32_t id;        // distinct for distinct dialects in this process
  std::string predefined;  // the output of -dM: "#define NAME BODY" lines, without the user's own -D and -U
  std::vector<BuiltinDir> directories;     // after the command's own, in search order
  std::vector<std::string> builtin_names;  // hidden names that are defined: __has_include, __COUNTER__, ...
};

// Any thread.
class Dialects {
 public:
  Dialects(base::Files& files, base::Spawner& spawner, std::string state_directory);
  ~Dialects();

  base::Result<std::shared_ptr<const Dialect>> get(const Command& command, const Compiler& compiler,
                                                   const std::vector<std::string>& env,
                                                   const std::stop_token& stop);

  // The answers, in the order of the questions; those not yet known are asked in one run of the compiler.
  base::Result<std::vector<std::int64_t>> answer(const Dialect& dialect,
                                                 const std::vector<Question>& questions,
                                                 const std::stop_token& stop);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace compiler
