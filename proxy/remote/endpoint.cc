#include "remote/endpoint.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

#include "base/text.h"

namespace remote {
namespace {

constexpr const char* kExamples =
    "write grpcs://host:443, grpc://localhost:8980, unix:/path or https://host/";

struct Address {
  std::string host;  // without brackets
  std::string port;  // empty when not given
};

base::Error wrong(const std::string& text, const std::string& why) {
  return base::invalid("the address \"" + text + "\" " + why + "; " + kExamples);
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port != 0;
}

bool is_host(std::string_view text, bool bracketed) {
  if (text.empty()) return false;
  return std::all_of(text.begin(), text.end(), [&](unsigned char c) {
    if (bracketed) return std::isxdigit(c) != 0 || c == ':' || c == '.' || c == '%';
    return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_';
  });
}

base::Result<Address> parse_address(std::string_view text, const std::string& shown) {
  Address address;
  std::string_view rest;
  bool bracketed = text.starts_with('[');
  if (bracketed) {
    std::size_t close = text.find(']');
    if (close == std::string_view::npos) return wrong(shown, "has a [ without its ]");
    address.host = base::lower(text.substr(1, close - 1));
    rest = text.substr(close + 1);
  } else {
    std::size_t colon = text.find(':');
    address.host = base::lower(text.substr(0, colon));
    if (colon != std::string_view::npos) rest = text.substr(colon);
  }
  if (!is_host(address.host, bracketed)) return wrong(shown, "has no proper host name");
  if (rest.empty()) return address;
  if (rest.front() != ':' || !is_port(rest.substr(1))) return wrong(shown, "has no proper port");
  address.port = rest.substr(1);
  return address;
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost") || host == "::1" ||
         (host.starts_with("127.") &&
          std::all_of(host.begin(), host.end(), [](char c) { return c == '.' || (c >= '0' && c <= '9'); }));
}

std::string joined(const Address& address) {
  std::string host = address.host.find(':') == std::string::npos ? address.host : "[" + address.host + "]";
  return address.port.empty() ? host : host + ":" + address.port;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    unsigned value = 0;
    const char* digits = text.data() + at + 1;
    if (text[at] == '%' && at + 2 < text.size() &&
        std::from_chars(digits, digits + 2, value, 16).ptr == digits + 2) {
      out += static_cast<char>(value);
      at += 2;
    } else {
      out += text[at];
    }
  }
  return out;
}

base::Result<Endpoint> parse_unix(std::string_view path) {
  while (path.starts_with("//")) path.remove_prefix(1);
  std::string shown = "unix:" + std::string(path);
  if (!path.starts_with('/')) return wrong(shown, "needs an absolute path");
  Endpoint endpoint;
  endpoint.text = shown;
  endpoint.target = shown;
  endpoint.local = true;
  return endpoint;
}

base::Result<Endpoint> parse_grpc(const std::string& scheme, std::string_view rest) {
  std::string shown = scheme + "://" + std::string(rest);
  if (std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    // What precedes the @ is a secret, perhaps: it is not shown.
    return wrong(scheme + "://...@" + std::string(rest.substr(at + 1)),
                 "holds a user or password, which a gRPC address cannot; use a token file or headers");
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find_first_of("/?#") != std::string_view::npos) {
    return wrong(shown, "has a path; the instance name is a setting of its own");
  }
  auto address = parse_address(rest, shown);
  if (!address) return address.error();
  Endpoint endpoint;
  endpoint.tls = scheme == "grpcs";
  if (address->port.empty()) {
    if (!endpoint.tls) return wrong(shown, "has no port");
    address->port = "443";
  }
  endpoint.host = address->host;
  endpoint.local = is_loopback(endpoint.host);
  endpoint.text = scheme + "://" + joined(*address);
  endpoint.target = "dns:///" + joined(*address);
  return endpoint;
}

base::Result<Endpoint> parse_http(const std::string& scheme, std::string_view rest) {
  std::size_t slash = rest.find_first_of("/?#");
  std::string_view authority = rest.substr(0, slash);
  std::string path(slash == std::string_view::npos ? std::string_view() : rest.substr(slash));
  Endpoint endpoint;
  if (std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    endpoint.user = percent_decoded(authority.substr(0, at));
    authority.remove_prefix(at + 1);
  }
  std::string shown = scheme + "://" + std::string(authority) + path;
  // A password with one of the characters that end an authority is not shown either.
  if (std::size_t at = path.rfind('@'); at != std::string::npos) {
    shown = scheme + "://...@" + path.substr(at + 1);
  }
  if (path.find_first_of("?#") != std::string::npos) return wrong(shown, "has a ? or #, which no cache has");
  auto address = parse_address(authority, shown);
  if (!address) return address.error();
  endpoint.protocol = Endpoint::Protocol::http;
  endpoint.tls = scheme == "https";
  endpoint.host = address->host;
  endpoint.local = is_loopback(endpoint.host);
  while (path.ends_with('/')) path.pop_back();
  endpoint.text = scheme + "://" + joined(*address) + path;
  endpoint.target = endpoint.text;
  return endpoint;
}

}  // namespace

base::Result<Endpoint> parse_endpoint(std::string_view text) {
  text = base::trimmed(text);
  if (text.empty()) return wrong("", "is empty");
  bool clean = std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > ' ' && c != 0x7f; });
  if (!clean) return wrong("...", "holds blanks or control characters");
  if (text.starts_with("unix:")) return parse_unix(text.substr(5));
  std::size_t mark = text.find("://");
  if (mark == std::string_view::npos) {
    if (text.rfind(':') == std::string_view::npos)
      return wrong(std::string(text), "has no scheme and no port");
    return parse_grpc("grpcs", text);
  }
  std::string scheme = base::lower(text.substr(0, mark));
  std::string_view rest = text.substr(mark + 3);
  if (scheme == "grpc" || scheme == "grpcs") return parse_grpc(scheme, rest);
  if (scheme == "http" || scheme == "https") return parse_http(scheme, rest);
  return wrong(scheme + "://...", "has an unknown scheme");
}

}  // namespace remote
