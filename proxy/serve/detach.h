// Becoming a daemon, and telling whoever started it how that went.
#pragma once

#include <string>

#include "base/fd.h"

namespace serve {

// Leaves the caller's session and terminal. Call first, before any thread exists. In the starting process it
// does not return: that process waits until the daemon reports and exits with the daemon's verdict, a failure
// on standard error.
class Detached {
 public:
  Detached();

  // Says "ready" (empty) or why not, once; the starting process then ends. Without a report it ends when this
  // process does.
  void report(const std::string& failure);

 private:
  base::Fd pipe_;
};

}  // namespace serve
