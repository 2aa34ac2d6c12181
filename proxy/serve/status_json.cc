#include "serve/status_json.h"

#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/clock.h"
#include "cache/store.h"
#include "serve/redact.h"
#include "serve/remote_status.h"

namespace serve {
namespace {

bool has_text(const nlohmann::json& value) { return value.is_string() && !value.get<std::string>().empty(); }

using nlohmann::json;

std::uint64_t count_of(const task::Totals& totals, task::Result result) {
  auto found = totals.results.find(to_string(result));
  return found == totals.results.end() ? 0 : found->second;
}

// Only the phases that took time, so that a list of tasks stays short.
json phases_of(const std::array<std::uint64_t, task::kPhases>& phase_us) {
  json phases = json::object();
  for (std::size_t i = 0; i < task::kPhases; ++i) {
    if (phase_us[i] != 0) phases[to_string(static_cast<task::Phase>(i))] = phase_us[i];
  }
  return phases;
}

json row_of(const task::Record& record) {
  std::uint64_t total = record.total_us;
  if (record.result == task::Result::running) {
    total = static_cast<std::uint64_t>(std::max<std::int64_t>(0, now_ms() - record.start_ms)) * 1000;
  }
  return {{"id", record.id},
          {"result", to_string(record.result)},
          {"exit_code", record.exit_code},
          {"start_ms", record.start_ms},
          {"total_us", total},
          {"compile_us", record.compile_us},
          {"phases_us", phases_of(record.phase_us)},
          {"source", record.source},
          {"output", record.output},
          {"reason", redact(record.reason)}};
}

json rows_of(const std::vector<task::Record>& records) {
  json rows = json::array();
  for (const task::Record& record : records) rows.push_back(row_of(record));
  return rows;
}

json store_of(cache::Store* store) {
  if (store == nullptr) return nullptr;
  cache::StoreStats stats = store->stats();
  return {{"bytes", stats.bytes},
          {"limit_bytes", stats.limit_bytes},
          {"outcomes", stats.outcomes},
          {"blobs", stats.blobs},
          {"hits", stats.hits},
          {"misses", stats.misses},
          {"evicted", stats.evicted},
          {"damaged", stats.damaged},
          {"write_errors", stats.write_errors},
          {"last_error", stats.last_error}};
}

int value_of(const std::function<int()>& function) { return function ? function() : 0; }

}  // namespace

std::string json_text(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(base::real_clock().wall()).count();
}

HitRate hit_rate(const task::Totals& totals) {
  std::uint64_t hits = count_of(totals, task::Result::local_hit) + count_of(totals, task::Result::remote_hit);
  std::uint64_t compiled =
      count_of(totals, task::Result::remote_exec) + count_of(totals, task::Result::local_exec);
  return {hits, hits + compiled};
}

std::string status_json(const StatusSources& sources, std::int64_t start_ms) {
  task::Totals totals = sources.history->totals();
  HitRate rate = hit_rate(totals);
  json results = json::object();
  for (int i = 1; i <= static_cast<int>(task::Result::cancelled); ++i) {
    auto result = static_cast<task::Result>(i);
    results[to_string(result)] = count_of(totals, result);
  }
  json status = {
      {"version", sources.version}, {"mode", mode_of(sources)},       {"health", health_of(sources)},
      {"pid", ::getpid()},          {"port", value_of(sources.port)}, {"socket", sources.socket_path},
      {"log", sources.log_path},    {"start_ms", start_ms},           {"now_ms", now_ms()}};
  status["slots"] = {{"limit", value_of(sources.local_slots)},
                     {"running", value_of(sources.local_running)},
                     {"waiting", value_of(sources.local_waiting)}};
  status["tasks"] = {{"started", totals.started},
                     {"ended", totals.ended},
                     {"active", totals.started - totals.ended},
                     {"max_active", totals.max_active},
                     {"mismatches", totals.mismatches},
                     {"saved_us", totals.saved_us},
                     {"hits", rate.hits},
                     {"cacheable", rate.asked}};
  status["tasks"]["hit_rate"] = nullptr;
  if (rate.asked != 0) {
    status["tasks"]["hit_rate"] = static_cast<double>(rate.hits) / static_cast<double>(rate.asked);
  }
  status["results"] = std::move(results);
  status["reasons"] = totals.reasons;
  status["phases_us"] = phases_of(totals.phase_us);
  status["store"] = store_of(sources.store);
  status["remote"] = remote_json(sources);
  return json_text(status);
}

std::string tasks_json(const task::History& history, std::size_t limit, std::uint64_t after) {
  // The count is read before the tasks, so one that ends in between is listed twice rather than never. The
  // running ones are read first for the same reason: a task that ends meanwhile is then in both lists.
  std::vector<task::Record> active = history.active();
  std::uint64_t next = history.totals().ended;
  return json_text(
      {{"active", rows_of(active)}, {"ended", rows_of(history.ended(limit, after))}, {"next", next}});
}

std::string task_json(const task::Record& record) {
  json detail = row_of(record);
  detail["pid"] = record.pid;
  detail["inputs"] = record.inputs;
  detail["directory"] = record.directory;
  detail["command"] = redact(record.command);
  detail["action"] = record.action;
  return json_text(detail);
}

std::string settings_json(const StatusSources& sources) {
  json settings = json::parse(sources.settings_json ? sources.settings_json() : "[]", nullptr, false);
  if (settings.is_discarded()) return error_json("the settings cannot be shown");
  if (settings.is_array()) {
    for (json& setting : settings) {
      if (!setting.is_object() || !setting.contains("value") || !setting.contains("name")) continue;
      const json& name = setting["name"];
      if (name.is_string() && names_secret(name.get<std::string>()) && has_text(setting["value"])) {
        setting["value"] = "[hidden]";
      }
    }
  }
  return json_text(settings);
}

std::string error_json(const std::string& message) { return json_text({{"error", message}}); }

}  // namespace serve
