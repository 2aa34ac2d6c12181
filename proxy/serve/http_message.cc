#include "serve/http_message.h"

#include <httplib.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string_view>

#include "base/text.h"

namespace serve {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

base::Error reject(const char* answer) { return {base::ErrorKind::rejected, answer}; }

// False when the time is up.
bool wait_for(int fd, short events, SteadyTime deadline) {
  while (true) {
    auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd entry{fd, events, 0};
    int ready = ::poll(&entry, 1, static_cast<int>(left.count()));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

// Appends what has arrived. `transient` when nothing came in time, `cancelled` at the end of the stream.
base::Result<void> receive_some(int fd, std::string& bytes, SteadyTime deadline) {
  char buffer[8192];
  while (true) {
    ssize_t got = ::recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got > 0) {
      bytes.append(buffer, static_cast<std::size_t>(got));
      return {};
    }
    if (got == 0) return base::cancelled();
    if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) return base::io_error("recv", errno);
    if (!wait_for(fd, POLLIN, deadline)) return base::Error{base::ErrorKind::transient, "time out"};
  }
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Checks the headers that the library would stumble over and finds the length of the body.
base::Result<std::size_t> body_length(std::string_view head) {
  std::optional<std::size_t> length;
  std::size_t begin = head.find("\r\n") + 2;
  while (begin < head.size()) {
    std::size_t end = head.find("\r\n", begin);
    std::string_view line = head.substr(begin, end - begin);
    begin = end + 2;
    if (line.empty()) break;
    std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || line.front() == ' ' || line.front() == '\t') {
      return reject("400 malformed header");
    }
    std::string name = base::lower(line.substr(0, colon));
    std::string_view value = trimmed(line.substr(colon + 1));
    if (name == "transfer-encoding") return reject("411 a body needs a Content-Length");
    if (name == "range") return reject("416 no ranges here");
    if (name == "expect") return reject("417 no expectations here");
    if (name == "content-encoding") return reject("415 a body must be sent as it is");
    if (name != "content-length") continue;
    std::size_t size = 0;
    auto [rest, error] = std::from_chars(value.data(), value.data() + value.size(), size);
    if (error != std::errc() || rest != value.data() + value.size() || length) {
      return reject("400 bad Content-Length");
    }
    if (size > kMaxBody) return reject("413 body too large");
    length = size;
  }
  return length.value_or(0);
}

// The library's view of a connection: the head that was read before, and nothing after it.
class MemoryStream : public httplib::Stream {
 public:
  explicit MemoryStream(std::string_view input) : input_(input) {}

  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  ssize_t read(char* into, std::size_t size) override {
    size = std::min(size, input_.size());
    input_.copy(into, size);
    input_.remove_prefix(size);
    return static_cast<ssize_t>(size);
  }
  ssize_t write(const char* bytes, std::size_t size) override {
    output_.append(bytes, size);
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return -1; }

  std::string take_output() { return std::move(output_); }

 private:
  std::string_view input_;
  std::string output_;
};

HttpRequest convert(const httplib::Request& request) {
  HttpRequest result;
  result.method = request.method == "HEAD" ? "GET" : request.method;
  result.path = request.path;
  for (const auto& [name, value] : request.params) result.query[name] = value;
  for (const auto& [name, value] : request.headers) {
    std::string& joined = result.headers[base::lower(name)];
    // A header given twice becomes a value that no check accepts.
    joined = joined.empty() ? value : joined + ", " + value;
  }
  result.body = request.body;
  return result;
}

class Parser : public httplib::Server {
 public:
  std::string run(const RawRequest& raw, const std::function<HttpResponse(const HttpRequest&)>& handler) {
    // Everything is handled before routing, since the library routes by std::regex, which recurses over
    // paths.
    std::string encodings;
    set_pre_routing_handler([&](const httplib::Request& request, httplib::Response& response) {
      HttpRequest converted = convert(request);
      converted.headers["accept-encoding"] = encodings;
      HttpResponse answer = handler(converted);
      response.status = answer.status;
      for (const auto& [name, value] : answer.headers) response.set_header(name, value);
      response.set_content(answer.body, answer.type);
      return HandlerResponse::Handled;
    });
    MemoryStream stream(raw.head);
    bool closed = false;
    process_request(stream, /*close_connection=*/true, closed, [&](httplib::Request& request) {
      // Hidden from the library, which would compress: on loopback that costs more than it saves, and the
      // page's files are compressed already.
      encodings = request.get_header_value("Accept-Encoding");
      request.headers.erase("Accept-Encoding");
      request.body = raw.body;
    });
    return stream.take_output();
  }
};

}  // namespace

base::Result<RawRequest> read_request(int fd, std::chrono::milliseconds limit) {
  SteadyTime deadline = std::chrono::steady_clock::now() + limit;
  std::string bytes;
  std::size_t end;
  while ((end = bytes.find("\r\n\r\n")) == std::string::npos) {
    if (bytes.find("\r\n") == std::string::npos && bytes.size() > kMaxRequestLine) {
      return reject("414 request line too long");
    }
    if (bytes.size() > kMaxHead) return reject("431 headers too large");
    base::Result<void> received = receive_some(fd, bytes, deadline);
    if (!received) return received.error();
  }
  if (bytes.find("\r\n") > kMaxRequestLine) return reject("414 request line too long");
  if (end + 4 > kMaxHead) return reject("431 headers too large");
  RawRequest raw{bytes.substr(0, end + 4), bytes.substr(end + 4)};
  if (raw.head.find('\0') != std::string::npos) return reject("400 malformed request");
  base::Result<std::size_t> length = body_length(raw.head);
  if (!length) return length.error();
  while (raw.body.size() < *length) {
    base::Result<void> received = receive_some(fd, raw.body, deadline);
    if (!received) return received.error();
  }
  raw.body.resize(*length);
  return raw;
}

std::string answer(const RawRequest& raw, const std::function<HttpResponse(const HttpRequest&)>& handler) {
  return Parser().run(raw, handler);
}

std::string plain_answer(const std::string& status_and_reason) {
  std::string body = status_and_reason.substr(std::min<std::size_t>(4, status_and_reason.size())) + "\n";
  return "HTTP/1.1 " + status_and_reason +
         "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

void write_answer(int fd, const std::string& bytes, std::chrono::milliseconds limit) {
  SteadyTime deadline = std::chrono::steady_clock::now() + limit;
  std::string_view rest = bytes;
  while (!rest.empty()) {
    ssize_t sent = ::send(fd, rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      rest.remove_prefix(static_cast<std::size_t>(sent));
    } else if (sent < 0 && errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) {
      return;
    } else if (!wait_for(fd, POLLOUT, deadline)) {
      return;
    }
  }
}

}  // namespace serve
