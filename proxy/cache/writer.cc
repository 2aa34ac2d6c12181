#include "cache/writer.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <vector>

#include "base/path.h"
#include "cache/entry_file.h"

namespace cache {
namespace {

// How long nothing is tried after a failed write: long enough that a full disk costs a build nothing.
constexpr base::Nanoseconds kQuiet = std::chrono::seconds(30);

}  // namespace

void remove_tree(Disk& disk, const std::string& path) {
  // Directories in the order found; removed from the end, children before parents.
  std::vector<std::string> directories{path};
  for (std::size_t i = 0; i < directories.size(); ++i) {
    std::string directory = directories[i];
    base::Result<std::vector<Listed>> entries = disk.list(directory);
    if (!entries) continue;
    for (const Listed& entry : *entries) {
      std::string child = base::join(directory, entry.name);
      if (entry.directory) {
        directories.push_back(std::move(child));
      } else {
        (void)disk.remove(child).ok();
      }
    }
  }
  for (auto directory = directories.rbegin(); directory != directories.rend(); ++directory) {
    (void)disk.remove_directory(*directory).ok();
  }
}

void Writer::open_scratch() {
  // The lock file of a daemon that lives may have been removed together with the whole folder.
  std::int64_t recently = (clock_.wall() - std::chrono::hours(1)).count();
  base::Result<std::vector<Listed>> old = disk_.list(layout_.scratch_root());
  if (old) {
    for (const Listed& entry : *old) {
      if (!entry.directory) continue;
      // A daemon that lives holds its lock; one that was killed does not.
      std::string directory = base::join(layout_.scratch_root(), entry.name);
      base::Result<base::Fd> lock = base::open_file(directory + ".lock", O_RDWR);
      bool lives = lock ? ::flock(lock->get(), LOCK_EX | LOCK_NB) != 0 : entry.mtime_ns > recently;
      if (lives) continue;
      remove_tree(disk_, directory);
      (void)disk_.remove(directory + ".lock").ok();
    }
  }
  std::uint64_t id = static_cast<std::uint64_t>(clock_.wall().count());
  scratch_ = layout_.scratch_root() + "/" + std::to_string(::getpid()) + "-" + std::to_string(id);
  static std::atomic<unsigned> instance{0};
  scratch_ += "-" + std::to_string(instance++);
  base::Result<void> made = disk_.make_directory(layout_.scratch_root());
  base::Result<base::Fd> lock = base::open_file(scratch_ + ".lock", O_RDWR | O_CREAT, 0600);
  if (lock && ::flock(lock->get(), LOCK_EX | LOCK_NB) == 0) scratch_lock_ = std::move(*lock);
  if (made) made = disk_.make_directory(scratch_);
  if (!made) (void)failed(made.error());
}

void Writer::close_scratch() {
  if (scratch_.empty()) return;
  remove_tree(disk_, scratch_);
  (void)disk_.remove(scratch_ + ".lock").ok();
}

void Writer::refuse(std::string reason) {
  std::lock_guard lock(mutex_);
  refused_ = true;
  last_error_ = std::move(reason);
}

std::string Writer::last_error() const {
  std::lock_guard lock(mutex_);
  return last_error_;
}

base::Result<void> Writer::ready() {
  std::lock_guard lock(mutex_);
  if (!refused_ && (quiet_until_.count() == 0 || clock_.uptime() >= quiet_until_)) return {};
  return base::Error{base::ErrorKind::io, last_error_};
}

base::Error Writer::failed(base::Error error) {
  ++errors_;
  std::lock_guard lock(mutex_);
  if (!refused_) {
    last_error_ = error.message;
    quiet_until_ = clock_.uptime() + kQuiet;
  }
  error.kind = base::ErrorKind::io;
  return error;
}

void Writer::worked() {
  std::lock_guard lock(mutex_);
  if (refused_) return;
  last_error_.clear();
  quiet_until_ = base::Nanoseconds(0);
}

std::string Writer::temporary() { return scratch_ + "/.new-" + std::to_string(counter_++); }

base::Result<void> Writer::with_directories(const std::string& path,
                                            const std::function<base::Result<void>()>& attempt) {
  base::Result<void> done = attempt();
  if (done || done.error().kind != base::ErrorKind::transient) return done;
  base::Result<void> made = disk_.make_directory(std::string(base::directory_name(path)));
  if (!made) return made;
  return attempt();
}

base::Result<void> Writer::put(const std::string& path, std::string_view file) {
  base::Result<void> done = ready();
  if (!done) return done;
  std::string from = temporary();
  done = with_directories(from, [&] { return disk_.create(from, file); });
  if (!done) return failed(done.error());
  // Renaming over a file makes some file systems flush it first; an absent entry is only a miss.
  (void)disk_.remove(path).ok();
  done = with_directories(path, [&] { return disk_.rename(from, path); });
  if (!done) {
    (void)disk_.remove(from).ok();
    return failed(done.error());
  }
  worked();
  return {};
}

base::Result<void> Writer::replace(const std::string& path, std::string_view file, std::int64_t mtime_ns) {
  base::Result<void> done = ready();
  if (!done) return done;
  std::string from = temporary();
  done = disk_.create(from, file);
  if (!done) return failed(done.error());
  done = disk_.touch(from, mtime_ns);
  if (done) done = disk_.rename(from, path);
  if (!done) (void)disk_.remove(from).ok();
  return done;
}

base::Result<base::Digest> Writer::put_copy(int from,
                                            const std::function<bool(const base::Digest&)>& exists) {
  base::Result<void> done = ready();
  if (!done) return done.error();
  std::string copy = temporary();
  base::Digest digest;
  base::Fd fd;
  done = with_directories(copy, [&]() -> base::Result<void> {
    base::Hasher hasher;
    base::Result<base::Fd> made = disk_.create_copy(copy, from, hasher);
    if (!made) return made.error();
    fd = std::move(*made);
    digest = hasher.finish();
    return {};
  });
  if (!done) return failed(done.error());
  if (exists(digest)) {
    (void)disk_.remove(copy).ok();
    return digest;
  }
  done = disk_.append(fd.get(), blob_trailer(digest));
  std::string path = layout_.entry(EntryKind::blob, digest.hash);
  if (done) done = with_directories(path, [&] { return disk_.rename(copy, path); });
  if (!done) {
    (void)disk_.remove(copy).ok();
    return failed(done.error());
  }
  worked();
  return digest;
}

}  // namespace cache
