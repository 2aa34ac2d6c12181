// The remote side in words and JSON: which mode is in force and why, how the endpoints are doing, and whose
// credentials are used. No secrets.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "serve/status.h"

namespace serve {

// The mode in force, by its word.
std::string mode_of(const StatusSources& sources);

// One line for /healthz: "ok" where everything works as it is configured, cache-only included; "running: ..."
// where builds go on with less than that; "error: ..." where the daemon itself is in trouble. The beginnings
// of the texts are those that scripts of the original client know.
std::string health_of(const StatusSources& sources);

nlohmann::json remote_json(const StatusSources& sources);

}  // namespace serve
