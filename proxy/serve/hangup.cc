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

}  // namespace

Hangup::Hangup() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = wake_.get();
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
  {
    std::lock_guard lock(mutex_);
    first = watched_.empty();
    watched_[fd] = {std::move(closed), std::move(beat)};
  }
  epoll_event event{};
  event.events = EPOLLRDHUP | EPOLLONESHOT;  // EPOLLHUP and EPOLLERR are always reported
  event.data.fd = fd;
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

void Hangup::call(int fd, bool closed) {
  std::function<void()> function;
  {
    std::lock_guard lock(mutex_);
    auto found = watched_.find(fd);
    if (found == watched_.end()) return;
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
    std::vector<int> waiting;
    bool beat = Steady::now() >= next_beat;
    int limit = -1;
    {
      std::lock_guard lock(mutex_);
      if (ending_) return;
      for (const auto& item : watched_) {
        if (beat) waiting.push_back(item.first);
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
      for (int fd : waiting) call(fd, false);
      continue;
    }
    std::array<epoll_event, 64> events{};
    int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), limit);
    for (int i = 0; i < count; ++i) {
      int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == wake_.get()) {
        eventfd_t value;
        ::eventfd_read(wake_.get(), &value);
      } else {
        call(fd, true);
      }
    }
  }
}

}  // namespace serve
