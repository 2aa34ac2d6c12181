#include "family.h"

#include "text.h"

namespace gomacc {
namespace {

constexpr int kPatienceMs = 2000;
constexpr int kRoundMs = 20;

bool contains(const std::vector<int>& list, int value) {
  for (int item : list) {
    if (item == value) return true;
  }
  return false;
}

// Our children, as the kernel lists them; `fallback` alone where it does not.
std::vector<int> children(int fallback) {
  std::vector<int> list;
  int fd = sys::open("/proc/thread-self/children", O_RDONLY);
  if (fd < 0) {
    if (fallback > 0) list.push_back(fallback);
    return list;
  }
  char text[4096];
  int number = 0;
  for (std::ptrdiff_t size; (size = sys::read(fd, text, sizeof text)) > 0;) {
    for (std::ptrdiff_t i = 0; i < size; ++i) {
      if (text[i] >= '0' && text[i] <= '9') {
        number = number * 10 + (text[i] - '0');
      } else if (number != 0) {
        list.push_back(number);
        number = 0;
      }
    }
  }
  if (number != 0) list.push_back(number);
  sys::close(fd);
  return list;
}

}  // namespace

Family::Family(int signals) : signals_(signals) {
  if (sys::has_children()) strangers_ = children(0);
  sys::adopt_orphans();
}

void Family::reap() {
  for (;;) {
    sys::Reaped reaped{};
    int pid = sys::reap(-1, false, &reaped);
    if (pid <= 0) {
      anyone_left_ = pid == 0 && (strangers_.empty() || !children(driver_).empty());
      return;
    }
    if (contains(strangers_, pid)) continue;
    user_us_ += reaped.user_us;
    system_us_ += reaped.system_us;
    if (reaped.max_rss_kib > max_rss_kib_) max_rss_kib_ = reaped.max_rss_kib;
    if (pid != driver_) continue;
    ended_ = true;
    status_ = reaped.status;
  }
}

void Family::signal_members(int signal) {
  bool members = false;
  for (int pid : children(ended_ ? 0 : driver_)) {
    if (contains(strangers_, pid)) continue;
    members = true;
    if (signal == SIGTERM) {
      if (contains(asked_, pid)) continue;
      asked_.push_back(pid);
    }
    sys::kill(pid, signal);
    // One that was suspended must wake up to be ended.
    if (signal == SIGTERM) sys::kill(pid, SIGCONT);
  }
  anyone_left_ = members;
}

void Family::end() {
  std::int64_t start = sys::monotonic_ms();
  for (;;) {
    std::int64_t spent = sys::monotonic_ms() - start;
    reap();
    signal_members(spent < kPatienceMs ? SIGTERM : SIGKILL);
    if (!anyone_left_ || spent > 2 * kPatienceMs) return;
    pollfd news{signals_, POLLIN, 0};
    sys::poll(&news, 1, kRoundMs);
    while (sys::take_signal(signals_) != 0) {
    }
  }
}

}  // namespace gomacc
