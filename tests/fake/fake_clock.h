// A clock that moves only when told.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"

namespace fake {

class FakeClock : public base::Clock {
 public:
  base::Nanoseconds uptime() override { return base::Nanoseconds(uptime_.load()); }
  base::Nanoseconds wall() override { return base::Nanoseconds(wall_.load()); }

  // Time passes.
  void advance(base::Nanoseconds time) {
    uptime_ += time.count();
    wall_ += time.count();
  }
  // An administrator sets the time of day.
  void set_wall(base::Nanoseconds wall) { wall_ = wall.count(); }

 private:
  std::atomic<std::int64_t> uptime_{1'000'000'000'000};
  std::atomic<std::int64_t> wall_{1'700'000'000'000'000'000};
};

}  // namespace fake
