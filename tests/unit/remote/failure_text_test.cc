#include "remote/failure_text.h"

#include <doctest/doctest.h>

#include <string>

#include "fake/text.h"

namespace {

using remote::Cause;

std::string words(Cause cause, const std::string& said, int http = 0) {
  return remote::explain({cause, ""}, http, said);
}

}  // namespace

TEST_CASE("each way to be out of reach reads differently and names the next step") {
  CHECK(fake::holds(words(Cause::unavailable, "DNS resolution failed for x"), "does not resolve; check"));
  CHECK(fake::holds(words(Cause::unavailable, "connect: Connection refused"), "start the engine"));
  CHECK(fake::holds(words(Cause::unavailable, "handshake failed: CERTIFICATE_VERIFY_FAILED"), "not trusted"));
  CHECK(fake::holds(words(Cause::unavailable, "WRONG_VERSION_NUMBER"), "use grpc://"));
  CHECK(fake::holds(words(Cause::unavailable, "missing selected ALPN property"), "only HTTP/1.1"));
  CHECK(fake::holds(words(Cause::unauthenticated, ""), "log in again"));
}

TEST_CASE("a proxy's answer names the proxy's setting") {
  CHECK(fake::holds(words(Cause::too_large, "", 413), "client_max_body_size"));
  CHECK(fake::holds(words(Cause::unavailable, "", 504), "grpc_read_timeout"));
  CHECK(fake::holds(words(Cause::unavailable, "", 502), "the server behind it"));
  CHECK(fake::holds(words(Cause::unimplemented, "", 404), "not an engine"));
}

TEST_CASE("what the other side said is one short line of plain text") {
  CHECK(words(Cause::not_found, "<html>\r\n<title>404</title>\n<h1>gone</h1></html>") ==
        "not there [404 gone]");
  CHECK(words(Cause::not_found,
              "a\n\tb\x01"
              "c") == "not there [a b c]");
  CHECK(words(Cause::not_found, "a < b") == "not there [a < b]");
  CHECK(words(Cause::not_found, "").find('[') == std::string::npos);
  CHECK(words(Cause::not_found, std::string(10'000, 'x')).size() < 400);
}
