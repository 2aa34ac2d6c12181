// What tests ask of texts: messages, pages, logs.
#pragma once

#include <string>
#include <string_view>

namespace fake {

inline bool holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace fake
