#include "serve/page.h"

#include <cstdio>
#include <vector>

#include "cache/store.h"
#include "serve/page_files.h"
#include "serve/redact.h"
#include "serve/remote_status.h"
#include "serve/status_json.h"
#include "task/history.h"

namespace serve {
namespace {

constexpr std::size_t kPlainTasks = 100;

constexpr std::string_view kPlainStyle =
    ":root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;"
    "padding:0 1rem}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.25rem .75rem "
    ".25rem "
    "0;border-bottom:1px solid #8884;vertical-align:top}td.n{text-align:right;white-space:nowrap;"
    "font-variant-numeric:tabular-nums}.bad{color:#d33}\n";

bool takes_gzip(const HttpRequest& request) {
  auto found = request.headers.find("accept-encoding");
  return found != request.headers.end() && found->second.find("gzip") != std::string::npos;
}

std::string in_words(std::string label) {
  for (char& c : label) {
    if (c == '_') c = ' ';
  }
  return label;
}

std::string seconds_of(std::uint64_t us) {
  char text[32];
  std::snprintf(text, sizeof text, us < 10'000'000 ? "%.3f s" : "%.1f s", static_cast<double>(us) / 1e6);
  return text;
}

std::string gibibytes_of(std::int64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f GiB", static_cast<double>(bytes) / (1 << 30));
  return text;
}

void put_row(std::string& html, const char* name, const std::string& value) {
  html += std::string("<tr><th scope=\"row\">") + name + "</th><td>" + escape_html(value) + "</td></tr>\n";
}

void put_task(std::string& html, const task::Record& record) {
  std::uint64_t total = record.total_us;
  if (record.result == task::Result::running) {
    total = static_cast<std::uint64_t>(std::max<std::int64_t>(0, now_ms() - record.start_ms)) * 1000;
  }
  bool bad = record.result == task::Result::failed;
  html += std::string("<tr><td") + (bad ? " class=\"bad\">" : ">") + in_words(to_string(record.result)) +
          "</td><td>" + escape_html(record.source.empty() ? record.output : record.source) +
          "</td><td class=\"n\">" + seconds_of(total) + "</td><td>" +
          escape_html(in_words(redact(record.reason))) + "</td></tr>\n";
}

std::string hits_in_words(const task::Totals& totals) {
  HitRate rate = hit_rate(totals);
  if (rate.asked == 0) return "no compile yet";
  char text[96];
  std::snprintf(text, sizeof text, "%.1f %% (%llu of %llu)",
                100.0 * static_cast<double>(rate.hits) / static_cast<double>(rate.asked),
                static_cast<unsigned long long>(rate.hits), static_cast<unsigned long long>(rate.asked));
  return text;
}

void put_store(std::string& html, cache::Store* store) {
  if (store == nullptr) return;
  cache::StoreStats stats = store->stats();
  put_row(html, "Cache", gibibytes_of(stats.bytes) + " of " + gibibytes_of(stats.limit_bytes));
  if (!stats.last_error.empty()) put_row(html, "Cache error", stats.last_error);
}

void put_remote(std::string& html, const StatusSources& sources) {
  remote::TierState state = sources.remote ? sources.remote() : remote::TierState{};
  put_row(html, "Mode",
          std::string(remote::to_string(state.mode)) +
              (state.because.empty() ? "" : " (" + redact(state.because) + ")"));
  for (const remote::BackendState& backend : state.backends)
    put_row(html, "Endpoint", redact(backend.address));
  if (state.backends.empty()) return;
  put_row(html, "Remote calls",
          std::to_string(state.in_flight) + " of " + std::to_string(state.limit) + " in flight, " +
              std::to_string(state.waiting) + " waiting");
}

HttpResponse plain_page(const StatusSources& sources) {
  task::Totals totals = sources.history->totals();
  std::string html =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" "
      "content=\"5\">"
      "<meta name=\"viewport\" content=\"width=device-width\"><title>goma</title>"
      "<link rel=\"stylesheet\" href=\"/static/plain.css\"></head><body>\n<h1>goma</h1>\n<table>\n";
  put_row(html, "Status", health_of(sources));
  put_remote(html, sources);
  put_row(html, "Version", sources.version);
  put_row(
      html, "Tasks",
      std::to_string(totals.ended) + " done, " + std::to_string(totals.started - totals.ended) + " running");
  put_row(html, "Hit rate", hits_in_words(totals));
  put_row(html, "Saved", seconds_of(totals.saved_us) + " of processor time");
  if (sources.local_running && sources.local_slots) {
    put_row(
        html, "Local slots",
        std::to_string(sources.local_running()) + " of " + std::to_string(sources.local_slots()) + " in use");
  }
  put_store(html, sources.store);
  html += "</table>\n";
  if (!totals.reasons.empty()) {
    html += "<h2>Why not cached</h2>\n<table>\n";
    for (const auto& [label, count] : totals.reasons) {
      put_row(html, escape_html(in_words(label)).c_str(), std::to_string(count));
    }
    html += "</table>\n";
  }
  html +=
      "<h2>Tasks</h2>\n<table><thead><tr><th scope=\"col\">Result</th><th scope=\"col\">Source</th>"
      "<th scope=\"col\">Time</th><th scope=\"col\">Reason</th></tr></thead><tbody>\n";
  for (const task::Record& record : sources.history->active()) put_task(html, record);
  for (const task::Record& record : sources.history->ended(kPlainTasks)) put_task(html, record);
  html += "</tbody></table>\n</body></html>\n";
  HttpResponse response;
  response.type = "text/html; charset=utf-8";
  response.body = std::move(html);
  return response;
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
    }
  }
  return result;
}

HttpResponse start_page(const HttpRequest& request, const StatusSources& sources) {
  if (kPageFileCount == 0 || !takes_gzip(request) || request.query.count("plain") != 0)
    return plain_page(sources);
  HttpResponse response;
  response.type = "text/html; charset=utf-8";
  response.body =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
      "<meta name=\"goma-token\" content=\"" +
      escape_html(sources.token) +
      "\">"
      "<title>goma</title><link rel=\"icon\" href=\"/static/icon.svg\" type=\"image/svg+xml\">"
      "<link rel=\"stylesheet\" href=\"/static/app.css\"><script type=\"module\" "
      "src=\"/static/app.js\"></script>"
      "</head><body><noscript>This page needs JavaScript; the <a href=\"/?plain=1\">plain page</a> does not."
      "</noscript></body></html>\n";
  return response;
}

std::optional<HttpResponse> page_file(const HttpRequest& request) {
  HttpResponse response;
  if (request.path == "/static/plain.css") {
    response.type = "text/css; charset=utf-8";
    response.body = kPlainStyle;
    return response;
  }
  for (std::size_t i = 0; i < kPageFileCount; ++i) {
    const PageFile& file = kPageFiles[i];
    if (request.path != file.path) continue;
    response.type = file.type;
    response.headers = {{"ETag", std::string(file.etag)}, {"Cache-Control", "no-cache"}};
    auto known = request.headers.find("if-none-match");
    if (known != request.headers.end() && known->second == file.etag) {
      response.status = 304;
      return response;
    }
    response.headers["Content-Encoding"] = "gzip";
    response.body = file.bytes;
    return response;
  }
  return std::nullopt;
}

}  // namespace serve
