#include "serve/http_access.h"

#include <doctest/doctest.h>

#include <map>
#include <string>

namespace {

const serve::AccessRules kRules{"127.0.0.1", 8088, "secret"};

int status(const std::string& method, std::map<std::string, std::string> headers,
           const std::string& path = "/") {
  serve::HttpRequest request;
  request.method = method;
  request.path = path;
  request.headers = std::move(headers);
  auto refused = serve::refuse(request, kRules);
  return refused ? refused->status : 200;
}

}  // namespace

TEST_CASE("the Host must be a name of loopback with our port") {
  CHECK(status("GET", {{"host", "localhost:8088"}}) == 200);
  CHECK(status("GET", {{"host", "127.0.0.1:8088"}}) == 200);
  CHECK(status("GET", {{"host", "[::1]:8088"}}) == 200);
  for (const char* host :
       {"", "localhost", "localhost:80", "evil.example:8088", "localhost:8088.evil.example",
        "evil.localhost:8088", "localhost:8088, localhost:8088", ":8088", "localhost:08088"}) {
    CAPTURE(host);
    CHECK(status("GET", {{"host", host}}) == 403);
  }
  CHECK(status("GET", {}) == 403);
}

TEST_CASE("only our own pages may ask through a browser") {
  std::string host = "localhost:8088";
  CHECK(status("GET", {{"host", host}, {"origin", "http://localhost:8088"}}) == 200);
  CHECK(status("GET", {{"host", host}, {"origin", "null"}}) == 403);
  CHECK(status("GET", {{"host", host}, {"origin", "https://localhost:8088"}}) == 403);
  CHECK(status("GET", {{"host", host}, {"origin", "http://localhost:3000"}}) == 403);
  CHECK(status("GET", {{"host", host}, {"sec-fetch-site", "same-origin"}}) == 200);
  CHECK(status("GET", {{"host", host}, {"sec-fetch-site", "none"}}) == 200);
  CHECK(status("GET", {{"host", host}, {"sec-fetch-site", "cross-site"}}) == 403);
  CHECK(status("GET", {{"host", host}, {"sec-fetch-site", "same-site"}}) == 403);
}

TEST_CASE("a link on another site may open the page and nothing else") {
  std::map<std::string, std::string> visit = {{"host", "localhost:8088"},
                                              {"sec-fetch-site", "cross-site"},
                                              {"sec-fetch-mode", "navigate"},
                                              {"sec-fetch-dest", "document"}};
  CHECK(status("GET", visit) == 200);
  CHECK(status("GET", visit, "/api/v1/tasks") == 403);
  visit["sec-fetch-dest"] = "iframe";
  CHECK(status("GET", visit) == 403);
}

TEST_CASE("a POST needs exactly our token") {
  std::string host = "localhost:8088";
  CHECK(status("POST", {{"host", host}, {"x-goma-token", "secret"}}) == 200);
  for (const char* token : {"", "secre", "secret2", "Secret", "secret, secret"}) {
    CAPTURE(token);
    CHECK(status("POST", {{"host", host}, {"x-goma-token", token}}) == 403);
  }
  CHECK(status("POST", {{"host", host}}) == 403);
  serve::HttpRequest request;
  request.method = "POST";
  request.headers = {{"host", host}, {"x-goma-token", ""}};
  CHECK(serve::refuse(request, {"127.0.0.1", 8088, ""}).has_value());
}

TEST_CASE("other methods are refused") {
  for (const char* method : {"PUT", "DELETE", "OPTIONS", "CONNECT", "PATCH"}) {
    CHECK(status(method, {{"host", "localhost:8088"}}) == 405);
  }
}
