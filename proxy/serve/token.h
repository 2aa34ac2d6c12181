// The secret that a POST to the status page must bring: random, and readable by this user alone.
#pragma once

#include <string>

#include "base/result.h"

namespace serve {

// 32 hex digits from the system's random source, written to `path` with mode 0600. An error when it cannot
// be written: the page then accepts no POST at all.
base::Result<std::string> make_token(const std::string& path);

// Writes one that was made before, where its file is gone.
base::Result<void> write_token(const std::string& path, const std::string& token);

}  // namespace serve
