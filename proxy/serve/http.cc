// The doors of the page's server. One thread waits for connections and for the first byte of each; only then
// does a pool thread take it, read the request, answer and close. The library underneath only parses.
#include "serve/http.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/log.h"
#include "base/thread.h"
#include "serve/http_access.h"
#include "serve/http_message.h"
#include "serve/http_peer.h"

namespace serve {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

// Answers take well under a millisecond, so few threads serve many pages; more than one keeps a slow sender
// from holding up the others.
constexpr std::size_t kThreads = 8;
constexpr std::size_t kMaxWaiting = 256;  // connections without a request yet, and with one not yet taken
constexpr seconds kFirstByte{10};
constexpr milliseconds kReadLimit{2'000};
constexpr milliseconds kWriteLimit{5'000};

bool is_loopback_v4(const std::string& address) {
  in_addr parsed{};
  return ::inet_pton(AF_INET, address.c_str(), &parsed) == 1 && (ntohl(parsed.s_addr) >> 24) == 127;
}

struct Bound {
  base::Fd fd;
  int port = 0;
};

base::Result<Bound> listen_on(const sockaddr* address, socklen_t size) {
  base::Fd fd(::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return base::io_error("socket", errno);
  int one = 1;
  // Not SO_REUSEPORT: with it a second daemon would share the port instead of taking the next.
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (address->sa_family == AF_INET6) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
  if (::bind(fd.get(), address, size) != 0) {
    if (errno == EADDRINUSE) return base::Error{base::ErrorKind::transient, "the port is taken"};
    return base::io_error("bind", errno);
  }
  if (::listen(fd.get(), 128) != 0) return base::io_error("listen", errno);
  sockaddr_storage bound{};
  socklen_t bound_size = sizeof bound;
  if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &bound_size) != 0) {
    return base::io_error("getsockname", errno);
  }
  in_port_t port = bound.ss_family == AF_INET ? reinterpret_cast<sockaddr_in&>(bound).sin_port
                                              : reinterpret_cast<sockaddr_in6&>(bound).sin6_port;
  return Bound{std::move(fd), ntohs(port)};
}

base::Result<Bound> listen_v4(const std::string& address, int port) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(static_cast<in_port_t>(port));
  ::inet_pton(AF_INET, address.c_str(), &v4.sin_addr);
  return listen_on(reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
}

base::Result<Bound> listen_v6(int port) {
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(static_cast<in_port_t>(port));
  v6.sin6_addr = in6addr_loopback;
  return listen_on(reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
}

}  // namespace

class HttpServer::State {
 public:
  State(HttpOptions options, Handler handler)
      : options_(std::move(options)), handler_(std::move(handler)), pool_("http", kThreads) {}

  ~State() {
    stopping_ = true;
    std::uint64_t one = 1;
    if (wake_) (void)!::write(wake_.get(), &one, sizeof one);
    thread_.join();
  }

  base::Result<int> start() {
    wake_ = base::Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!wake_) return base::io_error("eventfd", errno);
    if (options_.address == "localhost") options_.address = "127.0.0.1";
    if (options_.address != "::1" && !is_loopback_v4(options_.address)) {
      return base::invalid("the status page binds loopback addresses only, not " + options_.address);
    }
    base::Error last{base::ErrorKind::io, "no port given"};
    for (int i = 0; i < std::max(1, options_.ports) && listeners_.empty(); ++i) {
      base::Result<int> port = bind_both(options_.first_port == 0 ? 0 : options_.first_port + i);
      if (port) {
        port_ = *port;
      } else {
        last = port.error();
      }
    }
    if (listeners_.empty()) return base::Error{base::ErrorKind::io, last.message};
    thread_ = base::Thread("http accept", [this] { accept_until_stopped(); });
    return port_;
  }

 private:
  // Browsers may try ::1 first for "localhost", so a port is ours only when nobody else has it there.
  base::Result<int> bind_both(int port) {
    if (options_.address == "::1") {
      base::Result<Bound> v6 = listen_v6(port);
      if (!v6) return v6.error();
      listeners_.push_back(std::move(v6->fd));
      return v6->port;
    }
    base::Result<Bound> v4 = listen_v4(options_.address, port);
    if (!v4) return v4.error();
    if (options_.address == "127.0.0.1") {
      base::Result<Bound> v6 = listen_v6(v4->port);
      if (v6) {
        listeners_.push_back(std::move(v6->fd));
      } else if (v6.error().kind == base::ErrorKind::transient) {
        return v6.error();
      }  // else the machine has no IPv6
    }
    listeners_.push_back(std::move(v4->fd));
    return v4->port;
  }

  struct Waiting {
    base::Fd fd;
    steady_clock::time_point deadline;
  };

  void accept_until_stopped() {
    std::vector<Waiting> waiting;
    std::vector<pollfd> entries;
    while (!stopping_) {
      entries.clear();
      entries.push_back({wake_.get(), POLLIN, 0});
      for (const base::Fd& listener : listeners_) entries.push_back({listener.get(), POLLIN, 0});
      for (const Waiting& connection : waiting) entries.push_back({connection.fd.get(), POLLIN, 0});
      if (::poll(entries.data(), entries.size(), poll_time(waiting)) < 0 && errno != EINTR) {
        base::log(base::LogLevel::error, "the status page stops: poll failed");
        return;
      }
      if (stopping_) return;
      take_ready(waiting, entries, 1 + listeners_.size());
      for (std::size_t i = 0; i < listeners_.size(); ++i) {
        if (entries[1 + i].revents != 0) accept_from(listeners_[i].get(), waiting);
      }
    }
  }

  // Without end when nobody is connected: an idle server does no work at all.
  static int poll_time(const std::vector<Waiting>& waiting) {
    if (waiting.empty()) return -1;
    auto first = std::min_element(waiting.begin(), waiting.end(),
                                  [](const Waiting& a, const Waiting& b) { return a.deadline < b.deadline; });
    auto left = std::chrono::duration_cast<milliseconds>(first->deadline - steady_clock::now()).count();
    return static_cast<int>(std::max<std::int64_t>(left, 0)) + 1;
  }

  // Hands connections with something to read to the pool, and closes those that said nothing for too long.
  void take_ready(std::vector<Waiting>& waiting, const std::vector<pollfd>& entries, std::size_t offset) {
    auto now = steady_clock::now();
    std::vector<Waiting> rest;
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (entries[offset + i].revents != 0) {
        serve(std::move(waiting[i].fd));
      } else if (waiting[i].deadline > now) {
        rest.push_back(std::move(waiting[i]));
      }
    }
    waiting = std::move(rest);
  }

  void accept_from(int listener, std::vector<Waiting>& waiting) {
    while (true) {
      base::Fd fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!fd) {
        // Without descriptors the connection stays in the queue and poll() reports it at once again; a short
        // sleep keeps that from spinning.
        if (errno == EMFILE || errno == ENFILE) ::usleep(100'000);
        return;
      }
      if (waiting.size() >= kMaxWaiting) waiting.erase(waiting.begin());
      waiting.push_back({std::move(fd), steady_clock::now() + kFirstByte});
    }
  }

  void serve(base::Fd fd) {
    if (queued_.load() >= kMaxWaiting) return;  // closes it
    ++queued_;
    // std::function wants a copyable callable, so the descriptor travels as a number.
    pool_.run([this, number = fd.release()] {
      base::Fd connection(number);
      if (!stopping_) converse(connection.get());
      --queued_;
    });
  }

  void converse(int fd) {
    int one = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (!peer_is_ours(fd)) {
      write_answer(fd, plain_answer("403 this page belongs to another user"), kWriteLimit);
      return finish(fd);
    }
    base::Result<RawRequest> raw = read_request(fd, kReadLimit);
    if (!raw) {
      if (raw.error().kind != base::ErrorKind::rejected) return;
      write_answer(fd, plain_answer(raw.error().message), kWriteLimit);
      return finish(fd);
    }
    write_answer(fd, answer(*raw, [this](const HttpRequest& request) { return respond(request); }),
                 kWriteLimit);
    finish(fd);
  }

  // Bytes that were never read would make the kernel reset the connection and drop the answer on its way.
  static void finish(int fd) {
    ::shutdown(fd, SHUT_WR);
    char buffer[4096];
    for (int i = 0; i < 32 && ::recv(fd, buffer, sizeof buffer, MSG_DONTWAIT) > 0; ++i) {
    }
  }

  HttpResponse respond(const HttpRequest& request) const {
    std::optional<HttpResponse> refused = refuse(request, {options_.address, port_, options_.token});
    HttpResponse response = refused ? std::move(*refused) : handler_(request);
    auto add = [&](const char* name, const char* value) { response.headers.emplace(name, value); };
    add("Content-Security-Policy",
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'");
    add("X-Content-Type-Options", "nosniff");
    add("X-Frame-Options", "DENY");
    add("Referrer-Policy", "no-referrer");
    add("Cross-Origin-Resource-Policy", "same-origin");
    add("Cache-Control", "no-store");
    return response;
  }

  HttpOptions options_;
  const Handler handler_;
  int port_ = 0;  // constant once the threads run
  std::vector<base::Fd> listeners_;
  base::Fd wake_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> queued_{0};
  base::Thread thread_;
  base::ThreadPool pool_;  // last: its threads use the rest
};

HttpServer::HttpServer(HttpOptions options, Handler handler)
    : state_(std::make_unique<State>(std::move(options), std::move(handler))) {}
HttpServer::~HttpServer() = default;
base::Result<int> HttpServer::start() { return state_->start(); }

}  // namespace serve
