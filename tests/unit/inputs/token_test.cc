#include "inputs/token.h"

#include <doctest/doctest.h>

#include <string>

namespace {

// The tokens' texts, each in brackets, with a blank where space precedes.
std::string split(std::string_view line, inputs::LexMode mode = {}) {
  static inputs::Identifiers names;
  std::vector<inputs::Token> tokens;
  inputs::tokenize(line, mode, names, tokens);
  std::string out;
  for (const inputs::Token& token : tokens) {
    if ((token.flags & inputs::kSpaceBefore) != 0 && !out.empty()) out += ' ';
    out += '[';
    out += token.text;
    out += ']';
  }
  return out;
}

}  // namespace

TEST_CASE("a line is split into the longest tokens") {
  CHECK(split("a+++b") == "[a][++][+][b]");
  CHECK(split("x<<=1 ...") == "[x][<<=][1] [...]");
  CHECK(split("0x1p-3f+.5e+2") == "[0x1p-3f][+][.5e+2]");
  CHECK(split("$x _y9 @") == "[$x] [_y9] [@]");
}

TEST_CASE("literals keep their prefix and their escapes") {
  CHECK(split("L\"a\\\"b\" u8'c' x'd'") == "[L\"a\\\"b\"] [u8'c'] [x]['d']");
  CHECK(split("\"open") == "[\"open]");
}

TEST_CASE("an apostrophe separates digits only where the language has that") {
  inputs::LexMode mode;
  mode.digit_separators = true;
  CHECK(split("1'000", mode) == "[1'000]");
  CHECK(split("1'000") == "[1]['000]");
}

TEST_CASE("raw strings end at their delimiter") {
  inputs::LexMode mode;
  mode.raw_strings = true;
  CHECK(split("R\"x(a)\"b)x\" c", mode) == "[R\"x(a)\"b)x\"] [c]");
  CHECK(split("FOOR\"(a)\"", mode) == "[FOOR][\"(a)\"]");
}

TEST_CASE("the operand of __has_include is one token") {
  CHECK(split("__has_include(<sys/x-1.h>)") == "[__has_include][(][<sys/x-1.h>][)]");
  CHECK(split("f(<a>)") == "[f][(][<][a][>][)]");
}

TEST_CASE("digraphs stand for what they mean, where there are any") {
  CHECK(split("%: a") == "[#] [a]");
  inputs::LexMode mode;
  mode.digraphs = false;
  CHECK(split("%: a", mode) == "[%][:] [a]");
}

TEST_CASE("text in an arena stays when more is kept") {
  inputs::Arena arena;
  std::string_view first = arena.keep("first");
  for (int i = 0; i < 3000; ++i) arena.keep("some more text");
  arena.keep(std::string(20000, 'x'));
  CHECK(first == "first");
}

TEST_CASE("an arena keeps no text before it has kept any") {
  std::string_view none = inputs::Arena().keep("");
  CHECK(none.data() != nullptr);
  CHECK(none.empty());
}
