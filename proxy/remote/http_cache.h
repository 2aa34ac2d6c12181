// The HTTP cache protocol, as nginx, bazel-remote and Bazel define it, as a Backend that cannot execute:
// GET and PUT of PREFIX/ac/HEX (an ActionResult) and PREFIX/cas/HEX (a blob).
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/http.h"
#include "remote/backend.h"
#include "remote/credentials.h"
#include "remote/endpoint.h"

namespace remote {

struct HttpCacheOptions {
  Endpoint endpoint;
  base::HttpTls tls{};
  bool may_update = true;  // the first refused PUT ends it for as long as the credentials stay the same
};

// `http`, `credentials` and `clock` outlive it.
std::unique_ptr<Backend> make_http_cache(const HttpCacheOptions& options, base::Http& http,
                                         Credentials& credentials, base::Clock& clock);

}  // namespace remote
