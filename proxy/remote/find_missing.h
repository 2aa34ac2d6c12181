// Which blobs an endpoint lacks, asked in few calls for many tasks. The first to ask asks at once; what
// others want to know meanwhile is gathered and asked together. Each digest is asked about once, however many
// wait for the answer.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <unordered_map>
#include <vector>

#include "base/digest.h"
#include "remote/call.h"
#include "remote/failure.h"
#include "remote/known_blobs.h"

namespace remote {

struct FindMissingOptions {
  std::size_t most = 10'000;           // digests of one call; also keeps it below a megabyte
  std::chrono::milliseconds tick{10};  // how long a question waits for company while a call is under way
};

// Has no thread: one of those who wait makes the call for all. When it is stopped, another takes over. Any
// thread.
class FindMissing {
 public:
  // One call: those of the digests that the endpoint lacks. Runs without a lock held.
  using Ask = std::function<Remote<std::vector<base::Digest>>(const Call&, const std::vector<base::Digest>&,
                                                              const std::stop_token&)>;

  FindMissing(KnownBlobs& known, Ask ask, FindMissingOptions options = {});
  ~FindMissing();

  // Those of `digests` that are missing, each once, in the given order. What is known to be there is not
  // asked about, nor is the empty blob, and what turns out to be there becomes known. `doubt`: forgets what
  // is known first, and believes no answer to a question that is older. A failure of a call is that of all
  // who waited for it.
  Remote<std::vector<base::Digest>> missing_of(const Call& call, const std::vector<base::Digest>& digests,
                                               bool doubt, const std::stop_token& stop);

  // Tasks that wait for an answer now.
  int waiting() const;

 private:
  struct Round;
  struct Member;
  using Lock = std::unique_lock<std::mutex>;

  // All require: mutex_ held.
  void wait_for_answers(Lock& lock, Member& member, const Call& call, const std::stop_token& stop);
  void join(Member& member, const std::vector<base::Digest>& digests, bool doubt);
  void leave(Member& member);
  std::shared_ptr<Round> due_round(const Member& member) const;
  void lead(Lock& lock, const std::shared_ptr<Round>& round, const Call& call, const std::stop_token& stop);
  void finish(const std::shared_ptr<Round>& round);
  void drop(const std::shared_ptr<Round>& round);

  Remote<std::vector<base::Digest>> ask_in_pieces(const Call& call, const std::vector<base::Digest>& digests,
                                                  const std::stop_token& stop);

  KnownBlobs& known_;
  const Ask ask_;
  const FindMissingOptions options_;
  mutable std::mutex mutex_;
  std::size_t most_;             // guarded by mutex_; less after a call was too large
  int waiting_ = 0;              // guarded by mutex_
  int in_flight_ = 0;            // guarded by mutex_
  std::shared_ptr<Round> open_;  // guarded by mutex_; takes further digests
  std::unordered_map<base::Digest, std::shared_ptr<Round>> current_;  // guarded by mutex_; the latest of each
};

}  // namespace remote
