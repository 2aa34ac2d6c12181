// Serves the status page over a made-up history, for the page's tests and pictures: page_server [TASKS].
// Prints the port, adds a task whenever a line comes on standard input, and ends when that is closed.
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>

#include "base/clock.h"
#include "cache/store.h"
#include "fake/temp_dir.h"
#include "serve/http.h"
#include "serve/status.h"
#include "serve/status_json.h"
#include "task/history.h"

namespace {

constexpr std::array kSources = {
    "third_party/abseil-cpp/absl/strings/cord.cc",
    "third_party/abseil-cpp/absl/container/internal/raw_hash_set.cc",
    "third_party/re2/re2/dfa.cc",
    "third_party/blink/renderer/core/layout/ng/inline/ng_inline_layout_algorithm.cc",
    "net/http/http_cache_transaction.cc",
    "base/logging.cc",
    "googletest/src/gtest-all.cc",
    "v8/src/compiler/backend/x64/instruction-selector-x64.cc",
    "ui/gfx/geometry/rect_f.cc",
    "media/filters/<script>alert(1)</script>.cc",
};

constexpr std::array kReasons = {
    "several_sources: 2 sources in one command",   "date_macro: __TIME__ is expanded in build/version.cc",
    "unknown_flag: -fplugin-arg-lint=strict",      "assembler: no preprocessing in boot.s",
    "other_namespace: gomacc runs in a container",
};

class Build {
 public:
  explicit Build(task::History& history) : history_(history) {}

  void add_ended(std::int64_t start_ms) {
    task::Record record = made_up(start_ms);
    record.id = history_.begin(record);
    int dice = static_cast<int>(random_() % 100);
    if (dice < 72) {
      hit(record, dice < 50 ? task::Result::local_hit : task::Result::remote_hit);
    } else if (dice < 90) {
      compile(record, dice < 84 ? task::Result::local_exec : task::Result::remote_exec);
    } else {
      record.reason = kReasons[random_() % kReasons.size()];
      compile(record, task::Result::passthrough);
    }
    if (dice == 89) {
      record.result = task::Result::failed;
      record.exit_code = 1;
    }
    history_.end(record);
  }

  void add_running(std::int64_t start_ms) {
    task::Record record = made_up(start_ms);
    record.id = history_.begin(record);
    set(record, task::Phase::accept, 90);
    set(record, task::Phase::scan, 2'000);
    history_.update(record);
  }

 private:
  task::Record made_up(std::int64_t start_ms) {
    task::Record record;
    record.source = kSources[random_() % kSources.size()];
    record.output = "obj/" + record.source.substr(0, record.source.rfind('.')) + ".o";
    record.directory = "/home/me/src/out/Release";
    record.command =
        "clang++ -DNDEBUG -DAPI_TOKEN=hunter2 -I../.. -std=c++20 -O2 -g1 -fno-exceptions -MMD -MF " +
        record.output + ".d -c ../../" + record.source + " -o " + record.output;
    record.action = "3f786850e387550fdab836ed7e6dc881de23001b3f786850e387550fdab836ed";
    record.pid = 4000 + static_cast<int>(random_() % 1000);
    record.inputs = 200 + static_cast<std::uint32_t>(random_() % 500);
    record.start_ms = start_ms;
    record.compile_us = 800'000 + random_() % 9'000'000;
    return record;
  }

  void set(task::Record& record, task::Phase phase, std::uint64_t about_us) {
    std::uint64_t us = about_us / 2 + random_() % about_us;
    record.phase_us[static_cast<std::size_t>(phase)] = us;
    record.total_us += us;
  }

  void hit(task::Record& record, task::Result result) {
    record.result = result;
    set(record, task::Phase::accept, 60);
    set(record, task::Phase::scan, 700);
    set(record, task::Phase::digest, 150);
    if (result == task::Result::local_hit) {
      set(record, task::Phase::lookup, 120);
    } else {
      set(record, task::Phase::remote, 30'000);
    }
    set(record, task::Phase::write, 500);
  }

  void compile(task::Record& record, task::Result result) {
    record.result = result;
    set(record, task::Phase::accept, 60);
    set(record, task::Phase::scan, 40'000);
    set(record, task::Phase::digest, 9'000);
    if (result == task::Result::remote_exec) {
      set(record, task::Phase::lookup, 120);
      run_remotely(record);
    } else {
      set(record, task::Phase::slot_wait, 900'000);
      set(record, task::Phase::execute, record.compile_us);
    }
    set(record, task::Phase::store, 15'000);
  }

  // Of the time that the cluster takes, some passes in its queue and most on a worker.
  void run_remotely(task::Record& record) {
    set(record, task::Phase::remote, record.compile_us);
    std::uint64_t whole = record.phase_us[static_cast<std::size_t>(task::Phase::remote)];
    record.phase_us[static_cast<std::size_t>(task::Phase::queue)] = whole / 5;
    record.phase_us[static_cast<std::size_t>(task::Phase::worker)] = whole * 3 / 5;
  }

  task::History& history_;
  std::minstd_rand random_{7};
};

remote::TierState remote_side() {
  remote::TierState state;
  state.mode = remote::Mode::cluster;
  remote::BackendState engine;
  engine.address = "grpcs://rbe.example.com:443";
  engine.kind = "reapi";
  engine.rights = {true, true, false};
  engine.health.reached = true;
  engine.health.latency_us = 38'000;
  engine.sent_bytes = 31'000'000;
  engine.received_bytes = 1'200'000'000;
  state.backends = {engine};
  state.credentials = {true, true, "helper /usr/bin/login-helper", serve::now_ms() / 1000 + 3 * 3600 + 60,
                       ""};
  state.in_flight = 124;
  state.waiting = 14;
  state.limit = 200;
  return state;
}

serve::StatusSources sources_of(const task::History& history, cache::Store& store, const std::string& token) {
  serve::StatusSources sources{};
  sources.history = &history;
  sources.store = &store;
  sources.version = "0.1.0 (git 0123abc, g++ 12.2, protocol 1)";
  sources.token = token;
  sources.remote = remote_side;
  sources.service = [] { return serve::ServiceState{"up", "All systems operational", "99.95 %"}; };
  sources.local_slots = [] { return 8; };
  sources.local_running = [] { return 6; };
  sources.local_waiting = [] { return 31; };
  return sources;
}

}  // namespace

int main(int argc, char** argv) {
  int tasks = 200;
  if (argc > 1) std::from_chars(argv[1], argv[1] + std::strlen(argv[1]), tasks);
  task::History history;
  Build build(history);
  std::int64_t now = serve::now_ms();
  for (int i = 0; i < tasks; ++i) build.add_ended(now - (tasks - i) * 170);
  for (int i = 0; i < (tasks > 0 ? 6 : 0); ++i) build.add_running(now - i * 450);

  fake::TempDir folder;
  cache::Store store({folder.path(), std::int64_t{64} << 20}, base::real_clock());
  std::string bytes(std::size_t{1} << 20, '\0');
  std::minstd_rand random;
  for (int i = 0; i < tasks / 10; ++i) {
    for (char& c : bytes) c = static_cast<char>(random());
    if (!store.add(bytes)) return 1;
  }
  serve::HttpOptions options;
  options.first_port = 0;
  options.token = "0123456789abcdef";
  serve::Status status(sources_of(history, store, options.token));
  serve::HttpServer server(options,
                           [&](const serve::HttpRequest& request) { return status.handle(request); });
  base::Result<int> port = server.start();
  if (!port) {
    std::fprintf(stderr, "page_server: %s\n", port.error().message.c_str());
    return 1;
  }
  std::printf("%d\n", *port);
  std::fflush(stdout);
  char c;
  while (::read(STDIN_FILENO, &c, 1) == 1) {
    if (c == '\n') build.add_ended(serve::now_ms());
  }
  return 0;
}
