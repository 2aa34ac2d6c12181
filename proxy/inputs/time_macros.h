// Whether a compile's output holds the time although no source names __DATE__ outright: a macro may.
#pragma once

#include <vector>

#include "base/result.h"
#include "inputs/lists.h"
#include "inputs/scanner.h"

namespace inputs {

// True when a macro whose body mentions the time, itself or through other macros, is named in the text of one
// of `files`. `timestamp_only`: __DATE__ and __TIME__ are constant and don't count. An error when a file
// cannot be read again.
base::Result<bool> uses_time_macro(const std::vector<NodeId>& files, Lists& lists, const LexMode& mode,
                                   bool timestamp_only);

}  // namespace inputs
