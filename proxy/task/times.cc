#include "task/times.h"

#include <algorithm>
#include <string>

namespace task {
namespace {

// Of 24 bytes each; when there are more, all are forgotten, and the next build measures again.
constexpr std::size_t kUnits = 200'000;

// The silence after which an endpoint that has always answered is in doubt, at the least.
constexpr std::uint64_t kSilenceUs = 2'000'000;

void blend(std::uint64_t& mean, std::uint64_t us) {
  us = std::max<std::uint64_t>(us, 1);
  mean = mean == 0 ? us : (mean * 7 + us) / 8;
}

}  // namespace

Times::Pair& Times::pair_of(std::string_view unit) {
  if (units_.size() >= kUnits) units_.clear();
  return units_[std::hash<std::string_view>()(unit)];
}

void Times::note_question() {
  std::lock_guard lock(mutex_);
  if (unanswered_.count() == 0) unanswered_ = clock_.uptime();
}

void Times::note_reply() {
  std::lock_guard lock(mutex_);
  unanswered_ = base::Nanoseconds(0);
}

void Times::note_local(std::string_view unit, std::uint64_t us) {
  std::lock_guard lock(mutex_);
  pair_of(unit).local_us = std::max<std::uint64_t>(us, 1);
  blend(mean_.local_us, us);
}

void Times::note_remote(std::string_view unit, std::uint64_t us) {
  std::lock_guard lock(mutex_);
  pair_of(unit).remote_us = std::max<std::uint64_t>(us, 1);
  blend(mean_.remote_us, us);
  unanswered_ = base::Nanoseconds(0);
}

void Times::note_look_up(std::uint64_t us) {
  std::lock_guard lock(mutex_);
  blend(look_up_us_, us);
  unanswered_ = base::Nanoseconds(0);
}

Estimate Times::estimate(std::string_view unit) const {
  std::lock_guard lock(mutex_);
  Estimate out{mean_.local_us, mean_.remote_us, look_up_us_, true};
  if (auto found = units_.find(std::hash<std::string_view>()(unit)); found != units_.end()) {
    if (found->second.local_us != 0) out.local_us = found->second.local_us;
    if (found->second.remote_us != 0) out.remote_us = found->second.remote_us;
  }
  if (unanswered_.count() > 0) {
    auto silence = static_cast<std::uint64_t>((clock_.uptime() - unanswered_).count() / 1000);
    out.steady = silence < std::max(kSilenceUs, 3 * mean_.remote_us);
  }
  return out;
}

}  // namespace task
