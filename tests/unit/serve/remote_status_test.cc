#include "serve/remote_status.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "fake/status_fixture.h"

using nlohmann::json;
using remote::Mode;

namespace {

remote::BackendState backend() {
  remote::BackendState state;
  state.address = "grpcs://rbe.example.com";
  state.kind = "reapi";
  state.rights = {true, true, false};
  state.health.reached = true;
  state.health.latency_us = 38'000;
  state.sent_bytes = 7;
  return state;
}

std::string health(fake::StatusFixture& fixture) { return fixture.get("/healthz").body; }

}  // namespace

TEST_CASE("the remote side is told with mode, endpoints, rights, credentials and load") {
  fake::StatusFixture fixture;
  fixture.remote.mode = Mode::cluster;
  fixture.remote.backends = {backend()};
  fixture.remote.credentials = {true, true, "file /token", 1'800'000'000, ""};
  fixture.remote.in_flight = 12;
  fixture.remote.waiting = 3;
  fixture.remote.limit = 200;
  fixture.history.count_race(true);
  json status = json::parse(fixture.get("/api/v1/status").body);
  CHECK(status["mode"] == "cluster");
  json remote = status["remote"];
  CHECK(remote["mode"] == "cluster");
  CHECK(remote["backends"][0]["address"] == "grpcs://rbe.example.com");
  CHECK(remote["backends"][0]["breaker"] == "closed");
  CHECK(remote["backends"][0]["latency_us"] == 38'000);
  CHECK(remote["backends"][0]["rights"] == json({{"read", true}, {"execute", true}, {"update", false}}));
  CHECK(remote["backends"][0]["sent_bytes"] == 7);
  CHECK(remote["credentials"]["expires_ms"] == 1'800'000'000'000);
  CHECK(remote["credentials"]["source"] == "file /token");
  CHECK(remote["in_flight"] == 12);
  CHECK(remote["waiting"] == 3);
  CHECK(remote["limit"] == 200);
  CHECK(remote["races"]["remote"] == 1);
  CHECK(remote["races"]["local"] == 0);
  CHECK(remote["service"].is_null());
}

TEST_CASE("the service's own word is shown where there is a feed") {
  fake::StatusFixture fixture;
  fixture.service = {"degraded", "slow today", "99.95 %"};
  json service = json::parse(fixture.get("/api/v1/status").body)["remote"]["service"];
  CHECK(service == json({{"state", "degraded"}, {"text", "slow today"}, {"uptime", "99.95 %"}}));
}

TEST_CASE("a status without a remote side is local and well") {
  fake::StatusFixture fixture;
  serve::StatusSources sources = fixture.sources();
  sources.remote = nullptr;
  sources.service = nullptr;
  CHECK(serve::mode_of(sources) == "local");
  CHECK(serve::health_of(sources) == "ok");
  CHECK(serve::remote_json(sources)["backends"].empty());
}

TEST_CASE("cluster, cache-only and local are well as long as they are what was configured") {
  fake::StatusFixture fixture;
  fixture.remote.backends = {backend()};
  for (Mode mode : {Mode::cluster, Mode::cache_only, Mode::local, Mode::none}) {
    fixture.remote.mode = mode;
    CHECK(health(fixture) == "ok");
  }
  fixture.remote.mode = Mode::cache_only;
  fixture.remote.because = "no credentials are configured";
  CHECK(health(fixture) == "ok");
}

TEST_CASE("what does not work is told in words that count as running") {
  fake::StatusFixture fixture;
  fixture.remote.mode = Mode::cache_only;
  fixture.remote.because = "the token expired";
  fixture.remote.degraded = true;
  CHECK(health(fixture) == "running: cache-only: the token expired");
  fixture.remote.backends = {backend()};
  fixture.remote.backends[0].health.breaker = remote::Breaker::open;
  fixture.remote.backends[0].health.last_error = "connection refused";
  CHECK(health(fixture) ==
        "running: failed to connect to backend servers: grpcs://rbe.example.com: connection refused");
  CHECK(json::parse(fixture.get("/api/v1/status").body)["health"] == health(fixture));
}

TEST_CASE("trouble of the daemon itself goes first") {
  fake::StatusFixture fixture;
  fixture.health = "error: no disk";
  fixture.remote.degraded = true;
  CHECK(health(fixture) == "error: no disk");
}

TEST_CASE("no password reaches the page") {
  fake::StatusFixture fixture;
  remote::BackendState state = backend();
  state.address = "http://me:hush@host/";
  state.refusal = "GET http://me:hush@host/ac/1: 401";
  state.health.last_error = "authorization=hush";
  state.health.breaker = remote::Breaker::open;
  fixture.remote.backends = {state};
  fixture.remote.because = state.refusal;
  fixture.remote.credentials.problem = "Bearer hush";
  for (const char* path : {"/api/v1/status", "/healthz", "/"}) {
    CAPTURE(path);
    CHECK(fixture.get(path).body.find("hush") == std::string::npos);
  }
}
