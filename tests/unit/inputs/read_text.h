// The directives and facts of a text, as the tests of both look at them.
#pragma once

#include <memory>
#include <string_view>

#include "inputs/directive.h"

namespace fake {

// The one that every text is read with.
inline inputs::Vocabulary& vocabulary() {
  static inputs::Vocabulary one;
  return one;
}

inline std::shared_ptr<const inputs::DirectiveList> read_text(std::string_view text,
                                                              inputs::LexMode mode = {}) {
  return inputs::read_directives(text, mode, vocabulary());
}

}  // namespace fake
