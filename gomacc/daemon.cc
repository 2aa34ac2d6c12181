#include "daemon.h"

#include <climits>

namespace gomacc {
namespace {

constexpr int kStartLimitMs = 5000;
constexpr int kConnectLimitMs = 5000;
constexpr std::int64_t kMaxBackOffSeconds = 60;
// Long enough to spare a build from waiting at each compile, short enough to come back soon.
constexpr std::int64_t kSilenceRememberedSeconds = 30;

// A failed start is kept as the times of a file: it was read when the start failed, rounded up to a second,
// and modified when the next may be tried.
struct BackOff {
  const char* path;

  bool forbids_start() const {
    sys::FileInfo info{};
    if (sys::stat(path, &info) != 0) return false;
    std::int64_t now = sys::realtime_s();
    // A time too far away was written before the clock was set back.
    return info.modified_s > now && info.modified_s <= now + 1 + kMaxBackOffSeconds;
  }
  void failed() const {
    sys::FileInfo info{};
    std::int64_t delay = 1;
    if (sys::stat(path, &info) == 0) {
      delay = (info.modified_s - info.accessed_s) * 2;
      if (delay < 1) delay = 1;
      if (delay > kMaxBackOffSeconds) delay = kMaxBackOffSeconds;
    } else {
      int fd = sys::open(path, O_WRONLY | O_CREAT | O_NOFOLLOW, 0600);
      if (fd < 0) return;
      sys::close(fd);
    }
    std::int64_t failed = sys::realtime_s() + 1;
    sys::set_times(path, failed, failed + delay);
  }
  void succeeded() const { sys::unlink(path); }
};

// Tells whether a process that is not our child has ended, even when nobody has reaped it yet.
class Watched {
 public:
  explicit Watched(int pid) : pid_(pid), fd_(sys::watch_process(pid)) {}
  ~Watched() {
    if (fd_ >= 0) sys::close(fd_);
  }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;

  bool ended() const {
    if (fd_ < 0) return sys::kill(pid_, 0) == -ESRCH;
    pollfd end{fd_, POLLIN, 0};
    return sys::poll(&end, 1, 0) == 1;
  }

 private:
  int pid_;
  int fd_;
};

// Runs in a new process that has no other use; ends it.
[[noreturn]] void become_daemon(const char* program, const char* const* env) {
  sys::new_session();
  int null = sys::open("/dev/null", O_RDWR);
  for (int fd = 0; fd < 3; ++fd) sys::replace(null, fd);
  sys::enter_root();
  sys::close_from(3);
  const char* argv[] = {"compiler_proxy", "--daemon", nullptr};
  sys::execute(program, argv, env);
  sys::exit(127);
}

// Starts the program as nobody's child: a compile must never wait for it, nor stop it. Returns its process
// id, or a negative number.
int start_detached(const char* program, const char* const* env) {
  int ends[2];
  if (int error = sys::make_pipe(ends); error < 0) return error;
  int between = sys::fork();
  if (between == 0) {
    int daemon = sys::fork();
    if (daemon == 0) become_daemon(program, env);
    sys::write(ends[1], &daemon, sizeof daemon);
    sys::exit(0);
  }
  sys::close(ends[1]);
  int pid = -1;
  if (between > 0) {
    if (sys::read(ends[0], &pid, sizeof pid) != sizeof pid) pid = -1;
    sys::Reaped reaped{};
    sys::reap(between, true, &reaped);
  }
  sys::close(ends[0]);
  return pid;
}

}  // namespace

bool Daemon::connect(Connection& connection) {
  std::int64_t deadline = sys::monotonic_ms() + kConnectLimitMs;
  for (;;) {
    int fd = sys::connect_unix(folder_.socket);
    if (fd >= 0) {
      std::uint32_t uid = 0;
      if (sys::peer_uid(fd, &uid) == 0 && uid == sys::effective_uid()) {
        connection.open(fd);
        return true;
      }
      sys::close(fd);
      error_ = EPERM;
      return false;
    }
    error_ = -fd;
    // The daemon's queue is full.
    if (fd != -EAGAIN || sys::monotonic_ms() >= deadline) return false;
    sys::sleep_ms(10);
  }
}

bool Daemon::reach(Connection& connection) {
  if (folder_.problem != nullptr) {
    error_ = EACCES;
    return false;
  }
  if (connect(connection)) return true;
  bool nobody_listens = error_ == ENOENT || error_ == ECONNREFUSED;
  return nobody_listens && environment_.flag("GOMA_START_COMPILER_PROXY", true) && start(connection);
}

bool Daemon::start(Connection& connection) {
  BackOff back_off{in_folder(folder_, "gomacc.failed")};
  if (back_off.forbids_start()) return false;
  int lock = sys::open(in_folder(folder_, "gomacc.lock"), O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
  if (lock < 0) return false;
  std::int64_t deadline = sys::monotonic_ms() + kStartLimitMs;
  bool reached = false;
  for (;;) {
    bool locked = sys::try_lock(lock) != -EAGAIN;
    reached = connect(connection);
    if (reached) break;
    if (locked) {
      // The one that held the lock before us may have failed just now.
      if (back_off.forbids_start()) break;
      std::vector<const char*> env = environment_.with("GOMA_TMP_DIR", join({"GOMA_TMP_DIR=", folder_.path}));
      const char* binary = program();
      int pid = binary != nullptr && sys::executable(binary) == 0 ? start_detached(binary, env.data()) : -1;
      reached = pid > 0 && wait_for_socket(connection, pid, deadline);
      if (reached) {
        back_off.succeeded();
      } else {
        back_off.failed();
      }
      break;
    }
    if (sys::monotonic_ms() >= deadline) break;
    sys::sleep_ms(20);
  }
  sys::close(lock);
  return reached;
}

bool Daemon::wait_for_socket(Connection& connection, int pid, std::int64_t deadline) {
  int pause = 1;
  bool alive = true;
  Watched process(pid);
  while (sys::monotonic_ms() < deadline) {
    if (connect(connection)) return true;
    if (alive && process.ended()) {
      // It may have left the work to a child of its own; that one gets a little time.
      alive = false;
      std::int64_t soon = sys::monotonic_ms() + 500;
      if (soon < deadline) deadline = soon;
    }
    sys::sleep_ms(pause);
    if (pause < 16) pause *= 2;
  }
  return false;
}

const char* Daemon::program() const {
  char buffer[PATH_MAX];
  int length = sys::own_program(buffer, sizeof buffer);
  std::string_view beside = length > 0 ? parent({buffer, static_cast<std::size_t>(length)}) : "";
  if (const char* named = environment_.filled("GOMA_COMPILER_PROXY_BINARY")) {
    if (named[0] == '/') return named;
    // A bare name is beside us, as in Goma; any other is relative to the working directory.
    bool bare = std::string_view(named).find('/') == std::string_view::npos;
    return join({bare ? beside : std::string_view(working_directory_), "/", named});
  }
  if (beside.empty()) return nullptr;
  const char* near = join({beside, "/compiler_proxy"});
  if (sys::executable(near) == 0) return near;
  return join({beside, "/../proxy/compiler_proxy"});
}

bool Daemon::is_known_silent() const {
  sys::FileInfo mark{};
  if (sys::stat(in_folder(folder_, "gomacc.silent"), &mark) != 0) return false;
  std::int64_t age = sys::realtime_s() - mark.modified_s;
  if (age < 0 || age > kSilenceRememberedSeconds) return false;
  sys::FileInfo socket{};
  // A socket younger than the mark belongs to another daemon.
  return sys::stat(folder_.socket, &socket) == 0 && socket.changed_s <= mark.modified_s;
}

void Daemon::note_silent() const {
  const char* path = in_folder(folder_, "gomacc.silent");
  int fd = sys::open(path, O_WRONLY | O_CREAT | O_NOFOLLOW, 0600);
  if (fd < 0) return;
  sys::close(fd);
  std::int64_t now = sys::realtime_s();
  sys::set_times(path, now, now);
}

}  // namespace gomacc
