#include "compiler/search_path.h"

namespace compiler {

base::Result<void> apply_sysroot(Draft& draft) {
  constexpr std::string_view kVariable = "$SYSROOT";
  for (SearchDir& dir : draft.command.search) {
    bool equals = dir.path.starts_with("=");
    bool variable = dir.path.starts_with(kVariable);
    if (!equals && !variable) continue;
    const std::string& root = draft.header_sysroot.empty() ? draft.sysroot : draft.header_sysroot;
    // clang's versions differ in which kinds take the prefix; a cross gcc has a root of its own built in.
    if (draft.command.family == Family::clang || root.empty()) {
      return base::unsupported("sysroot_prefix: " + dir.path);
    }
    dir.path = root + dir.path.substr(equals ? 1 : kVariable.size());
  }
  return {};
}

}  // namespace compiler
