#include "serve/status.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <climits>
#include <optional>
#include <string_view>
#include <utility>

#include "serve/goma_pages.h"
#include "serve/page.h"
#include "serve/remote_status.h"
#include "serve/status_json.h"
#include "task/history.h"

namespace serve {
namespace {

constexpr std::size_t kDefaultTasks = 200;
constexpr std::size_t kMaxTasks = 10'000;  // as many as are kept
constexpr std::string_view kTaskPath = "/api/v1/tasks/";

HttpResponse text(std::string body, int status = 200) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

HttpResponse json_response(std::string body, int status = 200) {
  HttpResponse response = text(std::move(body), status);
  response.type = "application/json";
  return response;
}

std::optional<std::uint64_t> number(std::string_view digits) {
  std::uint64_t value = 0;
  auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || error != std::errc() || rest != digits.data() + digits.size()) return std::nullopt;
  return value;
}

// The number in the query, or `otherwise` when it is not there; nothing when it is no number.
std::optional<std::uint64_t> query_number(const HttpRequest& request, const char* name,
                                          std::uint64_t otherwise) {
  auto found = request.query.find(name);
  return found == request.query.end() ? otherwise : number(found->second);
}

HttpResponse tasks(const HttpRequest& request, const task::History& history) {
  std::optional<std::uint64_t> limit = query_number(request, "limit", kDefaultTasks);
  std::optional<std::uint64_t> after = query_number(request, "after", 0);
  if (!limit || !after) return json_response(error_json("limit and after are whole numbers"), 400);
  std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(*limit, kMaxTasks));
  return json_response(tasks_json(history, size, *after));
}

HttpResponse one_task(const HttpRequest& request, const task::History& history) {
  std::optional<std::uint64_t> id = number(std::string_view(request.path).substr(kTaskPath.size()));
  std::optional<task::Record> record = id ? history.find(*id) : std::nullopt;
  if (!record) return json_response(error_json("no task of this number is known (any more)"), 404);
  return json_response(task_json(*record));
}

HttpResponse post_only() {
  HttpResponse response = text("POST only\n", 405);
  response.headers["Allow"] = "POST";
  return response;
}

std::string program_path() {
  char path[PATH_MAX];
  ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
  return size > 0 ? std::string(path, static_cast<std::size_t>(size)) : std::string();
}

// The pages that the original client's scripts read.
std::optional<HttpResponse> old_page(const HttpRequest& request, const StatusSources& sources,
                                     std::int64_t uptime_s) {
  const std::string& path = request.path;
  if (path == "/healthz") return text(health_of(sources));
  if (path == "/portz") return text(std::to_string(sources.port ? sources.port() : 0) + "\n");
  if (path == "/versionz") return text(sources.version);
  if (path == "/progz") return text(program_path());
  if (path == "/flagz") return text(flagz_text(sources));
  if (path == "/histogramz") return text(histogramz_text(sources));
  if (path == "/logz") return text(logz_text(sources));
  if (path == "/errorz") return json_response(errorz_json(sources));
  if (path == "/api/accountz") return json_response(accountz_json(sources));
  if (path == "/api/taskz")
    return request.method == "POST" ? json_response(taskz_json(sources)) : post_only();
  if (path != "/statz") return std::nullopt;
  auto format = request.query.find("format");
  bool wants_json = format != request.query.end() && format->second == "json";
  return wants_json ? json_response(statz_json(sources, uptime_s)) : text(statz_text(sources, uptime_s));
}

}  // namespace

Status::Status(StatusSources sources) : sources_(std::move(sources)), start_ms_(now_ms()) {}

HttpResponse Status::handle(const HttpRequest& request) const {
  const std::string& path = request.path;
  if (path == "/") return start_page(request, sources_);
  if (path == "/api/v1/status") return json_response(status_json(sources_, start_ms_));
  if (path == "/api/v1/tasks") return tasks(request, *sources_.history);
  if (path.rfind(kTaskPath, 0) == 0) return one_task(request, *sources_.history);
  if (path == "/api/v1/settings") return json_response(settings_json(sources_));
  if (path == "/quitquitquit") {
    if (request.method != "POST") return post_only();
    if (sources_.quit) sources_.quit();
    return text("quit!");
  }
  if (std::optional<HttpResponse> file = page_file(request)) return std::move(*file);
  if (auto page = old_page(request, sources_, (now_ms() - start_ms_) / 1000)) return std::move(*page);
  return text("not found\n", 404);
}

}  // namespace serve
