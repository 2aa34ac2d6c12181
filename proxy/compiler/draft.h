// A Command under construction: what has been collected from the words seen so far.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "compiler/command.h"
#include "compiler/depfile.h"
#include "compiler/flag_table.h"
#include "compiler/outputs.h"

namespace compiler {

struct Draft {
  Command command;
  DepfileOptions depfile;
  OutputOptions outputs;

  bool object = false;       // -c
  bool assembly = false;     // -S
  bool syntax_only = false;  // -fsyntax-only
  bool optimizes = false;    // the last -O is not -O0
  bool verbose_assembly = false;
  std::optional<Language> x;                // the -x in force
  std::optional<Language> source_language;  // that at the last source
  std::vector<std::string> sources;
  std::string sysroot;         // --sysroot
  std::string header_sysroot;  // -isysroot

  // Words for the preprocessor and for clang's cc1, which these read after all others.
  std::vector<std::string> preprocessor_words;
  std::vector<std::string> clang_words;

  // The first option that is not known to give the same bytes in any folder is the one that is named.
  void not_portable(std::string_view option) {
    if (!command.traits.portable) return;
    command.traits.portable = false;
    command.traits.not_portable_because = option;
  }
};

// The compile is not for us: `label` is the reason's name, `word` what it is about.
inline base::Error refused(std::string_view label, std::string_view word) {
  return base::unsupported(std::string(label) + ": " + std::string(word));
}

}  // namespace compiler
