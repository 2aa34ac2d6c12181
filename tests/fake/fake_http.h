// An HTTP side that reaches no network: it answers from a table, or by a function, and records what was
// asked. Any thread.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/http.h"

namespace fake {

// An answer in one line.
inline base::HttpAnswer http_answer(int status, std::string body = "",
                                    std::vector<std::pair<std::string, std::string>> headers = {}) {
  base::HttpAnswer answer;
  answer.status = status;
  answer.body = std::move(body);
  answer.headers = std::move(headers);
  return answer;
}

class FakeHttp : public base::Http {
 public:
  using Handler = std::function<base::Result<base::HttpAnswer>(const base::HttpCall&)>;

  // What "METHOD URL" is answered with from now on: an answer or an error.
  void answer(const std::string& line, base::Result<base::HttpAnswer> result) {
    std::lock_guard lock(mutex_);
    table_.insert_or_assign(line, std::move(result));
  }
  // Asked for what the table does not hold; without one such a call is answered with 404.
  void answer_others(Handler handler) {
    std::lock_guard lock(mutex_);
    handler_ = std::move(handler);
  }

  // Every call, in the order in which they came.
  std::vector<base::HttpCall> calls() const {
    std::lock_guard lock(mutex_);
    return calls_;
  }
  // The same as "METHOD URL".
  std::vector<std::string> lines() const {
    std::vector<std::string> out;
    for (const base::HttpCall& call : calls()) out.push_back(call.method + " " + call.url);
    return out;
  }
  void forget_calls() {
    std::lock_guard lock(mutex_);
    calls_.clear();
  }

  base::Result<base::HttpAnswer> call(const base::HttpCall& call, const std::stop_token& stop) override {
    Handler handler;
    {
      std::lock_guard lock(mutex_);
      if (stop.stop_requested()) return base::cancelled();
      calls_.push_back(call);
      auto found = table_.find(call.method + " " + call.url);
      if (found != table_.end()) return found->second;
      handler = handler_;
    }
    if (handler) return handler(call);
    return http_answer(404);
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, base::Result<base::HttpAnswer>> table_;
  Handler handler_;
  std::vector<base::HttpCall> calls_;
};

// The value of a header of a recorded call; empty without.
inline std::string header_of(const base::HttpCall& call, const std::string& name) {
  for (const auto& [key, value] : call.headers) {
    if (key == name) return value;
  }
  return {};
}

}  // namespace fake
