// A command line, its words split at NUL. A command that is understood keeps every word, and each of them
// tells truly where its value begins.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/parse.h"
#include "fake/fake_files.h"
#include "remote/arguments.h"

namespace {

void check(const compiler::Command& command, const compiler::CommandLine& line) {
  if (command.source.empty()) std::abort();
  for (const compiler::Arg& arg : command.args) {
    if (arg.value_at > arg.text.size()) std::abort();
  }
  auto later = [](const compiler::Output& a, const compiler::Output& b) { return a.path < b.path; };
  if (!std::is_sorted(command.outputs.begin(), command.outputs.end(), later)) std::abort();
  for (const compiler::Output& output : command.outputs) {
    if (output.path.empty() || output.kind.empty()) std::abort();
  }
  bool has_response_file = std::any_of(line.argv.begin() + 1, line.argv.end(),
                                       [](const std::string& word) { return word.starts_with('@'); });
  auto same = [](const compiler::Arg& arg, const std::string& word) { return arg.text == word; };
  if (!has_response_file &&
      !std::equal(command.args.begin(), command.args.end(), line.argv.begin() + 1, line.argv.end(), same)) {
    std::abort();
  }
  if (remote::absolute_arguments(command, {}).empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  std::vector<std::string> argv{"cc", ""};
  for (char c : std::string_view(reinterpret_cast<const char*>(data), size)) {
    if (c == '\0') {
      argv.emplace_back();
    } else {
      argv.back() += c;
    }
  }
  fake::FakeFiles files;
  files.write("/w/r", "-O2 '-DA=\"b c\"' -Ix");
  for (const char* compiler : {"/usr/bin/g++", "/usr/bin/clang"}) {
    compiler::CommandLine line{compiler, argv, "/w", {"PATH=/usr/bin"}};
    base::Result<compiler::Command> command = compiler::parse(line, files);
    if (command) check(*command, line);
    if (!command && command.error().label().empty()) std::abort();
  }
  return 0;
}
