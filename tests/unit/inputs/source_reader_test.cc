#include "inputs/source_reader.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

struct Noted : inputs::SourceVisitor {
  std::vector<std::string> directives;
  std::vector<std::uint32_t> lines;
  void directive(std::string_view line, std::uint32_t number) override {
    directives.emplace_back(line);
    lines.push_back(number);
  }
  void text_line(std::string_view, std::string_view, std::uint32_t) override {}
};

std::vector<std::string> directives_of(std::string_view text, inputs::LexMode mode = {}) {
  Noted noted;
  inputs::SourceReader(text, mode, noted).run();
  return noted.directives;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a directive is the first thing in its line, comments aside") {
  CHECK(directives_of("#a\n  # b\n/* c\n */ #d\nx #e\n#") == Lines{"a", " b", "d", ""});
}

TEST_CASE("comments within a directive are one blank and may span lines") {
  CHECK(directives_of("#define A /* 1\n 2 */ B // C\nx") == Lines{"define A   B  "});
  CHECK(directives_of("#include/**/<a//b>/*c*/\n") == Lines{"include <a//b> "});
}

TEST_CASE("splices join lines everywhere") {
  CHECK(directives_of("#inc\\\nlude <io\\ \nstream>\n") == Lines{"include <iostream>"});
  CHECK(directives_of("// a \\\n#include <x>\n#b\\\r\nc\n") == Lines{"bc"});
  CHECK(directives_of("\\\n\\\n#a\n") == Lines{"a"});
}

TEST_CASE("strings hide comments and quotes, and end with their line") {
  CHECK(directives_of("\"/*\"\n#a\n'\"'\n#b\n\" open\n#c\n") == Lines{"a", "b", "c"});
  CHECK(directives_of("\"x\\\n#a\"\n#b\n\"\\\\\"\n#c") == Lines{"b", "c"});
  CHECK(directives_of("don't /* text\n#a\n") == Lines{"a"});
}

TEST_CASE("raw strings hide directives where the language has them") {
  constexpr std::string_view kText = "x = R\"d(\n#a\n)d\";\n#b\n";
  inputs::LexMode mode;
  CHECK(directives_of(kText, mode) == Lines{"a", "b"});
  mode.raw_strings = true;
  CHECK(directives_of(kText, mode) == Lines{"b"});
  CHECK(directives_of("FOOR\"(\n#a\n)\"\n", mode) == Lines{"a"});
}

TEST_CASE("digit separators are no character constants") {
  constexpr std::string_view kText = "int x = 1'000; /* ' \n#a\n*/\n#b\n";
  inputs::LexMode mode;
  mode.digit_separators = true;
  CHECK(directives_of(kText, mode) == Lines{"b"});
  CHECK(directives_of("#define X 1'0 /* ' \n#a\n*/\n", mode) == Lines{"define X 1'0  "});
}

TEST_CASE("the odd characters of a header's name are kept") {
  CHECK(directives_of("#include \"it's /* here\"\n#include <a'b>\n#a") ==
        Lines{"include \"it's /* here\"", "include <a'b>", "a"});
  CHECK(directives_of("#if __has_include ( <a//b> )\n") == Lines{"if __has_include ( <a//b> )"});
}

TEST_CASE("each kind of line end ends a line, and lines are counted") {
  Noted noted;
  inputs::SourceReader("x\r\n#a\r#b\n/*\n*/\n#c", inputs::LexMode(), noted).run();
  CHECK(noted.directives == Lines{"a", "b", "c"});
  CHECK(noted.lines.back() == 6);
}

TEST_CASE("slashes that strict C90 may read otherwise are reported") {
  inputs::LexMode mode;
  mode.strict_c89 = true;
  auto in_question = [&](std::string_view text) {
    Noted noted;
    inputs::SourceReader reader(text, mode, noted);
    reader.run();
    return reader.slashes_in_question();
  };
  CHECK_FALSE(in_question("int x; // plain\n"));
  CHECK(in_question("#define X // y\n"));
  CHECK(in_question("a //* b */ c\n"));
}
