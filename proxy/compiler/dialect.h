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
#include "compiler/stamp.h"

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
  std::vector<Stamp> beside;  // what the search path rests on: missing directories, gcc installations
  std::vector<BuiltinDir> directories;     // after the command's own, in search order
  std::vector<std::string> builtin_names;  // hidden names that are defined: __has_include, __COUNTER__, ...
  // gcc, hosted: the compiler includes <stdc-predef.h> before anything else, through the whole search path.
  // `predefined` is without its contents.
  bool includes_stdc_predef = false;
};

// The answer to a question that the compiler does not take ("__has_feature(x)" to gcc, unbalanced
// parentheses).
inline constexpr std::int64_t kNoAnswer = INT64_MIN;

// Any thread.
class Dialects {
 public:
  Dialects(base::Files& files, base::Spawner& spawner, const std::string& state_directory);
  ~Dialects();

  // `env` is the request's own, unfiltered. `unsupported` with label `dialect` when the compiler fails, and
  // with `environment` for CPATH together with -isystem, whose order a Dialect cannot tell.
  base::Result<std::shared_ptr<const Dialect>> get(const Command& command, const Compiler& compiler,
                                                   const std::vector<std::string>& env,
                                                   const std::stop_token& stop);

  // The answers, in the order of the questions; those not yet known are asked in one run of the compiler.
  // kNoAnswer for those that it does not take. Requires: `dialect` came from get() of this object.
  base::Result<std::vector<std::int64_t>> answer(const Dialect& dialect,
                                                 const std::vector<Question>& questions,
                                                 const std::stop_token& stop);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace compiler
