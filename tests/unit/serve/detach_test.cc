#include "serve/detach.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

// The exit code of a process that becomes a daemon, reports and ends.
int verdict(bool reports, const std::string& failure) {
  pid_t starter = ::fork();
  if (starter == 0) {
    ::close(2);
    serve::Detached detached;
    bool alone = ::getsid(0) == ::getpid();
    if (reports) detached.report(alone ? failure : "not in a session of its own");
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(starter, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("whoever starts a daemon learns whether it serves") {
  CHECK(verdict(true, "") == 0);
  CHECK(verdict(true, "the folder is not ours") == 1);
  CHECK(verdict(false, "") == 1);
}
