// What a compile came to: the value that the cache keeps, that a cluster returns, and that gomacc shows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/digest.h"

namespace cache {

struct OutputFile {
  std::string path;  // as in the Action's output_paths
  base::Digest digest;
  bool executable = false;
};

struct Outcome {
  int exit_code = 0;
  std::string out;  // as the compiler wrote it, coloured
  std::string err;
  std::vector<OutputFile> files;  // sorted by path
  std::uint64_t compile_us = 0;   // processor time that the compile took where it ran; 0 if unknown
};

}  // namespace cache
