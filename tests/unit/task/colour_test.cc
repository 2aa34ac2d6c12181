#include "task/colour.h"

#include <doctest/doctest.h>

using compiler::ArgRole;
using compiler::Family;
using task::Colour;

namespace {

compiler::Command with(std::vector<compiler::Arg> args) {
  compiler::Command command;
  command.args = std::move(args);
  return command;
}

task::Request request(std::uint8_t streams, std::vector<std::string> env) {
  task::Request out;
  out.streams = streams;
  out.env = std::move(env);
  return out;
}

}  // namespace

TEST_CASE("the last word on colour counts") {
  CHECK(task::colour_of(with({})) == Colour::automatic);
  CHECK(task::colour_of(with({{"-fdiagnostics-color=always", ArgRole::colour}})) == Colour::always);
  CHECK(task::colour_of(with({{"-fcolor-diagnostics", ArgRole::colour},
                              {"-fno-color-diagnostics", ArgRole::colour}})) == Colour::never);
  CHECK(task::colour_of(with({{"-fdiagnostics-color=never", ArgRole::colour},
                              {"-fdiagnostics-color=auto", ArgRole::colour}})) == Colour::automatic);
}

TEST_CASE("messages for machines are left alone") {
  CHECK(task::colour_of(with({{"-fdiagnostics-format=json"}})) == Colour::untouched);
  compiler::Command assembler = with({});
  assembler.language = compiler::Language::assembler;
  CHECK(task::colour_of(assembler) == Colour::untouched);
  compiler::Command recording = with({});
  recording.traits.records_command_line = true;
  CHECK(task::colour_of(recording) == Colour::untouched);
}

TEST_CASE("a pipe sees no colour, a terminal does, and the user's wish goes first") {
  std::uint8_t terminal = wire::kStderrIsTerminal;
  CHECK(task::strip_for(Colour::automatic, Family::gcc, request(0, {"TERM=xterm"})) == wire::kStripStderr);
  CHECK(task::strip_for(Colour::automatic, Family::gcc, request(terminal, {"TERM=xterm"})) == 0);
  CHECK(task::strip_for(Colour::automatic, Family::gcc, request(terminal, {"TERM=dumb"})) ==
        wire::kStripStderr);
  CHECK(task::strip_for(Colour::automatic, Family::clang, request(terminal, {})) == wire::kStripStderr);
  CHECK(task::strip_for(Colour::automatic, Family::clang, request(terminal, {"TERM=xterm", "NO_COLOR=1"})) ==
        wire::kStripStderr);
  CHECK(task::strip_for(Colour::automatic, Family::gcc, request(terminal, {"TERM=xterm", "GCC_COLORS="})) ==
        wire::kStripStderr);
  CHECK(task::strip_for(Colour::always, Family::gcc, request(0, {})) == 0);
  CHECK(task::strip_for(Colour::never, Family::gcc, request(terminal, {"TERM=xterm"})) == wire::kStripStderr);
  CHECK(task::strip_for(Colour::untouched, Family::gcc, request(0, {})) == 0);
}
