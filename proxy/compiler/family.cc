#include <unistd.h>

#include <climits>
#include <string>

#include "base/path.h"
#include "compiler/family.h"
#include "compiler/parse.h"

namespace compiler {
namespace {

constexpr int kMaxLinks = 20;

// "g++" of "x86_64-linux-gnu-g++-12.2".
std::string_view bare_name(std::string_view path) {
  std::string_view name = base::base_name(path);
  std::size_t end = name.find_last_not_of("0123456789.");
  if (end != std::string_view::npos && end + 1 < name.size() && name[end] == '-') name = name.substr(0, end);
  for (std::string_view known : {"clang++", "clang", "g++", "gcc", "c++", "cc"}) {
    if (name == known) return known;
    bool prefixed =
        name.size() > known.size() && name.ends_with(known) && name[name.size() - known.size() - 1] == '-';
    if (prefixed) return known;
  }
  return "";
}

// The next path of a chain of symbolic links; empty at its end.
std::string next_link(const std::string& path) {
  char target[PATH_MAX];
  ssize_t length = ::readlink(path.c_str(), target, sizeof target);
  if (length <= 0) return "";
  return base::join(base::directory_name(path), std::string_view(target, static_cast<std::size_t>(length)));
}

}  // namespace

base::Result<Family> family_of_name(std::string_view compiler) {
  std::string path(compiler);
  for (int links = 0; links < kMaxLinks && !path.empty(); ++links) {
    std::string_view name = bare_name(path);
    if (name == "clang" || name == "clang++") return Family::clang;
    if (name == "gcc" || name == "g++") return Family::gcc;
    if (name.empty() && links == 0) break;
    path = next_link(path);
  }
  return base::unsupported("unknown_compiler: " + std::string(base::base_name(compiler)));
}

bool is_cxx_driver(std::string_view compiler, Family family) {
  // clang's one program goes by the name it was called by; gcc has a program of its own for C++.
  if (family == Family::clang) return base::base_name(compiler).find("++") != std::string_view::npos;
  std::string path(compiler);
  for (int links = 0; links < kMaxLinks && !path.empty(); ++links) {
    if (base::base_name(path).find("++") != std::string_view::npos) return true;
    path = next_link(path);
  }
  return false;
}

}  // namespace compiler
