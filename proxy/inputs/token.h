// Preprocessing tokens, and the switches of the language that decide how text becomes tokens.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "inputs/identifiers.h"

namespace inputs {

// How a source is read. Distinct values make distinct directive lists of one file.
struct LexMode {
  bool raw_strings = false;       // R"(...)"
  bool trigraphs = false;         // ??= and the like
  bool strict_c89 = false;        // -std=c89: `//` begins no comment, or not everywhere
  bool digit_separators = false;  // 1'000
  bool assembler = false;         // .S
  bool digraphs = true;           // %:
  bool elifdef = true;            // #elifdef and #elifndef are directives

  bool operator==(const LexMode&) const = default;
};

// What a punctuator is to an #if, in the order that expression.cc wants; `none` for the others.
enum class Op : std::uint8_t {
  none,
  end,
  open,
  close,
  query,
  colon,
  comma,
  or_or,
  and_and,
  bit_or,
  bit_xor,
  bit_and,
  equal,
  not_equal,
  less,
  greater,
  less_equal,
  greater_equal,
  shift_left,
  shift_right,
  plus,
  minus,
  times,
  divide,
  modulo,
  logical_not,
  complement,
  unary_plus,
  unary_minus,
};

enum class TokenKind : std::uint8_t {
  identifier,
  number,
  character,
  string,
  header,
  punctuator,
  other,
  placemarker
};

// Space before a token. The compilers disagree on which of the two counts in a computed `#include <...>`.
inline constexpr std::uint8_t kSpaceBefore = 1;  // there is space, wherever it comes from
inline constexpr std::uint8_t kSpaceInText = 2;  // there was space where this very token was written
inline constexpr std::uint8_t kNoExpand = 4;     // a macro's name met within that macro's own expansion
inline constexpr std::uint8_t kPasteLeft = 8;    // is followed by `##` in a macro's body
inline constexpr std::uint8_t kStringify = 16;   // a parameter after `#`

struct Token {
  TokenKind kind = TokenKind::other;
  std::uint8_t flags = 0;
  std::uint8_t parameter = 0;  // in a macro's body: 1 for the first parameter
  Op op = Op::none;            // of a punctuator
  Id id = kNoName;             // of an identifier
  std::string_view text;       // as spelled; a header with its delimiters

  bool is(Op which) const { return op == which; }
  bool is(std::string_view s) const { return kind == TokenKind::punctuator && text == s; }
};

// Text that lives as long as the arena; views into it never move.
class Arena {
 public:
  std::string_view keep(std::string_view text);
  // Forgets all text but keeps one block for reuse.
  void clear();

 private:
  static constexpr std::size_t kBlock = 8192;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* next_ = nullptr;
  std::size_t left_ = 0;
};

// Splits one logical line without comments and splices into tokens, appended to `out`. Their texts point
// into `line`, those of identifiers into `names`. `<...>` after `__has_include(` and its kin is one header
// token.
void tokenize(std::string_view line, const LexMode& mode, Identifiers& names, std::vector<Token>& out);

// `<...>` or "..." at the beginning of `text`: its length with the delimiters, 0 if there is none. Nothing is
// escaped in a header's name.
std::size_t header_name_length(std::string_view text);

// True when what comes next after `before` would be the argument of __has_include, __has_include_next or
// __has_embed: `before` ends with the name and an opening parenthesis.
bool ends_with_has_include(std::string_view before);

inline bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || (c & 0x80) != 0;
}
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_name_char(char c) { return is_name_start(c) || is_digit(c); }
inline bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\f' || c == '\v' || c == '\0'; }

}  // namespace inputs
