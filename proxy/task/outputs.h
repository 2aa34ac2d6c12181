// Writing a cached result into the user's tree: whole or not at all, as the compiler would have left it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace task {

// One file to write.
struct OutputText {
  std::string path;  // absolute
  std::string bytes;
  bool executable = false;
};

// Why a hit must not write here: an output exists and is not a regular file (a device, a symbolic link, a
// folder). Empty when all may be replaced.
std::string unwritable(const std::vector<std::string>& paths);

// Writes every file as a temporary beside its target, and when all are whole puts them in place in the order
// given: the object last. Fresh inodes, the present time, mode 0666 (0777 if executable) without the bits of
// `umask`. On an error nothing has changed, unless the error came in the middle of the final renames.
base::Result<void> commit(const std::vector<OutputText>& files, std::uint32_t umask);

}  // namespace task
