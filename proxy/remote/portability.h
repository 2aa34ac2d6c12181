// Whether a compile may use the portable form as far as its compiler, its roots and its sources go; what its
// arguments say is judged where they are rewritten.
#pragma once

#include <string>
#include <vector>

#include "compiler/command.h"
#include "compiler/identity.h"
#include "inputs/scanner.h"
#include "remote/action.h"
#include "remote/arguments.h"

namespace remote {

// Why not, in words, before the arguments are looked at; empty when nothing is against it.
std::string roots_forbid(const compiler::Command& command, const compiler::Compiler& compiler,
                         const Roots& roots, const KeySettings& settings);

// Why not, for what variables say: CPATH and its like are never rewritten.
std::string variables_forbid(const std::vector<std::string>& key_env, const Roots& roots);

// Why not, for what the sources do and what the outputs' places are; empty when nothing is against it.
std::string sources_forbid(const compiler::Command& command, const inputs::Closure& closure,
                           const Roots& roots, const PortableArguments& arguments, inputs::FileIndex& index);

}  // namespace remote
