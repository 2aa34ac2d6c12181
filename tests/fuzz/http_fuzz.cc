// A request of a browser, or of something else that found the port.
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <string>

#include "serve/http_message.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) std::abort();
  if (size > 0 && ::send(ends[0], data, size, MSG_NOSIGNAL) != static_cast<ssize_t>(size)) std::abort();
  ::shutdown(ends[0], SHUT_WR);
  base::Result<serve::RawRequest> raw = serve::read_request(ends[1], std::chrono::seconds(5));
  ::close(ends[0]);
  ::close(ends[1]);
  if (!raw) {
    bool answered = raw.error().kind == base::ErrorKind::rejected;
    if (answered && serve::plain_answer(raw.error().message).find("HTTP/1.1 4") != 0) std::abort();
    return 0;
  }
  if (raw->head.size() > serve::kMaxHead || raw->body.size() > serve::kMaxBody) std::abort();
  if (raw->head.size() + raw->body.size() > size) std::abort();
  int handled = 0;
  std::string answer = serve::answer(*raw, [&](const serve::HttpRequest& request) {
    ++handled;
    if (request.body != raw->body || request.method == "HEAD") std::abort();
    for (const auto& header : request.headers) {
      if (header.first.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") != std::string::npos) std::abort();
    }
    return serve::HttpResponse{};
  });
  if (handled > 1) std::abort();
  if (!answer.empty() && answer.find("HTTP/1.1 ") != 0) std::abort();
  return 0;
}
