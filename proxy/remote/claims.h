// Who is sending which blob at the moment, so that of two tasks with the same input only one sends it.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <unordered_map>
#include <vector>

#include "base/digest.h"
#include "remote/failure.h"

namespace remote {

// Any thread. Never wait for another's blobs while holding claims of one's own: settle them first.
class Claims {
 public:
  struct Sending;
  struct Split {
    std::vector<base::Digest> mine;                // to be sent by the caller, and settled by it in any case
    std::vector<std::shared_ptr<Sending>> theirs;  // to be waited for
  };
  // `owner` is any address that tells the caller from others.
  Split take(const std::vector<base::Digest>& digests, const void* owner);

  // Ends claims of `owner`. Without a failure the blobs are there. A stop, an unreadable input and what the
  // server has against a blob are the sender's own affair: then those who wait may try it themselves. Other
  // failures are theirs too. What `owner` does not claim, or no longer, is left alone.
  void settle(const std::vector<base::Digest>& digests, const void* owner,
              const std::optional<Failure>& failure);

  // Waits until others have settled all of these. The digests that they gave up.
  Remote<std::vector<base::Digest>> await(const std::vector<std::shared_ptr<Sending>>& theirs,
                                          const std::stop_token& stop);

 private:
  std::mutex mutex_;
  std::condition_variable_any settled_;
  std::unordered_map<base::Digest, std::shared_ptr<Sending>> sendings_;  // guarded by mutex_
};

}  // namespace remote
