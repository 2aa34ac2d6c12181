#include "task/runners.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

TEST_CASE("only a stopped gomacc that runs a compiler counts") {
  task::Runners runners;
  pid_t child = ::fork();
  if (child == 0) {
    while (true) ::pause();
  }
  int status = 0;
  {
    task::Runners::Running self(runners, ::getpid());
    task::Runners::Running other(runners, child);
    CHECK(runners.stopped() == 0);
    ::kill(child, SIGSTOP);
    REQUIRE(::waitpid(child, &status, WUNTRACED) == child);
    CHECK(runners.stopped() == 1);
    ::kill(child, SIGCONT);
    REQUIRE(::waitpid(child, &status, WCONTINUED) == child);
    CHECK(runners.stopped() == 0);
    ::kill(child, SIGSTOP);
    REQUIRE(::waitpid(child, &status, WUNTRACED) == child);
  }
  CHECK(runners.stopped() == 0);
  ::kill(child, SIGKILL);
  ::waitpid(child, &status, 0);
}
