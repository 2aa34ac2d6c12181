// The words for a failed call: what it means, what the other side said, and what people can do about it. A
// name that does not resolve, a port where nobody listens, a certificate that is not trusted and a token that
// is not good read differently. Pure.
#pragma once

#include <string>
#include <string_view>

#include "remote/failure.h"

namespace remote {

// `http` is the HTTP status that came instead of a gRPC answer; 0 without. `said` is the other side's text:
// shortened, and stripped of markup and control characters.
std::string explain(const Failure& failure, int http, std::string_view said);

}  // namespace remote
