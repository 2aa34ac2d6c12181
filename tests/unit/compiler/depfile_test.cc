#include "compiler/depfile.h"

#include <doctest/doctest.h>

namespace {

compiler::Command command_of(compiler::Family family, const std::string& source) {
  compiler::Command command;
  command.family = family;
  command.source = source;
  command.language = compiler::Language::cxx;
  return command;
}

}  // namespace

TEST_CASE("targets are quoted as make reads them") {
  CHECK(compiler::quote_target("a/b.o") == "a/b.o");
  CHECK(compiler::quote_target("a b") == "a\\ b");
  CHECK(compiler::quote_target("a\tb") == "a\\\tb");
  CHECK(compiler::quote_target("a$b#c:d") == "a$$b\\#c:d");
  CHECK(compiler::quote_target("a\\b") == "a\\b");
  CHECK(compiler::quote_target("a\\\\ b") == "a\\\\\\\\\\ b");
  CHECK(compiler::quote_target("a\\# b") == "a\\\\#\\ b");
}

TEST_CASE("gcc keeps unquoted targets before quoted ones and drops a leading ./") {
  compiler::DepfileOptions options;
  options.all = true;
  options.targets = {{false, "./t1"}, {true, "q1"}, {true, ".//q2"}, {false, "t2"}};
  compiler::order_driver_targets(options);
  auto gcc = compiler::derive_depfile(command_of(compiler::Family::gcc, "a.cc"), options, std::nullopt);
  REQUIRE(gcc.ok());
  CHECK(gcc->targets == std::vector<std::string>{"t1", "t2", "q1", "q2"});
}

TEST_CASE("clang keeps targets as typed and in order") {
  compiler::DepfileOptions options;
  options.user = true;
  options.targets = {{true, "./q 1"}, {false, "./t 1"}};
  auto clang = compiler::derive_depfile(command_of(compiler::Family::clang, "a.cc"), options, std::nullopt);
  REQUIRE(clang.ok());
  CHECK(clang->kind == compiler::Depfile::Kind::user_headers);
  CHECK(clang->targets == std::vector<std::string>{"./q\\ 1", "./t 1"});
}

TEST_CASE("without -MD there is no depfile, and nothing may ask for its details") {
  compiler::DepfileOptions options;
  compiler::Command command = command_of(compiler::Family::gcc, "a.cc");
  auto none = compiler::derive_depfile(command, options, "a.o");
  REQUIRE(none.ok());
  CHECK(none->kind == compiler::Depfile::Kind::none);
  CHECK(none->path.empty());
  options.file = "x.d";
  CHECK(!compiler::derive_depfile(command, options, "a.o").ok());
}

TEST_CASE("a depfile for standard output or by two ways is refused") {
  compiler::Command command = command_of(compiler::Family::gcc, "a.cc");
  compiler::DepfileOptions options;
  options.all = true;
  options.file = "-";
  CHECK(compiler::derive_depfile(command, options, "a.o").error().label() == "depfile_form");
  options.file = "x.d";
  options.file_by_preprocessor = "y.d";
  CHECK(compiler::derive_depfile(command, options, "a.o").error().label() == "depfile_form");
}
