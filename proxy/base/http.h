// The seam to HTTP servers: a cache, a token endpoint, a status page's feed. http_curl.cc is the real one;
// tests/fake/fake_http.h answers from a table and records what was asked.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace base {

struct HttpTls {
  std::string ca;  // paths of PEM files; empty: the system's roots, no client certificate
  std::string certificate;
  std::string key;
};

struct HttpCall {
  std::string method = "GET";  // GET, HEAD, PUT, POST
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  HttpTls tls;
  std::chrono::milliseconds connect_limit{5'000};
  std::chrono::milliseconds limit{60'000};  // of the whole transfer
  std::size_t largest_answer = 256u << 20;  // a longer body is an error
  bool follow = false;  // redirects, on GET only; the headers above never go to another host
  bool proxy = true;    // proxies from the environment; false for loopback
};

struct HttpAnswer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;

  // The first header of that name; empty without.
  std::string header(const std::string& name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return value;
    }
    return {};
  }
};

class Http {
 public:
  virtual ~Http() = default;
  // Any answer with a status is a value. `io` when no connection could be made, so that nothing was sent;
  // `transient` when it was lost or the limit passed; `rejected` when the server's certificate is not to be
  // trusted; `invalid` for an unusable URL and for an answer that is too long; `cancelled` on a stop.
  // Connections are kept and used again. Any thread. Blocks.
  virtual Result<HttpAnswer> call(const HttpCall& call, const std::stop_token& stop) = 0;
};

// The real one, by libcurl. `connections`: the most at once.
std::unique_ptr<Http> make_http(int connections);

}  // namespace base
