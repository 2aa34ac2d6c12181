// The seam to other programs: short probes of compilers and credential helpers. The daemon never forks; it
// calls posix_spawn. tests/fake/fake_spawner.h answers from a table and records what was asked.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"

namespace base {

struct SpawnRequest {
  std::vector<std::string> argv;  // argv[0] is the program's absolute path
  std::vector<std::string> env;   // "NAME=VALUE"; nothing else is inherited
  std::string directory;          // the working directory
  std::string input;              // what it reads on standard input
  std::chrono::milliseconds limit{30'000};
};

struct SpawnOutcome {
  int exit_code = 0;  // 128 + signal when a signal ended it
  std::string out;
  std::string err;
};

class Spawner {
 public:
  virtual ~Spawner() = default;
  // Runs a program to its end. `io` when it cannot be started, `transient` when the limit passed (it is then
  // killed with its whole process group), `cancelled` on a stop. Any thread. Blocks.
  virtual Result<SpawnOutcome> run(const SpawnRequest& request, std::stop_token stop) = 0;
};

// The real one. It has no state.
Spawner& real_spawner();

}  // namespace base
