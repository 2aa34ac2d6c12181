#include "serve/status.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "fake/status_fixture.h"

using nlohmann::json;

TEST_CASE("the pages of goma's scripts answer in their words") {
  fake::StatusFixture fixture;
  CHECK(fixture.get("/healthz").body == "ok");
  CHECK(fixture.get("/portz").body == "8088\n");
  CHECK(fixture.get("/versionz").body == "0.1.0 (test)");
  CHECK(fixture.get("/progz").body.find("unit_serve") != std::string::npos);
  CHECK(json::parse(fixture.get("/errorz").body)["notice"][0]["version"] == 1);
  CHECK(json::parse(fixture.get("/api/accountz").body)["status"] == "ok");
  fixture.health = "error: no cluster";
  CHECK(fixture.get("/healthz").body == "error: no cluster");
}

TEST_CASE("only a POST ends the daemon or lists the old way") {
  fake::StatusFixture fixture;
  CHECK(fixture.get("/quitquitquit").status == 405);
  CHECK(fixture.quits == 0);
  CHECK(fixture.post("/quitquitquit").body == "quit!");
  CHECK(fixture.quits == 1);
  CHECK(fixture.get("/api/taskz").status == 405);
  CHECK(json::parse(fixture.post("/api/taskz").body)["active"].empty());
}

TEST_CASE("tasks are listed newest first, with a limit and from where the reader was") {
  fake::StatusFixture fixture;
  for (int i = 1; i <= 5; ++i) {
    task::Record record;
    record.source = std::to_string(i);
    fixture.run(record, task::Result::local_hit);
  }
  json all = json::parse(fixture.get("/api/v1/tasks").body);
  REQUIRE(all["ended"].size() == 5);
  CHECK(all["ended"][0]["source"] == "5");
  CHECK(all["next"] == 5);
  CHECK(json::parse(fixture.get("/api/v1/tasks", {{"limit", "2"}}).body)["ended"].size() == 2);
  json fresh = json::parse(fixture.get("/api/v1/tasks", {{"after", "4"}}).body);
  REQUIRE(fresh["ended"].size() == 1);
  CHECK(fresh["ended"][0]["source"] == "5");
  CHECK(json::parse(fixture.get("/api/v1/tasks", {{"after", "5"}}).body)["ended"].empty());
}

TEST_CASE("numbers that are none are refused") {
  fake::StatusFixture fixture;
  for (const char* bad : {"", "-1", "x", "1x", "99999999999999999999999"}) {
    CAPTURE(bad);
    CHECK(fixture.get("/api/v1/tasks", {{"limit", bad}}).status == 400);
    CHECK(fixture.get("/api/v1/tasks", {{"after", bad}}).status == 400);
    CHECK(fixture.get("/api/v1/tasks/" + std::string(bad)).status == 404);
  }
}

TEST_CASE("one task is shown whole, running or ended") {
  fake::StatusFixture fixture;
  task::Record record;
  record.command = "g++ -c a.cc";
  record.directory = "/src";
  std::uint64_t running = fixture.history.begin(record);
  std::uint64_t ended = fixture.run(record, task::Result::local_exec);
  for (std::uint64_t id : {running, ended}) {
    serve::HttpResponse response = fixture.get("/api/v1/tasks/" + std::to_string(id));
    CHECK(response.status == 200);
    CHECK(response.type == "application/json");
    CHECK(json::parse(response.body)["command"] == "g++ -c a.cc");
  }
  CHECK(fixture.get("/api/v1/tasks/99").status == 404);
}

TEST_CASE("what is not there is not found") {
  fake::StatusFixture fixture;
  for (const char* path : {"/x", "/api/v1/", "/api/v1/tasks/1/x", "/static/../etc/passwd", "/static/", ""}) {
    CHECK(fixture.get(path).status == 404);
  }
}
