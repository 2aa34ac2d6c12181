#include "serve/goma_pages.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "base/fd.h"
#include "cache/store.h"
#include "serve/redact.h"
#include "serve/remote_status.h"
#include "serve/status_json.h"
#include "task/history.h"

namespace serve {
namespace {

using nlohmann::json;

// The sums in the original client's words.
struct Sums {
  explicit Sums(const StatusSources& sources) : totals(sources.history->totals()) {
    if (sources.store != nullptr) store = sources.store->stats();
  }
  std::uint64_t of(const char* result) const {
    auto found = totals.results.find(result);
    return found == totals.results.end() ? 0 : found->second;
  }
  std::uint64_t success() const { return totals.ended - of("failed") - of("cancelled"); }
  std::uint64_t local_finished() const { return of("local_exec") + of("passthrough") + of("failed"); }
  std::uint64_t local_run() const { return local_finished() + of("cancelled"); }

  task::Totals totals;
  cache::StoreStats store;
};

std::uint64_t resident_bytes() {
  base::Result<std::string> statm = base::read_file("/proc/self/statm", 4096);
  if (!statm) return 0;
  unsigned long long size = 0;
  unsigned long long resident = 0;
  if (std::sscanf(statm->c_str(), "%llu %llu", &size, &resident) != 2) return 0;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void put_store(std::ostream& out, const cache::StoreStats& store) {
  std::uint64_t saved = static_cast<std::uint64_t>(std::max<std::int64_t>(store.outcomes, 0));
  out << "localoutputcache:\n"
      << " save_success=" << saved << " save_success_time_ms=0 save_failure=" << store.write_errors << "\n"
      << " lookup_success=" << store.hits << " lookup_success_time_ms=0 lookup_miss=" << store.misses
      << " lookup_failure=" << store.damaged << "\n"
      << " commit_success=" << store.hits << " commit_success_time_ms=0 commit_failure=0\n"
      << " gc_count=0 gc_total_time_ms=0\n"
      << " gc_removed_items=" << store.evicted << " gc_removed_bytes=0\n"
      << " total_cache_count=" << store.outcomes << " total_cache_bytes=" << store.bytes << "\n";
}

json settings_of(const StatusSources& sources) {
  json settings = json::parse(settings_json(sources), nullptr, false);
  return settings.is_array() ? settings : json::array();
}

std::string shown_text(const json& object, const char* key) {
  if (!object.is_object() || !object.contains(key)) return {};
  return object[key].is_string() ? object[key].get<std::string>() : object[key].dump();
}

json old_task(const task::Record& record) {
  json old = {
      {"id", record.id}, {"pid", record.pid}, {"state", to_string(record.result)}, {"summaryOnly", 1}};
  old["command"] = redact(record.command);
  if (record.result == task::Result::running) {
    old["elapsed"] = std::to_string(std::max<std::int64_t>(0, now_ms() - record.start_ms)) + " ms";
    return old;
  }
  old["duration"] = std::to_string(record.total_us / 1000) + " ms";
  old["exit"] = record.exit_code;
  if (record.result == task::Result::local_hit) old["cache"] = "local hit";
  if (record.result == task::Result::remote_hit) old["cache"] = "hit";
  if (record.result == task::Result::cancelled) old["canceled"] = 1;
  return old;
}

void put_histogram(std::ostream& out, const std::string& name, const std::vector<std::uint64_t>& times_us) {
  // Buckets by powers of two of milliseconds: below 1, 1, 2-3, 4-7, ...
  std::map<int, std::size_t> buckets;
  std::uint64_t sum = 0;
  std::size_t most = 0;
  for (std::uint64_t time : times_us) {
    int bucket = 0;
    for (std::uint64_t ms = time / 1000; ms != 0; ms /= 2) ++bucket;
    most = std::max(most, ++buckets[bucket]);
    sum += time;
  }
  out << name << ": count=" << times_us.size() << " mean=" << sum / times_us.size() << " us\n";
  for (const auto& [bucket, count] : buckets) {
    char line[64];
    std::snprintf(line, sizeof line, "  < %10llu ms %8zu ", 1ULL << bucket, count);
    out << line << std::string(std::max<std::size_t>(1, count * 50 / most), '#') << "\n";
  }
}

}  // namespace

std::string statz_text(const StatusSources& sources, std::int64_t uptime_s) {
  Sums sums(sources);
  std::ostringstream out;
  out << "request: total=" << sums.totals.started << " success=" << sums.success()
      << " failure=" << sums.of("failed") << "\n"
      << " compiler_proxy: fail=0\n"
      << " compiler_info: count=0 used=0 stores=0 store_dups=0 miss=0 fail=0\n"
      << " goma: finished=" << sums.of("remote_exec") + sums.of("remote_hit")
      << " cache_hit=" << sums.of("remote_hit") << " local_cachehit=" << sums.of("local_hit")
      << " aborted=0 retry=0 fail=0\n"
      << " fallback_in_setup:\n"
      << "  parse_fail=0 no_remote=" << sums.of("passthrough") << " http_disabled=0\n"
      << "  compiler_info_fail=0 compiler_disabled=0 requested_by_user=0 update_required_files=0\n"
      << " local: run=" << sums.local_run() << " killed=" << sums.of("cancelled")
      << " finished=" << sums.local_finished() << "\n";
  if (!sums.totals.reasons.empty()) {
    out << " local run reason:\n";
    for (const auto& [reason, count] : sums.totals.reasons) out << "  " << reason << "=" << count << "\n";
  }
  out << "files: requested=0 uploaded=0 missed=0 dropped=0\n"
      << "outputs: files=0 rename=0 buf=0 peak_req=" << sums.totals.max_active << "\n"
      << "memory: consuming=" << resident_bytes() << "\n"
      << "time: uptime=" << uptime_s << "\n"
      << "include_processor: total=" << sums.totals.ended << " skipped=" << sums.of("passthrough")
      << " total_wait_time=0 total_run_time="
      << sums.totals.phase_us[static_cast<std::size_t>(task::Phase::scan)] / 1000 << "\n"
      << "includecache:\n"
      << "  entries=0 hit=0 missed=0 updated=0 evicted=0\n"
      << "depscache: table_size=0 max=0 total=0 average=0 idtable=0 hit=0 updated=0 missed=0\n";
  put_store(out, sums.store);
  out << "http_rpc: query=0 retry=0 timeout=0 error=0\n"
      << "burst_mode: by_network=0 by_compiler_disabled=0\n";
  return out.str();
}

std::string statz_json(const StatusSources& sources, std::int64_t uptime_s) {
  Sums sums(sources);
  json goma = {{"finished", sums.of("remote_exec") + sums.of("remote_hit")},
               {"cacheHit", sums.of("remote_hit")},
               {"localCacheHit", sums.of("local_hit")},
               {"aborted", 0},
               {"retry", 0},
               {"fail", 0}};
  json local = {{"run", sums.local_run()},
                {"killed", sums.of("cancelled")},
                {"finished", sums.local_finished()},
                {"runReasons", sums.totals.reasons}};
  json request = {{"total", sums.totals.started}, {"success", sums.success()},
                  {"failure", sums.of("failed")}, {"compilerProxy", {{"fail", 0}}},
                  {"goma", std::move(goma)},      {"local", std::move(local)}};
  json cache = {{"saveFailure", sums.store.write_errors}, {"lookupSuccess", sums.store.hits},
                {"lookupMiss", sums.store.misses},        {"gcRemovedItems", sums.store.evicted},
                {"totalCacheCount", sums.store.outcomes}, {"totalCacheBytes", sums.store.bytes}};
  return json_text({{"requestStats", std::move(request)},
                    {"memoryStats", {{"consuming", resident_bytes()}}},
                    {"timeStats", {{"uptime", uptime_s}}},
                    {"localOutputCacheStats", std::move(cache)},
                    {"httpRpcStats", {{"query", 0}, {"retry", 0}, {"timeout", 0}, {"error", 0}}}});
}

std::string flagz_text(const StatusSources& sources) {
  std::string text;
  for (const json& setting : settings_of(sources)) {
    // "environment GOMA_NAME", or with ", bounded" behind it
    std::string origin = shown_text(setting, "origin");
    std::size_t variable = origin.find("GOMA_");
    if (origin.rfind("environment", 0) != 0 || variable == std::string::npos) continue;
    std::string name = origin.substr(variable);
    text += name.substr(0, name.find(',')) + "=" + shown_text(setting, "value") + "\n";
  }
  return text;
}

std::string errorz_json(const StatusSources& sources) {
  Sums sums(sources);
  json infra = {{"ping_status_code", 200},
                {"num_http_sent", 0},
                {"num_http_active", 0},
                {"num_http_retry", 0},
                {"num_http_timeout", 0},
                {"num_http_error", 0},
                {"num_network_error", 0},
                {"num_network_recovered", 0},
                {"num_compiler_info_miss", 0},
                {"num_compiler_info_fail", 0},
                {"num_exec_fail_fallback", 0},
                {"num_exec_compiler_proxy_failure", 0},
                {"num_user_error", sums.of("failed")},
                {"num_active_tasks", sums.totals.started - sums.totals.ended}};
  json notice = {{"version", 1}, {"infra_status", std::move(infra)}};
  return json_text({{"notice", json::array({std::move(notice)})}});
}

std::string accountz_json(const StatusSources& sources) {
  return json_text({{"status", health_of(sources)}});
}

std::string taskz_json(const StatusSources& sources) {
  constexpr std::size_t kFinished = 1024;
  Sums sums(sources);
  json active = json::array();
  json finished = json::array();
  json failed = json::array();
  for (const task::Record& record : sources.history->active()) active.push_back(old_task(record));
  for (const task::Record& record : sources.history->ended(kFinished)) {
    (record.result == task::Result::failed ? failed : finished).push_back(old_task(record));
  }
  json exec = {{"max_active_tasks", sums.totals.max_active},
               {"pending", 0},
               {"request", sums.totals.started},
               {"success", sums.success()},
               {"failure", sums.of("failed")},
               {"goma_cache_hit", sums.of("remote_hit")},
               {"goma_local_cache_hit", sums.of("local_hit")},
               {"local_run", sums.local_run()},
               {"local_killed", sums.of("cancelled")},
               {"local_finished", sums.local_finished()}};
  return json_text({{"active", std::move(active)},
                    {"finished", std::move(finished)},
                    {"failed", std::move(failed)},
                    {"long", json::array()},
                    {"num_exec", std::move(exec)},
                    {"goma_version", json::array({sources.version})},
                    {"last_update_ms", now_ms()}});
}

std::string histogramz_text(const StatusSources& sources) {
  std::map<std::string, std::vector<std::uint64_t>> times;
  for (const task::Record& record : sources.history->ended(10'000)) {
    times[std::string("handler_time ") + to_string(record.result)].push_back(record.total_us);
    for (std::size_t i = 0; i < task::kPhases; ++i) {
      if (record.phase_us[i] == 0) continue;
      times[std::string("phase ") + to_string(static_cast<task::Phase>(i))].push_back(record.phase_us[i]);
    }
  }
  std::ostringstream out;
  for (const auto& [name, values] : times) put_histogram(out, name, values);
  return times.empty() ? "no task has ended yet\n" : out.str();
}

std::string logz_text(const StatusSources& sources) {
  constexpr off_t kTail = 256 * 1024;
  if (sources.log_path.empty()) return "the log goes to standard error\n";
  base::Result<base::Fd> file = base::open_file(sources.log_path, O_RDONLY);
  if (!file) return file.error().message + "\n";
  off_t end = ::lseek(file->get(), 0, SEEK_END);
  off_t begin = std::max<off_t>(0, end - kTail);
  std::string text(static_cast<std::size_t>(std::max<off_t>(0, end - begin)), '\0');
  ssize_t got = ::pread(file->get(), text.data(), text.size(), begin);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (begin > 0) text.erase(0, std::min(text.find('\n') + 1, text.size()));
  return text;
}

}  // namespace serve
