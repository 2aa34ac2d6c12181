// TLS as a connection meets it: trusted and not, expired, of another name, with a client certificate and
// without, and a server that has TLS but no HTTP/2.

#include <doctest/doctest.h>
#include <httplib.h>

#include "base/thread.h"
#include "fake/certificates.h"
#include "fake/fake_clock.h"
#include "fake/http_server.h"
#include "fake/reapi_server.h"
#include "fake/remote_caller.h"
#include "fake/temp_dir.h"
#include "fake/text.h"

namespace {

using remote::Cause;

struct TransportTlsWorld {
  fake::TempDir dir;
  fake::Identity authority{"authority"};
  remote::TlsFiles tls{dir.write("ca.pem", authority.certificate()), "", "", ""};

  // Serves with this certificate; asks clients for theirs if `mutual`.
  static fake::ReapiTraits traits(const fake::Identity& identity, const fake::Identity* mutual = nullptr) {
    grpc::SslServerCredentialsOptions options(mutual != nullptr
                                                  ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                                  : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
    options.pem_key_cert_pairs.push_back({identity.key(), identity.certificate()});
    if (mutual != nullptr) options.pem_root_certs = mutual->certificate();
    fake::ReapiTraits traits;
    traits.credentials = grpc::SslServerCredentials(options);
    return traits;
  }

  static std::string url(const fake::ReapiServer& server) {
    std::string address = server.address();
    return "grpcs://localhost" + address.substr(address.rfind(':'));
  }
};

remote::CallOptions once_over_tls() {
  remote::CallOptions options{"FindMissingBlobs"};
  options.attempts = 1;
  return options;
}

remote::Failure failure_of(fake::RemoteCaller& caller) {
  auto failed = caller.ask(once_over_tls());
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().cause == Cause::unavailable);
  CHECK_MESSAGE(failed.error().unreachable, failed.error().message);
  return failed.error();
}

}  // namespace

TEST_CASE("a trusted certificate") {
  TransportTlsWorld world;
  fake::ReapiServer server(TransportTlsWorld::traits(fake::Identity("localhost", &world.authority)));
  fake::RemoteCaller caller(TransportTlsWorld::url(server), world.tls);
  CHECK(caller.ask(once_over_tls()).ok());
}

TEST_CASE("calls fit the small stacks of our threads") {
  TransportTlsWorld world;
  fake::ReapiServer server(TransportTlsWorld::traits(fake::Identity("localhost", &world.authority)));
  fake::RemoteCaller caller(TransportTlsWorld::url(server), world.tls);
  bool good = false;
  base::Thread("task", [&] { good = caller.ask(once_over_tls()).ok(); }).join();
  CHECK(good);
}

TEST_CASE("an expired certificate, an unknown authority, another name") {
  TransportTlsWorld world;
  SUBCASE("expired") {
    fake::ReapiServer server(TransportTlsWorld::traits(fake::Identity("localhost", &world.authority, -3600)));
    fake::RemoteCaller caller(TransportTlsWorld::url(server), world.tls);
    CHECK(fake::holds(failure_of(caller).message, "not trusted (expired"));
  }
  SUBCASE("unknown authority") {
    fake::Identity other("other");
    fake::ReapiServer server(TransportTlsWorld::traits(fake::Identity("localhost", &other)));
    fake::RemoteCaller caller(TransportTlsWorld::url(server), world.tls);
    CHECK(fake::holds(failure_of(caller).message, "unknown authority"));
  }
  SUBCASE("another name") {
    fake::ReapiServer server(
        TransportTlsWorld::traits(fake::Identity("build.example.com", &world.authority)));
    fake::RemoteCaller caller(TransportTlsWorld::url(server), world.tls);
    CHECK(fake::holds(failure_of(caller).message, "for another name"));
    remote::TlsFiles named = world.tls;
    named.server_name = "build.example.com";
    fake::RemoteCaller knowing(TransportTlsWorld::url(server), named);
    CHECK(knowing.ask(once_over_tls()).ok());
  }
}

TEST_CASE("a client certificate, none, and one that is put right while we run") {
  TransportTlsWorld world;
  fake::Identity client("client", &world.authority);
  fake::ReapiServer server(
      TransportTlsWorld::traits(fake::Identity("localhost", &world.authority), &world.authority));
  fake::RemoteCaller anonymous(TransportTlsWorld::url(server), world.tls);
  auto refused = anonymous.ask(once_over_tls());
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().cause == Cause::unavailable);
  CHECK(fake::holds(refused.error().message, "perhaps it wants a client certificate"));

  remote::TlsFiles tls = world.tls;
  fake::Identity stranger("stranger");
  tls.certificate = world.dir.write("client.pem", stranger.certificate());
  tls.key = world.dir.write("client.key", stranger.key());
  fake::FakeClock clock;
  fake::RemoteCaller caller(TransportTlsWorld::url(server), tls, clock);
  CHECK_FALSE(caller.ask(once_over_tls()).ok());
  world.dir.write("client.pem", client.certificate());
  world.dir.write("client.key", client.key());
  clock.advance(std::chrono::seconds(60));
  auto result = caller.ask(once_over_tls());
  CHECK_MESSAGE(result.ok(), (result.ok() ? std::string() : result.error().message));
}

TEST_CASE("bad files are a failure of ours, in words") {
  TransportTlsWorld world;
  world.tls.ca = world.dir.write("ca.pem", "no certificate");
  fake::RemoteCaller caller("grpcs://localhost:1", world.tls);
  auto failed = caller.ask(once_over_tls());
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().cause == Cause::local);
  CHECK(fake::holds(failed.error().message, "ca.pem"));
}

TEST_CASE("a server without HTTP/2 is told as such") {
  TransportTlsWorld world;
  fake::Identity identity("localhost", &world.authority);
  std::string certificate = world.dir.write("server.pem", identity.certificate());
  std::string key = world.dir.write("server.key", identity.key());
  fake::LoopbackServer server(std::make_unique<httplib::SSLServer>(certificate.c_str(), key.c_str()));
  server.start();
  fake::RemoteCaller caller("grpcs://localhost:" + std::to_string(server.port()), world.tls);
  CHECK(fake::holds(failure_of(caller).message, "only HTTP/1.1"));
}

TEST_CASE("TLS and clear text mixed up") {
  TransportTlsWorld world;
  fake::ReapiServer clear;
  fake::RemoteCaller caller(TransportTlsWorld::url(clear), world.tls);
  CHECK(fake::holds(failure_of(caller).message, "use grpc://"));
}

TEST_CASE("an HTTP/1.1 server in clear is told as such") {
  fake::LoopbackServer server;
  server.start();
  fake::RemoteCaller caller("grpc://127.0.0.1:" + std::to_string(server.port()));
  CHECK(fake::holds(failure_of(caller).message, "only HTTP/1.1"));
}
