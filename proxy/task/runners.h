// The gomaccs whose compilers run now. One that the user has stopped (Ctrl-Z) holds a slot without using it,
// and must not keep other builds waiting.
#pragma once

#include <mutex>
#include <set>

namespace task {

// Any thread.
class Runners {
 public:
  // While it lives, the gomacc of this process id runs a compiler.
  class Running {
   public:
    Running(Runners& owner, int pid);
    ~Running();
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

   private:
    Runners& owner_;
    const int pid_;
  };

  // How many of them are stopped, by /proc. Reads a file for each.
  int stopped() const;

 private:
  mutable std::mutex mutex_;
  std::multiset<int> pids_;  // guarded by mutex_
};

}  // namespace task
