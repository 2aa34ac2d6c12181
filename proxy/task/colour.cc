#include "task/colour.h"

#include "compiler/environment.h"

namespace task {

Colour colour_of(const compiler::Command& command) {
  // For a source that no front end reads clang calls the flag unused, in a warning.
  if (command.language == compiler::Language::assembler) return Colour::untouched;
  Colour colour = Colour::automatic;
  for (const compiler::Arg& arg : command.args) {
    const std::string& text = arg.text;
    // Machine-readable messages have no colour to strip.
    if (text.starts_with("-fdiagnostics-format=") && text != "-fdiagnostics-format=text" &&
        text != "-fdiagnostics-format=clang") {
      return Colour::untouched;
    }
    if (arg.role != compiler::ArgRole::colour) continue;
    if (text == "-fdiagnostics-color=always" || text == "-fcolor-diagnostics" ||
        text == "-fdiagnostics-color") {
      colour = Colour::always;
    } else if (text == "-fdiagnostics-color=never" || text == "-fno-color-diagnostics" ||
               text == "-fno-diagnostics-color") {
      colour = Colour::never;
    } else if (text == "-fdiagnostics-color=auto") {
      colour = Colour::automatic;
    }
  }
  return command.traits.records_command_line ? Colour::untouched : colour;
}

std::uint8_t strip_for(Colour colour, compiler::Family family, const Request& request) {
  if (colour == Colour::untouched || colour == Colour::always) return 0;
  if (colour == Colour::never) return wire::kStripStderr;
  bool shown = (request.streams & wire::kStderrIsTerminal) != 0;
  std::optional<std::string_view> term = compiler::variable(request.env, "TERM");
  if (!term || *term == "dumb") shown = false;
  // g++ takes an empty GCC_COLORS for "never"; clang honours NO_COLOR, and so do we for both.
  if (!compiler::variable(request.env, "NO_COLOR").value_or("").empty()) shown = false;
  if (family == compiler::Family::gcc && compiler::variable(request.env, "GCC_COLORS") == "") shown = false;
  return shown ? 0 : wire::kStripStderr;
}

const char* colour_flag(compiler::Family family) {
  return family == compiler::Family::gcc ? "-fdiagnostics-color=always" : "-fcolor-diagnostics";
}

}  // namespace task
