// Compiling when the daemon has no say: no more compilers at once than there are processors to run them.
#pragma once

#include "daemon.h"

namespace gomacc {

// One of the places that all gomaccs of this user share; given back when gomacc ends.
enum class Place {
  taken,
  daemon_came,  // a daemon was reached while waiting: `connection` is open
};

// Waits for a place. Others hold theirs for the length of a compile, and the kernel takes it from one that
// dies, so the wait ends; with `look_for_daemon` it also ends when a daemon can be reached, which is tried
// every second. Where there is no folder to meet in, a place is had at once.
Place wait_for_place(const Folder& folder, Daemon& daemon, Connection& connection, bool look_for_daemon);

// Processors that this process may use: its affinity, and the quota of its control group rounded up.
int processors();

}  // namespace gomacc
