// What holds before the first line of a source: how it is read, and the macros that the compiler and the
// command line define. Made once per dialect.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "compiler/command.h"
#include "compiler/dialect.h"
#include "inputs/directive.h"
#include "inputs/expression.h"

namespace inputs {

// The language as the predefined macros tell it.
struct LanguageFacts {
  bool cxx = false;
  std::int64_t cplusplus = 0;     // __cplusplus
  std::int64_t stdc_version = 0;  // __STDC_VERSION__
  bool strict = false;            // __STRICT_ANSI__
  bool openmp = false;            // _OPENMP
  bool objc = false;
  bool unsigned_char = false;
  int gcc_major = 0;  // 0 for clang
  int clang_major = 0;

  bool c23() const { return !cxx && stdc_version > 201710; }
};

struct Prelude {
  LanguageFacts language;
  LexMode mode;
  ExpressionRules rules;
  std::vector<const Macro*> macros;  // predefined and built in, in an order that may be followed blindly
};

// Any thread.
std::shared_ptr<const Prelude> make_prelude(const compiler::Command& command,
                                            const compiler::Dialect& dialect, Vocabulary& vocabulary);

}  // namespace inputs
