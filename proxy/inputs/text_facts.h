// What a file says besides its preprocessor lines: that it uses the time, that the assembler will read files,
// that a pragma stands in its text. Found by searching for a few words; where one stands decides what it
// means.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "inputs/directive.h"
#include "inputs/source_reader.h"
#include "inputs/token.h"

namespace inputs {

// Whether `text` holds what may become an assembler directive that reads a file. Their case does not matter.
bool names_assembler_file(std::string_view text);

// Whether the directive at the start of `text` shows its words to somebody, macros expanded: in the object or
// in a message.
bool shows_words(std::string_view text);

// The search of one file. Requires: the text outlives it.
class TextFacts {
 public:
  explicit TextFacts(std::string_view text);

  // Whether there is anything to judge; where not, the ranges need not be known.
  bool any() const { return present_ != 0 || assembles_; }

  // Sets the facts of `list`, and its assembler files. `ranges`: of comments and directives, all of them.
  void judge(const std::vector<SourceRange>& ranges, const LexMode& mode, DirectiveList& list) const;

 private:
  const std::string_view text_;
  std::uint32_t present_ = 0;  // a bit for each word that occurs
  const bool assembles_;
};

}  // namespace inputs
