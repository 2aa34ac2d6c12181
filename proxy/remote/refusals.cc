#include "remote/refusals.h"

#include <chrono>
#include <utility>

namespace remote {
namespace {

// Workers may come, and settings change, at any time.
constexpr std::chrono::minutes kUnplaceable{1};
// A server is seldom replaced by one that can do more.
constexpr std::chrono::minutes kUnimplemented{10};
// A client certificate is replaced without a new version of any header.
constexpr std::chrono::minutes kWithoutHeaders{10};

}  // namespace

Refusals::Refusals(Credentials& credentials, base::Clock& clock) : credentials_(credentials), clock_(clock) {}

bool Refusals::allows(Right right) { return reason(right).empty(); }

void Refusals::note(Right right, const Failure& failure, std::uint64_t version) {
  Refusal refusal{true, version, std::nullopt, failure.message};
  switch (failure.cause) {
    case Cause::denied:
      break;
    case Cause::unauthenticated:
      // The connection has already tried again with newer ones, where there were any.
      refusal.version = credentials_.version();
      break;
    case Cause::unimplemented:
      refusal.until = clock_.uptime() + kUnimplemented;
      break;
    case Cause::unplaceable:
      if (right != Right::execute) return;
      refusal.until = clock_.uptime() + kUnplaceable;
      break;
    default:
      return;
  }
  if (!refusal.until && !credentials_.state().sent) refusal.until = clock_.uptime() + kWithoutHeaders;
  if (refusal.why.empty()) refusal.why = to_string(failure.cause);
  std::lock_guard lock(mutex_);
  refusals_[static_cast<std::size_t>(right)] = std::move(refusal);
}

std::string Refusals::reason() {
  for (Right right : {Right::read, Right::execute, Right::update}) {
    if (std::string why = reason(right); !why.empty()) return why;
  }
  return {};
}

std::string Refusals::reason(Right right) {
  {
    std::lock_guard lock(mutex_);
    // As a rule; the version, for which files are looked at, is not worth its price then.
    if (!refusals_[static_cast<std::size_t>(right)].standing) return {};
  }
  std::uint64_t version = credentials_.version();
  base::Nanoseconds now = clock_.uptime();
  std::lock_guard lock(mutex_);
  Refusal& refusal = refusals_[static_cast<std::size_t>(right)];
  if (!refusal.standing) return {};
  refusal.standing = refusal.version == version && (!refusal.until || now < *refusal.until);
  return refusal.standing ? refusal.why : std::string();
}

}  // namespace remote
