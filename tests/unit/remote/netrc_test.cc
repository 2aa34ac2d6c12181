#include "remote/netrc.h"

#include <doctest/doctest.h>

#include "fake/fake_files.h"

namespace {

std::string login(const std::string& text, const std::string& host) {
  std::optional<remote::Login> found = remote::find_login(text, host);
  return found ? found->user + "/" + found->password : "none";
}

}  // namespace

TEST_CASE("the entry of the host, whatever its layout") {
  const std::string text =
      "# a comment\nmachine a.example login alice password one\n"
      "machine b.example\n  login bob\n  account x\n  password \"t w\\\"o\"\n"
      "default login anon password any\n";
  CHECK(login(text, "a.example") == "alice/one");
  CHECK(login(text, "b.example") == "bob/t w\"o");
  CHECK(login(text, "c.example") == "anon/any");
  CHECK(login("machine a login x password y", "b") == "none");
  CHECK(login("", "a") == "none");
}

TEST_CASE("entries that are cut short, and words that look like keywords") {
  CHECK(login("machine a login", "a") == "none");
  CHECK(login("machine", "a") == "none");
  CHECK(login("machine a login machine password default", "a") == "machine/default");
  CHECK(login("machine a login u", "a") == "u/");
  CHECK(login("machine a login u password \"open", "a") == "u/open");
}

TEST_CASE("macros hold anything, up to an empty line") {
  CHECK(login("macdef init\nmachine a login x password y\n\nmachine a login u password v", "a") == "u/v");
  CHECK(login("macdef init\nmachine a login x password y\n", "a") == "none");
}

TEST_CASE("the first entry of a host counts") {
  CHECK(login("machine a login 1 password 1 machine a login 2 password 2", "a") == "1/1");
}

TEST_CASE("as a source: the file may be absent, and may come and change") {
  fake::FakeFiles files;
  auto source = remote::make_netrc("/home/.netrc", "h", files);
  CHECK(source->name() == "netrc");
  base::Result<remote::Grant> grant = source->get({});
  REQUIRE(grant);
  CHECK(grant->headers.empty());
  files.write("/home/.netrc", "machine h login user password pass");
  grant = source->get({});
  REQUIRE(grant);
  CHECK(grant->headers == remote::Headers{{"authorization", "Basic dXNlcjpwYXNz"}});
  files.write("/home/.netrc", "machine h login user password " + std::string(30'000, 'x'));
  CHECK(!source->peek());
}
