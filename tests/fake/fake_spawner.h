// A spawner that starts nothing: it answers from a table, or by a function, and records what was asked.
// Any thread.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/spawn.h"

namespace fake {

class FakeSpawner : public base::Spawner {
 public:
  using Handler = std::function<base::Result<base::SpawnOutcome>(const base::SpawnRequest&)>;

  // The outcome for a command line, its words joined by one blank.
  void answer(const std::string& command_line, base::SpawnOutcome outcome) {
    std::lock_guard lock(mutex_);
    table_[command_line] = std::move(outcome);
  }
  // Asked for what the table does not hold; without one such a run is an `io` error.
  void answer_others(Handler handler) {
    std::lock_guard lock(mutex_);
    handler_ = std::move(handler);
  }

  // Every request, in the order of the calls.
  std::vector<base::SpawnRequest> requests() const {
    std::lock_guard lock(mutex_);
    return requests_;
  }
  // The same as command lines.
  std::vector<std::string> command_lines() const {
    std::vector<std::string> out;
    for (const base::SpawnRequest& request : requests()) out.push_back(line_of(request));
    return out;
  }

  base::Result<base::SpawnOutcome> run(const base::SpawnRequest& request, std::stop_token stop) override {
    Handler handler;
    {
      std::lock_guard lock(mutex_);
      requests_.push_back(request);
      if (stop.stop_requested()) return base::cancelled();
      auto found = table_.find(line_of(request));
      if (found != table_.end()) return found->second;
      handler = handler_;
    }
    if (handler) return handler(request);
    return base::Error{base::ErrorKind::io, "spawn " + request.argv[0] + ": no such answer"};
  }

 private:
  static std::string line_of(const base::SpawnRequest& request) {
    std::string line;
    for (const std::string& word : request.argv) line += (line.empty() ? "" : " ") + word;
    return line;
  }

  mutable std::mutex mutex_;
  std::map<std::string, base::SpawnOutcome> table_;
  Handler handler_;
  std::vector<base::SpawnRequest> requests_;
};

}  // namespace fake
