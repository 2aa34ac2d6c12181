// The compiler process and all that descends from it.
//
// Ending the compiler driver alone leaves its cc1plus running. While a family lives, orphans of ours become
// our children, so that they can be found, ended and waited for. The process group is never signalled: it is
// that of make or ninja.
#pragma once

#include <vector>

#include "sys.h"

namespace gomacc {

class Family {
 public:
  // `signals` is a sys::signal_source that tells of SIGCHLD.
  explicit Family(int signals);

  void begin(int driver) { driver_ = driver; }

  // Takes note of all members that have ended.
  void reap();
  // Ends every member: asks, and after 2 s compels. Returns when none is alive, or none can be ended.
  void end();

  bool driver_ended() const { return ended_; }
  bool anyone_left() const { return anyone_left_; }
  int wait_status() const { return status_; }
  std::uint64_t user_us() const { return user_us_; }
  std::uint64_t system_us() const { return system_us_; }
  std::uint64_t max_rss_kib() const { return max_rss_kib_; }

 private:
  void signal_members(int signal);

  int signals_;
  int driver_ = 0;
  bool ended_ = false;
  bool anyone_left_ = true;
  int status_ = 0;
  std::uint64_t user_us_ = 0;
  std::uint64_t system_us_ = 0;
  std::uint64_t max_rss_kib_ = 0;
  // Children that we were born with: a shell may have started them before it became gomacc by exec.
  std::vector<int> strangers_;
  std::vector<int> asked_;
};

}  // namespace gomacc
