// The directories in which headers are looked for, in order, as each compiler arrives at them: the ones that
// do not exist and the repeated ones left out. Which of two equal directories stays decides what a later
// include finds, and gcc and clang differ in it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"
#include "compiler/command.h"
#include "compiler/dialect.h"
#include "inputs/file_index.h"

namespace inputs {

struct SearchDirectory {
  std::string name;  // what precedes the slash and the header's name in the path that the compiler prints
  NodeId node = kNoNode;
  bool system = false;   // its headers are system headers
  bool by_flag = false;  // named by -isystem or -idirafter
};

struct SearchPath {
  std::vector<SearchDirectory> directories;
  std::size_t angle_begin = 0;  // those before are for #include "..." alone
  // Every directory given by a flag or built in, in the order in which the compiler first touches them,
  // repeated and dropped ones included.
  std::vector<SearchDirectory> touched;
};

// Looks the directories up; what that depends on is appended to `trail`. `unsupported` for frameworks and
// header maps. Any thread.
base::Result<SearchPath> make_search_path(const compiler::Command& command, const compiler::Dialect& dialect,
                                          const std::vector<std::string>& env, FileIndex& index, NodeId cwd,
                                          Trail& trail);

}  // namespace inputs
