// The open channels to one endpoint, each a connection of its own. A lane uses as few as it can and opens a
// further one when its calls would have to queue behind a server's limit on streams. All are made anew when
// the TLS files change; calls under way keep theirs.
#pragma once

#include <grpcpp/grpcpp.h>

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/result.h"
#include "remote/connection.h"
#include "remote/endpoint.h"
#include "remote/tls_files.h"

namespace remote {

// A channel for one call. Gives its place back when it ends.
class Lease {
 public:
  Lease(std::shared_ptr<grpc::Channel> channel, std::shared_ptr<std::atomic<int>> in_flight)
      : channel_(std::move(channel)), in_flight_(std::move(in_flight)) {}
  Lease(Lease&&) = default;
  ~Lease() {
    if (in_flight_) --*in_flight_;
  }

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  std::shared_ptr<grpc::Channel> channel_;
  std::shared_ptr<std::atomic<int>> in_flight_;
};

// Any thread.
class Channels {
 public:
  Channels(const Endpoint& endpoint, TlsFiles tls, base::Clock& clock, base::Files& disk);

  // `io` or `invalid` when the TLS files are of no use and there is no channel from better times.
  base::Result<Lease> lease(Lane lane);

  // Tries to connect at once where that waits for its next turn.
  void hurry();

 private:
  struct Open {
    std::shared_ptr<grpc::Channel> channel;
    std::shared_ptr<std::atomic<int>> in_flight;
  };
  base::Result<void> refresh();  // Requires: mutex_ held.
  std::shared_ptr<grpc::Channel> make(Lane lane) const;

  const Endpoint endpoint_;
  const TlsFiles tls_;
  base::Clock& clock_;
  base::Files& disk_;
  std::mutex mutex_;
  std::array<std::vector<Open>, 2> lanes_;              // guarded by mutex_
  std::shared_ptr<grpc::ChannelCredentials> identity_;  // guarded by mutex_
  TlsStamp stamp_;                                      // guarded by mutex_
  base::Nanoseconds looked_{0};                         // guarded by mutex_; uptime
};

}  // namespace remote
