#include "serve/http.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "fake/http_client.h"
#include "fake/text.h"

namespace {

serve::HttpOptions any_port() {
  serve::HttpOptions options;
  options.first_port = 0;
  options.token = "t0ken";
  return options;
}

// Answers with what it was asked.
serve::HttpResponse mirror(const serve::HttpRequest& request) {
  serve::HttpResponse response;
  response.body = request.method + " " + request.path;
  for (const auto& [name, value] : request.query) response.body += " " + name + "=" + value;
  if (!request.body.empty()) response.body += " [" + request.body + "]";
  return response;
}

}  // namespace

TEST_CASE("a request reaches the handler and the answer comes back with the safety headers") {
  serve::HttpServer server(any_port(), mirror);
  base::Result<int> port = server.start();
  REQUIRE(port.ok());
  std::string answer = fake::get(*port, "/a/b?x=1&y=%20z");
  CHECK(fake::status_of(answer) == "200");
  CHECK(fake::body_of(answer) == "GET /a/b x=1 y= z");
  CHECK(fake::holds(answer, "Content-Security-Policy: default-src 'self'"));
  CHECK(fake::holds(answer, "X-Content-Type-Options: nosniff"));
  CHECK(fake::holds(answer, "Cache-Control: no-store"));
  CHECK(!fake::holds(answer, "Access-Control"));
  CHECK(fake::body_of(fake::converse(*port, fake::head_of(*port, "HEAD", "/"))).empty());
}

TEST_CASE("an answer is not compressed behind the handler's back") {
  serve::HttpServer server(any_port(), [](const serve::HttpRequest& request) {
    serve::HttpResponse response;
    response.body = std::string(5000, 'x') + request.headers.at("accept-encoding");
    return response;
  });
  base::Result<int> port = server.start();
  REQUIRE(port.ok());
  std::string answer = fake::get(*port, "/", "Accept-Encoding: gzip, br\r\n");
  CHECK(fake::body_of(answer) == std::string(5000, 'x') + "gzip, br");
}

TEST_CASE("a POST needs the token, and its body arrives") {
  serve::HttpServer server(any_port(), mirror);
  base::Result<int> port = server.start();
  REQUIRE(port.ok());
  std::string without = fake::head_of(*port, "POST", "/q", "Content-Length: 3\r\n") + "abc";
  CHECK(fake::status_of(fake::converse(*port, without)) == "403");
  std::string wrong =
      fake::head_of(*port, "POST", "/q", "X-Goma-Token: t0kem\r\nContent-Length: 3\r\n") + "abc";
  CHECK(fake::status_of(fake::converse(*port, wrong)) == "403");
  std::string right =
      fake::head_of(*port, "POST", "/q", "X-Goma-Token: t0ken\r\nContent-Length: 3\r\n") + "abc";
  CHECK(fake::body_of(fake::converse(*port, right)) == "POST /q [abc]");
}

TEST_CASE("another Host or Origin is refused") {
  serve::HttpServer server(any_port(), mirror);
  base::Result<int> port = server.start();
  REQUIRE(port.ok());
  std::string host = "GET / HTTP/1.1\r\nHost: evil.example:" + std::to_string(*port) + "\r\n\r\n";
  CHECK(fake::status_of(fake::converse(*port, host)) == "403");
  CHECK(fake::status_of(fake::get(*port, "/", "Host: evil.example\r\n")) == "403");
  CHECK(fake::status_of(fake::get(*port, "/", "Origin: http://evil.example\r\n")) == "403");
  CHECK(fake::status_of(fake::converse(*port, "GET / HTTP/1.0\r\n\r\n")) == "403");
}

TEST_CASE("what the library could stumble over never reaches it") {
  serve::HttpServer server(any_port(), mirror);
  base::Result<int> port = server.start();
  REQUIRE(port.ok());
  CHECK(fake::status_of(fake::get(*port, "/", "Range: bytes=" + std::string(5000, '1') + "\r\n")) == "416");
  CHECK(fake::status_of(fake::get(*port, "/" + std::string(5000, 'a'))) == "414");
  CHECK(fake::status_of(fake::converse(*port, std::string(5000, 'a'))) == "414");
  CHECK(fake::status_of(fake::get(*port, "/", "X: " + std::string(20'000, 'a') + "\r\n")) == "431");
  std::string token = "X-Goma-Token: t0ken\r\n";
  std::string big = fake::head_of(*port, "POST", "/", token + "Content-Length: 70000\r\n");
  CHECK(fake::status_of(fake::converse(*port, big)) == "413");
  std::string negative = fake::head_of(*port, "POST", "/", token + "Content-Length: -1\r\n");
  CHECK(fake::status_of(fake::converse(*port, negative)) == "400");
  std::string twice = fake::head_of(*port, "POST", "/", "Content-Length: 1\r\nContent-Length: 2\r\n") + "ab";
  CHECK(fake::status_of(fake::converse(*port, twice)) == "400");
  std::string chunked = fake::head_of(*port, "POST", "/", token + "Transfer-Encoding: chunked\r\n");
  CHECK(fake::status_of(fake::converse(*port, chunked + "1\r\na\r\n0\r\n\r\n")) == "411");
  CHECK(fake::status_of(fake::converse(*port, "nonsense\r\n\r\n")) == "400");
  CHECK(fake::status_of(fake::get(*port, "/")) == "200");
}

TEST_CASE("a multipart body is handed over as it is") {
  serve::HttpServer server(any_port(), mirror);
  base::Result<int> port = server.start();
  REQUIRE(port.ok());
  std::string body = "--b\r\nContent-Disposition: " + std::string(30'000, 'a');
  std::string request =
      fake::head_of(*port, "POST", "/",
                    "X-Goma-Token: t0ken\r\nContent-Type: multipart/form-data; boundary=b\r\n"
                    "Content-Length: " +
                        std::to_string(body.size()) + "\r\n");
  CHECK(fake::body_of(fake::converse(*port, request + body)) == "POST / [" + body + "]");
}

TEST_CASE("only loopback addresses are bound") {
  serve::HttpOptions options = any_port();
  for (const char* address : {"0.0.0.0", "::", "192.168.1.1", "example.com", ""}) {
    options.address = address;
    serve::HttpServer server(options, mirror);
    CHECK(!server.start().ok());
  }
  options.address = "::1";
  serve::HttpServer server(options, mirror);
  base::Result<int> port = server.start();
  if (port.ok()) CHECK(!fake::connect_to(*port));
}

TEST_CASE("a taken port is passed over, and when all are taken nobody is disturbed") {
  serve::HttpServer first(any_port(), mirror);
  base::Result<int> port = first.start();
  REQUIRE(port.ok());

  serve::HttpOptions same = any_port();
  same.first_port = *port;
  same.ports = 1;
  serve::HttpServer refused(same, mirror);
  base::Result<int> none = refused.start();
  REQUIRE(!none.ok());
  CHECK(none.error().kind == base::ErrorKind::io);

  same.ports = 10;
  serve::HttpServer second(same, mirror);
  base::Result<int> next = second.start();
  REQUIRE(next.ok());
  CHECK(*next > *port);
  CHECK(fake::status_of(fake::get(*next, "/")) == "200");
  CHECK(fake::status_of(fake::get(*port, "/")) == "200");
}

TEST_CASE("::1 is served too where the machine has it") {
  serve::HttpServer server(any_port(), mirror);
  base::Result<int> port = server.start();
  REQUIRE(port.ok());
  if (!fake::connect_to(*port, true)) return;
  std::string request = "GET / HTTP/1.1\r\nHost: [::1]:" + std::to_string(*port) + "\r\n\r\n";
  CHECK(fake::status_of(fake::converse(*port, request, true)) == "200");
}

TEST_CASE("connections that say nothing take no thread from those that ask") {
  serve::HttpServer server(any_port(), mirror);
  base::Result<int> port = server.start();
  REQUIRE(port.ok());
  std::vector<base::Fd> silent;
  for (int i = 0; i < 120; ++i) silent.push_back(fake::connect_to(*port));
  for (int i = 0; i < 20; ++i) CHECK(fake::status_of(fake::get(*port, "/healthz")) == "200");
}

TEST_CASE("half a request ends with the connection and holds up no other") {
  serve::HttpServer server(any_port(), mirror);
  base::Result<int> port = server.start();
  REQUIRE(port.ok());
  base::Fd half = fake::connect_to(*port);
  std::string start = "GET / HTTP/1.1\r\nHost: loc";
  REQUIRE(::send(half.get(), start.data(), start.size(), MSG_NOSIGNAL) > 0);
  CHECK(fake::status_of(fake::get(*port, "/")) == "200");
  CHECK(fake::receive(half.get()).empty());
}

TEST_CASE("the server ends while clients are connected") {
  std::vector<base::Fd> open;
  {
    serve::HttpServer server(any_port(), mirror);
    base::Result<int> port = server.start();
    REQUIRE(port.ok());
    for (int i = 0; i < 5; ++i) open.push_back(fake::connect_to(*port));
  }
  for (base::Fd& fd : open) CHECK(fake::receive(fd.get()).empty());
}

TEST_CASE("many clients at once are all answered") {
  serve::HttpServer server(any_port(), mirror);
  base::Result<int> port = server.start();
  REQUIRE(port.ok());
  std::vector<int> answered(8, 0);
  std::vector<std::thread> clients;
  for (int& count : answered) {
    clients.emplace_back([&count, &port] {
      for (int i = 0; i < 25; ++i) count += fake::status_of(fake::get(*port, "/x")) == "200" ? 1 : 0;
    });
  }
  for (std::thread& client : clients) client.join();
  for (int count : answered) CHECK(count == 25);
}
