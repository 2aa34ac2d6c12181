#include "serve/service_feed.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "base/text.h"

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
      {"pass", "up"},
      {"healthy", "up"},
      {"serving", "up"},
      {"operational", "up"},
      {"minor", "degraded"},
      {"warn", "degraded"},
      {"degraded", "degraded"},
      {"maintenance", "degraded"},
      {"major", "down"},
      {"critical", "down"},
      {"fail", "down"},
      {"unhealthy", "down"},
      {"down", "down"},
  };
  auto found = words.find(base::lower(word));
  return found == words.end() ? "unknown" : found->second;
}

// One line of it.
std::string first_line(std::string_view text) {
  std::string line;
  bool blank = false;
  for (char c : text.substr(0, 8 * kLongestText)) {
    bool space = static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
    if (c == '\n' && !line.empty()) break;
    if (!space && blank && !line.empty()) line += ' ';
    if (!space) line += c;
    blank = space;
  }
  return line.substr(0, kLongestText);
}

// Of a web page only the title is read. It says how things are in words, if at all.
ServiceState read_page(const std::string& body) {
  const std::string folded = base::lower(body.substr(0, 64u << 10));
  std::size_t begin = folded.find("<title");
  begin = begin == std::string::npos ? begin : folded.find('>', begin);
  std::size_t end = begin == std::string::npos ? begin : folded.find("</title", begin);
  if (end == std::string::npos) return {"unknown", "answers with a web page without a title", {}};
  std::string title = body.substr(begin + 1, end - begin - 1);
  std::replace(title.begin(), title.end(), '\n', ' ');
  title = first_line(title);
  const std::string words = base::lower(title);
  struct Sign {
    const char* part;
    const char* state;
  };
  // The worse ones first: "all operational but for an outage in ..." is no good news.
  for (const Sign& sign :
       {Sign{"major outage", "down"}, Sign{"service down", "down"}, Sign{"outage", "degraded"},
        Sign{"degraded", "degraded"}, Sign{"maintenance", "degraded"}, Sign{"all systems operational", "up"},
        Sign{"operational", "up"}}) {
    if (words.find(sign.part) != std::string::npos) return {sign.state, title, {}};
  }
  return {"unknown", title, {}};
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
  const std::string said = "answers with HTTP " + std::to_string(answer.status);
  if (answer.status >= 500) return {"down", said, {}};
  if (answer.status < 200 || answer.status >= 300) return {"unknown", said, {}};
  std::size_t begin = answer.body.find_first_not_of(" \t\r\n");
  const char first = begin == std::string::npos ? '\0' : answer.body[begin];
  if (first == '<') return read_page(answer.body);
  if (first != '{' && first != '[') {
    // A health check: that it answers is the answer, unless its word is another one.
    std::string line = first_line(answer.body);
    std::string state = state_of(line);
    return {state == "unknown" ? "up" : state, line.empty() ? said : line, {}};
  }
  json page = json::parse(answer.body, nullptr, false);
  if (!page.is_object()) return {"unknown", "answers with something else than a JSON object", {}};
  auto status = page.find("status");
  if (status != page.end() && status->is_object()) {
    return {state_of(text_of(*status, "indicator")), text_of(*status, "description"), uptime_of(page)};
  }
  bool has_state = page.contains("state");
  return {state_of(text_of(page, has_state ? "state" : "status")), text_of(page, "text"), uptime_of(page)};
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
    count(now);
    state_ = std::move(now);
    wake_.wait_for(lock, stop, interval_, [] { return false; });
  }
}

void ServiceFeed::count(ServiceState& now) {
  constexpr int kFewest = 10;
  if (now.state != "unknown") {
    ++known_;
    if (now.state != "down") ++up_;
  }
  if (!now.uptime.empty() || known_ < kFewest) return;
  char text[64];
  std::snprintf(text, sizeof text, "%.1f %% of %d checks", 100.0 * up_ / known_, known_);
  now.uptime = text;
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
