// From a request to the key: parse, identify, scan, make the Action. Nothing here runs a compile or writes a
// file of the user's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/gate.h"
#include "base/result.h"
#include "compiler/command.h"
#include "compiler/identity.h"
#include "inputs/scanner.h"
#include "remote/action.h"
#include "task/task.h"
#include "task/unit.h"

namespace task {

struct Prepared {
  compiler::Command command;
  std::shared_ptr<const compiler::Compiler> compiler;
  inputs::Closure closure;
  std::vector<compiler::Stamp> untold;  // to be checked by stat, as the index cannot tell of them
  remote::Action action;
  std::vector<std::string> key_env;
  std::shared_ptr<Unit> unit;
};

// Names what was asked: equal fingerprints mean equal commands in equal environments, whatever the file
// system holds.
base::Digest fingerprint(const Request& request, const std::vector<std::string>& key_env);

// `unsupported` with the label of the reason when the command must run uncached. The index must have been
// refreshed since the request came.
base::Result<Prepared> prepare(Task& task, const std::vector<std::string>& key_env);

// Parse, identify and scan alone, for --print-inputs.
struct Found {
  compiler::Command command;
  std::shared_ptr<const compiler::Compiler> compiler;
  inputs::Closure closure;
  // Of the gate of processors, for as long as there is work with what was found. Tasks then come out of it in
  // the order in which they went in; all at once they would also be done all at once, and later.
  base::Pass pass;
};
base::Result<Found> find_inputs(Task& task);

// The same command under the absolute form, for a result that turned out to hold the root.
base::Result<void> use_absolute_form(Task& task, Prepared& prepared);

// Under this name the store holds an empty outcome when a result of the portable Action was kept under the
// absolute form: to make that form costs as much as a look-up, and there is seldom a result of it.
base::Digest absolute_mark(const base::Digest& portable_action);

}  // namespace task
