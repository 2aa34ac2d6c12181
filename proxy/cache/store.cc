#include "cache/store.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <stop_token>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/thread.h"
#include "cache/disk.h"
#include "cache/entry_file.h"
#include "cache/index.h"
#include "cache/keeper.h"
#include "cache/layout.h"
#include "cache/outcome_codec.h"
#include "cache/writer.h"

namespace cache {
namespace {

constexpr std::int64_t kDefaultLimit = std::int64_t{10} << 30;
constexpr int kMostFormats = 16;
// Backup programs leave out a folder that holds this file with this first line.
constexpr std::string_view kTagText =
    "Signature: 8a477f597d28d172789f06886806bc55\n# This folder is a compile cache. It can be removed at any "
    "time.\n";

std::int64_t limit_for(const StoreOptions& options) {
  if (options.limit_bytes > 0) return options.limit_bytes;
  // The folder may not be there yet; its nearest parent is on the same disk.
  std::string directory = options.directory;
  struct statvfs disk;
  while (::statvfs(directory.c_str(), &disk) != 0) {
    if (directory.size() <= 1) return kDefaultLimit;
    directory = base::directory_name(directory);
  }
  std::int64_t tenth =
      static_cast<std::int64_t>(disk.f_blocks) * static_cast<std::int64_t>(disk.f_frsize) / 10;
  return tenth > 0 ? std::min(kDefaultLimit, tenth) : kDefaultLimit;
}

// True for the format file of this version, whole or torn by a crash, and when there is none.
bool is_ours(const base::Result<Content>& format) {
  if (!format) return format.error().kind != base::ErrorKind::invalid;
  return kFormatText.starts_with(format->bytes) || format->bytes.find_first_not_of('\0') == std::string::npos;
}

// The folder for our format: v1, or v1.2, v1.3, ... when something else calls itself v1.
Layout choose_layout(Disk& disk, const std::string& directory) {
  for (int attempt = 1; attempt < kMostFormats; ++attempt) {
    Layout layout(directory + "/v1" + (attempt == 1 ? "" : "." + std::to_string(attempt)));
    if (is_ours(disk.read(layout.format_file()))) return layout;
  }
  return Layout(directory + "/v1.new");
}

// Why the folder must not be used, in words; empty when it may be. What others could write, others could
// poison.
std::string refusal(const std::string& root) {
  struct stat status;
  if (::stat(root.c_str(), &status) != 0) return {};
  if (status.st_uid != ::geteuid()) {
    return "the cache folder " + root + " belongs to another user (uid " + std::to_string(status.st_uid) +
           "); a cache is one user's";
  }
  if ((status.st_mode & 077) != 0) (void)::chmod(root.c_str(), 0700);
  return {};
}

}  // namespace

class Store::State {
 public:
  State(StoreOptions options, base::Clock& clock)
      : disk_(options.disk != nullptr ? *options.disk : real_disk()),
        clock_(clock),
        options_(std::move(options)) {
    open();
    if (options_.background && !refused_) {
      thread_ = base::Thread("cache", [this] { keeper_.run(stop_.get_token()); });
    }
  }

  ~State() {
    stop_.request_stop();
    thread_.join();
    if (!refused_) writer_.close_scratch();
  }

  std::optional<Outcome> lookup(const base::Digest& action) {
    std::optional<Outcome> outcome = refused_ ? std::nullopt : find(action);
    ++(outcome ? hits_ : misses_);
    return outcome;
  }

  base::Result<std::string> read(const base::Digest& blob) {
    if (refused_) return gone(blob);
    std::string path = layout_.entry(EntryKind::blob, blob.hash);
    base::Result<Content> file = disk_.read(path);
    if (!file) return gone(blob);
    std::int64_t size = static_cast<std::int64_t>(file->bytes.size());
    base::Result<std::string> content = open_blob(blob, std::move(file->bytes));
    if (!content) {
      // A right hash with another size is a wrong question, not damage: the file keeps to its own name.
      if (!names_another_size(path, blob)) discard(EntryKind::blob, blob.hash);
      return gone(blob);
    }
    used(EntryKind::blob, blob.hash, size, file->mtime_ns);
    return content;
  }

  base::Result<base::Digest> add(int fd) {
    bool here = false;
    base::Result<base::Digest> digest =
        writer_.put_copy(fd, [this, &here](const base::Digest& blob) { return here = holds(blob); });
    if (digest) here ? used(*digest) : added(EntryKind::blob, digest->hash, digest->size);
    return digest;
  }

  base::Result<base::Digest> add(std::string_view bytes) {
    base::Digest digest = base::digest_of(bytes);
    if (!refused_ && holds(digest)) {
      used(digest);
      return digest;
    }
    base::Result<void> put =
        writer_.put(layout_.entry(EntryKind::blob, digest.hash), seal_blob(digest, bytes));
    if (!put) return put.error();
    added(EntryKind::blob, digest.hash, digest.size);
    return digest;
  }

  base::Result<void> keep(const base::Digest& action, const Outcome& outcome) {
    for (const std::string* text : {&outcome.out, &outcome.err}) {
      if (text->size() <= kLargestInlineText) continue;
      base::Result<base::Digest> blob = add(*text);
      if (!blob) return blob.error();
    }
    std::string file = seal_outcome(action, encode(outcome));
    base::Result<void> put = writer_.put(layout_.entry(EntryKind::outcome, action.hash), file);
    if (put) added(EntryKind::outcome, action.hash, static_cast<std::int64_t>(file.size() - kTrailerSize));
    return put;
  }

  base::Result<void> clear() {
    if (refused_) return base::Error{base::ErrorKind::io, writer_.last_error()};
    base::Result<void> result;
    for (int shard = 0; shard < kShards; ++shard) {
      for (EntryKind kind : {EntryKind::outcome, EntryKind::blob}) {
        remove_tree(disk_, layout_.shard(kind, shard));
        base::Result<std::vector<Listed>> left = disk_.list(layout_.shard(kind, shard));
        if (left && !left->empty()) result = base::io_error("clear " + layout_.shard(kind, shard), EACCES);
      }
    }
    if (result) index_.clear();
    return result;
  }

  void maintain() {
    if (!refused_) keeper_.maintain();
  }

  StoreStats stats() const {
    IndexTotals totals = index_.totals();
    StoreStats stats;
    stats.bytes = totals.bytes;
    stats.limit_bytes = limit_;
    stats.outcomes = totals.outcomes;
    stats.blobs = totals.blobs;
    stats.hits = hits_;
    stats.misses = misses_;
    stats.evicted = keeper_.evicted();
    stats.damaged = damaged_;
    stats.write_errors = writer_.errors();
    stats.last_error = writer_.last_error();
    return stats;
  }

  const std::string& scratch_directory() const {
    const std::string& directory = writer_.scratch_directory();
    // The whole folder may have been removed since.
    if (!refused_ && !disk_.exists(directory)) (void)disk_.make_directory(directory).ok();
    return directory;
  }

 private:
  void open() {
    std::string reason = refusal(layout_.root());
    if (!reason.empty()) {
      refused_ = true;
      writer_.refuse(std::move(reason));
      return;
    }
    if (disk_.make_directory(layout_.root())) {
      base::Result<Content> format = disk_.read(layout_.format_file());
      if (!format || format->bytes != kFormatText) {
        (void)disk_.remove(layout_.format_file()).ok();
        (void)disk_.create(layout_.format_file(), kFormatText).ok();
      }
      std::string tag = options_.directory + "/CACHEDIR.TAG";
      if (!disk_.exists(tag)) (void)disk_.create(tag, kTagText).ok();
    }
    writer_.open_scratch();
  }

  std::optional<Outcome> find(const base::Digest& action) {
    base::Result<Content> file = disk_.read(layout_.entry(EntryKind::outcome, action.hash));
    if (!file) return std::nullopt;
    std::int64_t size = static_cast<std::int64_t>(file->bytes.size());
    base::Result<std::string> bytes = open_outcome(action, std::move(file->bytes));
    base::Result<DecodedOutcome> decoded = bytes ? decode(*bytes) : bytes.error();
    if (!decoded) {
      discard(EntryKind::outcome, action.hash);
      return std::nullopt;
    }
    if (!complete(*decoded)) {
      // It lost a blob and can never be a hit again.
      (void)disk_.remove(layout_.entry(EntryKind::outcome, action.hash)).ok();
      index_.remove(EntryKind::outcome, action.hash);
      return std::nullopt;
    }
    used(EntryKind::outcome, action.hash, size, file->mtime_ns);
    // A blob must not be evicted before the outcomes that name it.
    for (const OutputFile& output : decoded->outcome.files) used(output.digest);
    return std::move(decoded->outcome);
  }

  // Fetches the long texts and looks whether the files are there; their bytes are checked when read.
  bool complete(DecodedOutcome& decoded) {
    if (decoded.out_digest) {
      base::Result<std::string> text = read(*decoded.out_digest);
      if (!text) return false;
      decoded.outcome.out = std::move(*text);
    }
    if (decoded.err_digest) {
      base::Result<std::string> text = read(*decoded.err_digest);
      if (!text) return false;
      decoded.outcome.err = std::move(*text);
    }
    return std::all_of(decoded.outcome.files.begin(), decoded.outcome.files.end(),
                       [this](const OutputFile& file) { return present(file.digest); });
  }

  bool present(const base::Digest& blob) { return disk_.exists(layout_.entry(EntryKind::blob, blob.hash)); }

  // The same with every byte checked, for content that is about to be relied on without being written again.
  bool holds(const base::Digest& blob) {
    base::Result<Content> file = disk_.read(layout_.entry(EntryKind::blob, blob.hash));
    if (!file) return false;
    if (open_blob(blob, std::move(file->bytes))) return true;
    discard(EntryKind::blob, blob.hash);
    return false;
  }

  bool names_another_size(const std::string& path, const base::Digest& blob) {
    base::Result<std::string> end = disk_.read_end(path, kTrailerSize);
    base::Result<Trailer> trailer = end ? read_trailer(*end) : base::Result<Trailer>(end.error());
    return trailer && trailer->kind == EntryKind::blob && trailer->name.hash == blob.hash &&
           trailer->name.size != blob.size;
  }

  base::Error gone(const base::Digest& blob) {
    return {base::ErrorKind::transient, "blob " + blob.hex() + " is not in the cache"};
  }

  void discard(EntryKind kind, const Hash& hash) {
    ++damaged_;
    std::string path = layout_.entry(kind, hash);
    (void)disk_.remove(path).ok();
    index_.remove(kind, hash);
    base::log(base::LogLevel::warning, "removed a damaged cache entry: " + path);
  }

  void used(EntryKind kind, const Hash& hash, std::int64_t size, std::int64_t mtime_ns) {
    std::int64_t now = clock_.wall().count();
    if (index_.use(kind, hash, now, size, mtime_ns)) (void)disk_.touch(layout_.entry(kind, hash), now).ok();
  }

  // A blob whose file was not opened: should the index not know it yet, its stamp is made new to be sure.
  void used(const base::Digest& blob) {
    used(EntryKind::blob, blob.hash, blob.size + static_cast<std::int64_t>(kTrailerSize), 0);
  }

  void added(EntryKind kind, const Hash& hash, std::int64_t size) {
    index_.put(kind, hash, size + static_cast<std::int64_t>(kTrailerSize), clock_.wall().count());
    keeper_.wake_if_over();
  }

  Disk& disk_;
  base::Clock& clock_;
  const StoreOptions options_;
  const Layout layout_ = choose_layout(disk_, options_.directory);
  const std::int64_t limit_ = limit_for(options_);
  bool refused_ = false;  // constant after construction
  std::atomic<std::uint64_t> hits_{0};
  std::atomic<std::uint64_t> misses_{0};
  std::atomic<std::uint64_t> damaged_{0};
  Index index_;
  Writer writer_{disk_, clock_, layout_};
  Keeper keeper_{{disk_, clock_, layout_, index_, writer_}, limit_};
  std::stop_source stop_;
  base::Thread thread_;
};

Store::Store(StoreOptions options, base::Clock& clock)
    : state_(std::make_unique<State>(std::move(options), clock)) {}
Store::~Store() = default;

std::optional<Outcome> Store::lookup(const base::Digest& action) { return state_->lookup(action); }
base::Result<std::string> Store::read(const base::Digest& blob) { return state_->read(blob); }
base::Result<base::Digest> Store::add(int fd) { return state_->add(fd); }
base::Result<base::Digest> Store::add(std::string_view bytes) { return state_->add(bytes); }
base::Result<void> Store::keep(const base::Digest& action, const Outcome& outcome) {
  return state_->keep(action, outcome);
}
std::string Store::scratch_directory() const { return state_->scratch_directory(); }
base::Result<void> Store::clear() { return state_->clear(); }
void Store::maintain() { state_->maintain(); }
StoreStats Store::stats() const { return state_->stats(); }

}  // namespace cache
