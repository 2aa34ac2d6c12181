// How the paths of a command stand to its exec root R, by their text and by what the file system makes of
// them. See remote/action.h for R and U.
#pragma once

#include <string>
#include <string_view>

#include "compiler/command.h"
#include "inputs/file_index.h"
#include "remote/action.h"

namespace remote {

enum class Place {
  inside,   // a relative path that never leaves R: the same text is valid in any folder
  below,    // begins with R's own bytes and stays below R: spelled through U
  outside,  // nothing of R in it
  strays,   // reaches R by way of a link, or leaves it and comes back, or is a folder around it
};

// `path` as typed, not empty. Requires: roots with a root and an alias.
Place place_of(std::string_view path, const compiler::Command& command, const Roots& roots,
               inputs::FileIndex& index);

// A path of which place_of() says `below`, with R spelled U.
std::string aliased(std::string_view path, const Roots& roots);

// True for bytes that need no escape in a depfile, a shell or a prefix map.
bool is_plain(std::string_view path);

// `path` (as typed, or absolute) relative to the working directory, without empty and `.` components. A `..`
// stays where it is typed, since what it follows may be a link.
std::string relative_to_directory(std::string_view path, const compiler::Command& command);

// The name by which each process sees its own working directory; Bazel calls it so in PWD.
inline constexpr std::string_view kOwnDirectory = "/proc/self/cwd";

// What the compiler takes for the name of the working directory: PWD of `env` where it is one, else the
// physical path.
std::string directory_name_of(const compiler::Command& command, const std::vector<std::string>& env,
                              inputs::FileIndex& index);

}  // namespace remote
