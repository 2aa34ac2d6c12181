// What the HTTP paths answer: status page, JSON API, and the plain-text pages that Goma's scripts read.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "remote/tier.h"
#include "serve/http.h"
#include "serve/service_feed.h"

namespace cache {
class Store;
}
namespace task {
class History;
}

namespace serve {

// What the pages show. Functions may be called from any thread; an empty one counts as 0, "ok" or nothing.
struct StatusSources {
  const task::History* history;  // outlives the Status
  cache::Store* store;           // outlives the Status; may be null
  std::string version;           // "0.1.0 (git abc, g++ 12.2, protocol 1)"
  std::string token;             // put into the page for its POSTs
  std::string socket_path;
  std::string log_path;
  std::function<int()> port;
  std::function<int()> local_slots;
  std::function<int()> local_running;
  std::function<int()> local_waiting;
  // [{"name": "...", "value": ..., "origin": "environment"}, ...]; values of secret names are hidden here.
  std::function<std::string()> settings_json;
  std::function<std::string()> health;  // of the daemon itself: "ok", "running: ...", "error: ..."
  std::function<remote::TierState()> remote;
  std::function<ServiceState()> service;
  std::function<void()> quit;  // begins a graceful stop
};

// Routes one request. Any thread.
class Status {
 public:
  explicit Status(StatusSources sources);
  HttpResponse handle(const HttpRequest& request) const;

 private:
  StatusSources sources_;
  std::int64_t start_ms_;
};

}  // namespace serve
