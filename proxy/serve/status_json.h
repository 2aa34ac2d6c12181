// The JSON of the page's API. Times are microseconds where a name ends in `_us`, milliseconds since the epoch
// where it ends in `_ms`. Fields are only ever added. Bytes that are no UTF-8 become U+FFFD, and what looks
// like a secret is hidden.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "serve/status.h"
#include "task/history.h"

namespace serve {

// Milliseconds since the epoch.
std::int64_t now_ms();

// How many of the compiles that could have been hits were, and whether there were any.
struct HitRate {
  std::uint64_t hits = 0;
  std::uint64_t asked = 0;
};
HitRate hit_rate(const task::Totals& totals);

// One line; bytes that are no UTF-8 are replaced.
std::string json_text(const nlohmann::json& value);

std::string status_json(const StatusSources& sources, std::int64_t start_ms);
std::string tasks_json(const task::History& history, std::size_t limit, std::uint64_t after);
// With the command line and all that is known of it.
std::string task_json(const task::Record& record);
std::string settings_json(const StatusSources& sources);
std::string error_json(const std::string& message);

}  // namespace serve
