// A client for the tests: one connection to loopback, bytes out, all bytes in until the server closes.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <string>

#include "base/fd.h"

namespace fake {

inline base::Fd connect_to(int port, bool v6 = false) {
  base::Fd fd(::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  int failed;
  if (v6) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(static_cast<in_port_t>(port));
    address.sin6_addr = in6addr_loopback;
    failed = ::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  } else {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<in_port_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    failed = ::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  }
  return failed != 0 ? base::Fd() : std::move(fd);
}

// The whole answer; empty when there is none within 20 seconds.
inline std::string receive(int fd) {
  std::string answer;
  char buffer[8192];
  while (true) {
    pollfd entry{fd, POLLIN, 0};
    if (::poll(&entry, 1, 20'000) <= 0) return {};
    ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
    if (got <= 0) return answer;
    answer.append(buffer, static_cast<std::size_t>(got));
  }
}

inline std::string converse(int port, const std::string& request, bool v6 = false) {
  base::Fd fd = connect_to(port, v6);
  if (!fd) return {};
  // The server may close before it has read everything; what it answered counts.
  (void)!::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL);
  return receive(fd.get());
}

inline std::string head_of(int port, const std::string& method, const std::string& target,
                           const std::string& more = "") {
  return method + " " + target + " HTTP/1.1\r\nHost: localhost:" + std::to_string(port) + "\r\n" + more +
         "\r\n";
}

inline std::string get(int port, const std::string& target, const std::string& more = "") {
  return converse(port, head_of(port, "GET", target, more));
}

// "200" of an answer.
inline std::string status_of(const std::string& answer) {
  return answer.size() < 12 ? "" : answer.substr(9, 3);
}

inline std::string body_of(const std::string& answer) {
  std::size_t end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

}  // namespace fake
