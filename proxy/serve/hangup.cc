#include "serve/hangup.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <utility>
#include <vector>

namespace serve {
namespace {

using Steady = std::chrono::steady_clock;

// gomacc gives a silent daemon 15 s; a third of that leaves room for a busy machine.
constexpr std::chrono::seconds kBeat{5};
// Serials count from 1, so no connection's event looks like this.
constexpr std::uint64_t kWake = 0;

}  // namespace

Hangup::Hangup() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWake;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event);
  thread_ = base::Thread("hangup", [this] { watch(); });
}

Hangup::~Hangup() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  ::eventfd_write(wake_.get(), 1);
  thread_.join();
}

void Hangup::add(int fd, std::function<void()> closed, std::function<void()> beat) {
  bool first = false;
  std::uint32_t serial = 0;
  {
    std::lock_guard lock(mutex_);
    first = watched_.empty();
    serial = ++last_serial_;
    watched_[fd] = {serial, std::move(closed), std::move(beat)};
  }
  epoll_event event{};
  event.events = EPOLLRDHUP | EPOLLONESHOT;  // EPOLLHUP and EPOLLERR are always reported
  event.data.u64 = std::uint64_t{serial} << 32 | static_cast<std::uint32_t>(fd);
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
  // The thread may be in a wait without end.
  if (first) ::eventfd_write(wake_.get(), 1);
}

void Hangup::remove(int fd) {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  std::unique_lock lock(mutex_);
  watched_.erase(fd);
  idle_.wait(lock, [&] { return calling_ != fd; });
}

void Hangup::call(int fd, std::uint32_t serial, bool closed) {
  std::function<void()> function;
  {
    std::lock_guard lock(mutex_);
    auto found = watched_.find(fd);
    // The event may be of a connection that ended since, whose number has been given again.
    if (found == watched_.end() || found->second.serial != serial) return;
    function = closed ? found->second.closed : found->second.beat;
    calling_ = fd;
  }
  function();
  {
    std::lock_guard lock(mutex_);
    calling_ = -1;
  }
  idle_.notify_all();
}

void Hangup::watch() {
  auto next_beat = Steady::now() + kBeat;
  while (true) {
    std::vector<std::pair<int, std::uint32_t>> waiting;
    bool beat = Steady::now() >= next_beat;
    int limit = -1;
    {
      std::lock_guard lock(mutex_);
      if (ending_) return;
      for (const auto& item : watched_) {
        if (beat) waiting.emplace_back(item.first, item.second.serial);
      }
      if (!watched_.empty()) {
        auto left = std::chrono::duration_cast<std::chrono::milliseconds>(next_beat - Steady::now()).count();
        limit = beat ? 0 : static_cast<int>(left < 0 ? 0 : left + 1);
      } else if (beat) {
        next_beat = Steady::now() + kBeat;
      }
    }
    if (!waiting.empty()) {
      next_beat = Steady::now() + kBeat;
      for (const auto& item : waiting) call(item.first, item.second, false);
      continue;
    }
    std::array<epoll_event, 64> events{};
    int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), limit);
    for (int i = 0; i < count; ++i) {
      std::uint64_t data = events[static_cast<std::size_t>(i)].data.u64;
      if (data == kWake) {
        eventfd_t value;
        ::eventfd_read(wake_.get(), &value);
      } else {
        call(static_cast<int>(data & 0xffffffff), static_cast<std::uint32_t>(data >> 32), true);
      }
    }
  }
}

}  // namespace serve
