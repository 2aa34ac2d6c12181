#include "remote/failure_text.h"

#include <array>
#include <utility>

namespace remote {
namespace {

constexpr std::size_t kMostSaid = 300;

// One line of plain text out of whatever came.
std::string plain(std::string_view said) {
  bool markup = said.find("<html") != std::string_view::npos || said.find("<HTML") != std::string_view::npos;
  std::string out;
  bool inside = false;
  for (char c : said) {
    if (markup && c == '<') inside = true;
    bool blank = inside || static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
    if (markup && c == '>') inside = false;
    if (!blank) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
    if (out.size() >= kMostSaid) return out + "...";
  }
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

// The first of these that the text holds decides.
std::string_view known_trouble(std::string_view said) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 16> kTable = {{
      {"DNS resolution failed", "the name does not resolve; check the address and the network's DNS"},
      {"ould not resolve", "the name does not resolve; check the address and the network's DNS"},
      {"ALPN",
       "the server speaks only HTTP/1.1 (no ALPN h2); turn HTTP/2 on there, or use https:// if it "
       "is an HTTP cache"},
      {"http1.x server",
       "the server speaks only HTTP/1.1 there; turn HTTP/2 on, or use http:// if it is an "
       "HTTP cache"},
      {"CERTIFICATE_VERIFY_FAILED",
       "the server's certificate is not trusted (expired, or of an unknown "
       "authority); have it renewed, or name its authority's file (CA)"},
      {"certificate verify failed",
       "the server's certificate is not trusted (expired, or of an unknown "
       "authority); have it renewed, or name its authority's file (CA)"},
      {"eer name", "the server's certificate is for another name; set the server name"},
      {"Hostname Verification", "the server's certificate is for another name; set the server name"},
      {"WRONG_VERSION_NUMBER", "the server does not speak TLS there; use grpc:// or another port"},
      {"wrong version number", "the server does not speak TLS there; use grpc:// or another port"},
      {"andshake failed", "TLS could not be agreed on; check the client certificate and the CA file"},
      {"onnection refused",
       "nothing listens there (connection refused); start the engine, or check the "
       "port"},
      {"No such file or directory", "there is no such socket; start the engine, or check the path"},
      {"too_many_pings", "the server closed the connection for too many pings"},
      {"timed out", "no connection in time; check the network, a VPN or a firewall"},
      {"failed to connect", "no connection; check the network, a VPN or a firewall"},
  }};
  for (const auto& [mark, words] : kTable) {
    if (said.find(mark) != std::string_view::npos) return words;
  }
  return {};
}

std::string_view general(Cause cause) {
  switch (cause) {
    case Cause::unavailable:
      return "the endpoint is not available now";
    case Cause::exhausted:
      return "a quota or queue is full there";
    case Cause::too_large:
      return "the message is too large for the server or a proxy before it";
    case Cause::timed_out:
      return "no answer in time";
    case Cause::unauthenticated:
      return "the credentials were not accepted, or give no right to this; log in again or renew the token";
    case Cause::denied:
      return "the credentials give no right to this";
    case Cause::missing_blobs:
      return "blobs are missing there";
    case Cause::not_found:
      return "not there";
    case Cause::unplaceable:
      return "no worker for this, or another precondition; check the platform properties";
    case Cause::unimplemented:
      return "the server does not know this method";
    case Cause::invalid:
      return "the server calls the request malformed";
    case Cause::corrupt:
      return "the data is damaged";
    case Cause::engine:
      return "the server failed inside";
    case Cause::action_timeout:
      return "the action ran longer than it may";
    case Cause::cancelled:
      return "stopped";
    case Cause::local:
      return "an input cannot be read here";
  }
  return "failed";
}

}  // namespace

std::string explain(const Failure& failure, int http, std::string_view said) {
  std::string out;
  if (http == 413) {
    out = "a proxy refuses bodies of this size; raise its limit (nginx: client_max_body_size 0)";
  } else if (http == 504) {
    out = "a proxy gave up waiting for the server; raise its limit (nginx: grpc_read_timeout 1h)";
  } else if (http == 502) {
    out = "a proxy answers, but not the server behind it; start the engine";
  } else if (http == 404 && failure.cause == Cause::unimplemented) {
    out = "a web server answers there, but not an engine; check the address";
  } else if (failure.unreachable && (said.find("Socket closed") != std::string_view::npos ||
                                     said.find("Connection reset") != std::string_view::npos)) {
    out = "the server closed the new connection at once; perhaps it wants a client certificate, or TLS";
  } else if (std::string_view words = known_trouble(said);
             failure.cause == Cause::unavailable && !words.empty()) {
    out = words;
  } else {
    out = general(failure.cause);
  }
  if (http != 0) out += " (HTTP " + std::to_string(http) + ")";
  std::string text = plain(said);
  if (!text.empty()) out += " [" + text + "]";
  return out;
}

}  // namespace remote
