// The command line that gomacc really runs on a miss: the one typed, plus a private depfile where the user
// asked for none or for one without system headers, plus colour.
#pragma once

#include <string>
#include <vector>

#include "compiler/command.h"
#include "task/request.h"
#include "task/unit.h"

namespace task {

struct RunArgv {
  std::vector<std::string> argv;
  bool private_depfile = false;  // the file given to make_run_argv is written by this command
  bool owes_depfile = false;     // the user's -MMD depfile is not written by it
};

// `private_depfile` is a path where one may be written; empty forbids it.
RunArgv make_run_argv(const Request& request, const compiler::Command& command, Colour colour,
                      const std::string& private_depfile);

// The command as typed, with a program name that finds the same program.
std::vector<std::string> typed_argv(const Request& request);

}  // namespace task
