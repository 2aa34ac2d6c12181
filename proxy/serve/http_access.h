// Who may ask what of the page's server: rules that keep other web sites out of a server on localhost. A
// browser sends their requests here willingly, so Host (a name rebound to loopback), Origin and
// Sec-Fetch-Site (a foreign page) are checked, and every POST must bring the token that only our own page and
// the user's files know.
#pragma once

#include <optional>
#include <string>

#include "serve/http.h"

namespace serve {

struct AccessRules {
  std::string address;  // what we are bound to
  int port = 0;
  std::string token;
};

// Nothing when the request may be served, else the refusal. Pure.
std::optional<HttpResponse> refuse(const HttpRequest& request, const AccessRules& rules);

}  // namespace serve
