// The seam to the kernel's notices of changes: inotify watches, and changes of the mount table. Only Linux
// has it; elsewhere make_watcher() returns nothing and every node is checked by stat.
//
// The promise that the index builds on: the kernel queues a notice inside the system call that makes the
// change, so drain() hands out every change that was complete before drain() was called.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace inputs {

class Watcher {
 public:
  enum class Kind : std::uint8_t {
    content,     // the entry was written to, or closed after writing
    attributes,  // the entry's attributes changed
    entry,       // the entry was made, removed, moved here or away
    self,        // the directory itself is gone, moved or no longer watched
    everything,  // notices were lost or the mount table changed: nothing may be trusted
  };
  struct Event {
    Kind kind;
    int watch = -1;          // which directory or file; -1 for `everything`
    bool directory = false;  // the entry is a directory
    bool overflow = false;   // `everything` because the queue was full
    std::string_view name;   // of the entry; empty for `self` and for the directory's own attributes
  };
  // False ends the drain: what is left in the queue is thrown away by the restart() that must follow.
  using Sink = std::function<bool(const Event&)>;

  enum class Added : std::uint8_t { yes, gone, refused };

  virtual ~Watcher() = default;

  // Whether notices for a directory, which lies on device `dev`, tell of all changes. Any thread.
  virtual bool reliable(const std::string& directory, std::uint64_t dev) = 0;

  // Watches a directory. The same directory has the same watch, by whatever path. `gone`: there is no such
  // directory; `refused`: no permission or no watches left. The caller serialises add, remove and restart.
  virtual Added add(const std::string& directory, int& watch) = 0;
  // The same for a file: only its content and attributes, whichever of its hard links they are changed by,
  // which directories are not told of. Its events have no name.
  virtual Added add_file(const std::string& path, int& watch) = 0;
  // Files get no watch any more when there are so many watches, so that directories still find some.
  virtual std::size_t file_limit() = 0;
  virtual void remove(int watch) = 0;
  // Drops all watches and queued events; forgets which devices are reliable. False: no watches any more.
  virtual bool restart() = 0;

  // Hands out all queued events. One thread at a time. Costs one system call when there are none.
  virtual void drain(const Sink& sink) = 0;
};

// nullptr where the system has no notices or refuses them.
std::unique_ptr<Watcher> make_watcher();

}  // namespace inputs
