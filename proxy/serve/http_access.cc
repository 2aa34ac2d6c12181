#include "serve/http_access.h"

#include <string_view>

namespace serve {
namespace {

HttpResponse refusal(int status, const char* why) {
  HttpResponse response;
  response.status = status;
  response.body = std::string(why) + "\n";
  return response;
}

std::string header(const HttpRequest& request, const char* name) {
  auto found = request.headers.find(name);
  return found == request.headers.end() ? std::string() : found->second;
}

bool is_our_host(std::string_view host, const AccessRules& rules) {
  std::string port = ":" + std::to_string(rules.port);
  if (host.size() <= port.size() || host.substr(host.size() - port.size()) != port) return false;
  host.remove_suffix(port.size());
  return host == "localhost" || host == "127.0.0.1" || host == "[::1]" || host == rules.address;
}

bool is_our_origin(std::string_view origin, const AccessRules& rules) {
  constexpr std::string_view kScheme = "http://";
  return origin.substr(0, kScheme.size()) == kScheme && is_our_host(origin.substr(kScheme.size()), rules);
}

// Takes the same time wherever the first difference is.
bool equal(std::string_view given, std::string_view wanted) {
  unsigned difference = given.size() == wanted.size() ? 0 : 1;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    char c = i < given.size() ? given[i] : '\0';
    difference |= static_cast<unsigned char>(c ^ wanted[i]);
  }
  return difference == 0;
}

// A link to the page on another site opens it; nothing else of ours may be loaded from there.
bool is_visit(const HttpRequest& request) {
  return request.method == "GET" && request.path == "/" && header(request, "sec-fetch-mode") == "navigate" &&
         header(request, "sec-fetch-dest") == "document";
}

}  // namespace

std::optional<HttpResponse> refuse(const HttpRequest& request, const AccessRules& rules) {
  if (request.method != "GET" && request.method != "POST") return refusal(405, "method not allowed");
  if (!is_our_host(header(request, "host"), rules)) {
    return refusal(403, "this server answers to the names localhost, 127.0.0.1 and [::1] only");
  }
  auto origin = request.headers.find("origin");
  if (origin != request.headers.end() && !is_our_origin(origin->second, rules)) {
    return refusal(403, "requests from other sites are refused");
  }
  std::string site = header(request, "sec-fetch-site");
  if (!site.empty() && site != "same-origin" && site != "none" && !is_visit(request)) {
    return refusal(403, "requests from other sites are refused");
  }
  if (request.method == "POST") {
    std::string token = header(request, "x-goma-token");
    if (rules.token.empty() || !equal(token, rules.token)) {
      return refusal(403, "a POST needs the header X-Goma-Token with the token of the goma_token file");
    }
  }
  return std::nullopt;
}

}  // namespace serve
