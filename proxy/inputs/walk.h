// Walks a path as the kernel does, over nodes.
#pragma once

#include <string_view>

#include "inputs/file_index.h"
#include "inputs/node_table.h"
#include "inputs/tracker.h"

namespace inputs {

// The place that `path` names: from `directory`, or from the root when it begins with a slash. Appends to
// `trail` what the answer depends on. See FileIndex::find.
Found walk(NodeTable& table, Tracker& tracker, NodeId directory, std::string_view path, Trail& trail);

}  // namespace inputs
