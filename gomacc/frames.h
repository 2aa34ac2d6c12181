// One connection to the daemon, in whole frames of wire/protocol.h.
#pragma once

#include "text.h"
#include "wire/protocol.h"

namespace gomacc {

struct Frame {
  wire::Type type{};
  std::string_view payload;  // until the next call to the connection
};

class Connection {
 public:
  enum class Got {
    frame,
    nothing,  // in the time given; also after `send` met a daemon that takes nothing
    closed,   // the other side has gone, or speaks what we don't understand; so does every later call
  };

  Connection() = default;
  ~Connection() { close(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void open(int fd);
  void close();
  bool is_open() const { return fd_ >= 0; }
  int fd() const { return fd_; }

  // Sends the payload that `fill(wire::Writer<Sink>&)` writes, for any Sink; it is called twice, once to
  // learn the size. False when the payload is too large, the daemon has gone, or takes nothing for 5 s. What
  // the daemon said before it went can still be received.
  template <class Fill>
  bool send(wire::Type type, Fill fill) {
    Count count;
    wire::Writer<Count> counter(count);
    fill(counter);
    if (count.size > wire::kMaxPayload || !begin(type, static_cast<std::uint32_t>(count.size))) return false;
    Sink sink(*this);
    wire::Writer<Sink> writer(sink);
    fill(writer);
    return flush();
  }
  bool send(wire::Type type) { return begin(type, 0) && flush(); }

  // The next frame, waiting until `deadline` (as sys::monotonic_ms tells time) at most. Bytes that come but
  // do not yet make a frame move the deadline to at least `patience` ms from then.
  Got receive(Frame& frame, std::int64_t deadline, int patience = 0);

  // The next frame if it has arrived.
  Got receive_arrived(Frame& frame);

 private:
  struct Count {
    std::size_t size = 0;
    void append(const char*, std::size_t more) { size += more; }
  };
  struct Sink {
    explicit Sink(Connection& to) : connection(to) {}
    Connection& connection;
    void append(const char* data, std::size_t size) { connection.put(data, size); }
  };

  bool begin(wire::Type type, std::uint32_t size);
  void put(const char* data, std::size_t size);
  bool flush();
  bool push(const char* data, std::size_t size);
  Got fill();
  Got take(Frame& frame);

  int fd_ = -1;
  bool stalled_ = false;
  Bytes input_;
  std::size_t consumed_ = 0;  // of `input_`: the frame handed out last
  char output_[16 << 10];
  std::size_t pending_ = 0;  // of `output_`
};

}  // namespace gomacc
