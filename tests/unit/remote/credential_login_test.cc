#include "remote/credential_login.h"

#include <doctest/doctest.h>

#include "fake/fake_clock.h"
#include "fake/fake_files.h"
#include "fake/fake_spawner.h"

namespace {

constexpr const char* kPath = "/state/auth.json";

struct CredentialLoginWorld {
  fake::FakeFiles files;
  fake::FakeSpawner spawner;
  fake::FakeClock clock;
  std::unique_ptr<remote::CredentialSource> source =
      remote::make_login({kPath, {}, "https://host/"}, spawner, files, clock);

  std::string get() {
    base::Result<remote::Grant> grant = source->get({});
    if (!grant) return "error: " + grant.error().message;
    return grant->headers.empty() ? "nothing" : grant->headers[0].second;
  }
};

}  // namespace

TEST_CASE("log in, log in otherwise, log out: all without a restart") {
  CredentialLoginWorld world;
  CHECK(world.get() == "nothing");
  world.files.write(kPath, R"({"version":1,"token":"t"})");
  CHECK(world.get() == "Bearer t");
  CHECK(world.source->peek()->headers.size() == 1);
  world.files.write("/token", "from file");
  world.files.write(kPath, R"({"version":1,"token_file":"/token"})");
  CHECK(world.get() == "from file");
  world.spawner.answer("/bin/helper a b", {0, R"({"token":"h"})", ""});
  world.files.write(kPath, R"({"version":1,"helper":["/bin/helper","a b"]})");
  CHECK(world.get() == "Bearer h");
  CHECK(world.get() == "Bearer h");
  CHECK(world.spawner.requests().size() == 1);
  world.files.remove(kPath);
  CHECK(world.get() == "nothing");
  CHECK(world.source->name() == "login /state/auth.json");
}

TEST_CASE("a token's end is known from the file or from itself") {
  CredentialLoginWorld world;
  world.files.write(kPath, R"({"token":"t","expires":17})");
  CHECK(world.source->get({})->expires_s == 17);
  world.files.write(kPath, R"({"token":"e30.eyJleHAiOjE3MDAwMDAwMDB9.c2ln"})");
  CHECK(world.source->get({})->expires_s == 1'700'000'000);
}

TEST_CASE("a refusal reaches the helper of the login") {
  CredentialLoginWorld world;
  world.spawner.answer("/bin/helper", {0, R"({"token":"one"})", ""});
  world.files.write(kPath, R"({"helper":["/bin/helper"]})");
  CHECK(world.get() == "Bearer one");
  world.spawner.answer("/bin/helper", {0, R"({"token":"two"})", ""});
  world.source->refused({{"authorization", "Bearer one"}}, {});
  CHECK(world.get() == "Bearer two");
}

TEST_CASE("a file that is no login") {
  for (const char* text :
       {"s3cret", "[]", R"({"token":"a\nb"})", R"({"token_file":"x"})", R"({"helper":["x"]})",
        R"({"helper":[1]})", R"({"token":"a","token_file":"/b"})"}) {
    base::Result<remote::LoginFile> login = remote::parse_login(text);
    REQUIRE(!login);
    CHECK(login.error().message.find("s3cret") == std::string::npos);
  }
  CHECK(remote::parse_login(R"({"token":7,"helper":"x","expires":"y"})")->token.empty());
  CredentialLoginWorld world;
  world.files.write(kPath, "{");
  CHECK(world.get() == "error: the login /state/auth.json: it is no JSON object");
}
