#include "local.h"

#include <climits>

namespace gomacc {
namespace {

constexpr int kMaxPlaces = 1024;
constexpr int kLookForDaemonMs = 1000;

// What the file holds, as far as it fits.
std::string_view contents(const char* path, char* buffer, std::size_t size) {
  int fd = sys::open(path, O_RDONLY);
  if (fd < 0) return {};
  std::ptrdiff_t length = sys::read(fd, buffer, size);
  sys::close(fd);
  return length > 0 ? std::string_view(buffer, static_cast<std::size_t>(length)) : std::string_view();
}

// Takes a decimal number off the front; -1 when there is none.
std::int64_t take_number(std::string_view& text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  std::int64_t value = -1;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9' && value < INT64_MAX / 20) {
    value = (value < 0 ? 0 : value) * 10 + (text.front() - '0');
    text.remove_prefix(1);
  }
  return value;
}

// The quota of one control group in whole processors; 0 when it has none.
std::int64_t quota(std::string_view group) {
  char buffer[64];
  const char* path = join({"/sys/fs/cgroup", group, "/cpu.max"});
  std::string_view text = contents(path, buffer, sizeof buffer);
  std::int64_t time = take_number(text);
  std::int64_t period = take_number(text);
  return time > 0 && period > 0 ? (time + period - 1) / period : 0;
}

}  // namespace

int processors() {
  std::int64_t count = sys::usable_processors();
  char buffer[PATH_MAX];
  std::string_view text = contents("/proc/self/cgroup", buffer, sizeof buffer);
  auto start = text.find("0::/");
  std::string_view group = start == std::string_view::npos ? "/" : text.substr(start + 3);
  group = group.substr(0, group.find('\n'));
  // A group has no more than each of those that it is in.
  for (;;) {
    if (group == "/") group = "";
    std::int64_t limit = quota(group);
    if (limit > 0 && limit < count) count = limit;
    if (group.empty()) break;
    group = parent(group);
  }
  return static_cast<int>(count < kMaxPlaces ? count : kMaxPlaces);
}

Place wait_for_place(const Folder& folder, Daemon& daemon, Connection& connection, bool look_for_daemon) {
  if (folder.problem != nullptr) return Place::taken;
  std::vector<int> places;
  int count = processors();
  for (int i = 0; i < count; ++i) {
    const char* name = join({"gomacc.place.", decimal(static_cast<unsigned>(i))});
    int fd = sys::open(in_folder(folder, name), O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
    if (fd < 0) return Place::taken;
    places.push_back(fd);
  }
  std::int64_t next_look = sys::monotonic_ms() + kLookForDaemonMs;
  // Those that wait don't all wake at the same moment.
  int pause = 10 + sys::process_id() % 16;
  for (;;) {
    for (int fd : places) {
      // A file system that has no locks must not keep us waiting.
      if (sys::try_lock(fd) != -EAGAIN) return Place::taken;
    }
    if (look_for_daemon && sys::monotonic_ms() >= next_look) {
      if (daemon.reach(connection)) {
        for (int fd : places) sys::close(fd);
        return Place::daemon_came;
      }
      next_look = sys::monotonic_ms() + kLookForDaemonMs;
    }
    sys::sleep_ms(pause);
    if (pause < 64) pause += pause / 2;
  }
}

}  // namespace gomacc
