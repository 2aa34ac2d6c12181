// What the daemon knows of the file system, and whether it still holds. Every path that a scan looked at,
// found or not, is a node; a node's version changes when the file system changes under it. A scan's result is
// therefore valid as long as the versions of its nodes stand: a few thousand integer compares, no stat.
//
// Validity comes from inotify by "drain, then trust": fsnotify queues an event inside the system call that
// makes the change, so a change made before a client sent its request is readable once the request has
// arrived. Where inotify cannot be trusted (network and overlay file systems, no watches left) nodes are
// checked by stat instead, at most once per refresh(). When notices were lost or a file system was mounted,
// every node is looked at once more. A file that was written within the granularity of its time stamps, or in
// the future, is read again where only the stamps could tell of a change.
//
// Not seen: stores to a mapped file before it is unmapped or synced.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/digest.h"
#include "base/files.h"
#include "base/result.h"
#include "inputs/node_id.h"

namespace inputs {

class Watcher;

// The nodes that an answer depends on, in the order met, with repeats.
using Trail = std::vector<NodeId>;

// A set of nodes with the versions they had. Small: 8 bytes a node.
struct Snapshot {
  struct Item {
    NodeId node;
    std::uint32_t version;
  };
  std::vector<Item> items;
  // Of the index when last found valid: equal means that nothing can have changed. 0 when a node needs stat.
  std::uint64_t epoch = 0;
};

// The answer to a look-up. `node` is physical: all symbolic links are followed. When `type` is absent, `node`
// is the first missing component (kNoNode if the path is unusable).
struct Found {
  NodeId node = kNoNode;
  base::FileType type = base::FileType::absent;
  bool broken = false;  // ELOOP, EACCES, ENAMETOOLONG: the compilers stop there, so a scan refuses
};

// Any thread.
class FileIndex {
 public:
  // `watch` false: never use inotify, stat every node at each check.
  FileIndex(base::Files& files, base::Clock& clock, bool watch = true);
  // With a watcher of the caller's; null is the same as `watch` false. Epochs are counted from `first_epoch`.
  FileIndex(base::Files& files, base::Clock& clock, std::unique_ptr<Watcher> watcher,
            std::uint64_t first_epoch = 1);
  ~FileIndex();

  // Applies every change made before the call. Call once when a request has arrived, before using answers.
  void refresh();

  // Looks up an absolute path component by component, physically (`..` after a link is what the kernel says).
  // Appends what the answer depends on to `trail`: links walked, directories stepped through by `..`, and the
  // found or missing node. Repeated look-ups cost no system call.
  Found find(std::string_view path, Trail& trail);
  // The same, starting in a directory node; `name` may hold slashes and dots.
  Found find_in(NodeId directory, std::string_view name, Trail& trail);

  // The physical path.
  std::string path(NodeId node) const;
  // The same in the caller's buffer, for who asks for hundreds; good until the buffer is used again.
  std::string_view path(NodeId node, std::string& buffer) const;
  // As last seen: what the latest look-up answered.
  base::FileType type(NodeId node) const;
  // Current. Of a directory only type, mode, device and inode are.
  base::FileStat stat(NodeId node);
  // Greater after each change that was noticed; nothing while only a look at the file system would tell.
  std::optional<std::uint32_t> version(NodeId node) const;
  // Of a symbolic link's node, as last seen.
  std::string link_target(NodeId node) const;

  // The digest of a regular file's content; read at most once per version. An error when the file cannot be
  // read or changes while it is read.
  base::Result<base::Digest> digest(NodeId node);

  // What was made of a regular file's content, shared by all tasks: `make` is called once per version and
  // `slot` (concurrent callers wait), and not again for a new version with equal content. The digest becomes
  // known by the way. `make` must not ask for content of the same node; null is not kept.
  using Derived = std::shared_ptr<const void>;
  using Make = std::function<Derived(std::string content)>;
  base::Result<Derived> derive(NodeId node, std::uint8_t slot, const Make& make);

  // Bumped by every change to a node that is known; equal epochs mean that every earlier answer stands,
  // except for nodes that need stat.
  std::uint64_t epoch() const;

  // The present versions of the trail's nodes, sorted, without repeats. `since` is the epoch() read after
  // refresh() and before the first look-up of the trail: a node that changed later (while the answer was
  // being made) gets a version that never comes true, so that an answer of mixed ages is never found valid.
  Snapshot snapshot(const Trail& trail, std::uint64_t since = ~std::uint64_t{0});

  // True when no node of the snapshot has changed. Brings `epoch` of the snapshot up to date.
  bool valid(Snapshot& snapshot);

  // A file or link of `trail` whose mtime or ctime is at or after `when` (time of day): its content may have
  // changed while somebody read it. kNoNode if there is none. Directories and absent files don't count.
  NodeId touched_since(const Trail& trail, base::Nanoseconds when);

  // `refused`: watches that the system did not give, so that stat does their work.
  struct Counters {
    std::uint64_t nodes, watches, events, overflows, stats, reads, refused;
  };
  Counters counters() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace inputs
