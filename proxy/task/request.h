// What a gomacc asks for, what it is told, and the seam to the gomacc behind a task.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "wire/protocol.h"

namespace task {

struct Request {
  wire::Purpose purpose = wire::Purpose::compile;
  std::uint8_t streams = 0;  // bits wire::kStdoutIsTerminal, ...
  std::uint32_t umask = 022;
  int pid = 0;                    // gomacc's
  std::string directory;          // physical working directory
  std::string compiler;           // absolute path of the program, its last symlink not resolved
  std::vector<std::string> argv;  // argv[0] as typed
  std::vector<std::string> env;
  base::Nanoseconds arrival{0};  // time of day
};

// A command for gomacc to run.
struct RunOrder {
  bool capture = true;
  std::uint8_t strip = 0;
  bool again_if_lost = false;
  std::vector<std::string> argv;
  std::vector<std::string> outputs;
};

struct RunReport {
  int wait_status = 0;
  std::uint64_t user_us = 0;
  std::uint64_t system_us = 0;
  std::uint64_t max_rss_kib = 0;
  bool truncated = false;
  std::string out;
  std::string err;
  std::vector<wire::OutputIdentity> outputs;

  bool succeeded() const { return wait_status == 0; }
};

// The gomacc behind a task, as the task sees it.
class Client {
 public:
  virtual ~Client() = default;
  // Has gomacc run a command; returns when no process of it is left. `cancelled` when gomacc went away.
  virtual base::Result<RunReport> run(const RunOrder& order, const std::stop_token& stop) = 0;
  // True when gomacc has closed its end and waits for nothing any more.
  virtual bool gone() = 0;
};

// What gomacc is told at the end. `ran` means that gomacc ran the compiler and has shown its output already;
// then the other fields are of no use to it.
struct Reply {
  bool ran = false;
  bool lost =
      false;  // nothing can be said: the connection is closed, and gomacc does what it does without us
  int exit_code = 0;
  std::uint8_t strip = 0;  // bits wire::kStrip*
  std::string out;
  std::string err;
};

}  // namespace task
