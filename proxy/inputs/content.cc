#include "inputs/content.h"

#include <cerrno>
#include <utility>

namespace inputs {
namespace {

// How often a file that changes while it is read is read again.
constexpr int kReads = 4;

}  // namespace

base::Result<base::Digest> Contents::digest(NodeId id) {
  base::Result<Answer> answer = get(id, {});
  if (!answer.ok()) return answer.error();
  return answer->digest;
}

base::Result<Contents::Derived> Contents::derive(NodeId id, std::uint8_t slot, const Make& make) {
  base::Result<Answer> answer = get(id, {true, slot, &make});
  if (!answer.ok()) return answer.error();
  return answer->derived;
}

base::Result<Contents::Answer> Contents::get(NodeId id, const Wish& wish) {
  Node& node = table_.node(id);
  Stripe& stripe = table_.stripe(id);
  for (int attempt = 0; attempt < kReads; ++attempt) {
    tracker_.look(id);
    base::FileStat expected;
    std::uint32_t version;
    {
      std::unique_lock lock(stripe.mutex);
      stripe.changed.wait(lock, [&] { return !node.sight.reading; });
      Answer answer;
      if (known(id, wish, answer)) return answer;
      if (node.sight.stat.type != base::FileType::regular) {
        return base::io_error("read " + table_.path(id), EINVAL);
      }
      node.sight.reading = true;
      expected = node.sight.stat;
      version = table_.word(id).load(std::memory_order_relaxed) & kVersion;
    }
    base::Result<Read> content = read(id, expected, version);
    Answer answer;
    bool kept = content.ok() && keep(id, wish, *content, answer);
    {
      std::lock_guard lock(stripe.mutex);
      node.sight.reading = false;
      stripe.changed.notify_all();
    }
    if (kept) return answer;
    if (!content.ok() && content.error().kind != base::ErrorKind::transient) return content.error();
  }
  return base::Error{base::ErrorKind::transient, "changes while it is read: " + table_.path(id)};
}

bool Contents::known(NodeId id, const Wish& wish, Answer& answer) {
  const Node& node = table_.node(id);
  std::uint32_t version = table_.word(id).load(std::memory_order_relaxed) & kVersion;
  if (!node.extra || !node.extra->digest_known || node.extra->version != version) return false;
  if (node.sight.stale || node.sight.stat.type != base::FileType::regular) return false;
  answer.digest = node.extra->digest;
  if (!wish.derived) return true;
  if (wish.slot >= node.extra->derived.size()) return false;
  answer.derived = node.extra->derived[wish.slot];
  return answer.derived != nullptr;
}

base::Result<Contents::Read> Contents::read(NodeId id, const base::FileStat& expected,
                                            std::uint32_t version) {
  std::string path = table_.path(id);
  Read out;
  out.version = version;
  out.wall = tracker_.wall();
  tracker_.totals().reads.fetch_add(1, std::memory_order_relaxed);
  base::Result<std::string> bytes = files_.read(path);
  // The look that gave `expected` came before the read, this one after it: what was read in between is the
  // content that goes with these stamps.
  tracker_.totals().stats.fetch_add(1, std::memory_order_relaxed);
  base::Result<base::FileStat> after = files_.lstat(path);
  bool disturbed = !after.ok() || !(*after == expected) ||
                   (bytes.ok() && static_cast<std::int64_t>(bytes->size()) != expected.size);
  if (disturbed) {
    // No notice of it need have been applied yet, so the next look must not trust what is known.
    tracker_.mark(id, true);
    return base::Error{base::ErrorKind::transient, "changed while it was read: " + path};
  }
  if (!bytes.ok()) return bytes.error();
  out.bytes = *std::move(bytes);
  return out;
}

bool Contents::keep(NodeId id, const Wish& wish, Read& content, Answer& answer) {
  Node& node = table_.node(id);
  Stripe& stripe = table_.stripe(id);
  answer.digest = base::digest_of(content.bytes);
  Derived made;
  if (wish.derived) {
    std::unique_lock lock(stripe.mutex);
    const Extra* extra = node.extra.get();
    bool same = extra != nullptr && extra->digest_known && extra->digest == answer.digest;
    if (same && wish.slot < extra->derived.size()) made = extra->derived[wish.slot];
    lock.unlock();
    if (!made) made = (*wish.make)(std::move(content.bytes));
  }
  std::lock_guard lock(stripe.mutex);
  if ((table_.word(id).load(std::memory_order_relaxed) & kVersion) != content.version) return false;
  if (!node.extra) node.extra = std::make_unique<Extra>();
  Extra& extra = *node.extra;
  if (!extra.digest_known || !(extra.digest == answer.digest)) extra.derived.clear();
  extra.digest = answer.digest;
  extra.digest_known = true;
  extra.version = content.version;
  node.sight.wall = std::max(node.sight.wall, content.wall);
  if (wish.derived) {
    if (extra.derived.size() <= wish.slot) extra.derived.resize(wish.slot + std::size_t{1});
    extra.derived[wish.slot] = made;
    answer.derived = std::move(made);
  }
  return true;
}

}  // namespace inputs
