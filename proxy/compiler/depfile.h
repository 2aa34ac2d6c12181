// The depfile that a command asks for: its path and what stands before the colon, as the compilers derive and
// quote them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "compiler/command.h"

namespace compiler {

// What the options said. `file_by_preprocessor` is the file of -Wp,-MD,FILE.
struct DepfileOptions {
  bool all = false;                 // -MD
  bool user = false;                // -MMD
  bool phony = false;               // -MP
  std::optional<std::string> file;  // -MF
  std::optional<std::string> file_by_preprocessor;
  std::vector<std::pair<bool, std::string>> targets;  // quoted (-MQ) or as it is (-MT), in order
};

// A name as make reads it: blanks, `$` and `#` escaped. Both families do it alike.
std::string quote_target(std::string_view name);

// gcc's driver hands on every -MQ before every -MT. Requires: no target of the preprocessor's own is there
// yet.
void order_driver_targets(DepfileOptions& options);

// `unsupported` with label `depfile_form` for combinations that the compilers treat in ways of their own.
// `output` is the value of -o. Any thread.
base::Result<Depfile> derive_depfile(const Command& command, const DepfileOptions& options,
                                     const std::optional<std::string>& output);

}  // namespace compiler
