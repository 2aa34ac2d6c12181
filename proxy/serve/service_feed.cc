#include "serve/service_feed.h"

#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

namespace serve {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestText = 200;

std::string text_of(const json& object, const char* key) {
  auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return {};
  return found->get<std::string>().substr(0, kLongestText);
}

// The many words for few states.
std::string state_of(const std::string& word) {
  static const std::map<std::string, std::string> words = {
      {"none", "up"},
      {"up", "up"},
      {"ok", "up"},
      {"operational", "up"},
      {"minor", "degraded"},
      {"degraded", "degraded"},
      {"maintenance", "degraded"},
      {"major", "down"},
      {"critical", "down"},
      {"down", "down"},
  };
  auto found = words.find(word);
  return found == words.end() ? "unknown" : found->second;
}

std::string uptime_of(const json& object) {
  auto found = object.find("uptime");
  if (found == object.end() || !found->is_number()) return text_of(object, "uptime");
  char text[32];
  std::snprintf(text, sizeof text, "%.2f %%", found->get<double>());
  return text;
}

}  // namespace

ServiceState read_service(const base::HttpAnswer& answer) {
  if (answer.status != 200) return {"unknown", "answers with HTTP " + std::to_string(answer.status), {}};
  json page = json::parse(answer.body, nullptr, false);
  if (!page.is_object()) return {"unknown", "answers with something else than a JSON object", {}};
  auto status = page.find("status");
  if (status != page.end() && status->is_object()) {
    return {state_of(text_of(*status, "indicator")), text_of(*status, "description"), uptime_of(page)};
  }
  return {state_of(text_of(page, "state")), text_of(page, "text"), uptime_of(page)};
}

ServiceFeed::ServiceFeed(base::Http& http, std::string url, std::chrono::milliseconds interval)
    : http_(http),
      url_(std::move(url)),
      interval_(interval),
      state_{"unknown", "not asked yet", {}},
      thread_("service", [this] { poll(); }) {}

ServiceFeed::~ServiceFeed() {
  stop_.request_stop();
  thread_.join();
}

ServiceState ServiceFeed::state() {
  std::lock_guard lock(mutex_);
  looked_at_ = true;
  wake_.notify_all();
  return state_;
}

void ServiceFeed::poll() {
  std::stop_token stop = stop_.get_token();
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      if (!wake_.wait(lock, stop, [&] { return looked_at_; })) return;
      looked_at_ = false;
    }
    ServiceState now = ask();
    std::unique_lock lock(mutex_);
    state_ = std::move(now);
    wake_.wait_for(lock, stop, interval_, [] { return false; });
  }
}

ServiceState ServiceFeed::ask() {
  base::HttpCall call;
  call.url = url_;
  call.headers = {{"accept", "application/json"}};
  call.limit = std::chrono::seconds(10);
  call.largest_answer = 1u << 20;
  call.follow = true;
  base::Result<base::HttpAnswer> answer = http_.call(call, stop_.get_token());
  if (!answer) return {"unknown", answer.error().message, {}};
  return read_service(*answer);
}

}  // namespace serve
