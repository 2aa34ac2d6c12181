// The remote side of one task: first the look-up, then, on a miss, the execution. On a thread of its own
// where the task's thread may have gomacc compile meanwhile: then it refers to nothing of the task and may
// outlive it, as a task that was answered otherwise cancels it and goes on.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/event.h"
#include "cache/store.h"
#include "remote/backend.h"
#include "remote/confirm.h"
#include "task/remote_side.h"

namespace task {

// Any thread.
class RemoteRun {
 public:
  struct Order {
    remote::Call call;
    remote::Job job;
    std::string unit;                   // for Times
    std::vector<std::string> required;  // outputs that every result of the Action has
    bool look_up = true;
    bool execute = false;
    remote::OutsideFiles outside;  // to be confirmed before the execution
  };
  struct Ending {
    std::optional<remote::Answer> answer;  // every blob of it in its contents or in the store
    bool executed = false;                 // by the engine, for this task
    std::optional<remote::Answer> report;  // instead of it: the compiler ran and found an error
    std::string why;                       // why there is no answer, in words; empty for a mere miss
  };

  // `side`, `store` and `clock` outlive the run.
  static std::shared_ptr<RemoteRun> start(RemoteSide& side, cache::Store& store, base::Clock& clock,
                                          Order order);

  // The whole on the calling thread. A stop ends it soon, as cancel() does.
  static Ending run(RemoteSide& side, cache::Store& store, base::Clock& clock, Order order,
                    const std::stop_token& stop);

  // Waits until it is over, or the limit passed, or a stop came. True when it is over.
  bool wait(std::chrono::milliseconds limit, const std::stop_token& stop);

  // Requests a stop of others when there is an answer.
  std::stop_token answered() const { return answered_.get_token(); }

  // Ends it soon: a running operation is cancelled on the engine. Its ending is of no use to anybody.
  void cancel() { stop_.request_stop(); }

  // Requires: over. Once.
  Ending take();

 private:
  RemoteRun(RemoteSide& side, cache::Store& store, base::Clock& clock, Order order)
      : side_(side), store_(store), clock_(clock), order_(std::move(order)) {}

  void work();
  Ending make_ending();
  bool look_up(Ending& ending);
  base::Pass take_turn(Ending& ending);
  bool confirm(remote::Backend& engine, Ending& ending);
  void execute(remote::Backend& engine, base::Nanoseconds start, Ending& ending);
  bool complete(remote::Backend& backend, remote::Answer& answer, std::string& why);
  void leave_asked(remote::Answer& answer) const;
  std::string lacks(const remote::Answer& answer) const;
  void note_failure(const remote::Failure& failure, std::string& why);

  RemoteSide& side_;
  cache::Store& store_;
  base::Clock& clock_;
  Order order_;        // the run's own thread only
  int lowerings_ = 0;  // of the limit on calls, when the turn began; the run's own thread only
  std::stop_source stop_;
  std::stop_source answered_;
  base::Event over_;
  Ending ending_;  // the run's own thread until it is over
};

}  // namespace task
