#include "cache/keeper.h"

#include <fcntl.h>
#include <sys/file.h>
#ifdef __linux__
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "base/fd.h"
#include "cache/entry_file.h"

namespace cache {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr base::Nanoseconds kRecount = minutes(10);  // how old a count may get
constexpr base::Nanoseconds kTick = minutes(1);      // how often the thread looks for something to do
constexpr base::Nanoseconds kYoung = std::chrono::hours(24);  // younger blobs stay raw: they are read soon
constexpr std::int64_t kWorthCompressing = 8 * 1024;  // smaller ones would free a block or two at most
constexpr std::size_t kCompressAtOnce = 64;
constexpr int kLevel = 2;
constexpr std::size_t kEvictStep = 64;
constexpr base::Nanoseconds kStepPause = milliseconds(5);

// Only Linux has priorities per thread.
void lower_priority() {
#ifdef __linux__
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), 19);
#endif
}

}  // namespace

bool Keeper::pause(const std::stop_token& stop, base::Nanoseconds time) {
  std::unique_lock lock(mutex_);
  woken_.wait_for(lock, stop, time, [&] { return false; });
  return !stop.stop_requested();
}

void Keeper::wake_if_over() {
  if (parts_.index.totals().bytes <= limit_) return;
  {
    std::lock_guard lock(mutex_);
    if (over_) return;
    over_ = true;
  }
  woken_.notify_all();
}

void Keeper::run(const std::stop_token& stop) {
  lower_priority();
  scan(stop, Pace::patient);
  base::Nanoseconds counted = parts_.clock.uptime();
  while (!stop.stop_requested()) {
    if (parts_.index.totals().bytes > limit_) {
      evict(stop, Pace::patient);
      counted = parts_.clock.uptime();
    } else if (parts_.clock.uptime() - counted >= kRecount) {
      scan(stop, Pace::patient);
      counted = parts_.clock.uptime();
    }
    compress_some(stop, Pace::patient);
    std::unique_lock lock(mutex_);
    // After an eviction that another daemon does for us, the next look is a tick away, not at once.
    over_ = parts_.index.totals().bytes > limit_;
    woken_.wait_for(lock, stop, kTick, [&, was = over_] { return over_ && !was; });
  }
}

void Keeper::maintain() {
  std::stop_token never;
  scan(never, Pace::at_once);
  if (parts_.index.totals().bytes > limit_) evict(never, Pace::at_once);
  compress_some(never, Pace::at_once);
}

void Keeper::scan(const std::stop_token& stop, Pace pace) {
  for (int shard = 0; shard < kShards && !stop.stop_requested(); ++shard) {
    for (EntryKind kind : {EntryKind::blob, EntryKind::outcome}) {
      std::uint64_t begun = parts_.index.begin_listing();
      base::Result<std::vector<Listed>> files = parts_.disk.list(parts_.layout.shard(kind, shard));
      // A directory that is not there holds nothing; one that cannot be read says nothing.
      if (!files && files.error().kind != base::ErrorKind::transient) continue;
      parts_.index.set_shard(kind, shard, files ? *files : std::vector<Listed>(), parts_.clock.wall().count(),
                             begun);
    }
    if (pace == Pace::patient && shard % 16 == 15) pause(stop, kStepPause);
  }
}

void Keeper::evict(const std::stop_token& stop, Pace pace) {
  std::lock_guard work(work_mutex_);
  base::Result<base::Fd> lock = base::open_file(parts_.layout.evict_lock(), O_RDWR | O_CREAT, 0600);
  // Another daemon is at it already. Its work shows at the next count.
  if (!lock || ::flock(lock->get(), LOCK_EX | LOCK_NB) != 0) return;
  scan(stop, pace);
  if (parts_.index.totals().bytes <= limit_) return;
  std::vector<IndexItem> items = parts_.index.oldest_beyond(limit_ - limit_ / 10);
  for (std::size_t i = 0; i < items.size() && !stop.stop_requested(); ++i) {
    base::Result<void> removed = parts_.disk.remove(parts_.layout.entry(items[i].kind, items[i].hash));
    if (removed) ++evicted_;
    // A file that is gone already no longer counts; one that cannot be removed still does.
    if (removed || removed.error().kind == base::ErrorKind::transient) {
      parts_.index.remove(items[i].kind, items[i].hash);
    }
    if (pace == Pace::patient && i % kEvictStep == kEvictStep - 1) pause(stop, kStepPause);
  }
}

void Keeper::compress_some(const std::stop_token& stop, Pace pace) {
  std::int64_t before = (parts_.clock.wall() - kYoung).count();
  while (!stop.stop_requested()) {
    // Eviction is more urgent.
    if (pace == Pace::patient && parts_.index.totals().bytes > limit_) return;
    std::vector<IndexItem> items = parts_.index.take_old_blobs(kWorthCompressing, before, kCompressAtOnce);
    if (items.empty()) return;
    for (const IndexItem& item : items) {
      if (stop.stop_requested()) return;
      base::Nanoseconds begun = parts_.clock.uptime();
      bool worked = compress_one(item);
      // At most a fifth of one processor.
      if (worked && pace == Pace::patient) pause(stop, (parts_.clock.uptime() - begun) * 4 + milliseconds(1));
    }
  }
}

// True when it was any work.
bool Keeper::compress_one(const IndexItem& item) {
  std::lock_guard work(work_mutex_);
  std::string path = parts_.layout.entry(EntryKind::blob, item.hash);
  base::Result<std::string> end = parts_.disk.read_end(path, kTrailerSize);
  if (!end) return false;
  base::Result<Trailer> trailer = read_trailer(*end);
  if (!trailer || trailer->encoding != Encoding::raw || trailer->name.hash != item.hash) return false;
  base::Result<Content> file = parts_.disk.read(path);
  if (!file) return true;
  base::Result<std::string> content = open_blob(trailer->name, std::move(file->bytes));
  // A damaged blob is left for its reader to find and count.
  if (!content) return true;
  base::Result<std::string> sealed = seal_compressed(trailer->name, *content, kLevel);
  if (!sealed || sealed->empty()) return true;
  std::int64_t size = static_cast<std::int64_t>(sealed->size());
  if (parts_.writer.replace(path, *sealed, file->mtime_ns)) {
    parts_.index.put(EntryKind::blob, item.hash, size, item.last_use_ns);
  }
  return true;
}

}  // namespace cache
