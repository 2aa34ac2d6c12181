#include "task/history.h"

#include <algorithm>
#include <deque>
#include <mutex>
#include <utility>

namespace task {
namespace {

// Enough for 10,000 tasks with command lines of 6 kB, as browsers have them.
constexpr std::size_t kTextBytes = std::size_t{64} << 20;
constexpr std::size_t kCommandBytes = 32 * 1024;
// Labels are a small closed set; the bound only keeps a mistake elsewhere from growing the map for ever.
constexpr std::size_t kLabels = 256;

std::size_t text_bytes(const Record& record) {
  return sizeof(Record) + record.source.size() + record.output.size() + record.directory.size() +
         record.command.size() + record.reason.size() + record.action.size();
}

void shorten(std::string& text, std::size_t limit) {
  if (text.size() <= limit) return;
  std::string note = " ... (" + std::to_string(text.size() - limit) + " more bytes)";
  text.resize(limit);
  text += note;
  text.shrink_to_fit();
}

}  // namespace

class History::State {
 public:
  explicit State(std::size_t kept) : kept_(std::max<std::size_t>(kept, 1)) {}

  std::uint64_t begin(Record record) {
    shorten(record.command, kCommandBytes);
    std::lock_guard lock(mutex_);
    record.id = ++totals_.started;
    std::uint64_t id = record.id;
    active_[id] = std::move(record);
    totals_.max_active = std::max<std::uint64_t>(totals_.max_active, active_.size());
    return id;
  }

  void update(const Record& record) {
    std::lock_guard lock(mutex_);
    auto found = active_.find(record.id);
    if (found == active_.end()) return;
    found->second = record;
    shorten(found->second.command, kCommandBytes);
  }

  void end(const Record& record) {
    auto kept = std::make_shared<Record>(record);
    shorten(kept->command, kCommandBytes);
    std::lock_guard lock(mutex_);
    if (active_.erase(record.id) == 0) return;
    count(record);
    bytes_ += text_bytes(*kept);
    ended_.push_back(std::move(kept));
    while (ended_.size() > 1 && (ended_.size() > kept_ || bytes_ > kTextBytes)) {
      bytes_ -= text_bytes(*ended_.front());
      ended_.pop_front();
    }
  }

  void count_mismatch() {
    std::lock_guard lock(mutex_);
    ++totals_.mismatches;
  }

  void count_race(bool remote_won) {
    std::lock_guard lock(mutex_);
    ++(remote_won ? totals_.races_remote : totals_.races_local);
  }

  std::vector<Record> active() const {
    std::lock_guard lock(mutex_);
    std::vector<Record> records;
    records.reserve(active_.size());
    for (const auto& [id, record] : active_) records.push_back(record);
    return records;
  }

  std::vector<Record> ended(std::size_t limit, std::uint64_t after) const {
    std::vector<std::shared_ptr<const Record>> chosen;
    {
      std::lock_guard lock(mutex_);
      std::uint64_t fresh = totals_.ended > after ? totals_.ended - after : 0;
      std::size_t size = std::min({limit, ended_.size(), static_cast<std::size_t>(fresh)});
      chosen.assign(ended_.rbegin(), ended_.rbegin() + static_cast<std::ptrdiff_t>(size));
    }
    // The texts are copied without the lock, so that a reader of thousands does not hold up the tasks.
    std::vector<Record> records;
    records.reserve(chosen.size());
    for (const auto& record : chosen) records.push_back(*record);
    return records;
  }

  std::optional<Record> find(std::uint64_t id) const {
    std::lock_guard lock(mutex_);
    auto running = active_.find(id);
    if (running != active_.end()) return running->second;
    // Tasks end in any order, so the ring is not sorted by id.
    for (auto record = ended_.rbegin(); record != ended_.rend(); ++record) {
      if ((*record)->id == id) return **record;
    }
    return std::nullopt;
  }

  Totals totals() const {
    std::lock_guard lock(mutex_);
    return totals_;
  }

 private:
  // Requires: mutex_ held.
  void count(const Record& record) {
    ++totals_.ended;
    ++totals_.results[to_string(record.result)];
    for (std::size_t i = 0; i < kPhases; ++i) totals_.phase_us[i] += record.phase_us[i];
    if (record.result == Result::local_hit || record.result == Result::remote_hit) {
      totals_.saved_us += record.compile_us;
    }
    if (record.reason.empty()) return;
    std::string label = record.reason.substr(0, record.reason.find(':'));
    if (totals_.reasons.size() >= kLabels && totals_.reasons.count(label) == 0) label = "other";
    ++totals_.reasons[label];
  }

  const std::size_t kept_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, Record> active_;           // guarded by mutex_
  std::deque<std::shared_ptr<const Record>> ended_;  // guarded by mutex_; the last to end at the back
  std::size_t bytes_ = 0;                            // guarded by mutex_; of the records in ended_
  Totals totals_;                                    // guarded by mutex_
};

History::History(std::size_t kept) : state_(std::make_unique<State>(kept)) {}
History::~History() = default;

std::uint64_t History::begin(Record record) { return state_->begin(std::move(record)); }
void History::update(const Record& record) { state_->update(record); }
void History::end(const Record& record) { state_->end(record); }
void History::count_mismatch() { state_->count_mismatch(); }
void History::count_race(bool remote_won) { state_->count_race(remote_won); }
std::vector<Record> History::active() const { return state_->active(); }
std::vector<Record> History::ended(std::size_t limit, std::uint64_t after) const {
  return state_->ended(limit, after);
}
std::optional<Record> History::find(std::uint64_t id) const { return state_->find(id); }
Totals History::totals() const { return state_->totals(); }

}  // namespace task
