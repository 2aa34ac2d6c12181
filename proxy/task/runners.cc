#include "task/runners.h"

#include <string>

#include "base/fd.h"

namespace task {
namespace {

// "pid (name) state ...": the name may hold anything, so the last parenthesis counts.
bool is_stopped(int pid) {
  base::Result<std::string> text = base::read_file("/proc/" + std::to_string(pid) + "/stat", 64 * 1024);
  if (!text) return false;
  std::size_t at = text->rfind(") ");
  return at != std::string::npos && at + 2 < text->size() && (*text)[at + 2] == 'T';
}

}  // namespace

Runners::Running::Running(Runners& owner, int pid) : owner_(owner), pid_(pid) {
  std::lock_guard lock(owner_.mutex_);
  owner_.pids_.insert(pid_);
}

Runners::Running::~Running() {
  std::lock_guard lock(owner_.mutex_);
  owner_.pids_.erase(owner_.pids_.find(pid_));
}

int Runners::stopped() const {
  std::multiset<int> pids;
  {
    std::lock_guard lock(mutex_);
    pids = pids_;
  }
  int count = 0;
  for (int pid : pids) count += is_stopped(pid) ? 1 : 0;
  return count;
}

}  // namespace task
