#include "serve/http_peer.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include "fake/http_client.h"

namespace {

// clang-format off
constexpr const char* kTable =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    "   0: 0100007F:1F98 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 100 1 0\n"
    "   1: 0100007F:1F98 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 101 1 0\n"
    "   2: 0100007F:C350 0100007F:1F98 01 00000000:00000000 00:00000000 00000000  1001        0 102 1 0\n"
    "   3: 0100007F:C351 0100007F:1F98 01 00000000:00000000 00:00000000 00000000     x        0 102 1 0\n";
// clang-format on

}  // namespace

TEST_CASE("the owner is that of the peer's own end, not of ours") {
  CHECK(serve::owner_in_table(kTable, {"0100007F:C350", "0100007F:1F98"}) == 1001u);
  CHECK(serve::owner_in_table(kTable, {"0100007F:1F98", "0100007F:C350"}) == 1000u);
}

TEST_CASE("a connection that is not in the table has no owner") {
  CHECK(!serve::owner_in_table(kTable, {"0100007F:C352", "0100007F:1F98"}));
  CHECK(!serve::owner_in_table(kTable, {"0100007F:C351", "0100007F:1F98"}));
  CHECK(!serve::owner_in_table("", {"0100007F:C350", "0100007F:1F98"}));
  CHECK(!serve::owner_in_table("   2: 0100007F:C350 0100007F:1F98", {"0100007F:C350", "0100007F:1F98"}));
}

TEST_CASE("our own connection is found in the system's table, and something else is not") {
  base::Fd listener(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(listener.get(), 4) == 0);
  socklen_t size = sizeof address;
  REQUIRE(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  base::Fd client = fake::connect_to(ntohs(address.sin_port));
  base::Fd server(::accept(listener.get(), nullptr, nullptr));
  CHECK(serve::peer_is_ours(server.get()));
  CHECK(!serve::peer_is_ours(listener.get()));
  CHECK(!serve::peer_is_ours(-1));
}
