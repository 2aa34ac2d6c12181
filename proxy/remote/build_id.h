// Which build a compile belongs to, as servers are told so that they can group and schedule fairly.
#pragma once

#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/files.h"

namespace remote {

// Any thread.
class BuildIds {
 public:
  // `files` (read at /proc) outlives it.
  explicit BuildIds(base::Files& files);

  // What the build tool says in the environment of the compile, else a name made of the process of the
  // nearest ninja, make or their like above `pid`, else one of this daemon. `pid` is gomacc's. make within
  // make is one build. The made ones look like UUIDs.
  std::string of(const std::vector<std::string>& env, int pid);

  // As /proc/PID/stat tells it.
  struct Process {
    std::string name;
    int parent = 0;
    std::string start;  // in ticks since the boot
  };

 private:
  // What is known of a process that started gomacc: it stays below the same build tool as long as it lives.
  struct Known {
    std::string start;
    std::string id;
  };

  // The name for what runs below process `pid`, which is `at`.
  std::string walk_up(int pid, Process at) const;

  base::Files& files_;
  std::string boot_;  // tells the same process number after a restart of the machine apart
  std::string own_;   // for compiles without a build tool
  std::mutex mutex_;
  std::unordered_map<int, Known> known_;  // by process number; guarded by mutex_
};

}  // namespace remote
