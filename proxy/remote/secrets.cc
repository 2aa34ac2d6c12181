#include "remote/secrets.h"

#include <cctype>

#include "base/text.h"

namespace remote {
namespace {

constexpr std::string_view kHidden = "[hidden]";
constexpr std::size_t kLongWord = 20;

bool is_word_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("._~+/=-").find(c) != std::string_view::npos;
}

bool names_secret(const std::string& name) {
  if (name.find('/') != std::string::npos) return false;  // a path
  for (const char* part :
       {"token", "secret", "passw", "credential", "apikey", "api_key", "api-key", "cookie"}) {
    if (name.find(part) != std::string::npos) return true;
  }
  return false;
}

// Digits amid letters, and no more slashes than base64 has: paths and plain words are left alone.
bool looks_random(std::string_view word) {
  if (word.size() < kLongWord) return false;
  std::size_t digits = 0;
  std::size_t letters = 0;
  std::size_t slashes = 0;
  for (char c : word) {
    digits += std::isdigit(static_cast<unsigned char>(c)) != 0;
    letters += std::isalpha(static_cast<unsigned char>(c)) != 0;
    slashes += c == '/';
  }
  bool is_path = word.front() == '/' || word.front() == '.' || slashes * 12 > word.size();
  return digits > 0 && letters > 0 && !is_path;
}

// "user:password@" of a URL, right after its "://".
std::size_t user_end(std::string_view rest) {
  std::size_t end = rest.find_first_of("/ \t\n\"'");
  std::size_t at = rest.substr(0, end).rfind('@');
  return at == std::string_view::npos ? 0 : at;
}

}  // namespace

std::string without_secrets(std::string_view text, std::size_t limit) {
  std::string out;
  bool hide_next = false;  // the next word is a secret, whatever it looks like
  std::size_t i = 0;
  while (i < text.size() && out.size() < limit) {
    char c = text[i];
    if (!is_word_char(c)) {
      bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
      out += control ? ' ' : c;
      ++i;
      // "token": "x" and token: x go on; another sentence does not.
      if (c == ',' || c == ';' || c == '}') hide_next = false;
      if (c == ':' && text.substr(i, 2) == "//") {
        std::size_t user = user_end(text.substr(i + 2));
        out += "//";
        if (user != 0) out += kHidden;
        i += 2 + user;
      }
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && is_word_char(text[end])) ++end;
    std::string_view word = text.substr(i, end - i);
    i = end;
    std::size_t equals = word.find('=');
    std::string name = base::lower(word.substr(0, equals));
    bool is_scheme = name == "bearer" || name == "basic";
    bool assigned = equals != std::string_view::npos && equals + 1 < word.size();
    if (hide_next && !is_scheme) {
      out += kHidden;
      hide_next = false;
    } else if (names_secret(name) && assigned) {
      out += std::string(word.substr(0, equals + 1)) + std::string(kHidden);
    } else {
      out += looks_random(word) ? kHidden : word;
      bool before_value = end < text.size() && (text[end] == ':' || text.substr(end, 2) == "\":");
      bool open_end = equals != std::string_view::npos && !assigned;
      hide_next = is_scheme || name == "authorization" || (names_secret(name) && (before_value || open_end));
    }
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  if (out.size() > limit) out.resize(limit);
  return out;
}

}  // namespace remote
