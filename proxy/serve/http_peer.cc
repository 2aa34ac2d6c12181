#include "serve/http_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "base/fd.h"

namespace serve {
namespace {

// The kernel prints each 32-bit word of an address in the machine's own byte order.
std::string words_in_hex(const unsigned char* address, std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; i += 4) {
    std::uint32_t word;
    std::memcpy(&word, address + i, sizeof word);
    char digits[9];
    std::snprintf(digits, sizeof digits, "%08X", word);
    text += digits;
  }
  return text;
}

std::string with_port(std::string address, in_port_t port) {
  char digits[6];
  std::snprintf(digits, sizeof digits, ":%04X", ntohs(port));
  return address + digits;
}

std::string end_in_hex(const sockaddr_storage& end) {
  if (end.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(end);
    return with_port(words_in_hex(reinterpret_cast<const unsigned char*>(&v4.sin_addr), 4), v4.sin_port);
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(end);
  return with_port(words_in_hex(reinterpret_cast<const unsigned char*>(&v6.sin6_addr), 16), v6.sin6_port);
}

// The same end as a program that uses an IPv6 socket for IPv4 has it: "::ffff:127.0.0.1".
std::string mapped(const std::string& v4) {
  std::uint32_t word = htonl(0xffff);
  char prefix[25];
  std::snprintf(prefix, sizeof prefix, "0000000000000000%08X", word);
  return prefix + v4;
}

std::string_view next_word(std::string_view& line) {
  std::size_t begin = line.find_first_not_of(' ');
  if (begin == std::string_view::npos) return line = {};
  std::size_t end = std::min(line.find(' ', begin), line.size());
  std::string_view word = line.substr(begin, end - begin);
  line.remove_prefix(end);
  return word;
}

std::optional<std::uint32_t> owner_in_file(const char* path, const PeerKey& key) {
  base::Result<std::string> table = base::read_file(path, std::size_t{64} << 20);
  if (!table) return std::nullopt;
  return owner_in_table(*table, key);
}

}  // namespace

std::optional<std::uint32_t> owner_in_table(std::string_view table, const PeerKey& key) {
  while (!table.empty()) {
    std::size_t end = std::min(table.find('\n'), table.size());
    std::string_view line = table.substr(0, end);
    table.remove_prefix(std::min(end + 1, table.size()));
    // sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid ...
    next_word(line);
    if (next_word(line) != key.local || next_word(line) != key.remote) continue;
    for (int i = 0; i < 4; ++i) next_word(line);
    std::string_view word = next_word(line);
    std::uint32_t uid = 0;
    auto [rest, error] = std::from_chars(word.data(), word.data() + word.size(), uid);
    if (error == std::errc() && rest == word.data() + word.size()) return uid;
  }
  return std::nullopt;
}

bool peer_is_ours(int fd) {
  sockaddr_storage peer{};
  sockaddr_storage self{};
  socklen_t peer_size = sizeof peer;
  socklen_t self_size = sizeof self;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0) return false;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&self), &self_size) != 0) return false;
  PeerKey key{end_in_hex(peer), end_in_hex(self)};
  std::optional<std::uint32_t> owner;
  // The kernel prints the table piece by piece and may pass over a row while others come and go.
  for (int attempt = 0; attempt < 3 && !owner; ++attempt) {
    owner = owner_in_file(peer.ss_family == AF_INET ? "/proc/net/tcp" : "/proc/net/tcp6", key);
    if (!owner && peer.ss_family == AF_INET) {
      owner = owner_in_file("/proc/net/tcp6", PeerKey{mapped(key.local), mapped(key.remote)});
    }
  }
  return owner && (*owner == ::geteuid() || *owner == 0);
}

}  // namespace serve
