// Content on its way to or from an endpoint.
#pragma once

#include <string>
#include <unordered_map>

#include "base/digest.h"

namespace remote {

// A blob to send: its bytes, or the file that holds them.
struct Source {
  base::Digest digest;
  std::string bytes{};
  std::string path{};  // not empty: read when needed, and refused when it no longer has this digest
};

// Content that was fetched and verified.
using Contents = std::unordered_map<base::Digest, std::string>;

}  // namespace remote
