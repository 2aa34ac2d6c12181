// A server that speaks HTTP/2 frame by frame, for what no gRPC server can be made to say: a proxy's HTML,
// answers without trailers, resets with any code, GOAWAY in the midst of calls. It knows no more of the
// protocol than that: no flow control beyond the first window, no decoding of headers.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/fd.h"

namespace fake {

// One connection, as the script sees it. The thread of the connection only.
class RawPeer {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  RawPeer(int socket, int number) : number(number), socket_(socket) {}

  void headers(std::uint32_t stream, const Fields& fields, bool last);
  void data(std::uint32_t stream, const std::string& bytes, bool last);
  void reset(std::uint32_t stream, std::uint32_t code);
  void goaway(std::uint32_t last_stream, std::uint32_t code, const std::string& debug);
  // Cuts the connection after the script.
  void hang_up() { hung_up = true; }

  // A whole good answer of a gRPC method: an empty message.
  void answer(std::uint32_t stream);

  void frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, const std::string& payload);

  const int number;  // of the connection, from 1
  int requests = 0;  // on it so far
  bool hung_up = false;

 private:
  const int socket_;
};

// Listens on a port of loopback until it ends. Any thread.
class RawHttp2 {
 public:
  // Called once for each request, when all of it has arrived.
  using Script = std::function<void(RawPeer& peer, std::uint32_t stream)>;

  explicit RawHttp2(Script script);
  ~RawHttp2();

  std::string url() const { return "grpc://127.0.0.1:" + std::to_string(port_); }
  int requests() const;
  int connections() const;

 private:
  void accept_all();
  void serve(int socket, int number);

  const Script script_;
  base::Fd listener_;
  int port_ = 0;
  mutable std::mutex mutex_;
  int requests_ = 0;                  // guarded by mutex_
  std::vector<base::Fd> sockets_;     // guarded by mutex_
  std::vector<std::thread> threads_;  // guarded by mutex_
  std::thread accepting_;
};

}  // namespace fake
