#include "remote/credential_answer.h"

#include <doctest/doctest.h>

#include <string>

#include "base/base64.h"

namespace {

constexpr std::int64_t k2006 = 1'136'214'245;  // 2006-01-02T15:04:05Z

std::string complaint(const char* text) {
  base::Result<remote::Grant> grant = remote::parse_helper_answer(text);
  return grant ? "none" : grant.error().message;
}

std::string jwt(const std::string& claims) { return "e30." + base::to_base64(claims) + ".c2ln"; }

}  // namespace

TEST_CASE("times in the form of RFC 3339") {
  CHECK(remote::parse_expiry("2006-01-02T15:04:05Z") == k2006);
  CHECK(remote::parse_expiry("2006-01-02t15:04:05.123456789z") == k2006);
  CHECK(remote::parse_expiry("2006-01-02T17:04:05+02:00") == k2006);
  CHECK(remote::parse_expiry("2006-01-02 08:04:05-0700") == k2006);
  CHECK(remote::parse_expiry("2024-02-29T00:00:00Z") == 1'709'164'800);
  CHECK(remote::parse_expiry("1970-01-01T00:00:01Z") == 1);
}

TEST_CASE("times in the form of date(1)") {
  CHECK(remote::parse_expiry("Mon Jan  2 15:04:05 UTC 2006") == k2006);
  CHECK(remote::parse_expiry("Mon Jan 2 15:04:05 GMT 2006") == k2006);
  CHECK(remote::parse_expiry("Mon Jan  2 07:04:05 PST 2006") == k2006);
  CHECK(remote::parse_expiry("Mon Jan  2 16:04:05 CET 2006") == k2006);
  CHECK(remote::parse_expiry("Mon Jan  2 12:04:05 -03 2006") == k2006);
  CHECK(remote::parse_expiry("Tue Dec 31 23:59:59 UTC 2024") == 1'735'689'599);
}

TEST_CASE("what is no time is 0") {
  for (const char* text :
       {"", "soon", "2006-13-02T15:04:05Z", "2006-01-02T15:04:05", "2006-01-02T25:04:05Z",
        "Mon Jan  2 15:04:05 XYZ 2006", "Mon Foo  2 15:04:05 UTC 2006", "Mon Jan  2 15:04:05 UTC 20",
        "Mon Jan  2 15:04:05 UTC 20066", "2006-01-02T15:04:05+99:00"}) {
    CHECK_MESSAGE(remote::parse_expiry(text) == 0, text);
  }
}

TEST_CASE("a helper of the first protocol") {
  base::Result<remote::Grant> grant = remote::parse_helper_answer(
      R"({"token":"T","expiry":"Mon Jan  2 15:04:05 UTC 2006","headers":{"X-Team":"a"}})");
  REQUIRE(grant);
  CHECK(grant->headers == remote::Headers{{"authorization", "Bearer T"}, {"x-team", "a"}});
  CHECK(grant->expires_s == k2006);
  grant = remote::parse_helper_answer(R"({"headers":{"Authorization":"Basic eA=="},"token":"","expiry":""})");
  REQUIRE(grant);
  CHECK(grant->headers == remote::Headers{{"authorization", "Basic eA=="}});
  CHECK(grant->expires_s == 0);
}

TEST_CASE("a helper of the second protocol") {
  base::Result<remote::Grant> grant = remote::parse_helper_answer(
      R"({"headers":{"Authorization":["Bearer T"],"X":["1","2"]},"expires":"2006-01-02T15:04:05Z"})");
  REQUIRE(grant);
  CHECK(grant->headers == remote::Headers{{"authorization", "Bearer T"}, {"x", "1"}, {"x", "2"}});
  CHECK(grant->expires_s == k2006);
}

TEST_CASE("a token that says itself when it expires") {
  CHECK(remote::token_expiry(jwt(R"({"exp":1700000000})")) == 1'700'000'000);
  CHECK(remote::token_expiry("Bearer " + jwt(R"({"exp":1700000000.5})")) == 1'700'000'000);
  CHECK(remote::token_expiry(jwt(R"({"exp":"x"})")) == 0);
  CHECK(remote::token_expiry(jwt(R"({"exp":1e300})")) == 0);
  CHECK(remote::token_expiry(jwt("[1]")) == 0);
  CHECK(remote::token_expiry("opaque") == 0);
  CHECK(remote::token_expiry("a.b.c") == 0);
  base::Result<remote::Grant> grant =
      remote::parse_helper_answer(R"({"token":")" + jwt(R"({"exp":1700000000})") + R"("})");
  REQUIRE(grant);
  CHECK(grant->expires_s == 1'700'000'000);
}

TEST_CASE("answers that are none, in words that quote nothing of them") {
  CHECK(complaint("s3cret") == "its answer is no JSON object");
  CHECK(complaint("[]") == "its answer is no JSON object");
  CHECK(complaint("{}") == "its answer has neither a token nor headers");
  CHECK(complaint(R"({"headers":["s3cret"]})") == "its headers are no object");
  CHECK(complaint(R"({"headers":{"a b":"s3cret"}})") == "a header of it is malformed");
  CHECK(complaint(R"({"headers":{"a":"x\r\ny: z"}})") == "a header of it is malformed");
  CHECK(complaint(R"({"headers":{"a":[1]}})") == "a header of it is malformed");
  CHECK(complaint(R"({"token":"a\nb"})") == "its token is malformed");
  CHECK(complaint((R"({"token":")" + std::string(70'000, 'x') + R"("})").c_str()) ==
        "its answer is too long");
  CHECK(complaint((R"({"token":")" + std::string(20'000, 'x') + R"("})").c_str()) ==
        "its token is malformed");
}
