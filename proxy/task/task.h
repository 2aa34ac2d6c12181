// One task: a request on its way to its reply, with what it works with. Lives on the stack of its thread.
#pragma once

#include <cstdint>
#include <stop_token>

#include "base/clock.h"
#include "task/record.h"
#include "task/request.h"
#include "task/services.h"

namespace task {

struct Task {
  const Services& services;
  const Request& request;
  Client& client;
  std::stop_token stop;
  Record record;
  std::uint64_t epoch = 0;  // of the file index when this task began to look
};

// Makes everything that happened to the file system so far known to the index, and notes the moment: a file
// that changes while the task looks around must not pass for what the task saw.
inline void refresh_index(Task& task) {
  task.services.index.refresh();
  task.epoch = task.services.index.epoch();
}

// Adds the time from its making to its end to one phase of the record.
class PhaseTimer {
 public:
  PhaseTimer(Task& task, Phase phase) : task_(task), phase_(phase), start_(task.services.clock.uptime()) {}
  ~PhaseTimer() {
    auto spent = task_.services.clock.uptime() - start_;
    task_.record.phase_us[static_cast<std::size_t>(phase_)] +=
        static_cast<std::uint64_t>(spent.count() / 1000);
  }
  PhaseTimer(const PhaseTimer&) = delete;
  PhaseTimer& operator=(const PhaseTimer&) = delete;

 private:
  Task& task_;
  const Phase phase_;
  const base::Nanoseconds start_;
};

}  // namespace task
