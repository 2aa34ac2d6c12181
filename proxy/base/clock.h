// The seam to time. Ages are measured by a clock that neither an administrator nor a suspend can set back;
// only stamps that people read use the time of day.
#pragma once

#include <chrono>
#include <cstdint>

namespace base {

using Nanoseconds = std::chrono::nanoseconds;

class Clock {
 public:
  virtual ~Clock() = default;
  // Time since boot, suspends included (CLOCK_BOOTTIME). Never goes back.
  virtual Nanoseconds uptime() = 0;
  // Time since the epoch as the file system stamps it (CLOCK_REALTIME).
  virtual Nanoseconds wall() = 0;
};

Clock& real_clock();

}  // namespace base
