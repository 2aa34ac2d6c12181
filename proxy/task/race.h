// Running a compile that this machine's cache cannot answer: elsewhere, here, or both until one of them is
// done. A local compile that lost is dead before the winner's outputs are written, and a remote one is
// cancelled.
#pragma once

#include "task/prepare.h"
#include "task/task.h"

namespace task {

// Requires: task.services.remote.
Reply race(Task& task, Prepared& prepared);

}  // namespace task
