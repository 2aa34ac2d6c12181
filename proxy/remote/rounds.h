// Small calls of many tasks made as few: who comes while a call is under way takes part in a round, and the
// call of a round is made by one of those who wait for it. On a busy machine, and to a server that is busy,
// it is the number of calls that costs.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <vector>

#include "base/event.h"

namespace remote {

// How long a part waits for company while a call is under way.
inline constexpr std::chrono::milliseconds kRoundTick{10};

// `Work` is what a round carries: first the parts of all, then the answer. Has no thread. Any thread.
template <class Work>
class Rounds {
 public:
  explicit Rounds(std::chrono::milliseconds tick = kRoundTick) : tick_(tick) {}

  struct Ride {
    std::shared_ptr<const Work> work;  // nothing when a stop came before the answer
    bool led = false;                  // this caller made the call
  };

  // `add(Work&)` puts the caller's part in and says whether there was room, as there always is in an empty
  // Work. It runs with a lock held and should only move things. `call(Work&)` makes the call for all, with no
  // lock held, and leaves the answer in the Work. It should end early with the stop of the one who makes it:
  // the others then have no answer.
  template <class Add, class Call>
  Ride ride(const Add& add, const Call& call, const std::stop_token& stop) {
    auto self = std::make_shared<base::Event>();
    std::shared_ptr<base::Event> full;
    std::shared_ptr<Round> round;
    bool leads = false;
    {
      std::lock_guard lock(mutex_);
      ++joined_;
      if (open_ && !add(open_->work)) full = depart(open_);
      if (!open_) {
        open_ = std::make_shared<Round>();
        add(open_->work);
      }
      round = open_;
      round->riders.push_back(self);
      // There is no open round while nothing is under way, so this one is new.
      if (under_way_ == 0) leads = depart(round) == self;
    }
    if (full) full->set();
    if (!leads) leads = wait(*round, self, stop);
    if (leads) {
      call(round->work);
      finish(*round, self);
    }
    std::lock_guard lock(mutex_);
    if (!round->answered) return {};
    return {std::shared_ptr<const Work>(round, &round->work), leads};
  }

  // How many have taken part so far, those who still wait included. It only grows, so that a higher count
  // means that somebody has come, whoever left meanwhile.
  std::uint64_t joined() const {
    std::lock_guard lock(mutex_);
    return joined_;
  }

 private:
  struct Round {
    Work work;
    std::vector<std::shared_ptr<base::Event>> riders;  // woken to lead, or by the answer
    std::shared_ptr<base::Event> leader;               // makes the call, or has; nothing before it departs
    bool answered = false;
  };

  // From now on it takes nobody in. The one who makes its call, and has to be woken. Requires: mutex_ held,
  // somebody takes part.
  std::shared_ptr<base::Event> depart(std::shared_ptr<Round> round) {
    if (open_ == round) open_.reset();
    ++under_way_;
    round->leader = round->riders.front();
    return round->leader;
  }

  // True when the caller is to make the call; else there is an answer, or a stop came.
  bool wait(Round& round, const std::shared_ptr<base::Event>& self, const std::stop_token& stop) {
    if (!self->wait_within(tick_, stop) && !stop.stop_requested()) {
      if (lead_late(round, self)) return true;
      self->wait(stop);
    }
    std::lock_guard lock(mutex_);
    if (round.answered) return false;
    if (round.leader == self) return true;
    std::erase(round.riders, self);
    if (round.riders.empty() && open_.get() == &round) open_.reset();
    return false;
  }

  bool lead_late(Round& round, const std::shared_ptr<base::Event>& self) {
    std::lock_guard lock(mutex_);
    if (round.leader || round.answered) return false;
    std::swap(*std::find(round.riders.begin(), round.riders.end(), self), round.riders.front());
    depart(open_);
    return true;
  }

  void finish(Round& round, const std::shared_ptr<base::Event>& self) {
    std::shared_ptr<base::Event> next;
    std::vector<std::shared_ptr<base::Event>> riders;
    {
      std::lock_guard lock(mutex_);
      round.answered = true;
      riders = std::move(round.riders);
      if (--under_way_ == 0 && open_) next = depart(open_);
    }
    if (next) next->set();
    for (const std::shared_ptr<base::Event>& rider : riders) {
      if (rider != self) rider->set();
    }
  }

  const std::chrono::milliseconds tick_;
  mutable std::mutex mutex_;
  std::uint64_t joined_ = 0;     // guarded by mutex_
  int under_way_ = 0;            // guarded by mutex_; rounds that departed and have no answer
  std::shared_ptr<Round> open_;  // guarded by mutex_; takes further parts
};

}  // namespace remote
