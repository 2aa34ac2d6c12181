#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <future>
#include <set>
#include <thread>

#include "base/fd.h"
#include "base/http.h"
#include "fake/http_server.h"
#include "fake/temp_dir.h"

namespace {

base::HttpCall call_of(const std::string& method, const std::string& url) {
  base::HttpCall call;
  call.method = method;
  call.url = url;
  call.connect_limit = std::chrono::seconds(10);
  call.limit = std::chrono::seconds(20);
  return call;
}

base::Result<base::HttpAnswer> get(base::Http& http, const std::string& url) {
  return http.call(call_of("GET", url), {});
}

bool says(const base::Result<base::HttpAnswer>& answer, base::ErrorKind kind, const std::string& text) {
  if (answer) return false;
  INFO(answer.error().message);
  CHECK(answer.error().message.find(text) != std::string::npos);
  return answer.error().kind == kind && answer.error().message.find(text) != std::string::npos;
}

// A port on loopback that takes connections (up to the kernel's queue) and never answers; closed when
// `listen` is false.
struct SilentPort {
  base::Fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  int port = 0;

  explicit SilentPort(bool listen) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port = ntohs(address.sin_port);
    if (listen) REQUIRE(::listen(fd.get(), 8) == 0);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port) + "/x"; }

  base::Fd take() const {
    pollfd entry{fd.get(), POLLIN, 0};
    REQUIRE(::poll(&entry, 1, 20'000) == 1);
    return base::Fd(::accept(fd.get(), nullptr, nullptr));
  }
};

// A certificate for 127.0.0.1 that signs itself, in `folder`/cert.pem and key.pem. `days` may be negative.
void make_certificate(const std::string& folder, long days) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -10L * 86400);
  X509_gmtime_adj(X509_getm_notAfter(certificate), days * 86400);
  X509_set_pubkey(certificate, key);
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1,
                             0);
  X509_set_issuer_name(certificate, name);
  X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
  X509_add_ext(certificate, names, -1);
  X509_EXTENSION_free(names);
  REQUIRE(X509_sign(certificate, key, EVP_sha256()) != 0);
  FILE* file = std::fopen((folder + "/cert.pem").c_str(), "w");
  PEM_write_X509(file, certificate);
  std::fclose(file);
  file = std::fopen((folder + "/key.pem").c_str(), "w");
  PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

struct TlsServer {
  fake::TempDir folder;
  std::unique_ptr<fake::LoopbackServer> server;

  explicit TlsServer(long days) {
    make_certificate(folder.path(), days);
    server = std::make_unique<fake::LoopbackServer>(std::make_unique<httplib::SSLServer>(
        (folder.path() + "/cert.pem").c_str(), (folder.path() + "/key.pem").c_str()));
    server->routes().Get("/", [](const auto&, auto& answer) { answer.set_content("safe", "text/plain"); });
    server->start();
  }
  base::HttpCall call(bool trust) const {
    base::HttpCall call = call_of("GET", "https://127.0.0.1:" + std::to_string(server->port()) + "/");
    if (trust) call.tls.ca = folder.path() + "/cert.pem";
    return call;
  }
};

}  // namespace

TEST_CASE("GET, HEAD and PUT arrive as they are meant, and any status is an answer") {
  fake::LoopbackServer server;
  server.routes().Get("/a", [](const httplib::Request& request, httplib::Response& answer) {
    answer.status = 418;
    answer.set_header("X-Method", request.method);
    answer.set_content(request.get_header_value("X-Mine") + "|" + request.get_header_value("User-Agent"),
                       "text/plain");
  });
  server.routes().Put("/b", [](const httplib::Request& request, httplib::Response& answer) {
    answer.status = 201;
    answer.set_content(request.get_header_value("Content-Type") + "|" +
                           request.get_header_value("Content-Length") + "|" + request.body,
                       "text/plain");
  });
  server.start();
  std::unique_ptr<base::Http> http = base::make_http(2);
  base::HttpCall call = call_of("GET", server.url("/a"));
  call.headers = {{"x-mine", "7"}};
  base::Result<base::HttpAnswer> answer = http->call(call, {});
  REQUIRE(answer);
  CHECK(answer->status == 418);
  CHECK(answer->body == "7|goma");
  CHECK(answer->header("x-method") == "GET");
  call.method = "HEAD";
  answer = http->call(call, {});
  REQUIRE(answer);
  CHECK(answer->header("x-method") == "HEAD");
  CHECK(answer->body.empty());
  call = call_of("PUT", server.url("/b"));
  call.body = std::string("a\0b", 3);
  answer = http->call(call, {});
  REQUIRE(answer);
  CHECK(answer->status == 201);
  CHECK(answer->body == std::string("application/octet-stream|3|a\0b", 30));
  call.body.clear();
  call.headers = {{"content-type", "text/x"}};
  answer = http->call(call, {});
  REQUIRE(answer);
  CHECK(answer->body == "text/x|0|");
}

TEST_CASE("a connection is used again, by other threads too") {
  fake::LoopbackServer server;
  server.routes().Get("/port", [](const httplib::Request& request, httplib::Response& answer) {
    answer.set_content(std::to_string(request.remote_port), "text/plain");
  });
  server.routes().set_keep_alive_max_count(1000);
  server.start();
  std::unique_ptr<base::Http> http = base::make_http(4);
  std::set<std::string> ports;
  for (int i = 0; i < 10; ++i) {
    std::thread([&] {
      base::Result<base::HttpAnswer> answer = get(*http, server.url("/port"));
      REQUIRE(answer);
      ports.insert(answer->body);
    }).join();
  }
  CHECK(ports.size() == 1);
}

TEST_CASE("no more calls run at once than there may be connections") {
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  fake::LoopbackServer server;
  server.routes().Get("/", [&](const httplib::Request&, httplib::Response&) {
    int now = ++inside;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    std::this_thread::yield();
    --inside;
  });
  server.start();
  std::unique_ptr<base::Http> http = base::make_http(3);
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 12; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 5; ++j) {
        base::Result<base::HttpAnswer> answer = get(*http, server.url("/"));
        if (answer && answer->status == 200) ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(good == 60);
  CHECK(most <= 3);
}

TEST_CASE("a stop ends a call that waits for an answer") {
  SilentPort port(true);
  std::unique_ptr<base::Http> http = base::make_http(1);
  std::stop_source stop;
  auto answer = std::async(std::launch::async,
                           [&] { return http->call(call_of("GET", port.url()), stop.get_token()); });
  base::Fd taken = port.take();  // the call is under way
  stop.request_stop();
  base::Result<base::HttpAnswer> ended = answer.get();
  REQUIRE(!ended);
  CHECK(ended.error().kind == base::ErrorKind::cancelled);
  // Its connection is closed, not kept: the other side reads to the end.
  char buffer[4096];
  ssize_t got = 1;
  while (got > 0) got = ::recv(taken.get(), buffer, sizeof buffer, 0);
  CHECK(got <= 0);
  CHECK(http->call(call_of("GET", port.url()), stop.get_token()).error().kind == base::ErrorKind::cancelled);
}

TEST_CASE("the limit of a call holds") {
  SilentPort port(true);
  std::unique_ptr<base::Http> http = base::make_http(1);
  base::HttpCall call = call_of("GET", port.url());
  call.limit = std::chrono::milliseconds(50);
  CHECK(says(http->call(call, {}), base::ErrorKind::transient, "no whole answer within 50 ms"));
}

TEST_CASE("refused, unknown, and unusable are told apart") {
  SilentPort port(false);
  std::unique_ptr<base::Http> http = base::make_http(1);
  CHECK(says(get(*http, port.url()), base::ErrorKind::io, "connection refused"));
  // The name service is never asked for a name that is too long for it.
  CHECK(says(get(*http, "http://" + std::string(300, 'x') + ".invalid/"), base::ErrorKind::io, "name"));
  CHECK(says(get(*http, "ftp://127.0.0.1/"), base::ErrorKind::invalid, "neither http"));
  CHECK(says(get(*http, "file:///etc/passwd"), base::ErrorKind::invalid, "neither http"));
  CHECK(says(get(*http, "http://127.0.0.1:x/"), base::ErrorKind::invalid, "unusable URL"));
  base::Result<base::HttpAnswer> user = get(*http, "http://me:hidden@127.0.0.1/");
  CHECK(says(user, base::ErrorKind::invalid, "belong into a header"));
  CHECK(user.error().message.find("hidden") == std::string::npos);
}

TEST_CASE("a connection that breaks off is no answer") {
  SilentPort port(true);
  std::unique_ptr<base::Http> http = base::make_http(1);
  auto answer = std::async(std::launch::async, [&] { return get(*http, port.url()); });
  {
    base::Fd taken = port.take();
    char buffer[4096];
    REQUIRE(::recv(taken.get(), buffer, sizeof buffer, 0) > 0);
    const std::string part = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort";
    REQUIRE(::send(taken.get(), part.data(), part.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(part.size()));
  }
  CHECK(says(answer.get(), base::ErrorKind::transient, "the connection was lost"));
}

TEST_CASE("a body or a head without end is refused") {
  fake::LoopbackServer server;
  server.routes().Get(
      "/body", [](const auto&, auto& answer) { answer.set_content(std::string(1001, 'x'), "text/plain"); });
  server.routes().Get("/head", [](const auto&, auto& answer) {
    for (int i = 0; i < 100; ++i) answer.set_header("X-" + std::to_string(i), std::string(1000, 'y'));
  });
  server.start();
  std::unique_ptr<base::Http> http = base::make_http(1);
  base::HttpCall call = call_of("GET", server.url("/body"));
  call.largest_answer = 1000;
  CHECK(says(http->call(call, {}), base::ErrorKind::invalid, "longer than 1000 bytes"));
  call.largest_answer = 1001;
  base::Result<base::HttpAnswer> answer = http->call(call, {});
  REQUIRE(answer);
  CHECK(answer->body.size() == 1001);
  CHECK(says(get(*http, server.url("/head")), base::ErrorKind::invalid, "longer"));
}

TEST_CASE("redirects are followed on GET when wanted, headers only within the host") {
  fake::LoopbackServer other;
  other.routes().Get("/end", [](const httplib::Request& request, httplib::Response& answer) {
    answer.set_content("other:" + request.get_header_value("Authorization"), "text/plain");
  });
  other.start();
  fake::LoopbackServer server;
  server.routes().Get("/away",
                      [&](const auto&, auto& answer) { answer.set_redirect(other.url("/end"), 302); });
  server.routes().Get("/here", [](const auto&, auto& answer) { answer.set_redirect("end?x=1", 307); });
  server.routes().Put("/here", [](const auto&, auto& answer) { answer.set_redirect("/end", 307); });
  server.routes().Get("/loop", [](const auto&, auto& answer) { answer.set_redirect("/loop", 301); });
  server.routes().Get("/end", [](const httplib::Request& request, httplib::Response& answer) {
    answer.set_content("same:" + request.get_header_value("Authorization") + request.get_param_value("x"),
                       "text/plain");
  });
  server.start();
  std::unique_ptr<base::Http> http = base::make_http(1);
  auto ask = [&](const std::string& method, const std::string& path, bool follow) {
    base::HttpCall call = call_of(method, server.url(path));
    call.headers = {{"authorization", "Bearer t"}};
    call.follow = follow;
    base::Result<base::HttpAnswer> answer = http->call(call, {});
    REQUIRE(answer);
    return std::to_string(answer->status) + " " + answer->body;
  };
  CHECK(ask("GET", "/here", true) == "200 same:Bearer t1");
  CHECK(ask("GET", "/away", true) == "200 other:");
  CHECK(ask("GET", "/away", false) == "302 ");
  CHECK(ask("PUT", "/here", true) == "307 ");
  CHECK(ask("GET", "/loop", true) == "301 ");
}

TEST_CASE("a header cannot smuggle in another one") {
  std::unique_ptr<base::Http> http = base::make_http(1);
  base::HttpCall call = call_of("GET", "http://127.0.0.1:1/");
  call.headers = {{"x", "secret\r\nHost: evil"}};
  base::Result<base::HttpAnswer> answer = http->call(call, {});
  CHECK(says(answer, base::ErrorKind::invalid, "line break"));
  CHECK(answer.error().message.find("secret") == std::string::npos);
}

TEST_CASE("TLS: one's own CA is trusted, the system's does not know it, and an old certificate is refused") {
  TlsServer server(10);
  std::unique_ptr<base::Http> http = base::make_http(1);
  base::Result<base::HttpAnswer> answer = http->call(server.call(true), {});
  REQUIRE(answer);
  CHECK(answer->body == "safe");
  CHECK(says(http->call(server.call(false), {}), base::ErrorKind::rejected, "certificate is not trusted"));
  base::HttpCall call = server.call(true);
  call.tls.ca = server.folder.path() + "/none.pem";
  CHECK(says(http->call(call, {}), base::ErrorKind::invalid, "trusted certificates cannot be used"));
  call = server.call(true);
  call.tls.certificate = server.folder.path() + "/none.pem";
  CHECK(says(http->call(call, {}), base::ErrorKind::invalid, "client certificate"));
  TlsServer old(-1);
  CHECK(says(http->call(old.call(true), {}), base::ErrorKind::rejected, "expired"));
}

TEST_CASE("TLS spoken to a server without it is told as such") {
  fake::LoopbackServer server;
  server.start();
  std::unique_ptr<base::Http> http = base::make_http(1);
  std::string url = "https://127.0.0.1:" + std::to_string(server.port()) + "/";
  CHECK(says(get(*http, url), base::ErrorKind::transient, "TLS: no handshake"));
}
