// One compile from gomacc's side: asks the daemon, does what it says, and falls back to the plain compiler
// whenever the daemon does not answer as agreed.
#pragma once

#include "daemon.h"
#include "find_compiler.h"
#include "invocation.h"

namespace gomacc {

struct Request {
  const Invocation& invocation;
  const Compiler& compiler;
  const Environment& environment;
  const char* working_directory;
};

// Ends gomacc as the compiler would end.
[[noreturn]] void compile(const Request& request, const Folder& folder, Daemon& daemon);

// `--explain` and `--print-inputs`: the daemon's answer, or exit code 3 and the reason.
[[noreturn]] void consult(const Request& request, const Folder& folder, Daemon& daemon);

// `port`.
[[noreturn]] void print_port(Daemon& daemon);

}  // namespace gomacc
