#include "serve/redact.h"

#include <cctype>
#include <cstddef>

namespace serve {
namespace {

constexpr std::string_view kHidden = "[hidden]";

bool is_name_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
}

// Where the shell word that begins at `begin` ends.
std::size_t word_end(std::string_view text, std::size_t begin) {
  char quote = '\0';
  std::size_t i = begin;
  for (; i < text.size(); ++i) {
    char c = text[i];
    if (c == '\\' && quote != '\'') {
      ++i;
    } else if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == ' ' || c == '\t' || c == '\n') {
      break;
    }
  }
  return i < text.size() ? i : text.size();
}

// "https://user:password@host": hides what stands between the scheme and the last `@` before the path.
std::string without_url_password(std::string_view word) {
  std::string result;
  while (true) {
    std::size_t scheme = word.find("://");
    if (scheme == std::string_view::npos) break;
    std::size_t begin = scheme + 3;
    std::size_t path = word.find_first_of("/ '\"", begin);
    std::size_t at = word.substr(0, path).rfind('@');
    result += word.substr(0, begin);
    if (at != std::string_view::npos && at >= begin) {
      result += kHidden;
      begin = at;
    }
    word.remove_prefix(begin);
  }
  result += word;
  return result;
}

std::string redact_word(std::string_view word) {
  for (std::size_t equals = word.find('='); equals != std::string_view::npos;
       equals = word.find('=', equals + 1)) {
    std::size_t begin = equals;
    while (begin > 0 && is_name_char(word[begin - 1])) --begin;
    if (!names_secret(word.substr(begin, equals - begin))) continue;
    std::string result(word.substr(0, equals + 1));
    result += kHidden;
    // Keeps the word well formed when the whole of it was quoted.
    if (word.front() == word.back() && (word.front() == '\'' || word.front() == '"')) result += word.back();
    return result;
  }
  std::size_t bearer = word.find("Bearer ");
  if (bearer == std::string_view::npos) return without_url_password(word);
  return std::string(word.substr(0, bearer + 7)) + std::string(kHidden) + word.back();
}

}  // namespace

bool names_secret(std::string_view name) {
  std::string plain;
  for (char c : name) {
    if (c != '_' && c != '-' && c != '.')
      plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  for (const char* word : {"token", "secret", "password", "passwd", "passphrase", "apikey", "accesskey",
                           "privatekey", "credential", "authorization", "cookie"}) {
    if (plain.find(word) != std::string::npos) return true;
  }
  return false;
}

std::string redact(std::string_view command) {
  std::string result;
  bool hide_next = false;
  std::size_t i = 0;
  while (i < command.size()) {
    if (command[i] == ' ' || command[i] == '\t' || command[i] == '\n') {
      result += command[i++];
      continue;
    }
    std::size_t end = word_end(command, i);
    std::string_view word = command.substr(i, end - i);
    i = end;
    if (hide_next) {
      result += kHidden;
      hide_next = false;
      continue;
    }
    result += redact_word(word);
    bool option = word.substr(0, 2) == "--" && word.find('=') == std::string_view::npos;
    hide_next = (option && names_secret(word)) || word == "Bearer";
  }
  return result;
}

}  // namespace serve
