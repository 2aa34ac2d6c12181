// Runs one command as the compiler would run without us: in our process group, environment, terminal, limits
// and descriptors.
//
// With `capture` both output streams go through gomacc, which shows them while they come and keeps them for
// the daemon. On a signal that would end us, or when the daemon says `stop`, the command and all its
// descendants are ended. Outputs that it left half-written are removed then, and when a signal ended it.
#pragma once

#include <vector>

#include "frames.h"
#include "relay.h"

namespace gomacc {

struct End {
  int wait_status = 0;
  std::uint64_t user_us = 0;
  std::uint64_t system_us = 0;
  std::uint64_t max_rss_kib = 0;
  bool truncated = false;    // what was kept is not all that there was
  bool stopped = false;      // because the daemon said so
  bool lost_reader = false;  // nobody reads our output any more
  Relay* out = nullptr;      // with `capture`
  Relay* err = nullptr;
};

struct Plan {
  const char* program;
  const char* const* argv;
  const char* const* env;
  bool capture = false;
  bool silent = false;               // both output streams go nowhere
  std::uint8_t strip = 0;            // wire::kStrip*
  std::vector<const char*> outputs;  // see wire::RunHead
  Connection* daemon = nullptr;      // to hear `stop`; may be null
  const End* before = nullptr;       // of a run that was stopped; may be null
};

// Does not return when a signal to gomacc ended the command: gomacc dies of it too.
End run(const Plan& plan);

// Becomes the program. Returns only when that fails, with the exit code to give.
int become(const char* program, const char* const* argv, const char* const* env);

// Ends gomacc as the command ended.
[[noreturn]] void end_like(const End& end);

}  // namespace gomacc
