// Reaching the daemon, and starting it when none runs.
//
// One gomacc starts it, under a lock; the others wait for the socket, all of them at most 5 s. A start that
// failed is not tried again for a while: 1 s, and twice that with each further failure, up to 60 s.
#pragma once

#include "environment.h"
#include "folder.h"
#include "frames.h"

namespace gomacc {

class Daemon {
 public:
  Daemon(const Folder& folder, const Environment& environment, const char* working_directory)
      : folder_(folder), environment_(environment), working_directory_(working_directory) {}

  // Opens `connection`, starting the daemon if that is allowed and needed. False: there is no daemon to be
  // had now.
  bool reach(Connection& connection);

  // Opens `connection` to a daemon that runs already.
  bool connect(Connection& connection);

  // The error number of the last failed `connect`.
  int error() const { return error_; }

  // Some gomacc waited in vain for this daemon a short time ago.
  bool is_known_silent() const;
  void note_silent() const;

 private:
  bool start(Connection& connection);
  bool wait_for_socket(Connection& connection, int pid, std::int64_t deadline);
  const char* program() const;

  const Folder& folder_;
  const Environment& environment_;
  const char* working_directory_;
  int error_ = 0;
};

}  // namespace gomacc
