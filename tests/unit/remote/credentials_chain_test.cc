#include "remote/credentials_chain.h"

#include <doctest/doctest.h>

#include "fake/fake_clock.h"
#include "fake/fake_files.h"
#include "fake/fake_spawner.h"

namespace {

struct CredentialsChainWorld {
  fake::FakeFiles files;
  fake::FakeSpawner spawner;
  fake::FakeClock clock;
  remote::CredentialOptions options;
  std::unique_ptr<remote::Credentials> credentials;

  CredentialsChainWorld() {
    options.host = "host";
    options.secure = true;
  }
  void make() { credentials = remote::make_credentials(options, spawner, files, clock); }
  std::string get() {
    base::Result<remote::Credentials::Current> current = credentials->current({});
    REQUIRE(current);
    std::string text;
    for (const auto& [name, value] : current->headers) text += name + "=" + value + ";";
    return text;
  }
};

}  // namespace

TEST_CASE("nothing configured is no problem") {
  CredentialsChainWorld world;
  world.make();
  CHECK(world.get().empty());
  remote::CredentialState state = world.credentials->state();
  CHECK(!state.configured);
  CHECK(!state.usable);
  CHECK(state.source == "none");
  CHECK(state.problem.empty());
}

TEST_CASE("the first place that has an authorization gives it; fixed headers stand beside it") {
  CredentialsChainWorld world;
  world.options.headers = "X-Team=a, authorization=Basic fixed";
  world.options.authorization_file = "/token";
  world.options.user = "me:pw";
  world.options.netrc_path = "/netrc";
  world.files.write("/netrc", "machine host login n password p");
  world.files.write("/token", "file");
  SUBCASE("the address its own, which never gives way to another server's") {
    world.make();
    CHECK(world.get() == "x-team=a;authorization=Basic bWU6cHc=;");
    CHECK(world.credentials->state().source == "URL");
  }
  SUBCASE("a file, while it is there") {
    world.options.user.clear();
    world.make();
    CHECK(world.get() == "x-team=a;authorization=Bearer file;");
    CHECK(world.credentials->state().source == "file /token");
    world.files.remove("/token");
    CHECK(world.get() == "x-team=a;authorization=Basic bjpw;");
    remote::CredentialState state = world.credentials->state();
    CHECK(state.source == "netrc");
    CHECK(state.problem == "the credential file /token does not exist");
    CHECK(state.usable);
  }
}

TEST_CASE("netrc and the login come last") {
  CredentialsChainWorld world;
  world.options.netrc_path = "/netrc";
  world.options.login_path = "/auth.json";
  world.files.write("/netrc", "machine host login n password p");
  world.make();
  CHECK(world.get() == "authorization=Basic bjpw;");
  CHECK(world.credentials->state().source == "netrc");
  world.files.write("/auth.json", R"({"token":"t"})");
  CHECK(world.get() == "authorization=Bearer t;");
}

TEST_CASE("the version changes with the headers and only with them") {
  CredentialsChainWorld world;
  world.options.authorization_file = "/token";
  world.make();
  std::uint64_t before = world.credentials->version();
  CHECK(world.credentials->current({})->version == before);
  world.files.write("/token", "one");
  CHECK(world.credentials->version() == before);
  world.clock.advance(std::chrono::milliseconds(100));
  std::uint64_t one = world.credentials->version();
  CHECK(one != before);
  world.files.write("/token", "one");
  CHECK(world.credentials->version() == one);
  world.files.write("/token", "two");
  CHECK(world.credentials->current({})->version != one);
}

TEST_CASE("a refusal is answered by others where there are others") {
  CredentialsChainWorld world;
  world.options.authorization_file = "/token";
  world.files.write("/token", "one");
  world.make();
  std::uint64_t one = world.credentials->current({})->version;
  CHECK(!world.credentials->refused(one, {}));
  CHECK(!world.credentials->refused(one, {}));
  remote::CredentialState state = world.credentials->state();
  CHECK(state.usable);
  CHECK(state.problem == "the server refused the credentials for something");
  world.files.write("/token", "two");
  CHECK(world.credentials->refused(one, {}));
  CHECK(world.credentials->state().problem.empty());
  CHECK(world.credentials->version() != one);
}

TEST_CASE("a refusal makes a helper run again") {
  CredentialsChainWorld world;
  world.options.helper = "helper 'print it'";
  world.options.env = {"PATH=relative:/none:/opt/bin"};
  world.files.write("/opt/bin/helper", "");
  world.make();
  CHECK(world.credentials->current({})->headers.empty());
  CHECK(world.credentials->state().problem ==
        "the credential helper helper is no absolute path and not in PATH");
  CredentialsChainWorld good;
  good.options.helper = "/opt/bin/helper 'print it'";
  good.make();
  good.spawner.answer("/opt/bin/helper print it", {0, R"({"token":"one"})", ""});
  std::uint64_t one = good.credentials->current({})->version;
  CHECK(good.get() == "authorization=Bearer one;");
  good.spawner.answer("/opt/bin/helper print it", {0, R"({"token":"two"})", ""});
  CHECK(good.credentials->refused(one, {}));
  CHECK(good.get() == "authorization=Bearer two;");
  CHECK(good.credentials->state().source == "helper /opt/bin/helper");
  std::uint64_t two = good.credentials->version();
  CHECK(!good.credentials->refused(two, {}));
}

TEST_CASE("nothing is sent in clear") {
  CredentialsChainWorld world;
  world.options.secure = false;
  world.options.headers = "x-key=s3cret";
  world.options.authorization_file = "/token";
  world.files.write("/token", "t");
  world.make();
  CHECK(world.get().empty());
  remote::CredentialState state = world.credentials->state();
  CHECK(state.configured);
  CHECK(!state.usable);
  CHECK(state.problem == "credentials are not sent in clear to host: use TLS");
  CredentialsChainWorld quiet;
  quiet.options.secure = false;
  quiet.options.netrc_path = "/netrc";
  quiet.files.write("/netrc", "default login n password p");
  quiet.make();
  CHECK(quiet.get().empty());
  CHECK(quiet.credentials->state().problem.empty());
}

TEST_CASE("an expired token is said to be so") {
  CredentialsChainWorld world;
  world.options.authorization_file = "/token";
  world.files.write("/token", "e30.eyJleHAiOjE3MDAwMDAwMDB9.c2ln");
  world.clock.set_wall(std::chrono::seconds(1'699'999'999));
  world.make();
  world.get();
  CHECK(world.credentials->state().usable);
  CHECK(world.credentials->state().expires_s == 1'700'000'000);
  world.clock.set_wall(std::chrono::seconds(1'700'000'000));
  CHECK(!world.credentials->state().usable);
  CHECK(world.credentials->state().sent);
  CHECK(world.credentials->state().problem == "the credentials have expired");
}

TEST_CASE("a list of headers") {
  base::Result<remote::Headers> headers = remote::parse_header_list("X-A=1, b=two words,c=x,y , d=e==");
  REQUIRE(headers);
  CHECK(*headers == remote::Headers{{"x-a", "1"}, {"b", "two words"}, {"c", "x,y"}, {"d", "e=="}});
  CHECK(remote::parse_header_list("")->empty());
  CHECK(remote::parse_header_list("a=1,")->size() == 1);
  CHECK(!remote::parse_header_list("s3cret"));
  CHECK(!remote::parse_header_list("a b=1"));
  base::Result<remote::Headers> bad = remote::parse_header_list("a=s3cret\n");
  REQUIRE(!bad);
  CHECK(bad.error().message == "headers: the value of a is unusable");
  CredentialsChainWorld world;
  world.options.headers = "nonsense";
  world.make();
  world.get();
  CHECK(world.credentials->state().problem == "headers: expected name=value, name=value");
}

TEST_CASE("the words of a command") {
  using Words = std::vector<std::string>;
  CHECK(remote::words_of(" a  'b c' \"d\\\"e\" f\\ g '' h") == Words{"a", "b c", "d\"e", "f g", "", "h"});
  CHECK(remote::words_of("  ").empty());
  CHECK(remote::words_of("a'b") == Words{"ab"});
}
