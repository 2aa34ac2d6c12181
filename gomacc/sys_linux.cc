#include <linux/close_range.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>

#include <cstring>

#include "sys.h"

namespace sys {
namespace {

long call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
#if defined(__x86_64__)
  long result;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  register long x5 asm("x5") = f;
  asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
#endif
}

long address(const void* pointer) { return reinterpret_cast<long>(pointer); }

template <class Call>
long uninterrupted(Call make) {
  long result;
  do {
    result = make();
  } while (result == -EINTR);
  return result;
}

int above_standard_streams(long fd) {
  if (fd < 0 || fd > 2) return static_cast<int>(fd);
  long moved = call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 3);
  call(SYS_close, fd);
  return static_cast<int>(moved);
}

int stat_at(int folder, const char* path, FileInfo* info, int flags) {
  // The layout of the kernel is that of the C library on both processors.
  struct ::stat raw;
  long result = call(SYS_newfstatat, folder, address(path), address(&raw), flags);
  if (result < 0) return static_cast<int>(result);
  *info = {raw.st_dev,         raw.st_ino,          static_cast<std::uint64_t>(raw.st_size),
           raw.st_mode,        raw.st_uid,          raw.st_atim.tv_sec,
           raw.st_mtim.tv_sec, raw.st_mtim.tv_nsec, raw.st_ctim.tv_sec,
           raw.st_ctim.tv_nsec};
  return 0;
}

// What the kernel calls struct sigaction; the C library's has another layout.
struct KernelAction {
  void* handler;
  unsigned long flags;
  void* restorer;
  SignalSet mask;
};

std::int64_t read_clock(int clock, std::int64_t units_per_second) {
  timespec now{};
  call(SYS_clock_gettime, clock, address(&now));
  return now.tv_sec * units_per_second + now.tv_nsec / (1'000'000'000 / units_per_second);
}

}  // namespace

int open(const char* path, int flags, unsigned mode) {
  return above_standard_streams(
      uninterrupted([&] { return call(SYS_openat, AT_FDCWD, address(path), flags | O_CLOEXEC, mode); }));
}
int close(int fd) { return static_cast<int>(call(SYS_close, fd)); }
std::ptrdiff_t read(int fd, void* data, std::size_t size) {
  return uninterrupted([&] { return call(SYS_read, fd, address(data), static_cast<long>(size)); });
}
std::ptrdiff_t write(int fd, const void* data, std::size_t size) {
  return uninterrupted([&] { return call(SYS_write, fd, address(data), static_cast<long>(size)); });
}
int stat(const char* path, FileInfo* info) { return stat_at(AT_FDCWD, path, info, 0); }
int lstat(const char* path, FileInfo* info) { return stat_at(AT_FDCWD, path, info, AT_SYMLINK_NOFOLLOW); }
int fstat(int fd, FileInfo* info) { return stat_at(fd, "", info, AT_EMPTY_PATH); }
int executable(const char* path) {
  return static_cast<int>(call(SYS_faccessat, AT_FDCWD, address(path), 1 /* X_OK */));
}
int make_folder(const char* path) {
  return static_cast<int>(call(SYS_mkdirat, AT_FDCWD, address(path), 0700));
}
int change_mode(const char* path, unsigned mode) {
  return static_cast<int>(call(SYS_fchmodat, AT_FDCWD, address(path), mode));
}
int unlink(const char* path) { return static_cast<int>(call(SYS_unlinkat, AT_FDCWD, address(path), 0)); }
int set_times(const char* path, std::int64_t accessed_s, std::int64_t modified_s) {
  timespec times[2] = {{accessed_s, 0}, {modified_s, 0}};
  return static_cast<int>(call(SYS_utimensat, AT_FDCWD, address(path), address(times), 0));
}
int try_lock(int fd) { return static_cast<int>(call(SYS_flock, fd, LOCK_EX | LOCK_NB)); }
int current_folder(char* data, std::size_t size) {
  long length = call(SYS_getcwd, address(data), static_cast<long>(size));
  // A folder outside our root comes as "(unreachable)/...".
  if (length > 0 && data[0] != '/') return -ENOENT;
  return static_cast<int>(length < 0 ? length : length - 1);
}
int read_link(const char* path, char* data, std::size_t size) {
  long length = call(SYS_readlinkat, AT_FDCWD, address(path), address(data), static_cast<long>(size) - 1);
  if (length >= 0) data[length] = '\0';
  return static_cast<int>(length);
}
int own_program(char* data, std::size_t size) { return read_link("/proc/self/exe", data, size); }
int is_terminal(int fd) {
  char settings[256];
  return call(SYS_ioctl, fd, 0x5401 /* TCGETS */, address(settings)) == 0;
}

int connect_unix(const char* path) {
  sockaddr_un name{};
  std::size_t length = std::strlen(path);
  if (length >= sizeof name.sun_path) return -ENAMETOOLONG;
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, path, length);
  int fd = above_standard_streams(call(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd < 0) return fd;
  long result = uninterrupted([&] { return call(SYS_connect, fd, address(&name), sizeof name); });
  if (result == 0) return fd;
  close(fd);
  return static_cast<int>(result);
}
std::ptrdiff_t send(int fd, const void* data, std::size_t size) {
  return uninterrupted(
      [&] { return call(SYS_sendto, fd, address(data), static_cast<long>(size), MSG_NOSIGNAL); });
}
std::ptrdiff_t receive(int fd, void* data, std::size_t size) {
  return uninterrupted([&] { return call(SYS_recvfrom, fd, address(data), static_cast<long>(size)); });
}
int peer_uid(int fd, std::uint32_t* uid) {
  struct {
    std::uint32_t pid, uid, gid;
  } peer{};
  std::uint32_t size = sizeof peer;
  long result = call(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, address(&peer), address(&size));
  *uid = peer.uid;
  return static_cast<int>(result);
}
int poll(pollfd* fds, std::size_t count, int timeout_ms) {
  std::int64_t deadline = timeout_ms < 0 ? 0 : monotonic_ms() + timeout_ms;
  for (;;) {
    timespec limit{timeout_ms / 1000, timeout_ms % 1000 * 1'000'000L};
    long result = call(SYS_ppoll, address(fds), static_cast<long>(count),
                       timeout_ms < 0 ? 0 : address(&limit), 0, sizeof(SignalSet));
    if (result != -EINTR) return static_cast<int>(result);
    if (timeout_ms < 0) continue;
    std::int64_t left = deadline - monotonic_ms();
    timeout_ms = left > 0 ? static_cast<int>(left) : 0;
  }
}

int make_pipe(int ends[2]) {
  long result = call(SYS_pipe2, address(ends), O_CLOEXEC);
  if (result < 0) return static_cast<int>(result);
  for (int i = 0; i < 2; ++i) ends[i] = above_standard_streams(ends[i]);
  if (ends[0] >= 0 && ends[1] >= 0) return 0;
  for (int i = 0; i < 2; ++i) {
    if (ends[i] >= 0) close(ends[i]);
  }
  return -EMFILE;
}
int replace(int from, int to) { return static_cast<int>(call(SYS_dup3, from, to, 0)); }
int fork() { return static_cast<int>(call(SYS_clone, SIGCHLD)); }
int execute(const char* program, const char* const* argv, const char* const* env) {
  return static_cast<int>(call(SYS_execve, address(program), address(argv), address(env)));
}
int reap(int pid, bool wait, Reaped* reaped) {
  rusage usage{};
  int status = 0;
  long result = uninterrupted(
      [&] { return call(SYS_wait4, pid, address(&status), wait ? 0 : WNOHANG, address(&usage)); });
  if (result > 0) {
    *reaped = {static_cast<int>(result), status,
               static_cast<std::uint64_t>(usage.ru_utime.tv_sec * 1'000'000 + usage.ru_utime.tv_usec),
               static_cast<std::uint64_t>(usage.ru_stime.tv_sec * 1'000'000 + usage.ru_stime.tv_usec),
               static_cast<std::uint64_t>(usage.ru_maxrss)};
  }
  return static_cast<int>(result);
}
bool has_children() {
  siginfo_t info;
  return call(SYS_waitid, P_ALL, 0, address(&info), WEXITED | WNOHANG | WNOWAIT) != -ECHILD;
}
int kill(int pid, int signal) { return static_cast<int>(call(SYS_kill, pid, signal)); }
int watch_process(int pid) { return above_standard_streams(call(SYS_pidfd_open, pid, 0)); }
int process_id() { return static_cast<int>(call(SYS_getpid)); }
int parent_id() { return static_cast<int>(call(SYS_getppid)); }
std::uint32_t effective_uid() { return static_cast<std::uint32_t>(call(SYS_geteuid)); }
int new_session() { return static_cast<int>(call(SYS_setsid)); }
int enter_root() { return static_cast<int>(call(SYS_chdir, address("/"))); }
unsigned file_mask() {
  auto mask = static_cast<unsigned>(call(SYS_umask, 077));
  call(SYS_umask, mask);
  return mask;
}
void close_from(int first) {
  if (call(SYS_close_range, first, ~0u, 0) == 0) return;
  rlimit limit{};
  call(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, address(&limit));
  // Kernels before 5.9: a descriptor above a million is too unlikely to pay for looking.
  long end = limit.rlim_cur < 1'000'000 ? static_cast<long>(limit.rlim_cur) : 1'000'000;
  for (long fd = first; fd < end; ++fd) call(SYS_close, fd);
}
void adopt_orphans() { call(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1); }
void die_with_parent(int signal) { call(SYS_prctl, PR_SET_PDEATHSIG, signal); }
int usable_processors() {
  unsigned long set[128] = {};
  long bytes = call(SYS_sched_getaffinity, 0, sizeof set, address(set));
  int count = 0;
  for (long i = 0; i < bytes / static_cast<long>(sizeof set[0]); ++i) {
    for (unsigned long bits = set[i]; bits != 0; bits &= bits - 1) ++count;
  }
  return count > 0 ? count : 1;
}
void exit(int code) {
  for (;;) call(SYS_exit_group, code);
}
void die_by(int signal) {
  rlimit none{};
  call(SYS_prlimit64, 0, RLIMIT_CORE, address(&none), 0);
  // A core pattern that is a pipe ignores the limit.
  call(SYS_prctl, PR_SET_DUMPABLE, 0);
  set_disposition(signal, Disposition::standard);
  call(SYS_kill, process_id(), signal);
  set_mask(0);
  exit(128 + signal);
}

Disposition disposition(int signal) {
  KernelAction action{};
  call(SYS_rt_sigaction, signal, 0, address(&action), sizeof(SignalSet));
  return address(action.handler) == 1 ? Disposition::ignored : Disposition::standard;
}
void set_disposition(int signal, Disposition disposition) {
  KernelAction action{};
  action.handler = reinterpret_cast<void*>(disposition == Disposition::ignored ? 1L : 0L);
  call(SYS_rt_sigaction, signal, address(&action), 0, sizeof(SignalSet));
}
SignalSet block(SignalSet signals) {
  SignalSet before = 0;
  call(SYS_rt_sigprocmask, SIG_BLOCK, address(&signals), address(&before), sizeof signals);
  return before;
}
void set_mask(SignalSet mask) { call(SYS_rt_sigprocmask, SIG_SETMASK, address(&mask), 0, sizeof mask); }
int signal_source(SignalSet blocked) {
  return above_standard_streams(
      call(SYS_signalfd4, -1, address(&blocked), sizeof blocked, O_CLOEXEC | O_NONBLOCK));
}
int take_signal(int source) {
  signalfd_siginfo info{};
  return sys::read(source, &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
}

std::int64_t monotonic_ms() { return read_clock(CLOCK_MONOTONIC, 1000); }
std::int64_t realtime_s() { return read_clock(CLOCK_REALTIME, 1); }
void sleep_ms(int ms) {
  timespec time{ms / 1000, ms % 1000 * 1'000'000L};
  call(SYS_nanosleep, address(&time), 0);
}
void* map(std::size_t size) {
  long result =
      call(SYS_mmap, 0, static_cast<long>(size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return result < 0 && result > -4096 ? nullptr : reinterpret_cast<void*>(result);
}
void unmap(void* data, std::size_t size) { call(SYS_munmap, address(data), static_cast<long>(size)); }

}  // namespace sys
