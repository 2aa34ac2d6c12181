// Running the compiler on this machine: gomacc does it, the daemon decides when, and keeps the result.
#pragma once

#include "base/result.h"
#include "task/prepare.h"
#include "task/task.h"

namespace task {

// The command as typed, uncached, for `reason` ("label: detail").
Reply run_uncached(Task& task, const std::string& reason);

// The command with colour and a depfile that can be compared; the result is kept if it may be.
Reply run_local(Task& task, Prepared& prepared);

}  // namespace task
