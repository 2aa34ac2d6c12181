// Finds the compiler that a name stands for: as a shell would, but never gomacc itself.
#pragma once

#include <vector>

#include "environment.h"

namespace gomacc {

struct Compiler {
  int error = 0;                 // 0, or gomacc's exit code: 126 found but not executable, 127 not found
  const char* why = "";          // for the user, when `error` is not 0
  const char* program = "";      // absolute path, its last symlink not resolved
  const char* name = "";         // argv[0] for it
  bool nested = false;           // another gomacc runs the program that called us
  std::vector<const char*> env;  // for the program: ours, and the marker that names us
};

// `folder` is the working directory.
Compiler find_compiler(const char* name, const char* folder, const Environment& environment);

}  // namespace gomacc
