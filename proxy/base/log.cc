#include "base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <ctime>
#include <mutex>

#include "base/fd.h"

namespace base {
namespace {

struct Sink {
  std::mutex mutex;
  Fd file;  // guarded by mutex
  std::atomic<LogLevel> level{LogLevel::info};
};

Sink& sink() {
  // Leaked, so that a thread that logs while the process ends never meets a destroyed object.
  static Sink* const instance = new Sink;
  return *instance;
}

char letter(LogLevel level) { return "DIWE"[static_cast<int>(level)]; }

void append_escaped(std::string& line, std::string_view message) {
  for (char c : message) {
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) {
      line += c;
    } else {
      char escape[5];
      std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned char>(c));
      line += c == '\n' ? "\\n" : escape;
    }
  }
}

}  // namespace

bool log_to(const std::string& path) {
  std::lock_guard lock(sink().mutex);
  sink().file.reset();
  if (path.empty()) return true;
  Result<Fd> fd = open_file(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
  if (!fd) return false;
  sink().file = std::move(*fd);
  return true;
}

void set_log_level(LogLevel level) { sink().level = level; }

void log(LogLevel level, std::string_view message) {
  if (level < sink().level.load()) return;
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  std::tm parts{};
  ::localtime_r(&now.tv_sec, &parts);
  char stamp[64];
  std::size_t size = std::strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", &parts);
  std::snprintf(stamp + size, sizeof stamp - size, ".%03ld ", now.tv_nsec / 1'000'000);
  std::string line = stamp;
  line += letter(level);
  line += ' ';
  append_escaped(line, message);
  line += '\n';
  std::lock_guard lock(sink().mutex);
  // A log that cannot be written must not stop a compile.
  (void)write_all(sink().file ? sink().file.get() : STDERR_FILENO, line).ok();
}

}  // namespace base
