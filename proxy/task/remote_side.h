// The parts a task works with when something from afar may answer it: built once by main, each safe for any
// thread.
#pragma once

#include <string>

#include "base/thread.h"
#include "remote/build_id.h"
#include "remote/confirm.h"
#include "remote/tier.h"
#include "task/share.h"
#include "task/times.h"

namespace task {

struct RemoteSide {
  remote::Tier& tier;
  remote::Confirmer& confirmer;
  base::ThreadPool& pool;  // of threads that call; as many as tasks
  Times& times;
  Share& share;
  remote::BuildIds& build_ids;
  remote::Toolchain toolchain = remote::Toolchain::inside;
  bool workers_alike = false;  // what one worker holds, all do
};

}  // namespace task
