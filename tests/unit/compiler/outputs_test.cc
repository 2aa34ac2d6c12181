#include "compiler/outputs.h"

#include <doctest/doctest.h>

namespace {

using compiler::Family;
using compiler::OutputOptions;

compiler::Command command_for(Family family, const std::string& source = "d/a.cc") {
  compiler::Command command;
  command.family = family;
  command.language = compiler::Language::cxx;
  command.source = source;
  return command;
}

std::string outputs(const compiler::Command& command, const OutputOptions& options) {
  auto found = compiler::derive_outputs(command, options);
  if (!found) return found.error().label();
  std::string out;
  for (const compiler::Output& output : *found) out += (out.empty() ? "" : " ") + output.path;
  return out;
}

}  // namespace

TEST_CASE("files beside the object are named after it, else after the source") {
  OutputOptions options;
  options.suffixes = {".su"};
  options.coverage = true;
  CHECK(outputs(command_for(Family::gcc), options) == "a.gcno a.o a.su");
  options.output = "o/b.x.o";
  CHECK(outputs(command_for(Family::gcc), options) == "o/b.x.gcno o/b.x.o o/b.x.su");
  options.output = "o/b";
  CHECK(outputs(command_for(Family::clang), options) == "o/b o/b.gcno o/b.su");
  options.output = "o.d/.o";
  CHECK(outputs(command_for(Family::gcc), options) == "o.d/.o o.d/.o.gcno o.d/.o.su");
}

TEST_CASE("gcc's optimization record keeps the source's extension, clang's does not") {
  OutputOptions options;
  options.output = "o/b.o";
  options.optimization_record = true;
  CHECK(outputs(command_for(Family::gcc), options) == "o/b.cc.opt-record.json.gz o/b.o");
  CHECK(outputs(command_for(Family::clang), options) == "o/b.o o/b.opt.yaml");
}

TEST_CASE("clang writes a .dwo only where there is debug information, gcc always") {
  OutputOptions options;
  options.output = "b.o";
  options.split_dwarf = true;
  CHECK(outputs(command_for(Family::clang), options) == "b.o");
  CHECK(outputs(command_for(Family::gcc), options) == "b.dwo b.o");
  options.debug = true;
  CHECK(outputs(command_for(Family::clang), options) == "b.dwo b.o");
}

TEST_CASE("combinations whose names are not known are refused") {
  compiler::Command syntax = command_for(Family::gcc);
  syntax.mode = compiler::Mode::syntax_only;
  OutputOptions options;
  CHECK(outputs(syntax, options) == "");
  options.suffixes = {".su"};
  CHECK(outputs(syntax, options) == "outputs");
  options.lto = true;
  CHECK(outputs(command_for(Family::gcc), options) == "outputs");
  OutputOptions twice;
  twice.output = "x";
  twice.named = {{"x", true, "depfile"}};
  CHECK(outputs(command_for(Family::gcc), twice) == "outputs");
}

TEST_CASE("an output without a name is refused") {
  OutputOptions options;
  options.named = {{"a.lst", true, "listing"}};
  CHECK(outputs(command_for(Family::gcc), options) == "a.lst a.o");
  options.named = {{"", true, "listing"}};
  CHECK(outputs(command_for(Family::gcc), options) == "outputs");
}
