// The pages that scripts written for the original client read: their paths, order and labels are kept, and a
// figure that has no counterpart here is 0. Every function may be called from any thread.
#pragma once

#include <cstdint>
#include <string>

#include "serve/status.h"

namespace serve {

// `uptime_s` since the daemon started.
std::string statz_text(const StatusSources& sources, std::int64_t uptime_s);
std::string statz_json(const StatusSources& sources, std::int64_t uptime_s);
// "GOMA_NAME=value" of each setting that the environment gave.
std::string flagz_text(const StatusSources& sources);
std::string errorz_json(const StatusSources& sources);
std::string accountz_json(const StatusSources& sources);
std::string taskz_json(const StatusSources& sources);
// How long the tasks kept in the history took, by result, as bars of text.
std::string histogramz_text(const StatusSources& sources);
// The end of the daemon's log.
std::string logz_text(const StatusSources& sources);

}  // namespace serve
