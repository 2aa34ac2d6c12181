// The HTML of the status page: the shell that loads the embedded program, and a plain page that needs neither
// the embedded files nor JavaScript.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "serve/http.h"
#include "serve/status.h"

namespace serve {

// `&`, `<`, `>` and both quotes as entities; control characters as spaces.
std::string escape_html(std::string_view text);

// The start page. The plain one when the client cannot take gzip, asks for it with ?plain, or nothing is
// embedded.
HttpResponse start_page(const HttpRequest& request, const StatusSources& sources);

// A file below /static/, with 304 for the ETag that the client has already; nothing for an unknown path.
std::optional<HttpResponse> page_file(const HttpRequest& request);

}  // namespace serve
