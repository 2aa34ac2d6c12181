#include "serve/http_message.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>

#include "base/fd.h"

namespace {

using std::chrono::milliseconds;

struct MessageEnds {
  MessageEnds() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    server.reset(ends[0]);
    client.reset(ends[1]);
  }
  base::Fd server;
  base::Fd client;
};

base::Result<serve::RawRequest> read_of(const std::string& bytes) {
  MessageEnds pair;
  REQUIRE(base::write_all(pair.client.get(), bytes).ok());
  pair.client.reset();
  return serve::read_request(pair.server.get(), milliseconds(20'000));
}

std::string refusal_of(const std::string& bytes) {
  base::Result<serve::RawRequest> raw = read_of(bytes);
  if (raw.ok()) return "accepted";
  return raw.error().kind == base::ErrorKind::rejected ? raw.error().message.substr(0, 3) : "closed";
}

}  // namespace

TEST_CASE("head and body are told apart, and what follows the body is dropped") {
  base::Result<serve::RawRequest> raw = read_of("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nabc");
  REQUIRE(raw.ok());
  CHECK(raw->head == "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n");
  CHECK(raw->body == "ab");
}

TEST_CASE("a request that ends early is no request") {
  CHECK(refusal_of("") == "closed");
  CHECK(refusal_of("GET / HTTP/1.1\r\nHost: x\r\n") == "closed");
  CHECK(refusal_of("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nabc") == "closed");
}

TEST_CASE("malformed heads are refused") {
  CHECK(refusal_of("GET / HTTP/1.1\r\nno colon\r\n\r\n") == "400");
  CHECK(refusal_of("GET / HTTP/1.1\r\nA: b\r\n folded: c\r\n\r\n") == "400");
  CHECK(refusal_of(std::string("GET / HTTP/1.1\r\nA: \0\r\n\r\n", 24)) == "400");
  CHECK(refusal_of("GET / HTTP/1.1\r\nContent-Length: 1x\r\n\r\n") == "400");
  CHECK(refusal_of("GET / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n") == "400");
  CHECK(refusal_of("GET / HTTP/1.1\r\nEXPECT: 100-continue\r\n\r\n") == "417");
  CHECK(refusal_of("GET / HTTP/1.1\r\nContent-Encoding: gzip\r\n\r\n") == "415");
}

TEST_CASE("a sender that stalls is given up") {
  MessageEnds pair;
  REQUIRE(base::write_all(pair.client.get(), "GET / HTTP/1.1\r\n").ok());
  base::Result<serve::RawRequest> raw = serve::read_request(pair.server.get(), milliseconds(20));
  REQUIRE(!raw.ok());
  CHECK(raw.error().kind == base::ErrorKind::transient);
}

TEST_CASE("a header given twice is joined, so that no check accepts it") {
  serve::RawRequest raw{"GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", ""};
  std::string host;
  serve::answer(raw, [&](const serve::HttpRequest& request) {
    host = request.headers.at("host");
    return serve::HttpResponse{};
  });
  CHECK((host == "a, b" || host == "b, a"));
}

TEST_CASE("a long path does not eat the small stack of a pool thread") {
  serve::RawRequest raw{"GET /" + std::string(2000, 'a') + "?" + std::string(20, 'b') + "=1 HTTP/1.1\r\n\r\n",
                        ""};
  std::string answer = serve::answer(raw, [](const serve::HttpRequest& request) {
    serve::HttpResponse response;
    response.body = std::to_string(request.path.size());
    return response;
  });
  CHECK(answer.find("\r\n\r\n2001") != std::string::npos);
}

TEST_CASE("a plain answer is whole") {
  CHECK(serve::plain_answer("413 body too large") ==
        "HTTP/1.1 413 body too large\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
        "Content-Length: 15\r\n\r\nbody too large\n");
}

TEST_CASE("a reader that stalls is given up, and one that reads gets all") {
  std::string bytes(4 << 20, 'x');
  MessageEnds stalled;
  serve::write_answer(stalled.server.get(), bytes, milliseconds(20));
  MessageEnds pair;
  std::string received;
  std::thread reader([&] { received = base::read_all(pair.client.get()).value(); });
  serve::write_answer(pair.server.get(), bytes, milliseconds(60'000));
  pair.server.reset();
  reader.join();
  CHECK(received.size() == bytes.size());
}
