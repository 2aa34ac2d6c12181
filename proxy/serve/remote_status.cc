#include "serve/remote_status.h"

#include <nlohmann/json.hpp>

#include "serve/redact.h"
#include "serve/service_feed.h"
#include "task/history.h"

namespace serve {
namespace {

using nlohmann::json;

const char* word_of(remote::Breaker breaker) {
  switch (breaker) {
    case remote::Breaker::closed:
      return "closed";
    case remote::Breaker::open:
      return "open";
    case remote::Breaker::half_open:
      return "half_open";
  }
  return "unknown";
}

json backend_json(const remote::BackendState& backend) {
  const remote::HealthState& health = backend.health;
  return {{"address", redact(backend.address)},
          {"kind", backend.kind},
          {"breaker", word_of(health.breaker)},
          {"reached", health.reached},
          {"latency_us", health.latency_us},
          {"last_error", redact(health.last_error)},
          {"last_error_ms", health.last_error_s * 1000},
          {"open_until_ms", health.open_until_s * 1000},
          {"rights",
           {{"read", backend.rights.read},
            {"execute", backend.rights.execute},
            {"update", backend.rights.update}}},
          {"refusal", redact(backend.refusal)},
          {"warning", redact(backend.warning)},
          {"sent_bytes", backend.sent_bytes},
          {"received_bytes", backend.received_bytes}};
}

json service_json(const StatusSources& sources) {
  ServiceState service = sources.service ? sources.service() : ServiceState{};
  if (service.state.empty()) return nullptr;
  return {{"state", service.state}, {"text", redact(service.text)}, {"uptime", service.uptime}};
}

remote::TierState state_of(const StatusSources& sources) {
  return sources.remote ? sources.remote() : remote::TierState{};
}

}  // namespace

std::string mode_of(const StatusSources& sources) { return remote::to_string(state_of(sources).mode); }

std::string health_of(const StatusSources& sources) {
  std::string own = sources.health ? sources.health() : "ok";
  if (own != "ok") return own;
  remote::TierState state = state_of(sources);
  for (const remote::BackendState& backend : state.backends) {
    if (backend.health.breaker == remote::Breaker::closed) continue;
    std::string error = backend.health.last_error.empty() ? "" : ": " + redact(backend.health.last_error);
    return "running: failed to connect to backend servers: " + redact(backend.address) + error;
  }
  if (!state.degraded) return "ok";
  return std::string("running: ") + remote::to_string(state.mode) + ": " + redact(state.because);
}

json remote_json(const StatusSources& sources) {
  remote::TierState state = state_of(sources);
  task::Totals totals = sources.history->totals();
  json backends = json::array();
  for (const remote::BackendState& backend : state.backends) backends.push_back(backend_json(backend));
  const remote::CredentialState& credentials = state.credentials;
  return {{"mode", remote::to_string(state.mode)},
          {"because", redact(state.because)},
          {"degraded", state.degraded},
          {"backends", std::move(backends)},
          {"credentials",
           {{"configured", credentials.configured},
            {"usable", credentials.usable},
            {"source", redact(credentials.source)},
            {"expires_ms", credentials.expires_s * 1000},
            {"problem", redact(credentials.problem)}}},
          {"in_flight", state.in_flight},
          {"waiting", state.waiting},
          {"limit", state.limit},
          {"races", {{"remote", totals.races_remote}, {"local", totals.races_local}}},
          {"service", service_json(sources)}};
}

}  // namespace serve
