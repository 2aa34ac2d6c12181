// One accepted connection of a gomacc: frames in and out, with bounds on size and time.
#pragma once

#include <chrono>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"
#include "task/request.h"
#include "wire/protocol.h"

namespace serve {

struct Frame {
  wire::Type type;
  std::string payload;
};

// read() belongs to the task's thread; write() and send_waiting() may be called from any.
class Connection : public task::Client {
 public:
  explicit Connection(base::Fd fd) : fd_(std::move(fd)) {}

  int fd() const { return fd_.get(); }

  // `cancelled` when the peer closed or a stop came, `transient` when `limit` passed, `invalid` for a frame
  // of another protocol or too large a one.
  base::Result<Frame> read(std::chrono::milliseconds limit, const std::stop_token& stop);
  base::Result<void> write(wire::Type type, std::string_view payload);
  // Says "still here" if that can be done without waiting.
  void send_waiting();

  // task::Client
  base::Result<task::RunReport> run(const task::RunOrder& order, const std::stop_token& stop) override;
  bool gone() override;

 private:
  base::Result<void> receive(char* into, std::size_t size, std::chrono::steady_clock::time_point deadline,
                             const std::stop_token& stop);

  base::Fd fd_;
  std::mutex write_mutex_;  // a frame is written whole before the next
};

// The request in a `compile` frame; `invalid` when it is malformed.
base::Result<task::Request> decode_request(std::string_view payload, std::string& version);

}  // namespace serve
