#include "remote/tier.h"

#include <algorithm>
#include <utility>

namespace remote {
namespace {

// A cluster that has no room for so few calls has none at all; waiting for it costs little.
constexpr int kLeastLimit = 4;

bool readable(Backend* backend) {
  return backend != nullptr && backend->available() && backend->rights().read;
}

bool takes_results(Backend* backend) {
  return backend != nullptr && backend->available() && backend->rights().update;
}

// Why nothing can be had from it, in words.
std::string why_not_readable(Backend& backend) {
  BackendState state = backend.state();
  if (!backend.available()) {
    std::string error = state.health.last_error.empty() ? "" : ": " + state.health.last_error;
    return state.address + " does not answer" + error;
  }
  return state.refusal.empty() ? state.address + " does not let us read" : state.refusal;
}

}  // namespace

const char* to_string(Mode mode) {
  switch (mode) {
    case Mode::cluster:
      return "cluster";
    case Mode::cache_only:
      return "cache-only";
    case Mode::local:
      return "local";
    case Mode::none:
      return "none";
  }
  return "unknown";
}

const char* to_string(Toolchain toolchain) {
  switch (toolchain) {
    case Toolchain::none:
      return "none";
    case Toolchain::inside:
      return "inside";
    case Toolchain::image:
      return "image";
    case Toolchain::chroot:
      return "chroot";
  }
  return "unknown";
}

Tier::Tier(TierOptions options, std::unique_ptr<Backend> engine, std::unique_ptr<Backend> http,
           Credentials* credentials)
    : options_(options),
      engine_(std::move(engine)),
      http_(std::move(http)),
      credentials_(credentials),
      gate_(std::max(1, options.max_in_flight)) {
  if (engine_ && http_) both_ = std::make_unique<Layered>(*http_, *engine_);
}

// Why the engine is not asked to execute; nothing when it is. Requires: a remote mode is wanted.
std::optional<Tier::Obstacle> Tier::why_not_executing() {
  // An HTTP cache alone is all that was asked for, unless somebody said otherwise.
  if (!engine_ && !options_.wanted) return Obstacle{{}, false};
  if (!engine_) return Obstacle{"there is no endpoint that executes, only an HTTP cache"};
  if (!engine_->available()) return Obstacle{why_not_readable(*engine_)};
  CredentialState credentials = credentials_ == nullptr ? CredentialState{} : credentials_->state();
  if (credentials.configured && !credentials.usable) {
    return Obstacle{credentials.problem.empty() ? "there are no working credentials" : credentials.problem};
  }
  bool anonymous = !credentials.configured && !options_.needs_no_headers;
  if (anonymous && options_.wanted != Mode::cluster) return Obstacle{"no credentials are configured", false};
  if (engine_->rights().execute) return std::nullopt;
  BackendState state = engine_->state();
  // To read only is an ordinary right to have, unless somebody counts on more.
  return Obstacle{state.refusal.empty() ? state.address + " does not let us execute" : state.refusal,
                  options_.wanted == Mode::cluster};
}

Tier::Verdict Tier::verdict() {
  if (options_.wanted == Mode::none || options_.wanted == Mode::local) return {*options_.wanted, {}, false};
  if (!engine_ && !http_) {
    if (!options_.wanted) return {};
    return {Mode::local, "no endpoint is configured", true};
  }
  Obstacle obstacle{{}, false};
  if (options_.wanted != Mode::cache_only) {
    std::optional<Obstacle> found = why_not_executing();
    if (!found) return {Mode::cluster, {}, false};
    obstacle = *found;
  }
  if (readable(http_.get()) || readable(engine_.get()))
    return {Mode::cache_only, obstacle.because, obstacle.degraded};
  return {Mode::local, why_not_readable(http_ ? *http_ : *engine_), true};
}

Mode Tier::mode() { return verdict().mode; }

Backend* Tier::cache() {
  if (options_.wanted == Mode::none || options_.wanted == Mode::local) return nullptr;
  bool http = readable(http_.get());
  bool engine = readable(engine_.get());
  if (http && engine) return both_.get();
  return http ? http_.get() : engine ? engine_.get() : nullptr;
}

Backend* Tier::executor() { return mode() == Mode::cluster ? engine_.get() : nullptr; }

// The HTTP cache first: it is what look-ups ask first.
Backend* Tier::shares() {
  if (options_.wanted == Mode::none || options_.wanted == Mode::local) return nullptr;
  if (takes_results(http_.get())) return http_.get();
  return takes_results(engine_.get()) ? engine_.get() : nullptr;
}

int Tier::lowerings() {
  std::lock_guard lock(mutex_);
  return lowerings_;
}

void Tier::exhausted(int lowerings) {
  std::lock_guard lock(mutex_);
  if (lowerings != lowerings_) return;
  int least = std::min(kLeastLimit, options_.max_in_flight);
  ++lowerings_;
  successes_ = 0;
  gate_.set_limit(std::max(least, gate_.limit() / 2));
}

// After as many successes as there are places, an eighth more of them: gentle where the limit was right, and
// back at 200 within a few thousand compiles where it was not.
void Tier::succeeded() {
  std::lock_guard lock(mutex_);
  int limit = gate_.limit();
  if (limit >= options_.max_in_flight || ++successes_ < limit) return;
  successes_ = 0;
  gate_.set_limit(std::min(options_.max_in_flight, limit + std::max(1, limit / 8)));
}

TierState Tier::state() {
  TierState state;
  Verdict verdict = this->verdict();
  state.mode = verdict.mode;
  state.because = std::move(verdict.because);
  state.degraded = verdict.degraded;
  if (http_) state.backends.push_back(http_->state());
  if (engine_) state.backends.push_back(engine_->state());
  if (credentials_ != nullptr) state.credentials = credentials_->state();
  state.in_flight = gate_.inside();
  state.waiting = gate_.waiting();
  state.limit = gate_.limit();
  return state;
}

}  // namespace remote
