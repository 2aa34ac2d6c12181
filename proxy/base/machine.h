// Facts about the machine that bound how much may run at once.
#pragma once

namespace base {

// Processors this process may use: the smaller of its affinity mask and its cgroup's cpu.max, rounded up. At
// least 1.
int processor_count();

// How many of `slots` local compiles the memory allows now: all of them, or half when less than a tenth of
// the memory is available or tasks stalled on memory for a fifth of the last ten seconds (PSI). At least 1.
int slots_under_memory_pressure(int slots);

}  // namespace base
