// One request read from a socket and one answer written to it, with bounds on bytes and time. The library
// that parses them is shown only what has passed these bounds: its own are too wide (a line without end, a
// regular expression run over a header, bodies in chunks without a limit).
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "base/result.h"
#include "serve/http.h"

namespace serve {

inline constexpr std::size_t kMaxRequestLine = 2048;
inline constexpr std::size_t kMaxHead = 16 * 1024;  // request line and headers
inline constexpr std::size_t kMaxBody = 64 * 1024;

struct RawRequest {
  std::string head;  // up to and with the empty line
  std::string body;
};

// Reads a request from a non-blocking socket until `limit` from now. An error is `rejected` and says what to
// answer as "413 body too large", or is another kind and nothing can be answered.
base::Result<RawRequest> read_request(int fd, std::chrono::milliseconds limit);

// Parses a request, has it answered, and returns the bytes of the answer. Any thread.
std::string answer(const RawRequest& raw, const std::function<HttpResponse(const HttpRequest&)>& handler);

// A whole answer of one line of text, for requests that are not parsed at all: "413 body too large".
std::string plain_answer(const std::string& status_and_reason);

// Writes all of it to a non-blocking socket, or gives up after `limit`.
void write_answer(int fd, const std::string& bytes, std::chrono::milliseconds limit);

}  // namespace serve
