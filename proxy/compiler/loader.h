// Which shared libraries a program loads, asked from the dynamic loader that the program names.
#pragma once

#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/spawn.h"

namespace compiler {

// True for an ELF program or library.
bool is_elf(std::string_view bytes);

// The dynamic loader that an ELF program asks for; empty for a static one, or one that is broken.
std::string interpreter_of(std::string_view bytes);

// The absolute paths in what the loader prints under --list: "\tlibz.so.1 => /lib/libz.so.1 (0x...)".
std::vector<std::string> libraries_in(std::string_view listing);

// The loader and every library of `program`, whose bytes these are. The program itself is not run. Any
// thread.
base::Result<std::vector<std::string>> loaded_by(base::Spawner& spawner, const std::string& program,
                                                 std::string_view bytes, const std::stop_token& stop);

}  // namespace compiler
