// Taking a result that was made elsewhere: checked against what the scan foresaw, kept, and written for the
// user.
#pragma once

#include "base/result.h"
#include "remote/backend.h"
#include "task/prepare.h"
#include "task/task.h"

namespace task {

// The whole reply, outputs written. `unsupported` with the label of the reason when the result is not what
// this machine's compiler would have made: something is missing, other files were read, or the worker's own
// folder shows in it. Nothing has been written then, nor kept. `cancelled` when the task was stopped. Checks
// and keeps the result with a pass of the gate of processors: answers come in bunches, and if all were taken
// before the next tasks are prepared, these would go out in a bunch again. Requires: every blob of the
// outcome is in `answer.contents` or in the store; no Pass is held.
base::Result<Reply> accept(Task& task, const Prepared& prepared, const remote::Answer& answer);

}  // namespace task
