// Which user is at the other end of a loopback connection. TCP on loopback is open to every user of the
// machine, and the page shows command lines and paths.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace serve {

// The two ends of a connection as /proc/net/tcp writes them: address and port in hex, "0100007F:1F98".
struct PeerKey {
  std::string local;   // the peer's own end
  std::string remote;  // ours
};

// The owner in a table with the format of /proc/net/tcp or tcp6; nothing when the connection is not there.
std::optional<std::uint32_t> owner_in_table(std::string_view table, const PeerKey& key);

// True when the socket's peer belongs to our effective user or to root. False also when that cannot be found
// out.
bool peer_is_ours(int fd);

}  // namespace serve
