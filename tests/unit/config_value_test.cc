#include "config_value.h"

#include <doctest/doctest.h>

#include "config.h"

namespace {

SettingInfo setting(const char* type, const char* choices = "") {
  return {"name", "GOMA_NAME", type, "", "a setting of this test", choices};
}

bool accepts(const char* type, const std::string& value) { return checked_value(setting(type), value).ok(); }

}  // namespace

TEST_CASE("addresses of an endpoint are checked by their form") {
  for (const char* good : {"grpc://localhost:8980", "grpcs://rbe.example.com", "grpcs://rbe.example.com:443/",
                           "rbe.example.com:443", "grpc://[::1]:50051", "unix:/run/cas.sock", ""}) {
    CHECK_MESSAGE(accepts("endpoint", good), good);
  }
  for (const char* bad : {"localhost", "grpc://localhost", "grpc://:80", "grpc://host:0", "grpc://host:70000",
                          "grpc://host:80/path", "http://host:80", "unix:relative", "grpc://ho st:80",
                          "grpc://[::1:80", "grpc://[]:80", "grpc://host:80\n"}) {
    base::Result<std::string> checked = checked_value(setting("endpoint"), bad);
    REQUIRE_MESSAGE(!checked.ok(), bad);
    CHECK(checked.error().message.find("grpcs://HOST:PORT") != std::string::npos);
  }
}

TEST_CASE("addresses of HTTP are checked by their form") {
  CHECK(accepts("url", "https://cache.example.com/goma"));
  CHECK(accepts("url", "http://user:word@localhost:8080"));
  for (const char* bad :
       {"grpc://host:80", "host:80", "http://", "http:///path", "http://h:x/", "http://a b"}) {
    CHECK_MESSAGE(!accepts("url", bad), bad);
  }
}

TEST_CASE("flags, numbers and files are checked") {
  CHECK(accepts("flag", "True"));
  CHECK(accepts("flag", "0"));
  CHECK(!accepts("flag", "maybe"));
  CHECK(!accepts("flag", "tr"));
  CHECK(accepts("number", "200"));
  CHECK(!accepts("number", "-1"));
  CHECK(!accepts("number", "2x"));
  CHECK(accepts("file", "/etc/ca.pem"));
  CHECK(accepts("file", "~/.config/token"));
  CHECK(!accepts("file", "token"));
  CHECK(*checked_value(setting("bytes"), "2K") == "2048");
  CHECK(!accepts("bytes", "5 apples"));
}

TEST_CASE("a wrong choice is told with all of them") {
  base::Result<std::string> checked = checked_value(setting("choice", "auto inside image"), "img");
  REQUIRE(!checked.ok());
  CHECK(checked.error().message == "name: \"img\" is not one of auto, inside, image");
  CHECK(checked_value(setting("choice", "auto inside image"), "image").ok());
  CHECK(!checked_value(setting("choice", "auto inside image"), "auto inside").ok());
}

TEST_CASE("pairs are sorted by name, and commas can be part of a value") {
  base::Result<SettingPairs> pairs = parse_pairs("b=2,a=x\\,y\\\\,c=p=q,b=1,d=");
  REQUIRE(pairs.ok());
  CHECK(*pairs == SettingPairs{{"a", "x,y\\"}, {"b", "2"}, {"b", "1"}, {"c", "p=q"}, {"d", ""}});
  CHECK(*parse_pairs(print_pairs(*pairs)) == *pairs);
  CHECK(parse_pairs("")->empty());
  for (const char* bad : {"a", "=1", "a=1,", "a=1,,b=2"}) CHECK_MESSAGE(!parse_pairs(bad).ok(), bad);
}

TEST_CASE("what makes no header is refused without telling its value") {
  CHECK(accepts("headers", "x-api=abc,Authorization=Bearer xyz"));
  for (const char* bad : {"x api=hush-hush", "x-api=hush\nhush", "hush-hush"}) {
    base::Result<std::string> checked = checked_value(setting("headers"), bad);
    REQUIRE(!checked.ok());
    CHECK(checked.error().message.find("hush") == std::string::npos);
  }
}

TEST_CASE("a wrong address is refused without telling its password") {
  base::Result<std::string> checked = checked_value(setting("url"), "http://me:hush@host:x/");
  REQUIRE(!checked.ok());
  CHECK(checked.error().message.find("hush") == std::string::npos);
}

TEST_CASE("secrets are not shown") {
  CHECK(shown_value(setting("headers"), "x-api=abc,authorization=Bearer xyz") ==
        "authorization=[hidden],x-api=[hidden]");
  CHECK(shown_value(setting("headers"), "broken") == "[hidden]");
  CHECK(shown_value(setting("url"), "https://me:p@ss@host/a@b") == "https://[hidden]@host/a@b");
  CHECK(shown_value(setting("endpoint"), "me@host:80") == "[hidden]@host:80");
  CHECK(shown_value(setting("url"), "https://host/a@b") == "https://host/a@b");
  CHECK(shown_value(setting("command"), "/bin/helper --key abc") == "/bin/helper [hidden]");
  CHECK(shown_value(setting("command"), "/bin/helper") == "/bin/helper");
  CHECK(shown_value(setting("text"), "main") == "main");
}
