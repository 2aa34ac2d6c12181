// Small helpers for what compilers print.
#pragma once

#include <string_view>
#include <vector>

namespace compiler {

// The pieces between separators; one piece more than separators.
inline std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  while (true) {
    std::size_t at = text.find(separator);
    out.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + 1);
  }
}

// Line `number`, counted from 0, without its newline; empty when there are fewer.
inline std::string_view line_of(std::string_view text, int number) {
  for (; number > 0; --number) {
    std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return "";
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

}  // namespace compiler
