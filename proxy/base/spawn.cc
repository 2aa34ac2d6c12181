#include "base/spawn.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/fd.h"

namespace base {
namespace {

struct Pipe {
  Fd read;
  Fd write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return io_error("pipe", errno);
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

// For standard input: a socket, since writing to a pipe that nobody reads raises SIGPIPE.
Result<Pipe> make_input() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return io_error("socketpair", errno);
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> out;
  out.reserve(strings.size() + 1);
  for (const std::string& text : strings) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

class FileActions {
 public:
  FileActions() { ::posix_spawn_file_actions_init(&actions_); }
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

Result<pid_t> start(const SpawnRequest& request, int in, int out, int err) {
  FileActions actions;
  ::posix_spawn_file_actions_adddup2(actions.get(), in, 0);
  ::posix_spawn_file_actions_adddup2(actions.get(), out, 1);
  ::posix_spawn_file_actions_adddup2(actions.get(), err, 2);
  if (!request.directory.empty()) {
    ::posix_spawn_file_actions_addchdir_np(actions.get(), request.directory.c_str());
  }
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  // A group of its own lets the time limit end whatever the program started. The daemon's blocked and
  // ignored signals are not the program's business.
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  pid_t pid = -1;
  int error = ::posix_spawn(&pid, request.argv[0].c_str(), actions.get(), &attributes,
                            pointers(request.argv).data(), pointers(request.env).data());
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) return io_error("spawn " + request.argv[0], error);
  return pid;
}

// Reads what is there. False at the end of the stream.
bool drain(int fd, std::string& into) {
  char buffer[16 * 1024];
  ssize_t got = ::read(fd, buffer, sizeof buffer);
  if (got > 0) into.append(buffer, static_cast<std::size_t>(got));
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

// Writes what fits. False when all is written or nobody reads.
bool feed(int fd, std::string_view& rest) {
  ssize_t written = ::send(fd, rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
  if (written < 0 && errno != EAGAIN && errno != EINTR) return false;
  return !rest.empty();
}

class RealSpawner : public Spawner {
 public:
  Result<SpawnOutcome> run(const SpawnRequest& request, std::stop_token stop) override {
    if (stop.stop_requested()) return cancelled();
    Result<Pipe> in = make_input();
    Result<Pipe> out = make_pipe();
    Result<Pipe> err = make_pipe();
    if (!in || !out || !err) return io_error("pipe", EMFILE);
    Result<pid_t> pid = start(request, in->read.get(), out->write.get(), err->write.get());
    if (!pid) return pid.error();
    in->read.reset();
    out->write.reset();
    err->write.reset();

    SpawnOutcome outcome;
    Result<void> talked = talk(request, stop, in->write, out->read, err->read, outcome);
    if (!talked) ::kill(-*pid, SIGKILL);
    int status = 0;
    while (::waitpid(*pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (!talked) return talked.error();
    outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return outcome;
  }

 private:
  static Result<void> talk(const SpawnRequest& request, const std::stop_token& stop, Fd& in, Fd& out, Fd& err,
                           SpawnOutcome& outcome) {
    auto deadline = std::chrono::steady_clock::now() + request.limit;
    std::string_view rest = request.input;
    if (rest.empty()) in.reset();
    while (out || err) {
      pollfd fds[3] = {{in.get(), POLLOUT, 0}, {out.get(), POLLIN, 0}, {err.get(), POLLIN, 0}};
      // A stop has no descriptor, so it is looked for ten times a second.
      ::poll(fds, 3, 100);
      if (stop.stop_requested()) return cancelled();
      if (std::chrono::steady_clock::now() > deadline) {
        return Error{ErrorKind::transient, "time limit passed: " + request.argv[0]};
      }
      if (in && fds[0].revents != 0 && !feed(in.get(), rest)) in.reset();
      if (out && fds[1].revents != 0 && !drain(out.get(), outcome.out)) out.reset();
      if (err && fds[2].revents != 0 && !drain(err.get(), outcome.err)) err.reset();
    }
    return {};
  }
};

}  // namespace

Spawner& real_spawner() {
  static RealSpawner spawner;
  return spawner;
}

}  // namespace base
