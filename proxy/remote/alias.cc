#include <string>
#include <string_view>

#include "remote/action.h"

namespace remote {
namespace {

bool is_name_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '+' || c == '@' || c == '~' || c == '-' || c == '/';
}

// True when an escape sequence that colours messages (ESC [ digits letter) ends just before `at`.
bool after_escape(std::string_view text, std::size_t at) {
  std::size_t i = at - 1;
  bool final_byte = (text[i] >= 'A' && text[i] <= 'Z') || (text[i] >= 'a' && text[i] <= 'z');
  if (!final_byte) return false;
  while (i > 0 && ((text[i - 1] >= '0' && text[i - 1] <= '9') || text[i - 1] == ';')) --i;
  return i >= 2 && text[i - 1] == '[' && text[i - 2] == '\x1b';
}

// True when a path may begin at `at`: what stands before is no part of a longer one.
bool begins_path(std::string_view text, std::size_t at) {
  return at == 0 || !is_name_character(text[at - 1]) || after_escape(text, at);
}

// True when a component ends at `end`. A full stop there may end a sentence.
bool ends_component(std::string_view text, std::size_t end) {
  if (end == text.size() || text[end] == '/' || !is_name_character(text[end])) return true;
  return text[end] == '.' && (end + 1 == text.size() || !is_name_character(text[end + 1]));
}

std::string replace_prefixes(std::string_view text, const std::string& from, const std::string& to) {
  std::string out;
  std::size_t begin = 0;
  for (std::size_t at = text.find(from); at != std::string_view::npos; at = text.find(from, at)) {
    std::size_t end = at + from.size();
    if (!begins_path(text, at) || !ends_component(text, end)) {
      ++at;
      continue;
    }
    out.append(text.substr(begin, at - begin)).append(to);
    begin = end;
    at = end;
  }
  return out.append(text.substr(begin));
}

}  // namespace

std::string to_alias(std::string_view text, const Roots& roots) {
  return roots.alias.empty() ? std::string(text) : replace_prefixes(text, roots.root, roots.alias);
}

std::string from_alias(std::string_view text, const Roots& roots) {
  return roots.alias.empty() ? std::string(text) : replace_prefixes(text, roots.alias, roots.root);
}

}  // namespace remote
