#include "remote/endpoint.h"

#include <doctest/doctest.h>

#include <string>

#include "fake/text.h"

namespace {

remote::Endpoint good_endpoint(const std::string& text) {
  auto endpoint = remote::parse_endpoint(text);
  REQUIRE_MESSAGE(endpoint.ok(), text);
  return *endpoint;
}

std::string refusal(const std::string& text) {
  auto endpoint = remote::parse_endpoint(text);
  REQUIRE_MESSAGE(!endpoint.ok(), text);
  CHECK(endpoint.error().kind == base::ErrorKind::invalid);
  return endpoint.error().message;
}

}  // namespace

TEST_CASE("gRPC addresses") {
  remote::Endpoint plain = good_endpoint(" grpc://Build.example.com:8980/ ");
  CHECK(plain.protocol == remote::Endpoint::Protocol::grpc);
  CHECK(plain.target == "dns:///build.example.com:8980");
  CHECK(plain.text == "grpc://build.example.com:8980");
  CHECK_FALSE(plain.tls);
  CHECK_FALSE(plain.local);

  remote::Endpoint secure = good_endpoint("grpcs://rbe.example.com");
  CHECK(secure.target == "dns:///rbe.example.com:443");
  CHECK(secure.tls);

  remote::Endpoint bare = good_endpoint("rbe.example.com:9443");
  CHECK(bare.target == "dns:///rbe.example.com:9443");
  CHECK(bare.text == "grpcs://rbe.example.com:9443");
  CHECK(bare.tls);
}

TEST_CASE("loopback addresses and unix sockets are local") {
  for (const char* text : {"grpc://localhost:1", "grpc://127.0.0.1:1", "grpc://127.8.9.1:1", "grpc://[::1]:1",
                           "http://a.localhost/x", "unix:/run/engine"}) {
    CHECK_MESSAGE(good_endpoint(text).local, text);
  }
  // A name that only begins like a loopback address is somebody's domain.
  CHECK_FALSE(good_endpoint("grpc://127.0.0.1.example.com:1").local);
  CHECK_FALSE(good_endpoint("grpc://notlocalhost:1").local);
  CHECK_FALSE(good_endpoint("grpc://10.0.0.1:1").local);
}

TEST_CASE("unix sockets") {
  CHECK(good_endpoint("unix:/run/engine").target == "unix:/run/engine");
  CHECK(good_endpoint("unix:///run/engine").target == "unix:/run/engine");
  CHECK(good_endpoint("unix:/run/engine").host.empty());
  CHECK(fake::holds(refusal("unix:engine"), "absolute"));
}

TEST_CASE("HTTP addresses keep their path and lose their user") {
  remote::Endpoint cache = good_endpoint("https://me:p%40ss@cache.example.com:8443/goma/");
  CHECK(cache.protocol == remote::Endpoint::Protocol::http);
  CHECK(cache.target == "https://cache.example.com:8443/goma");
  CHECK(cache.text == "https://cache.example.com:8443/goma");
  CHECK(cache.user == "me:p@ss");
  CHECK(cache.tls);
  CHECK(good_endpoint("http://cache:80").target == "http://cache:80");
  CHECK(good_endpoint("http://[fd00::1]:80/x").host == "fd00::1");
}

TEST_CASE("bad addresses are refused with an example of a good one") {
  for (const char* text :
       {"", "  ", "grpc://", "grpc://host", "grpc://host:0", "grpc://host:70000", "grpc://host:12a",
        "ftp://host", "host", "grpcs://ho st:1", "grpcs://host:1/instance", "grpcs://[::1:1",
        "http://host/?q", "https://", "grpcs://host:"}) {
    CHECK_MESSAGE(fake::holds(refusal(text), "grpcs://host:443"), text);
  }
}

TEST_CASE("a secret in an address is not repeated in the refusal") {
  CHECK_FALSE(fake::holds(refusal("grpcs://me:hush@host:1"), "hush"));
  CHECK_FALSE(fake::holds(refusal("https://me:hush@host:99999/"), "hush"));
  for (const char* text : {"https://me:hu#sh@host/", "http://me:hu?sh@host/", "http://me:hu/sh@host:x/?"}) {
    CHECK_MESSAGE(!fake::holds(refusal(text), "hu"), text);
  }
  CHECK_FALSE(fake::holds(refusal("ftp://me:hush@host/"), "hush"));
  CHECK_FALSE(fake::holds(refusal("https://me:hu sh@host/"), "hu"));
}
