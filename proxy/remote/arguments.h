// The words of the Action's Command: what the user typed, made canonical (see remote/action.h).
#pragma once

#include <string>
#include <vector>

#include "compiler/command.h"
#include "compiler/identity.h"
#include "inputs/file_index.h"
#include "remote/action.h"

namespace remote {

// The private depfile as an argument: where the command would write it; empty when it writes none, because
// the user's own has everything in it, or there is nothing to preprocess, or the command is run verbatim.
std::string private_depfile_argument(const compiler::Command& command);

// Every word, the compiler first, for the absolute form. `roots` may be empty.
std::vector<std::string> absolute_arguments(const compiler::Command& command, const Roots& roots);

struct PortableArguments {
  std::vector<std::string> words;
  std::string absolute_because;          // not empty: the portable form is not possible
  std::vector<std::string> mapped_olds;  // the user's OLDs that were rewritten, as typed
  bool maps_root = false;                // a map of the user's covers R
};

// The same for the portable form. `directory_name` is what the compiler takes for the working directory's
// name. Requires: roots with a root and an alias.
PortableArguments portable_arguments(const compiler::Command& command, const compiler::Compiler& compiler,
                                     const Roots& roots, const std::string& directory_name,
                                     inputs::FileIndex& index);

}  // namespace remote
