// scan_inputs COMPILER ARGS...: prints the physical paths of the files that this compile reads, sorted.
// Exits with 3 and the reason on standard error when the scan refuses. With --spelled first, the names that
// the depfile has, in its order; with --time N first, the time of the N-th scan in microseconds; with --facts
// what else was found.
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/spawn.h"
#include "compiler/dialect.h"
#include "compiler/environment.h"
#include "compiler/identity.h"
#include "compiler/parse.h"
#include "inputs/file_index.h"
#include "inputs/scanner.h"

extern char** environ;

namespace {

struct Options {
  bool spelled = false;
  bool facts = false;
  int times = 0;
};

int refuse(const base::Error& error) {
  std::fprintf(stderr, "%s\n", error.message.c_str());
  return error.kind == base::ErrorKind::unsupported ? 3 : 4;
}

std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = std::getenv("PATH");
  std::string rest = path != nullptr ? path : "";
  while (!rest.empty()) {
    std::size_t colon = rest.find(':');
    std::string candidate = rest.substr(0, colon) + "/" + name;
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
    rest = colon == std::string::npos ? "" : rest.substr(colon + 1);
  }
  return name;
}

void print(const inputs::Closure& closure, inputs::FileIndex& index, const Options& options) {
  std::set<std::string> paths;
  for (const inputs::Input& input : closure.inputs) {
    if (options.spelled && input.in_depfile) std::printf("%s\n", input.spelled.c_str());
    paths.insert(index.path(input.node));
  }
  if (!options.spelled) {
    for (const std::string& path : paths) std::printf("%s\n", path.c_str());
  }
  if (!options.facts) return;
  std::printf("time_macro: %d\n", closure.facts.time_macro ? 1 : 0);
  for (const std::string& name : closure.facts.absolute_includes)
    std::printf("absolute_include: %s\n", name.c_str());
  for (const std::string& name : closure.facts.absolute_lines)
    std::printf("absolute_line: %s\n", name.c_str());
  for (inputs::NodeId node : closure.links) std::printf("link: %s\n", index.path(node).c_str());
  std::printf("trail: %zu\n", closure.trail.size());
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  int at = 1;
  for (; at < argc && std::strncmp(argv[at], "--", 2) == 0; ++at) {
    if (std::strcmp(argv[at], "--spelled") == 0) options.spelled = true;
    if (std::strcmp(argv[at], "--facts") == 0) options.facts = true;
    if (std::strcmp(argv[at], "--time") == 0 && at + 1 < argc) {
      const std::string_view number(argv[++at]);
      std::from_chars(number.data(), number.data() + number.size(), options.times);
    }
  }
  if (at >= argc) return 2;
  compiler::CommandLine line;
  line.compiler = find_program(argv[at]);
  for (; at < argc; ++at) line.argv.emplace_back(argv[at]);
  char directory[PATH_MAX];
  if (getcwd(directory, sizeof directory) == nullptr) return 2;
  line.directory = directory;
  for (char** one = environ; *one != nullptr; ++one) line.env.emplace_back(*one);

  // Keeps what the compilers answered from one run to the next.
  const char* state = std::getenv("SCAN_INPUTS_STATE");
  const std::string state_directory = state != nullptr ? state : "";
  std::stop_token stop;
  base::Result<compiler::Command> command = compiler::parse(line, base::real_files());
  if (!command) return refuse(command.error());
  compiler::Identifier identifier(base::real_files(), base::real_spawner(), state_directory);
  auto compiler = identifier.identify(*command, line.env, stop);
  if (!compiler) return refuse(compiler.error());
  compiler::Dialects dialects(base::real_files(), base::real_spawner(), state_directory);
  inputs::FileIndex index(base::real_files(), base::real_clock());
  inputs::Scanner scanner(index, dialects);
  index.refresh();
  auto closure = scanner.scan(*command, **compiler, line.env, stop);
  for (int i = 0; i < options.times; ++i) {
    index.refresh();
    auto begin = std::chrono::steady_clock::now();
    closure = scanner.scan(*command, **compiler, line.env, stop);
    auto end = std::chrono::steady_clock::now();
    if (i + 1 == options.times) {
      std::fprintf(stderr, "%.1f us\n", std::chrono::duration<double, std::micro>(end - begin).count());
    }
  }
  if (!closure) return refuse(closure.error());
  print(*closure, index, options);
  return 0;
}
