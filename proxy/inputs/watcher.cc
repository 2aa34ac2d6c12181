#include "inputs/watcher.h"

#ifdef __linux__
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

#include "base/fd.h"
#include "inputs/mounts.h"
#endif

namespace inputs {

#ifdef __linux__
namespace {

constexpr std::uint32_t kMask = IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO |
                                IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR |
                                IN_DONT_FOLLOW;
// Should a directory have taken the file's place, its own watch must keep its mask: hence the IN_MASK_ADD.
constexpr std::uint32_t kFileMask = IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_DONT_FOLLOW | IN_MASK_ADD;
constexpr std::size_t kLargestEvent = sizeof(inotify_event) + NAME_MAX + 1;

Watcher::Event translate(const inotify_event& raw) {
  Watcher::Event event{Watcher::Kind::entry, raw.wd, (raw.mask & IN_ISDIR) != 0, false, {}};
  if (raw.len > 0) event.name = raw.name;  // padded with zeros, so the length counts up to the first
  if ((raw.mask & IN_Q_OVERFLOW) != 0) {
    event.kind = Watcher::Kind::everything;
    event.overflow = true;
  } else if ((raw.mask & (IN_IGNORED | IN_UNMOUNT | IN_DELETE_SELF | IN_MOVE_SELF)) != 0) {
    event.kind = Watcher::Kind::self;
  } else if ((raw.mask & (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)) != 0) {
    event.kind = Watcher::Kind::entry;
  } else {
    event.kind =
        (raw.mask & (IN_MODIFY | IN_CLOSE_WRITE)) != 0 ? Watcher::Kind::content : Watcher::Kind::attributes;
  }
  return event;
}

// Half of what the user may have: other programs of the same user watch too.
std::size_t half_of_all_watches() {
  base::Result<std::string> text = base::read_file("/proc/sys/fs/inotify/max_user_watches");
  return text.ok() ? std::strtoul(text->c_str(), nullptr, 10) / 2 : 0;
}

class InotifyWatcher : public Watcher {
 public:
  InotifyWatcher() : mounts_fd_(::open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)) {}

  // Without the mount table, a file system mounted over a directory would go unseen.
  bool usable() const { return queue_ && mounts_fd_; }

  bool reliable(const std::string& directory, std::uint64_t dev) override {
    return mounts_.reliable(directory, dev);
  }

  Added add(const std::string& directory, int& watch) override { return add(directory, kMask, watch); }
  Added add_file(const std::string& path, int& watch) override { return add(path, kFileMask, watch); }
  std::size_t file_limit() override { return file_limit_; }

  void remove(int watch) override { ::inotify_rm_watch(queue_.get(), watch); }

  bool restart() override {
    mounts_.forget();
    // Watches go with their queue, which is far cheaper than to remove them one by one. The new descriptor
    // takes the place of the old one, so that a drain under way never sees a closed one.
    base::Fd made(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (made && queue_) {
      ::dup3(made.get(), queue_.get(), O_CLOEXEC);
    } else {
      queue_ = std::move(made);
    }
    return static_cast<bool>(queue_);
  }

  void drain(const Sink& sink) override {
    // One poll sees both queues, and costs no more than a read would.
    pollfd ready[2] = {{queue_.get(), POLLIN, 0}, {mounts_fd_.get(), POLLPRI, 0}};
    if (::poll(ready, 2, 0) <= 0) return;
    if (ready[1].revents != 0 && !sink({Kind::everything, -1, false, false, {}})) return;
    if (ready[0].revents != 0) read_events(sink);
  }

 private:
  Added add(const std::string& path, std::uint32_t mask, int& watch) {
    int made = ::inotify_add_watch(queue_.get(), path.c_str(), mask);
    if (made < 0) return errno == ENOENT || errno == ENOTDIR ? Added::gone : Added::refused;
    watch = made;
    return Added::yes;
  }

  void read_events(const Sink& sink) {
    while (true) {
      ssize_t size = ::read(queue_.get(), buffer_, sizeof buffer_);
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) return;
      for (ssize_t at = 0; at < size;) {
        inotify_event raw;
        std::memcpy(&raw, buffer_ + at, sizeof raw);
        if (!sink(translate(*reinterpret_cast<const inotify_event*>(buffer_ + at)))) return;
        at += static_cast<ssize_t>(sizeof raw + raw.len);
      }
      // Room was left for another event, so the queue was empty then. To go on until it is empty now would
      // have no bound while others write.
      if (static_cast<std::size_t>(size) + kLargestEvent <= sizeof buffer_) return;
    }
  }

  base::Fd queue_{::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)};
  base::Fd mounts_fd_;
  Mounts mounts_;
  const std::size_t file_limit_ = half_of_all_watches();
  alignas(inotify_event) char buffer_[64 * 1024];  // of the one drain under way
};

}  // namespace

std::unique_ptr<Watcher> make_watcher() {
  auto watcher = std::make_unique<InotifyWatcher>();
  if (!watcher->usable()) return nullptr;
  return watcher;
}

#else

std::unique_ptr<Watcher> make_watcher() { return nullptr; }

#endif

}  // namespace inputs
