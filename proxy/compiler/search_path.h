// The search path as the compiler will print it: "=dir" with the sysroot put before it.
#pragma once

#include "base/result.h"
#include "compiler/draft.h"

namespace compiler {

// Applies the sysroots to the draft's directories. `unsupported` with label `sysroot_prefix` where the root
// is not known from the command. Any thread.
base::Result<void> apply_sysroot(Draft& draft);

}  // namespace compiler
