// What an answer of a compiler rests on: files by their stat. As long as the stamps hold, the answer does.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"

namespace compiler {

// A path as it was when it was looked at; `absent` is a state like any other.
struct Stamp {
  std::string path;
  base::FileStat stat;
};

// Takes the stamp of a path now.
base::Result<Stamp> stamp_of(base::Files& files, const std::string& path);

// Whether every path is still as stamped. Any thread.
bool still_valid(base::Files& files, const std::vector<Stamp>& stamps);

// The path without symbolic links, as the kernel would follow them. What does not exist stays as it is.
base::Result<std::string> real_path(base::Files& files, const std::string& path);

}  // namespace compiler
