// What a driver's name tells, beyond its family (see compiler/parse.h).
#pragma once

#include <string_view>

#include "compiler/command.h"

namespace compiler {

// Whether this driver takes .c and .i files for C++: its name (gcc's: or that of a link on the way to it)
// holds
// "++". Reads symbolic links. Any thread.
bool is_cxx_driver(std::string_view compiler, Family family);

}  // namespace compiler
