#include "serve/detach.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace serve {
namespace {

[[noreturn]] void relay_verdict(int fd) {
  base::Result<std::string> verdict = base::read_all(fd, 64 * 1024);
  // One byte 0 means ready; nothing at all means that the daemon died before it could say anything.
  if (verdict && *verdict == std::string(1, '\0')) ::_exit(0);
  std::string why = verdict && !verdict->empty() ? *verdict : "it ended before it was ready";
  std::fprintf(stderr, "compiler_proxy: %s\n", why.c_str());
  ::_exit(1);
}

}  // namespace

Detached::Detached() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return;
  pid_t child = ::fork();
  if (child > 0) {
    ::close(ends[1]);
    relay_verdict(ends[0]);
  }
  ::close(ends[0]);
  pipe_.reset(ends[1]);
  if (child < 0) return;  // no second process to be had: serve in the foreground
  ::setsid();
  if (::chdir("/") != 0) std::abort();
  base::Result<base::Fd> null = base::open_file("/dev/null", O_RDWR);
  if (!null) return;
  for (int fd = 0; fd <= 2; ++fd) ::dup2(null->get(), fd);
}

void Detached::report(const std::string& failure) {
  if (!pipe_) return;
  (void)base::write_all(pipe_.get(), failure.empty() ? std::string(1, '\0') : failure).ok();
  pipe_.reset();
}

}  // namespace serve
