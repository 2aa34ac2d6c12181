#include "base/machine.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "base/fd.h"

namespace base {
namespace {

// Processors that the cgroup's quota amounts to; a large number when there is none.
int cgroup_processors() {
  // Version 2: "max 100000" or "150000 100000".
  Result<std::string> text = read_file("/sys/fs/cgroup/cpu.max", 4096);
  long quota = -1;
  long period = 0;
  if (text && std::sscanf(text->c_str(), "%ld %ld", &quota, &period) == 2 && quota > 0 && period > 0) {
    return static_cast<int>((quota + period - 1) / period);
  }
  return 1 << 20;
}

// The number after `name` in a file of "name: value" lines; -1 if it is not there.
long field(const std::string& text, const char* name) {
  std::size_t at = text.find(name);
  long value = -1;
  if (at != std::string::npos) std::sscanf(text.c_str() + at + std::string(name).size(), "%ld", &value);
  return value;
}

}  // namespace

int processor_count() {
  int count = static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));
#ifdef __linux__
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (::sched_getaffinity(0, sizeof mask, &mask) == 0) count = CPU_COUNT(&mask);
#endif
  return std::max(1, std::min(count, cgroup_processors()));
}

int slots_under_memory_pressure(int slots) {
  bool pressed = false;
  if (Result<std::string> memory = read_file("/proc/meminfo", 64 * 1024)) {
    long total = field(*memory, "MemTotal:");
    long available = field(*memory, "MemAvailable:");
    pressed = total > 0 && available >= 0 && available < total / 10;
  }
  if (Result<std::string> pressure = read_file("/proc/pressure/memory", 4096)) {
    std::size_t at = pressure->find("full avg10=");
    double share = 0;
    if (at != std::string::npos) std::sscanf(pressure->c_str() + at, "full avg10=%lf", &share);
    pressed = pressed || share > 20.0;
  }
  return std::max(1, pressed ? slots / 2 : slots);
}

}  // namespace base
