// The daemon's log: one line per event, time of day first, to a file or to standard error. Never the
// environment of a request, never a credential.
#pragma once

#include <string>
#include <string_view>

namespace base {

enum class LogLevel { debug, info, warning, error };

// Sends lines to `path` from now on (appending); to standard error when empty. When the file cannot be
// opened, lines go to standard error and false is returned. Any thread.
bool log_to(const std::string& path);

// Lines below this level are dropped. Any thread.
void set_log_level(LogLevel level);

// Writes one line. Newlines and other control characters in `message` are escaped. Any thread.
void log(LogLevel level, std::string_view message);

}  // namespace base
