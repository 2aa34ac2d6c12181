// Messages with the exec root spelled by its alias, and back: the text itself, unless it held the alias.
#include <cstdlib>
#include <string>

#include "remote/action.h"

namespace {

void check(const std::string& text, const remote::Roots& roots) {
  std::string aliased = remote::to_alias(text, roots);
  if (text.find(roots.alias) != std::string::npos) return;
  if (remote::from_alias(aliased, roots) != text) std::abort();
  // Nothing of the root is left.
  if (remote::to_alias(aliased, roots) != aliased) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  check(text, {"/w", "/proc/self/cwd"});
  check(text, {"/w/p.1", "/proc/self/cwd/.."});
  check(text, {"/a/a", "/proc/self/cwd/../.."});
  check(text, {"/s", "/proc/self/cwd/.."});
  return 0;
}
