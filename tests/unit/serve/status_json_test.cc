#include "serve/status_json.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "fake/status_fixture.h"

using nlohmann::json;

TEST_CASE("the status tells sums, slots, store and hit rate") {
  fake::StatusFixture fixture;
  task::Record record;
  record.compile_us = 2'000'000;
  record.phase_us[static_cast<std::size_t>(task::Phase::lookup)] = 5;
  fixture.run(record, task::Result::local_hit);
  fixture.run(record, task::Result::local_hit);
  fixture.run(record, task::Result::local_hit);
  fixture.run(record, task::Result::local_exec);
  record.reason = "unknown_flag: -foo";
  fixture.run(record, task::Result::passthrough);
  fixture.history.begin({});

  json status = json::parse(serve::status_json(fixture.sources(), 1000));
  CHECK(status["mode"] == "local");
  CHECK(status["start_ms"] == 1000);
  CHECK(status["slots"]["limit"] == 4);
  CHECK(status["slots"]["running"] == 2);
  CHECK(status["slots"]["waiting"] == 7);
  CHECK(status["tasks"]["active"] == 1);
  CHECK(status["tasks"]["hits"] == 3);
  CHECK(status["tasks"]["cacheable"] == 4);
  CHECK(status["tasks"]["hit_rate"] == doctest::Approx(0.75));
  CHECK(status["tasks"]["saved_us"] == 6'000'000);
  CHECK(status["results"]["passthrough"] == 1);
  CHECK(status["results"]["failed"] == 0);
  CHECK(status["reasons"]["unknown_flag"] == 1);
  CHECK(status["phases_us"]["lookup"] == 25);
  CHECK(status["store"]["limit_bytes"] == 1 << 30);
}

TEST_CASE("without tasks there is no hit rate, and without a store none is shown") {
  fake::StatusFixture fixture;
  serve::StatusSources sources = fixture.sources();
  sources.store = nullptr;
  sources.health = nullptr;
  sources.local_slots = nullptr;
  json status = json::parse(serve::status_json(sources, 0));
  CHECK(status["tasks"]["hit_rate"].is_null());
  CHECK(status["store"].is_null());
  CHECK(status["health"] == "ok");
  CHECK(status["slots"]["limit"] == 0);
}

TEST_CASE("bytes that are no UTF-8 and markup travel safely") {
  task::Record record;
  record.source = "a\xff\"</script>.cc";
  record.command = "g++ -DAPI_TOKEN=abc \xfe";
  record.reason = "x: -DMY_SECRET=1";
  std::string text = serve::task_json(record);
  json task = json::parse(text);
  CHECK(task["source"] == "a\xef\xbf\xbd\"</script>.cc");
  CHECK(task["reason"] == "x: -DMY_SECRET=[hidden]");
  CHECK(text.find("abc") == std::string::npos);
}

TEST_CASE("only phases that took time are listed") {
  task::Record record;
  record.phase_us[static_cast<std::size_t>(task::Phase::scan)] = 3;
  json task = json::parse(serve::task_json(record));
  CHECK(task["phases_us"] == json({{"scan", 3}}));
}

TEST_CASE("secret settings are hidden, the others are not") {
  fake::StatusFixture fixture;
  fixture.settings = R"([{"name":"authorization_file","value":"/x","origin":"environment"},
                         {"name":"credential_helper","value":"","origin":"default"},
                         {"name":"port","value":8088,"origin":"default"}, 7, {"name":1,"value":2}])";
  json settings = json::parse(serve::settings_json(fixture.sources()));
  CHECK(settings[0]["value"] == "[hidden]");
  CHECK(settings[1]["value"] == "");
  CHECK(settings[2]["value"] == 8088);
  fixture.settings = "{";
  CHECK(json::parse(serve::settings_json(fixture.sources())).contains("error"));
}
