// Text of other programs (a helper's complaints, a server's body) made fit for logs and pages. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace remote {

// At most `limit` bytes of `text` in one line, with everything that may be a secret replaced by "[hidden]":
// what follows Bearer, Basic or a name such as token= or "password":, users and passwords in URLs, and long
// words that look random.
std::string without_secrets(std::string_view text, std::size_t limit = 2000);

}  // namespace remote
