#include "base/clock.h"

#include <ctime>

namespace base {
namespace {

Nanoseconds read_clock(clockid_t id) {
  timespec now{};
  ::clock_gettime(id, &now);
  return std::chrono::seconds(now.tv_sec) + Nanoseconds(now.tv_nsec);
}

class RealClock : public Clock {
 public:
  Nanoseconds uptime() override {
#ifdef CLOCK_BOOTTIME
    return read_clock(CLOCK_BOOTTIME);
#else
    return read_clock(CLOCK_MONOTONIC);
#endif
  }
  Nanoseconds wall() override { return read_clock(CLOCK_REALTIME); }
};

}  // namespace

Clock& real_clock() {
  static RealClock clock;
  return clock;
}

}  // namespace base
