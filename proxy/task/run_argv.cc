#include "task/run_argv.h"

#include <algorithm>

#include "task/colour.h"

namespace task {
namespace {

// The user's arguments without the words that make a depfile, response files expanded.
std::vector<std::string> without_depfile(const compiler::Command& command) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < command.args.size(); ++i) {
    const compiler::Arg& arg = command.args[i];
    if (arg.role != compiler::ArgRole::depfile || arg.text == "-MP") {
      out.push_back(arg.text);
    } else if (arg.text == "-MF" || arg.text == "-MT" || arg.text == "-MQ") {
      ++i;
    }
  }
  return out;
}

// Far below what execve takes, far above what people type.
constexpr std::size_t kLongestExpansion = 64 * 1024;

bool has_response_file(const std::vector<std::string>& words) {
  return std::any_of(words.begin(), words.end(),
                     [](const std::string& word) { return word.starts_with('@'); });
}

std::size_t length_of(const compiler::Command& command) {
  std::size_t length = 0;
  for (const compiler::Arg& arg : command.args) length += arg.text.size() + 1;
  return length;
}

bool drops_colour(const std::string& argument, Colour colour) {
  return colour != Colour::untouched &&
         (argument == "-fcolor-diagnostics" || argument == "-fno-color-diagnostics" ||
          argument == "-fdiagnostics-color" || argument == "-fno-diagnostics-color" ||
          argument.starts_with("-fdiagnostics-color="));
}

}  // namespace

std::vector<std::string> typed_argv(const Request& request) {
  std::vector<std::string> argv = request.argv;
  // A bare name was looked up in PATH by gomacc, which skips itself there; the compiler, looking itself up to
  // find its parts, would not.
  if (argv[0].find('/') == std::string::npos) argv[0] = request.compiler;
  return argv;
}

RunArgv make_run_argv(const Request& request, const compiler::Command& command, Colour colour,
                      const std::string& private_depfile) {
  using Kind = compiler::Depfile::Kind;
  RunArgv out;
  std::vector<std::string> typed = typed_argv(request);
  out.argv.push_back(typed[0]);
  // First, so that a later word of the user's, from a response file say, still wins.
  if (colour != Colour::untouched) out.argv.emplace_back(colour_flag(command.family));

  bool may = !private_depfile.empty() && !command.traits.records_command_line &&
             !compiler::is_preprocessed(command.language);
  std::vector<std::string> rest(typed.begin() + 1, typed.end());
  // Response files are there because a command line cannot hold it all.
  bool expands = command.depfile.kind == Kind::user_headers && has_response_file(rest);
  if (expands && length_of(command) > kLongestExpansion) may = false;
  if (may && command.depfile.kind != Kind::all) {
    out.private_depfile = true;
    out.owes_depfile = command.depfile.kind == Kind::user_headers;
    if (out.owes_depfile) rest = without_depfile(command);
    out.argv.insert(out.argv.end(), {"-MD", "-MF", private_depfile});
    // The targets that the user's depfile would have: the compilers derive them differently for -MD.
    if (out.owes_depfile) {
      for (const std::string& target : command.depfile.targets)
        out.argv.insert(out.argv.end(), {"-MT", target});
    }
  }
  for (std::string& argument : rest) {
    if (!drops_colour(argument, colour)) out.argv.push_back(std::move(argument));
  }
  return out;
}

}  // namespace task
