// Words of one line of source.
#pragma once

#include <string_view>

#include "inputs/token.h"

namespace inputs {

// Without the blanks around it.
inline std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Takes the name at the beginning off, and blanks before it; empty when there is none.
inline std::string_view take_word(std::string_view& rest) {
  rest = trim(rest);
  std::size_t size = 0;
  while (size < rest.size() && is_name_char(rest[size])) ++size;
  std::string_view word = rest.substr(0, size);
  rest.remove_prefix(size);
  return word;
}

}  // namespace inputs
