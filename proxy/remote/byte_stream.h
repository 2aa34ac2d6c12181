// Single blobs by ByteStream: in pieces, resumed after an interruption where the server can, compressed where
// it can.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>

#include "base/digest.h"
#include "remote/blobs.h"
#include "remote/connection.h"
#include "remote/failure.h"
#include "remote/quirks.h"

namespace remote {

// Any thread. Every call is bounded by attempts and by a deadline that grows with the blob.
class ByteStream {
 public:
  ByteStream(Connection& connection, std::string instance, Quirks& quirks);

  // Uploads a blob and returns the bytes that were sent. Succeeds early when somebody else has sent it.
  // `zstd`: compressed, if it gains by that. When the compressed way fails and the plain one does not,
  // zstd_streams is lost.
  Remote<std::uint64_t> write(const Call& call, const Source& source, bool zstd, const std::stop_token& stop);

  struct Blob {
    std::string content;      // verified
    std::uint64_t bytes = 0;  // received
  };
  // `not_found` when the server lacks it, `corrupt` when it gave other bytes twice. `zstd` as above.
  Remote<Blob> read(const Call& call, const base::Digest& digest, bool zstd, const std::stop_token& stop);

 private:
  class Upload;
  class Download;
  enum class Progress { none, some, complete };

  Remote<void> send(const Call& call, Upload& upload, const std::stop_token& stop);
  Remote<Progress> ask_progress(const Call& call, Upload& upload, const std::stop_token& stop);
  Remote<void> receive(const Call& call, Download& download, const std::stop_token& stop);

  Connection& connection_;
  const std::string instance_;
  Quirks& quirks_;
};

}  // namespace remote
