#include "remote/retry.h"

#include <algorithm>

namespace remote {
namespace {

constexpr double kPerCall = 0.1;
constexpr double kPerSecond = 1;
constexpr double kMost = 20;

constexpr std::chrono::milliseconds kFirst{100};
constexpr std::chrono::milliseconds kLongest{5000};

}  // namespace

std::chrono::milliseconds backoff(int retry, double random) {
  std::chrono::milliseconds pause = std::min(kLongest, kFirst * (1 << std::clamp(retry, 0, 10)));
  double part = 1 - 0.5 * std::clamp(random, 0.0, 1.0);
  return std::chrono::milliseconds(static_cast<std::int64_t>(static_cast<double>(pause.count()) * part));
}

double Jitter::next() {
  std::lock_guard lock(mutex_);
  return std::uniform_real_distribution<double>(0, 1)(engine_);
}

RetryBudget::RetryBudget(base::Clock& clock) : clock_(clock), tokens_(kMost), filled_(clock.uptime()) {}

void RetryBudget::earn() {
  std::lock_guard lock(mutex_);
  refill();
  tokens_ = std::min(kMost, tokens_ + kPerCall);
}

bool RetryBudget::spend() {
  std::lock_guard lock(mutex_);
  refill();
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

void RetryBudget::refill() {
  base::Nanoseconds now = clock_.uptime();
  tokens_ = std::min(kMost, tokens_ + kPerSecond * std::chrono::duration<double>(now - filled_).count());
  filled_ = now;
}

}  // namespace remote
