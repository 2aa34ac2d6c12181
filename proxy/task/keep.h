// Whether the result of a local compile may be kept, and keeping it. Everything here happens while gomacc
// still waits, so that the outputs are the compiler's own: the next build step may change them in place.
#pragma once

#include <string>

#include "base/result.h"
#include "task/neighbours.h"
#include "task/prepare.h"
#include "task/run_argv.h"
#include "task/task.h"

namespace task {

// What a local run left behind, beside its report.
struct LocalRun {
  const RunReport& report;
  const RunArgv& argv;
  std::string private_depfile;  // absolute path; empty when none was written
  NeighbourList neighbours;
};

// True when the object may hold compressed sections, in which no search finds the name of a folder.
bool may_compress(const compiler::Command& command);

// Keeps the result. An `unsupported` error with the label of the reason when it must not be kept, another
// error when it could not be. Requires: report.succeeded().
base::Result<void> keep(Task& task, Prepared& prepared, const LocalRun& run);

}  // namespace task
