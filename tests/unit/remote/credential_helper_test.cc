#include "remote/credential_helper.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <functional>
#include <future>
#include <thread>

#include "fake/fake_clock.h"
#include "fake/fake_spawner.h"

namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// A helper of the first protocol whose answers a test scripts.
struct CredentialHelperWorld {
  fake::FakeSpawner spawner;
  fake::FakeClock clock;
  std::unique_ptr<remote::CredentialSource> source;

  explicit CredentialHelperWorld(std::vector<std::string> argv = {"/bin/helper", "print"}) {
    source = remote::make_credential_helper({argv, {"HOME=/h"}, "https://host/"}, spawner, clock);
  }
  std::string expiry(std::chrono::seconds ahead) {
    std::time_t when = std::chrono::duration_cast<seconds>(clock.wall()).count() + ahead.count();
    std::tm parts{};
    ::gmtime_r(&when, &parts);
    char text[64];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text;
  }
  void answers(const std::string& token, std::chrono::seconds life) {
    spawner.answer("/bin/helper print",
                   {0, R"({"token":")" + token + R"(","expiry":")" + expiry(life) + R"("})", ""});
  }
  void fails(const std::string& said) { spawner.answer("/bin/helper print", {1, "", said}); }

  std::string get() {
    base::Result<remote::Grant> grant = source->get({});
    return grant ? grant->headers.at(0).second : "error: " + grant.error().message;
  }
  std::size_t runs() const { return spawner.requests().size(); }
};

// Waits, with a bound, for what another thread does.
bool comes_true(const std::function<bool()>& condition) {
  auto end = std::chrono::steady_clock::now() + seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace

TEST_CASE("a helper is run once, with a clean environment, and its answer kept") {
  CredentialHelperWorld world;
  world.answers("one", minutes(60));
  CHECK(world.source->peek()->headers.empty());
  CHECK(world.runs() == 0);
  CHECK(world.get() == "Bearer one");
  CHECK(world.get() == "Bearer one");
  CHECK(world.source->peek()->headers.at(0).second == "Bearer one");
  REQUIRE(world.runs() == 1);
  base::SpawnRequest request = world.spawner.requests()[0];
  CHECK(request.env == std::vector<std::string>{"HOME=/h"});
  CHECK(request.limit == seconds(30));
  CHECK(world.source->name() == "helper /bin/helper");
}

TEST_CASE("a helper of the second protocol is found out, and asked its way from then on") {
  CredentialHelperWorld world({"/bin/helper"});
  world.spawner.answer("/bin/helper", {2, "", "usage: helper get"});
  world.spawner.answer(
      "/bin/helper get",
      {0, R"({"headers":{"Authorization":["Bearer b"]},"expires":")" + world.expiry(minutes(60)) + R"("})",
       ""});
  CHECK(world.get() == "Bearer b");
  CHECK(world.spawner.command_lines() == std::vector<std::string>{"/bin/helper", "/bin/helper get"});
  CHECK(world.spawner.requests()[1].input == "{\"uri\":\"https://host/\"}\n");
  world.clock.advance(minutes(61));
  CHECK(!world.get().empty());
  CHECK(world.spawner.command_lines()[2] == "/bin/helper get");
}

TEST_CASE("a command that ends in `get` is taken at its word") {
  CredentialHelperWorld world({"/bin/helper", "get"});
  world.spawner.answer("/bin/helper get", {1, "", "no"});
  CHECK(world.get() == "error: the credential helper /bin/helper ended with exit code 1: no");
  CHECK(world.runs() == 1);
}

TEST_CASE("five minutes before its end an answer is renewed while it is still served") {
  CredentialHelperWorld world;
  world.answers("one", minutes(60));
  CHECK(world.get() == "Bearer one");
  world.clock.advance(minutes(54));
  CHECK(world.get() == "Bearer one");
  CHECK(world.runs() == 1);
  world.answers("two", minutes(60));
  world.clock.advance(minutes(2));
  std::string during = world.get();  // whichever is there; nobody waits
  CHECK((during == "Bearer one" || during == "Bearer two"));
  CHECK(comes_true([&] { return world.get() == "Bearer two"; }));
  CHECK(world.runs() == 2);
}

TEST_CASE("an answer without an end is renewed after half an hour") {
  CredentialHelperWorld world;
  world.spawner.answer("/bin/helper print", {0, R"({"token":"one"})", ""});
  CHECK(world.get() == "Bearer one");
  world.clock.advance(minutes(29));
  CHECK(world.get() == "Bearer one");
  CHECK(world.runs() == 1);
  world.clock.advance(minutes(2));
  CHECK(world.get() == "Bearer one");
  CHECK(comes_true([&] { return world.runs() == 2; }));
}

TEST_CASE("many tasks wait for one run") {
  CredentialHelperWorld world;
  world.answers("one", minutes(60));
  std::vector<std::future<std::string>> tasks;
  for (int i = 0; i < 16; ++i) tasks.push_back(std::async(std::launch::async, [&] { return world.get(); }));
  for (auto& task : tasks) CHECK(task.get() == "Bearer one");
  CHECK(world.runs() == 1);
}

TEST_CASE("a helper that fails is asked again after pauses that grow") {
  CredentialHelperWorld world;
  world.fails("log in first, token=s3cret");
  std::string error = world.get();
  CHECK(error.find("log in first") != std::string::npos);
  CHECK(error.find("s3cret") == std::string::npos);
  const std::size_t once = world.runs();  // both protocols
  world.get();
  CHECK(world.runs() == once);
  world.clock.advance(seconds(11));
  world.get();
  CHECK(world.runs() == 2 * once);
  world.clock.advance(seconds(11));
  world.get();
  CHECK(world.runs() == 2 * once);
  world.clock.advance(seconds(10));
  world.get();
  CHECK(world.runs() == 3 * once);
  world.clock.advance(minutes(11));
  world.answers("back", minutes(60));
  CHECK(world.get() == "Bearer back");
}

TEST_CASE("a renewal that fails leaves the old answer until its end") {
  CredentialHelperWorld world;
  world.answers("one", minutes(60));
  CHECK(world.get() == "Bearer one");
  world.fails("away");
  world.clock.advance(minutes(57));
  CHECK(world.get() == "Bearer one");
  CHECK(comes_true([&] { return world.runs() >= 3; }));
  world.clock.advance(minutes(4));
  CHECK(comes_true([&] { return world.get().find("exit code 1: away") != std::string::npos; }));
}

TEST_CASE("a token that has expired already is none") {
  CredentialHelperWorld world;
  world.answers("old", -minutes(1));
  CHECK(world.get() == "error: the credential helper gave a token that has expired");
}

TEST_CASE("refused headers are asked for anew, once, and not in a loop") {
  CredentialHelperWorld world;
  world.answers("one", minutes(60));
  CHECK(world.get() == "Bearer one");
  world.answers("two", minutes(60));
  remote::Headers one = {{"authorization", "Bearer one"}};
  world.source->refused(one, {});
  CHECK(world.get() == "Bearer two");
  CHECK(world.runs() == 2);
  world.source->refused(one, {});  // those are gone already
  CHECK(world.runs() == 2);
  remote::Headers two = {{"authorization", "Bearer two"}};
  for (int i = 0; i < 5; ++i) world.source->refused(two, {});
  CHECK(world.runs() == 2);  // the pause of the first refusal still holds
  CHECK(world.get() == "Bearer two");
  world.clock.advance(seconds(11));
  world.source->refused(two, {});
  CHECK(world.runs() == 3);
  world.clock.advance(seconds(11));
  world.source->refused(two, {});
  CHECK(world.runs() == 3);
  world.answers("three", minutes(60));
  world.clock.advance(seconds(10));
  CHECK(comes_true([&] { return world.get() == "Bearer three"; }));
}

TEST_CASE("a stop ends the wait, and the end of the source ends the run") {
  std::atomic<bool> running{false};
  struct Hanging : base::Spawner {
    explicit Hanging(std::atomic<bool>& running) : running(running) {}
    base::Result<base::SpawnOutcome> run(const base::SpawnRequest&, std::stop_token stop) override {
      running = true;
      while (!stop.stop_requested()) std::this_thread::yield();
      return base::cancelled();
    }
    std::atomic<bool>& running;
  } hanging(running);
  fake::FakeClock clock;
  auto source = remote::make_credential_helper({{"/bin/helper"}, {}, "u"}, hanging, clock);
  std::stop_source stop;
  auto task = std::async(std::launch::async, [&] { return source->get(stop.get_token()); });
  CHECK(comes_true([&] { return running.load(); }));
  stop.request_stop();
  base::Result<remote::Grant> grant = task.get();
  REQUIRE(!grant);
  CHECK(grant.error().kind == base::ErrorKind::cancelled);
  source.reset();
}

TEST_CASE("what a helper says on the side holds none of its tokens") {
  CredentialHelperWorld world;
  world.spawner.answer("/bin/helper print", {3, R"({"token":"abc"})", "debug abc done"});
  std::string error = world.get();
  CHECK(error == "error: the credential helper /bin/helper ended with exit code 3: debug [hidden] done");
}
