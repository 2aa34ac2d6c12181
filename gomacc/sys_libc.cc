// The calls of sys.h through the C library: for sanitizer builds and for systems other than Linux.
//
// Elsewhere than on Linux orphans cannot be adopted, so ending a compile ends the driver alone, and a signal
// that is blocked is told by a pipe that its handler writes to.
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#else
#include <mach-o/dyld.h>
#endif

#include <cstdlib>
#include <cstring>

#include "sys.h"

int gomacc_main(int argc, char** argv, char** env);

extern char** environ;

int main(int argc, char** argv) { sys::exit(gomacc_main(argc, argv, environ)); }

namespace sys {
namespace {

template <class Result>
Result told(Result result) {
  return result < 0 ? static_cast<Result>(-errno) : result;
}

template <class Call>
auto uninterrupted(Call make) {
  auto result = make();
  while (result < 0 && errno == EINTR) result = make();
  return told(result);
}

int above_standard_streams(int fd) {
  if (fd < 0 || fd > 2) return fd;
  int moved = told(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  ::close(fd);
  return moved;
}

#ifdef __APPLE__
const timespec& accessed(const struct ::stat& raw) { return raw.st_atimespec; }
const timespec& modified(const struct ::stat& raw) { return raw.st_mtimespec; }
const timespec& changed(const struct ::stat& raw) { return raw.st_ctimespec; }
#else
const timespec& accessed(const struct ::stat& raw) { return raw.st_atim; }
const timespec& modified(const struct ::stat& raw) { return raw.st_mtim; }
const timespec& changed(const struct ::stat& raw) { return raw.st_ctim; }
#endif

int give(int result, const struct ::stat& raw, FileInfo* info) {
  if (result < 0) return -errno;
  *info = {static_cast<std::uint64_t>(raw.st_dev),
           static_cast<std::uint64_t>(raw.st_ino),
           static_cast<std::uint64_t>(raw.st_size),
           static_cast<std::uint32_t>(raw.st_mode),
           raw.st_uid,
           accessed(raw).tv_sec,
           modified(raw).tv_sec,
           modified(raw).tv_nsec,
           changed(raw).tv_sec,
           changed(raw).tv_nsec};
  return 0;
}

sigset_t to_set(SignalSet signals) {
  sigset_t set;
  sigemptyset(&set);
  for (int signal = 1; signal < 32; ++signal) {
    if ((signals & just(signal)) != 0) sigaddset(&set, signal);
  }
  return set;
}

std::uint64_t microseconds(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(time.tv_usec);
}

}  // namespace

int open(const char* path, int flags, unsigned mode) {
  return above_standard_streams(uninterrupted([&] { return ::open(path, flags | O_CLOEXEC, mode); }));
}
int close(int fd) { return told(::close(fd)); }
std::ptrdiff_t read(int fd, void* data, std::size_t size) {
  return uninterrupted([&] { return ::read(fd, data, size); });
}
std::ptrdiff_t write(int fd, const void* data, std::size_t size) {
  return uninterrupted([&] { return ::write(fd, data, size); });
}
int stat(const char* path, FileInfo* info) {
  struct ::stat raw;
  return give(::stat(path, &raw), raw, info);
}
int lstat(const char* path, FileInfo* info) {
  struct ::stat raw;
  return give(::lstat(path, &raw), raw, info);
}
int fstat(int fd, FileInfo* info) {
  struct ::stat raw;
  return give(::fstat(fd, &raw), raw, info);
}
int executable(const char* path) { return told(::access(path, X_OK)); }
int make_folder(const char* path) { return told(::mkdir(path, 0700)); }
int change_mode(const char* path, unsigned mode) { return told(::chmod(path, static_cast<mode_t>(mode))); }
int unlink(const char* path) { return told(::unlink(path)); }
int set_times(const char* path, std::int64_t accessed_s, std::int64_t modified_s) {
  timespec times[2] = {{static_cast<time_t>(accessed_s), 0}, {static_cast<time_t>(modified_s), 0}};
  return told(::utimensat(AT_FDCWD, path, times, 0));
}
int try_lock(int fd) { return told(::flock(fd, LOCK_EX | LOCK_NB)); }
int current_folder(char* data, std::size_t size) {
  if (::getcwd(data, size) == nullptr) return -errno;
  return data[0] == '/' ? static_cast<int>(std::strlen(data)) : -ENOENT;
}
int read_link(const char* path, char* data, std::size_t size) {
  auto length = static_cast<int>(told(::readlink(path, data, size - 1)));
  if (length >= 0) data[length] = '\0';
  return length;
}
int own_program(char* data, std::size_t size) {
#ifdef __APPLE__
  auto room = static_cast<std::uint32_t>(size);
  char* path = _NSGetExecutablePath(data, &room) == 0 ? ::realpath(data, nullptr) : nullptr;
  if (path == nullptr || std::strlen(path) >= size) return -ENOENT;
  std::memcpy(data, path, std::strlen(path) + 1);
  ::free(path);
  return static_cast<int>(std::strlen(data));
#else
  return read_link("/proc/self/exe", data, size);
#endif
}
int is_terminal(int fd) { return ::isatty(fd); }

int connect_unix(const char* path) {
  sockaddr_un name{};
  std::size_t length = std::strlen(path);
  if (length >= sizeof name.sun_path) return -ENAMETOOLONG;
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, path, length);
  int fd = above_standard_streams(told(::socket(AF_UNIX, SOCK_STREAM, 0)));
  if (fd < 0) return fd;
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  auto address = reinterpret_cast<const sockaddr*>(&name);
  int result = uninterrupted([&] { return ::connect(fd, address, sizeof name); });
  if (result == 0) return fd;
  ::close(fd);
  return result;
}
std::ptrdiff_t send(int fd, const void* data, std::size_t size) {
#ifdef MSG_NOSIGNAL
  constexpr int kFlags = MSG_NOSIGNAL;
#else
  constexpr int kFlags = 0;
  int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
  return uninterrupted([&] { return ::send(fd, data, size, kFlags); });
}
std::ptrdiff_t receive(int fd, void* data, std::size_t size) {
  return uninterrupted([&] { return ::recv(fd, data, size, 0); });
}
int peer_uid(int fd, std::uint32_t* uid) {
#ifdef __linux__
  struct {
    std::uint32_t pid, uid, gid;
  } peer{};
  socklen_t size = sizeof peer;
  int result = told(::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size));
  *uid = peer.uid;
  return result;
#else
  gid_t gid = 0;
  return told(::getpeereid(fd, uid, &gid));
#endif
}
int poll(pollfd* fds, std::size_t count, int timeout_ms) {
  std::int64_t deadline = timeout_ms < 0 ? 0 : monotonic_ms() + timeout_ms;
  for (;;) {
    int result = told(::poll(fds, static_cast<nfds_t>(count), timeout_ms));
    if (result != -EINTR) return result;
    if (timeout_ms < 0) continue;
    std::int64_t left = deadline - monotonic_ms();
    timeout_ms = left > 0 ? static_cast<int>(left) : 0;
  }
}

int make_pipe(int ends[2]) {
  if (::pipe(ends) < 0) return -errno;
  for (int i = 0; i < 2; ++i) {
    ends[i] = above_standard_streams(ends[i]);
    if (ends[i] >= 0) ::fcntl(ends[i], F_SETFD, FD_CLOEXEC);
  }
  if (ends[0] >= 0 && ends[1] >= 0) return 0;
  for (int i = 0; i < 2; ++i) {
    if (ends[i] >= 0) ::close(ends[i]);
  }
  return -EMFILE;
}
int replace(int from, int to) { return told(::dup2(from, to)); }
int fork() { return told(::fork()); }
int execute(const char* program, const char* const* argv, const char* const* env) {
  return told(::execve(program, const_cast<char* const*>(argv), const_cast<char* const*>(env)));
}
int reap(int pid, bool wait, Reaped* reaped) {
  rusage usage{};
  int status = 0;
  int result = uninterrupted([&] { return ::wait4(pid, &status, wait ? 0 : WNOHANG, &usage); });
  if (result > 0) {
    auto rss = static_cast<std::uint64_t>(usage.ru_maxrss);
#ifdef __APPLE__
    rss /= 1024;
#endif
    *reaped = {result, status, microseconds(usage.ru_utime), microseconds(usage.ru_stime), rss};
  }
  return result;
}
bool has_children() {
  siginfo_t info;
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}
int kill(int pid, int signal) { return told(::kill(pid, signal)); }
int watch_process([[maybe_unused]] int pid) {
#ifdef SYS_pidfd_open
  return above_standard_streams(static_cast<int>(told(::syscall(SYS_pidfd_open, pid, 0))));
#else
  return -ENOSYS;
#endif
}
int process_id() { return ::getpid(); }
int parent_id() { return ::getppid(); }
std::uint32_t effective_uid() { return ::geteuid(); }
int new_session() { return told(::setsid()); }
int enter_root() { return told(::chdir("/")); }
unsigned file_mask() {
  mode_t mask = ::umask(077);
  ::umask(mask);
  return mask;
}
void close_from(int first) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  int end = limit.rlim_cur < 1'000'000 ? static_cast<int>(limit.rlim_cur) : 1'000'000;
  for (int fd = first; fd < end; ++fd) ::close(fd);
}
void adopt_orphans() {
#ifdef __linux__
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
#endif
}
void die_with_parent([[maybe_unused]] int signal) {
#ifdef __linux__
  ::prctl(PR_SET_PDEATHSIG, signal);
#endif
}
int usable_processors() {
#ifdef __linux__
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  long count = ::sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? static_cast<int>(count) : 1;
}
void exit(int code) { ::_exit(code); }
void die_by(int signal) {
  rlimit none{};
  ::setrlimit(RLIMIT_CORE, &none);
  set_disposition(signal, Disposition::standard);
  ::kill(::getpid(), signal);
  set_mask(0);
  exit(128 + signal);
}

Disposition disposition(int signal) {
  struct sigaction action {};
  ::sigaction(signal, nullptr, &action);
  return action.sa_handler == SIG_IGN ? Disposition::ignored : Disposition::standard;
}
void set_disposition(int signal, Disposition disposition) {
  struct sigaction action {};
  action.sa_handler = disposition == Disposition::ignored ? SIG_IGN : SIG_DFL;
  ::sigaction(signal, &action, nullptr);
}
SignalSet block(SignalSet signals) {
  sigset_t set = to_set(signals);
  sigset_t before;
  ::sigprocmask(SIG_BLOCK, &set, &before);
  SignalSet result = 0;
  for (int signal = 1; signal < 32; ++signal) {
    if (sigismember(&before, signal) == 1) result |= just(signal);
  }
  return result;
}
void set_mask(SignalSet mask) {
  sigset_t set = to_set(mask);
  ::sigprocmask(SIG_SETMASK, &set, nullptr);
}

#ifdef __linux__
int signal_source(SignalSet blocked) {
  sigset_t set = to_set(blocked);
  return above_standard_streams(told(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)));
}
int take_signal(int source) {
  signalfd_siginfo info{};
  return sys::read(source, &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
}
#else
namespace {
int signal_pipe[2] = {-1, -1};

void note(int signal) {
  int before = errno;
  auto number = static_cast<unsigned char>(signal);
  [[maybe_unused]] auto written = ::write(signal_pipe[1], &number, 1);
  errno = before;
}
}  // namespace

int signal_source(SignalSet blocked) {
  if (int error = make_pipe(signal_pipe); error < 0) return error;
  for (int end : signal_pipe) ::fcntl(end, F_SETFL, O_NONBLOCK);
  for (int signal = 1; signal < 32; ++signal) {
    if ((blocked & just(signal)) == 0) continue;
    struct sigaction action {};
    action.sa_handler = note;
    action.sa_flags = SA_RESTART;
    ::sigaction(signal, &action, nullptr);
  }
  sigset_t set = to_set(blocked);
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
  return signal_pipe[0];
}
int take_signal(int source) {
  unsigned char number = 0;
  return sys::read(source, &number, 1) == 1 ? number : 0;
}
#endif

std::int64_t monotonic_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * std::int64_t{1000} + now.tv_nsec / 1'000'000;
}
std::int64_t realtime_s() { return ::time(nullptr); }
void sleep_ms(int ms) {
  timespec time{ms / 1000, ms % 1000 * 1'000'000L};
  ::nanosleep(&time, nullptr);
}
void* map(std::size_t size) {
  void* data = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return data == MAP_FAILED ? nullptr : data;
}
void unmap(void* data, std::size_t size) { ::munmap(data, size); }

}  // namespace sys
