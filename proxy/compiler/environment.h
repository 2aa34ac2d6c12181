// Which variables of a request can change a compile: what the key keeps, and what forbids caching.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace compiler {

// The value of `name` in "NAME=VALUE" entries. Where a name stands twice the first is taken, as getenv does.
std::optional<std::string_view> variable(const std::vector<std::string>& env, std::string_view name);

// The variables that can change outputs, normalised and sorted by name: locale as one variable each for
// character set and message language, SOURCE_DATE_EPOCH, CPATH and family, and so on. `unsupported` with
// label `environment` when one is set with which compiles are never cached (LD_PRELOAD, DEPENDENCIES_OUTPUT,
// ...).
base::Result<std::vector<std::string>> key_environment(const std::vector<std::string>& env);

// What a probe of the compiler runs with: the variables that change its answers, and LC_ALL=C.
std::vector<std::string> probe_environment(const std::vector<std::string>& env);

// Whether a switch such as GOMA_STORE_ONLY is set, and to which side: "true", "yes", "1" or "false", "no",
// "0", by the first letter as Goma reads them. Neither for an unset or empty one.
bool is_on(const std::vector<std::string>& env, std::string_view name);
bool is_off(const std::vector<std::string>& env, std::string_view name);

}  // namespace compiler
