// The calls that gomacc makes to the operating system, and no others.
//
// There are two implementations: sys_linux.cc makes the system calls itself, because starting a C library
// costs more than all the rest of gomacc does; sys_libc.cc goes through the C library and serves other
// systems and sanitizer builds. The types and constants of <fcntl.h> and its like need no library.
//
// Every function that can fail returns the negative error number. Every descriptor made here is above 2, so
// that it never stands in for a closed standard stream, and is closed on exec. Calls that a signal interrupts
// are made again. Times are in milliseconds. One thread.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>

// To open what is only looked at.
#ifndef O_PATH
#define O_PATH O_RDONLY
#endif

namespace sys {

struct FileInfo {
  std::uint64_t dev;
  std::uint64_t ino;
  std::uint64_t size;
  std::uint32_t mode;
  std::uint32_t uid;
  std::int64_t accessed_s;
  std::int64_t modified_s;
  std::int64_t modified_ns;
  std::int64_t changed_s;
  std::int64_t changed_ns;
};

// Files.
int open(const char* path, int flags, unsigned mode = 0);
int close(int fd);
std::ptrdiff_t read(int fd, void* data, std::size_t size);
std::ptrdiff_t write(int fd, const void* data, std::size_t size);
int stat(const char* path, FileInfo* info);
int lstat(const char* path, FileInfo* info);
int fstat(int fd, FileInfo* info);
int executable(const char* path);
int make_folder(const char* path);
int change_mode(const char* path, unsigned mode);
int unlink(const char* path);
int set_times(const char* path, std::int64_t accessed_s, std::int64_t modified_s);
int try_lock(int fd);
int current_folder(char* data, std::size_t size);  // the length without the NUL
int read_link(const char* path, char* data, std::size_t size);
int own_program(char* data, std::size_t size);  // the physical path of the running program
int is_terminal(int fd);

// Sockets, which are nonblocking.
int connect_unix(const char* path);  // `path` has at most 107 bytes
std::ptrdiff_t send(int fd, const void* data, std::size_t size);
std::ptrdiff_t receive(int fd, void* data, std::size_t size);
int peer_uid(int fd, std::uint32_t* uid);
int poll(pollfd* fds, std::size_t count, int timeout_ms);

// Processes.
struct Reaped {
  int pid;
  int status;
  std::uint64_t user_us;
  std::uint64_t system_us;
  std::uint64_t max_rss_kib;
};

int make_pipe(int ends[2]);
int replace(int from, int to);  // dup2; `to` survives exec
int fork();
int execute(const char* program, const char* const* argv, const char* const* env);
int reap(int pid, bool wait, Reaped* reaped);  // the pid, 0 when none has ended; -ECHILD when there is none
bool has_children();
int kill(int pid, int signal);
int watch_process(int pid);  // a descriptor that is readable once the process has ended
int process_id();
int parent_id();
std::uint32_t effective_uid();
int new_session();
int enter_root();  // makes / the working directory
unsigned file_mask();
void close_from(int first);
void adopt_orphans();  // orphaned descendants become our children, not init's
void die_with_parent(int signal);
int usable_processors();
[[noreturn]] void exit(int code);
[[noreturn]] void die_by(int signal);  // without a core dump of ours

// Signals. A set has bit N-1 for signal N.
using SignalSet = std::uint64_t;
constexpr SignalSet just(int signal) { return SignalSet{1} << (signal - 1); }
enum class Disposition { standard, ignored };

Disposition disposition(int signal);
void set_disposition(int signal, Disposition disposition);
SignalSet block(SignalSet signals);  // the previous mask
void set_mask(SignalSet mask);
int signal_source(SignalSet blocked);  // a descriptor to poll
int take_signal(int source);           // the number of a signal that arrived, else 0

// Time and memory.
std::int64_t monotonic_ms();
std::int64_t realtime_s();
void sleep_ms(int ms);
void* map(std::size_t size);  // null on failure
void unmap(void* data, std::size_t size);

}  // namespace sys
