#include "invocation.h"

#include "text.h"

namespace gomacc {
namespace {

struct Option {
  std::string_view name;
  Wish wish;
};

constexpr Option kAlone[] = {
    {"port", Wish::port},   {"tmp_dir", Wish::tmp_dir}, {"--version", Wish::version},
    {"--help", Wish::help}, {"-h", Wish::help},
};
constexpr Option kBeforeCompiler[] = {
    {"--explain", Wish::explain},
    {"--print-inputs", Wish::print_inputs},
};

}  // namespace

Invocation read_invocation(int argc, char** argv) {
  Invocation result;
  if (argc < 1) return result;
  int first = 1;
  std::string_view name = base_name(argv[0]);
  if (name != "gomacc") {
    // Called by a compiler's name.
    result.wish = Wish::compile;
    result.words.push_back(name.data());
  } else {
    // Goma compared the compilers of both ends on this word; ours travels with its compile.
    while (first < argc && std::string_view(argv[first]).starts_with("--goma-verify-command")) ++first;
    if (first == argc) return result;
    std::string_view word = argv[first];
    for (const Option& option : kAlone) {
      if (word != option.name) continue;
      result.wish = option.wish;
      return result;
    }
    result.wish = Wish::compile;
    for (const Option& option : kBeforeCompiler) {
      if (word != option.name) continue;
      result.wish = option.wish;
      ++first;
      break;
    }
    if (first == argc || argv[first][0] == '-' || argv[first][0] == '\0') {
      result.wish = Wish::usage;
      return result;
    }
  }
  result.words.reserve(static_cast<std::size_t>(argc) + 1);
  for (int i = first; i < argc; ++i) result.words.push_back(argv[i]);
  result.words.push_back(nullptr);
  return result;
}

bool says_compile(const std::vector<const char*>& words) {
  for (std::size_t i = 1; words[i] != nullptr; ++i) {
    std::string_view word = words[i];
    if (word == "-c" || word == "-S" || word == "-fsyntax-only") return true;
  }
  return false;
}

bool may_be_compile(const std::vector<const char*>& words) {
  bool possible = says_compile(words);
  for (std::size_t i = 1; words[i] != nullptr; ++i) {
    std::string_view word = words[i];
    if (word.starts_with('@')) possible = true;
    for (std::string_view never : {"-E", "-M", "-MM", "-###", "-v", "--version", "-"}) {
      if (word == never) return false;
    }
    if (word.starts_with("-dump") || word.starts_with("-print-")) return false;
  }
  return possible;
}

}  // namespace gomacc
