// A Status over a small history and an empty store in a folder of its own.
#pragma once

#include <map>
#include <string>

#include "base/clock.h"
#include "cache/store.h"
#include "fake/temp_dir.h"
#include "serve/status.h"
#include "task/history.h"

namespace fake {

class StatusFixture {
 public:
  StatusFixture() : store_({folder_.path(), 1 << 30}, base::real_clock()) {}

  // Runs a task to its end and returns its id.
  std::uint64_t run(task::Record record, task::Result result) {
    record.id = history.begin(record);
    record.result = result;
    history.end(record);
    return record.id;
  }

  serve::StatusSources sources() {
    serve::StatusSources sources{};
    sources.history = &history;
    sources.store = &store_;
    sources.version = "0.1.0 (test)";
    sources.token = "t0ken";
    sources.socket_path = "/run/goma.ipc";
    sources.port = [] { return 8088; };
    sources.local_slots = [] { return 4; };
    sources.local_running = [] { return 2; };
    sources.local_waiting = [] { return 7; };
    sources.settings_json = [this] { return settings; };
    sources.health = [this] { return health; };
    sources.remote = [this] { return remote; };
    sources.service = [this] { return service; };
    sources.quit = [this] { ++quits; };
    return sources;
  }

  serve::HttpResponse get(const std::string& path, std::map<std::string, std::string> query = {}) {
    return ask("GET", path, std::move(query));
  }
  serve::HttpResponse post(const std::string& path) { return ask("POST", path, {}); }

  task::History history;
  std::string settings = "[]";
  std::string health = "ok";
  remote::TierState remote;
  serve::ServiceState service;
  int quits = 0;

 private:
  serve::HttpResponse ask(const std::string& method, const std::string& path,
                          std::map<std::string, std::string> query) {
    serve::HttpRequest request;
    request.method = method;
    request.path = path;
    request.query = std::move(query);
    return serve::Status(sources()).handle(request);
  }

  TempDir folder_;
  cache::Store store_;
};

}  // namespace fake
