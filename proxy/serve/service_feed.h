// How the service says that it is doing, from its own status page: asked for at most once a minute, and only
// while somebody looks at ours.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <string>

#include "base/http.h"
#include "base/thread.h"

namespace serve {

struct ServiceState {
  std::string state;   // "up", "degraded", "down", "unknown"; empty: there is no feed
  std::string text;    // in the service's words, or why nothing is known
  std::string uptime;  // as it says, such as "99.95 %", or as it was seen from here; may be empty
};

// What an answer means: the JSON of the common status pages ({"status": {"indicator", "description"}}), or
// {"state", "text", "uptime"}; else a health check's status and word, or the title of a web page. Pure.
ServiceState read_service(const base::HttpAnswer& answer);

// Any thread.
class ServiceFeed {
 public:
  // `http` outlives it.
  ServiceFeed(base::Http& http, std::string url,
              std::chrono::milliseconds interval = std::chrono::minutes(1));
  ~ServiceFeed();
  ServiceFeed(const ServiceFeed&) = delete;
  ServiceFeed& operator=(const ServiceFeed&) = delete;

  // What is known now; never waits.
  ServiceState state();

 private:
  void poll();
  ServiceState ask();
  void count(ServiceState& now);  // Requires: mutex_ held.

  base::Http& http_;
  const std::string url_;
  const std::chrono::milliseconds interval_;
  std::stop_source stop_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool looked_at_ = false;  // guarded by mutex_
  ServiceState state_;      // guarded by mutex_
  int known_ = 0;           // guarded by mutex_; answers that said something
  int up_ = 0;              // guarded by mutex_; and not that it is down
  base::Thread thread_;     // last: it uses the rest
};

}  // namespace serve
