#include "serve/service_feed.h"

#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>

#include "fake/fake_http.h"

namespace {

serve::ServiceState read(const std::string& body) {
  return serve::read_service(fake::http_answer(200, body));
}

// Counts the questions, and lets a test wait for them.
struct Service {
  Service() {
    http.answer_others([this](const base::HttpCall&) -> base::Result<base::HttpAnswer> {
      std::lock_guard lock(mutex);
      ++asked;
      changed.notify_all();
      return fake::http_answer(200, "{\"state\":\"up\",\"text\":\"well\"}");
    });
  }
  bool wait_for(int count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(20), [&] { return asked >= count; });
  }

  fake::FakeHttp http;
  std::mutex mutex;
  std::condition_variable changed;
  int asked = 0;
};

}  // namespace

TEST_CASE("the common form of status pages is understood") {
  serve::ServiceState state =
      read(R"({"status":{"indicator":"none","description":"All Systems Operational"}})");
  CHECK(state.state == "up");
  CHECK(state.text == "All Systems Operational");
  CHECK(read(R"({"status":{"indicator":"minor"}})").state == "degraded");
  CHECK(read(R"({"status":{"indicator":"critical"}})").state == "down");
}

TEST_CASE("the plain form is understood, with its uptime as number or text") {
  serve::ServiceState state = read(R"({"state":"degraded","text":"slow","uptime":99.951})");
  CHECK(state.state == "degraded");
  CHECK(state.text == "slow");
  CHECK(state.uptime == "99.95 %");
  CHECK(read(R"({"state":"up","uptime":"30 days"})").uptime == "30 days");
}

TEST_CASE("what makes no sense is unknown, and says why") {
  CHECK(read("<html>").text == "answers with a web page without a title");
  CHECK(read("[]").text.find("JSON") != std::string::npos);
  CHECK(read("{}").state == "unknown");
  CHECK(read(R"({"state":7,"text":[],"uptime":{}})").text.empty());
  CHECK(read(R"({"status":"strange"})").state == "unknown");
  CHECK(serve::read_service(fake::http_answer(404)).text == "answers with HTTP 404");
  CHECK(serve::read_service(fake::http_answer(404)).state == "unknown");
  CHECK(read("{\"state\":\"up\",\"text\":\"" + std::string(5000, 'x') + "\"}").text.size() <= 200);
}

TEST_CASE("a health check is understood by its status and its word") {
  CHECK(serve::read_service(fake::http_answer(503)).state == "down");
  CHECK(serve::read_service(fake::http_answer(503)).text == "answers with HTTP 503");
  CHECK(serve::read_service(fake::http_answer(204)).state == "up");
  CHECK(read("OK\n").state == "up");
  CHECK(read("OK\n").text == "OK");
  CHECK(read("unhealthy").state == "down");
  CHECK(read(R"({"status":"SERVING"})").state == "up");
}

TEST_CASE("of a web page the title is read") {
  serve::ServiceState state =
      read("<!doctype html><HTML><Title lang=x>\n Acme:\n All Systems Operational</title>");
  CHECK(state.state == "up");
  CHECK(state.text == "Acme: All Systems Operational");
  CHECK(read("<title>Operational, partial outage</title>").state == "degraded");
  CHECK(read("<title>Acme status</title>").state == "unknown");
  CHECK(read("<title>Acme").state == "unknown");
}

TEST_CASE("where the service says nothing of its uptime, what was seen is counted") {
  Service service;
  serve::ServiceFeed feed(service.http, "http://status/", std::chrono::milliseconds(1));
  for (int i = 1; i <= 11; ++i) {
    feed.state();
    REQUIRE(service.wait_for(i));
  }
  // The eleventh answer may be there already.
  CHECK(feed.state().uptime.starts_with("100.0 % of 1"));
}

TEST_CASE("nobody is asked before somebody looks") {
  Service service;
  serve::ServiceFeed feed(service.http, "http://status/", std::chrono::milliseconds(1));
  CHECK(service.http.calls().empty());
  CHECK(feed.state().state == "unknown");
  REQUIRE(service.wait_for(1));
  CHECK(service.http.lines().front() == "GET http://status/");
}

TEST_CASE("who looks again gets what was answered") {
  Service service;
  serve::ServiceFeed feed(service.http, "http://status/", std::chrono::milliseconds(1));
  feed.state();
  REQUIRE(service.wait_for(1));
  feed.state();
  // The second question is asked only once the first answer is there to be read.
  REQUIRE(service.wait_for(2));
  CHECK(feed.state().state == "up");
  CHECK(feed.state().text == "well");
}

TEST_CASE("it ends at once in the middle of its pause") {
  Service service;
  serve::ServiceFeed feed(service.http, "http://status/", std::chrono::hours(1));
  feed.state();
  CHECK(service.wait_for(1));
}
