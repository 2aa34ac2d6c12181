// How long compiles and look-ups take, here and elsewhere, as measured: what plans are made from. Times are
// in microseconds of wall time; 0 stands for "not known".
#pragma once

#include <cstdint>
#include <mutex>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"

namespace task {

struct Estimate {
  std::uint64_t local_us = 0;
  std::uint64_t remote_us = 0;  // queue, transfer and all
  std::uint64_t look_up_us = 0;
  bool steady = true;  // whoever is asked from afar answers
};

// Any thread.
class Times {
 public:
  explicit Times(base::Clock& clock) : clock_(clock) {}

  // A question goes out. Any answer, also a "no", is its end; note_remote and note_look_up imply one.
  void note_question();
  void note_reply();
  // `unit` names a translation unit: the same in the next build.
  void note_local(std::string_view unit, std::uint64_t us);
  void note_remote(std::string_view unit, std::uint64_t us);
  void note_look_up(std::uint64_t us);

  // The unit's own times where they are known, else the mean of all.
  Estimate estimate(std::string_view unit) const;

 private:
  struct Pair {
    std::uint64_t local_us = 0;
    std::uint64_t remote_us = 0;
  };
  Pair& pair_of(std::string_view unit);  // Requires: mutex_ held.

  base::Clock& clock_;
  mutable std::mutex mutex_;
  std::unordered_map<std::size_t, Pair> units_;  // guarded by mutex_; by hash of the name
  Pair mean_;                                    // guarded by mutex_
  std::uint64_t look_up_us_ = 0;                 // guarded by mutex_
  base::Nanoseconds unanswered_{0};              // guarded by mutex_; uptime of the first question since the
                                                 // last answer; 0: there is none
};

}  // namespace task
