#include "compiler/response_file.h"

#include <doctest/doctest.h>

#include <cerrno>

#include "fake/fake_files.h"

using Words = std::vector<std::string>;

TEST_CASE("words are split at blanks of every kind") {
  CHECK(compiler::split_response("") == Words{});
  CHECK(compiler::split_response(" \t\r\n\v\f") == Words{});
  CHECK(compiler::split_response("a  b\nc\r\n d") == Words{"a", "b", "c", "d"});
}

TEST_CASE("quotes hold blanks and a backslash takes the next character, inside quotes too") {
  CHECK(compiler::split_response("'a b' \"c d\"") == Words{"a b", "c d"});
  CHECK(compiler::split_response("-DX='\"q\"'y") == Words{"-DX=\"q\"y"});
  CHECK(compiler::split_response("a\\ b \\\\ \\'") == Words{"a b", "\\", "'"});
  CHECK(compiler::split_response("'a\\'b' \"a\\\"b\"") == Words{"a'b", "a\"b"});
  CHECK(compiler::split_response("'' x") == Words{"", "x"});
  CHECK(compiler::split_response("'open") == Words{"open"});
  CHECK(compiler::split_response("end\\") == Words{"end"});
}

TEST_CASE("response files nest, relative to the working directory, and each is named once") {
  fake::FakeFiles files;
  files.write("/w/a", "1 @sub/b 2 @sub/b");
  files.write("/w/sub/b", "3 @/abs/c");
  files.write("/abs/c", "");
  auto out = compiler::expand_response_files({"0", "@a", "4"}, "/w", files);
  REQUIRE(out.ok());
  CHECK(out->words == Words{"0", "1", "3", "2", "3", "4"});
  CHECK(out->files == Words{"a", "sub/b", "/abs/c"});
}

TEST_CASE("a name that is no file stays a word") {
  fake::FakeFiles files;
  auto out = compiler::expand_response_files({"@absent", "@", "a@b"}, "/w", files);
  REQUIRE(out.ok());
  CHECK(out->words == Words{"@absent", "@", "a@b"});
  CHECK(out->files.empty());
}

TEST_CASE("files that cannot be used are refused") {
  fake::FakeFiles files;
  files.write("/w/loop", "@loop");
  files.write("/w/bom", "\xef\xbb\xbf-c");
  files.write("/w/utf16", "\xff\xfe-c");
  files.write("/w/nul", std::string_view("a\0b", 3));
  files.write("/w/secret", "-c");
  files.fail("/w/secret", EACCES);
  files.make_directory("/w/dir");
  for (const char* name : {"@loop", "@bom", "@utf16", "@nul", "@secret", "@dir"}) {
    auto out = compiler::expand_response_files({name}, "/w", files);
    CAPTURE(name);
    REQUIRE(!out.ok());
    CHECK(out.error().label() == "response_file");
  }
}
