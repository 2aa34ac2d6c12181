#include "remote/cas.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/gate.h"
#include "cache/outcome_codec.h"
#include "remote/batches.h"
#include "remote/byte_stream.h"
#include "remote/claims.h"
#include "remote/find_missing.h"
#include "remote/known_blobs.h"
#include "remote/quirks.h"
#include "wire/reapi.grpc.pb.h"

namespace remote {
namespace {

namespace reapi = build::bazel::remote::execution::v2;

// Larger blobs go by ByteStream, and no batch is larger than twice this, so that many tasks at once do not
// take much memory.
constexpr std::size_t kStreamFrom = 1 << 20;
constexpr std::size_t kMostBatch = 2 << 20;

// A claimed size above this is not believed: no output of a compile is so large.
constexpr std::int64_t kLargestFetch = std::int64_t{1} << 30;

// Transfers in each direction at a time, each of which may hold a batch or a piece. Those of a few bytes are
// not counted: there are many of them, and on a long way each takes as long as a large one.
constexpr int kTransfers = 16;
constexpr std::size_t kFewBytes = 64 << 10;

// The messages of an Action with a few directories: sent sooner than a question is answered.
constexpr std::size_t kUnaskedBlobs = 16;
constexpr std::int64_t kUnaskedBytes = 16 << 10;
constexpr std::chrono::minutes kTransferWait{5};

// How often the blobs that another task gave up are taken over.
constexpr int kTakeOvers = 5;

class Counter {
 public:
  void add(std::uint64_t blobs, std::uint64_t bytes) {
    blobs_ += blobs;
    bytes_ += bytes;
  }
  TransferCount count() const { return {blobs_, bytes_}; }

 private:
  std::atomic<std::uint64_t> blobs_{0};
  std::atomic<std::uint64_t> bytes_{0};
};

Remote<base::Pass> enter(base::Gate& gate, std::size_t bytes, const std::stop_token& stop) {
  if (bytes <= kFewBytes) return base::Pass();
  base::Result<base::Pass> pass = gate.enter_within(kTransferWait, stop);
  if (pass) return std::move(*pass);
  if (stop.stop_requested()) return Failure{Cause::cancelled, "cancelled"};
  return Failure{Cause::exhausted, "no transfer was free for minutes"};
}

std::string in_mib(std::int64_t bytes) { return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MiB"; }

using SourceOf = std::unordered_map<base::Digest, const Source*>;

SourceOf index(const std::vector<Source>& sources) {
  SourceOf source_of;
  for (const Source& source : sources) source_of.emplace(source.digest, &source);
  return source_of;
}

}  // namespace

class Cas::State {
 public:
  State(Connection& connection, CapabilityReader& capabilities, CasOptions options, base::Clock& clock)
      : connection_(connection),
        capabilities_(capabilities),
        options_(std::move(options)),
        known_(clock),
        quirks_(clock),
        find_missing_(known_, [this](const Call& call, const std::vector<base::Digest>& digests,
                                     const std::stop_token& stop) { return ask(call, digests, stop); }),
        batches_(connection, options_.instance),
        byte_stream_(connection, options_.instance, quirks_) {}

  Remote<TransferCount> upload(const Call& call, const std::vector<Source>& sources, Ask ask,
                               const std::stop_token& stop);
  Remote<Contents> fetch(const Call& call, const std::vector<base::Digest>& digests,
                         const std::stop_token& stop);

  TransferCount sent() const { return sent_.count(); }
  TransferCount received() const { return received_.count(); }

 private:
  // What one upload() or fetch() works with.
  struct Job {
    const Call& call;
    const std::stop_token& stop;
    Capabilities capabilities;
  };

  Remote<std::vector<base::Digest>> ask(const Call& call, const std::vector<base::Digest>& digests,
                                        const std::stop_token& stop);

  // The sending side of a Job.
  struct Sending {
    const Job& job;
    const SourceOf& source_of;
    TransferCount& count;
    std::vector<base::Digest> todo;   // in batches
    std::vector<base::Digest> large;  // one by one, by ByteStream
  };

  std::vector<base::Digest> unasked(const std::vector<Source>& sources,
                                    const std::vector<base::Digest>& digests);
  Remote<void> send_all(Sending& sending);
  Remote<void> send_batch(Sending& sending);
  Remote<void> send_stream(Sending& sending, const base::Digest& digest);
  void confirm(Sending& sending, const std::vector<base::Digest>& digests, std::uint64_t bytes,
               std::uint64_t epoch);

  Remote<void> fetch_batch(const Job& job, std::vector<base::Digest>& todo, std::vector<base::Digest>& single,
                           Contents& contents);
  Remote<void> fetch_stream(const Job& job, const base::Digest& digest, Contents& contents);
  void lacks(const base::Digest& digest);

  // Moves those that cannot go in batches from `todo` to `large`.
  void set_large_apart(const Job& job, Feature batch, std::vector<base::Digest>& todo,
                       std::vector<base::Digest>& large);
  std::size_t batch_limit(const Job& job);
  std::size_t next_batch(const Job& job, const std::vector<base::Digest>& todo);

  Connection& connection_;
  CapabilityReader& capabilities_;
  const CasOptions options_;
  KnownBlobs known_;
  Quirks quirks_;
  Claims claims_;
  FindMissing find_missing_;
  Batches batches_;
  ByteStream byte_stream_;
  base::Gate up_{kTransfers};
  base::Gate down_{kTransfers};
  Counter sent_;
  Counter received_;
};

Remote<std::vector<base::Digest>> Cas::State::ask(const Call& call, const std::vector<base::Digest>& digests,
                                                  const std::stop_token& stop) {
  reapi::FindMissingBlobsRequest request;
  request.set_instance_name(options_.instance);
  request.set_digest_function(reapi::DigestFunction::SHA256);
  for (const base::Digest& digest : digests) cache::set_digest(digest, *request.add_blob_digests());
  reapi::FindMissingBlobsResponse response;
  CallOptions options;
  options.method = "FindMissingBlobs";
  Remote<void> answered = connection_.run(
      options, call, stop, [&](grpc::ClientContext& context, const Connection::Channel& channel) {
        return reapi::ContentAddressableStorage::NewStub(channel)->FindMissingBlobs(&context, request,
                                                                                    &response);
      });
  if (!answered) return answered.error();
  std::vector<base::Digest> missing;
  for (const reapi::Digest& message : response.missing_blob_digests()) {
    base::Result<base::Digest> digest = cache::get_digest(message);
    if (!digest) return Failure{Cause::corrupt, "FindMissingBlobs: " + digest.error().message};
    missing.push_back(*digest);
  }
  return missing;
}

std::size_t Cas::State::batch_limit(const Job& job) {
  std::size_t announced = static_cast<std::size_t>(std::max<std::int64_t>(job.capabilities.batch_bytes, 0));
  return quirks_.message_limit(std::min(announced, kMostBatch));
}

void Cas::State::set_large_apart(const Job& job, Feature batch, std::vector<base::Digest>& todo,
                                 std::vector<base::Digest>& large) {
  std::size_t overhead = overhead_bytes(options_.instance);
  std::size_t limit = std::max(batch_limit(job), overhead) - overhead;
  std::size_t most = quirks_.has(batch) ? std::min(limit, kStreamFrom) : 0;
  auto first = std::stable_partition(todo.begin(), todo.end(),
                                     [&](const base::Digest& digest) { return entry_bytes(digest) <= most; });
  large.insert(large.end(), first, todo.end());
  todo.erase(first, todo.end());
}

std::size_t Cas::State::next_batch(const Job& job, const std::vector<base::Digest>& todo) {
  // Another task may have lowered the limit meanwhile; one is always tried.
  return std::max<std::size_t>(count_that_fits(todo, options_.instance, batch_limit(job)), 1);
}

// Those that are to be sent without a question; none when there is something to be asked.
std::vector<base::Digest> Cas::State::unasked(const std::vector<Source>& sources,
                                              const std::vector<base::Digest>& digests) {
  std::vector<base::Digest> unknown;
  std::int64_t bytes = 0;
  for (const base::Digest& digest : known_.unknown_of(digests)) {
    if (digest.size == 0 || std::find(unknown.begin(), unknown.end(), digest) != unknown.end()) continue;
    bytes += digest.size;
    unknown.push_back(digest);
    if (unknown.size() > kUnaskedBlobs || bytes > kUnaskedBytes) return {};
  }
  auto is_unknown_file = [&](const Source& source) {
    return !source.path.empty() && std::find(unknown.begin(), unknown.end(), source.digest) != unknown.end();
  };
  if (std::any_of(sources.begin(), sources.end(), is_unknown_file)) return {};
  return unknown;
}

Remote<TransferCount> Cas::State::upload(const Call& call, const std::vector<Source>& sources, Ask ask,
                                         const std::stop_token& stop) {
  std::vector<base::Digest> digests;
  digests.reserve(sources.size());
  for (const Source& source : sources) digests.push_back(source.digest);
  SourceOf source_of;  // made when something is missing, which is seldom
  TransferCount count;
  bool doubt = ask == Ask::all;
  std::vector<base::Digest> presumed;
  if (ask == Ask::files) presumed = unasked(sources, digests);
  for (int turn = 0; turn < kTakeOvers; ++turn) {
    Remote<std::vector<base::Digest>> missing = std::exchange(presumed, {});
    if (missing->empty()) missing = find_missing_.missing_of(call, digests, doubt, stop);
    if (!missing) return missing.error();
    if (missing->empty()) return count;
    if (source_of.empty()) source_of = index(sources);

    Remote<Capabilities> capabilities = capabilities_.get(call, stop);
    if (!capabilities) return capabilities.error();
    Job job{call, stop, *capabilities};
    Sending sending{job, source_of, count};
    Claims::Split split = claims_.take(*missing, &sending);
    // Between the question and the claim somebody may have finished sending.
    sending.todo = known_.unknown_of(split.mine);
    Remote<void> sent = send_all(sending);
    claims_.settle(split.mine, &sending, sent ? std::nullopt : std::optional<Failure>(sent.error()));
    if (!sent) return sent.error();
    Remote<std::vector<base::Digest>> given_up = claims_.await(split.theirs, stop);
    if (!given_up) return given_up.error();
    if (given_up->empty()) return count;
    digests = std::move(*given_up);
    doubt = false;
  }
  return Failure{Cause::unavailable, "blobs were not sent: those who sent them were stopped again and again"};
}

Remote<void> Cas::State::send_all(Sending& sending) {
  std::int64_t largest = sending.job.capabilities.largest_blob;
  for (const base::Digest& digest : sending.todo) {
    if (largest <= 0 || digest.size <= largest) continue;
    const std::string& path = sending.source_of.at(digest)->path;
    return Failure{Cause::too_large, (path.empty() ? "a blob" : path) + " of " + in_mib(digest.size) +
                                         " is over the server's limit of " + in_mib(largest) + " for a blob"};
  }
  set_large_apart(sending.job, Feature::batch_update, sending.todo, sending.large);
  while (!sending.todo.empty()) {
    Remote<void> sent = send_batch(sending);
    if (!sent) return sent;
    set_large_apart(sending.job, Feature::batch_update, sending.todo, sending.large);
  }
  for (const base::Digest& digest : sending.large) {
    Remote<void> sent = send_stream(sending, digest);
    if (!sent) return sent;
  }
  return {};
}

// Takes from `todo` what is there afterwards. An error that a smaller batch, plain bytes or ByteStream may
// mend is remembered as a quirk and not returned.
Remote<void> Cas::State::send_batch(Sending& sending) {
  const Job& job = sending.job;
  std::size_t fits = next_batch(job, sending.todo);
  std::vector<const Source*> batch;
  std::size_t bytes = overhead_bytes(options_.instance);
  for (std::size_t i = 0; i < fits; ++i) {
    batch.push_back(sending.source_of.at(sending.todo[i]));
    bytes += entry_bytes(sending.todo[i]);
  }
  Remote<base::Pass> pass = enter(up_, bytes, job.stop);
  if (!pass) return pass.error();
  std::uint64_t epoch = known_.epoch();
  bool zstd = options_.compression && job.capabilities.zstd_batches && quirks_.has(Feature::zstd_batches);
  Batches::Sent sent;
  std::unordered_set<base::Digest> there;
  auto update = [&](bool compressed) {
    Remote<void> updated = batches_.update(job.call, batch, compressed, sent, job.stop);
    there.insert(sent.confirmed.begin(), sent.confirmed.end());
    std::erase_if(batch, [&](const Source* source) { return there.contains(source->digest); });
    return updated;
  };
  Remote<void> updated = update(zstd);
  if (!updated && zstd &&
      (updated.error().cause == Cause::invalid || updated.error().cause == Cause::engine)) {
    updated = update(false);
    if (updated) quirks_.lost(Feature::zstd_batches);
  }
  std::erase_if(sending.todo, [&](const base::Digest& digest) { return there.contains(digest); });
  confirm(sending, sent.confirmed, sent.bytes, epoch);
  if (updated) return {};
  switch (updated.error().cause) {
    case Cause::too_large:
      quirks_.refused(bytes);
      if (fits > 1 && bytes > Quirks::kLeast) return {};
      // It cannot be split further; ByteStream sends smaller messages.
      for (const Source* source : batch) {
        sending.large.push_back(source->digest);
        std::erase(sending.todo, source->digest);
      }
      return {};
    case Cause::unimplemented:
      quirks_.lost(Feature::batch_update);
      return {};
    default:
      return updated;
  }
}

Remote<void> Cas::State::send_stream(Sending& sending, const base::Digest& digest) {
  const Job& job = sending.job;
  Remote<base::Pass> pass = enter(up_, static_cast<std::size_t>(digest.size), job.stop);
  if (!pass) return pass.error();
  std::uint64_t epoch = known_.epoch();
  bool zstd = options_.compression && job.capabilities.zstd_streams;
  Remote<std::uint64_t> bytes = byte_stream_.write(job.call, *sending.source_of.at(digest), zstd, job.stop);
  if (!bytes && bytes.error().cause == Cause::too_large) {
    Failure failure = bytes.error();
    failure.message += "; a blob of " + in_mib(digest.size) + " cannot be sent";
    return failure;
  }
  if (!bytes) return bytes.error();
  confirm(sending, {digest}, *bytes, epoch);
  return {};
}

// Known first: whoever claims them next must find them known.
void Cas::State::confirm(Sending& sending, const std::vector<base::Digest>& digests, std::uint64_t bytes,
                         std::uint64_t epoch) {
  sending.count.blobs += digests.size();
  sending.count.bytes += bytes;
  sent_.add(digests.size(), bytes);
  known_.add(digests, epoch);
  claims_.settle(digests, &sending, std::nullopt);
}

Remote<Contents> Cas::State::fetch(const Call& call, const std::vector<base::Digest>& digests,
                                   const std::stop_token& stop) {
  Contents contents;
  std::vector<base::Digest> todo;
  std::unordered_set<base::Digest> seen;
  for (const base::Digest& digest : digests) {
    if (!seen.insert(digest).second) continue;
    if (digest.size > kLargestFetch) {
      return Failure{Cause::too_large, "a blob of " + in_mib(digest.size) + " is not fetched"};
    }
    if (digest.size == 0) {
      contents.emplace(digest, std::string());
    } else {
      todo.push_back(digest);
    }
  }
  if (todo.empty()) return contents;

  Remote<Capabilities> capabilities = capabilities_.get(call, stop);
  if (!capabilities) return capabilities.error();
  Job job{call, stop, *capabilities};
  std::vector<base::Digest> single;
  set_large_apart(job, Feature::batch_read, todo, single);
  while (!todo.empty()) {
    Remote<void> fetched = fetch_batch(job, todo, single, contents);
    if (!fetched) return fetched.error();
    set_large_apart(job, Feature::batch_read, todo, single);
  }
  for (const base::Digest& digest : single) {
    Remote<void> fetched = fetch_stream(job, digest, contents);
    if (!fetched) return fetched.error();
  }
  return contents;
}

// Takes from `todo` what was answered. What ByteStream shall try goes to `single`.
Remote<void> Cas::State::fetch_batch(const Job& job, std::vector<base::Digest>& todo,
                                     std::vector<base::Digest>& single, Contents& contents) {
  auto end = todo.begin() + static_cast<std::vector<base::Digest>::difference_type>(next_batch(job, todo));
  std::vector<base::Digest> batch(todo.begin(), end);
  todo.erase(todo.begin(), end);
  std::size_t bytes = 0;
  for (const base::Digest& digest : batch) bytes += entry_bytes(digest);
  Remote<base::Pass> pass = enter(down_, bytes, job.stop);
  if (!pass) return pass.error();
  bool zstd = options_.compression && job.capabilities.zstd_batches && quirks_.has(Feature::zstd_batches);
  Batches::Received received;
  Remote<void> read = batches_.read(job.call, batch, zstd, received, job.stop);
  received_.add(received.contents.size(), received.bytes);
  contents.merge(received.contents);
  for (const base::Digest& digest : received.absent) lacks(digest);
  std::erase_if(batch, [&](const base::Digest& digest) {
    return contents.contains(digest) || received.absent.contains(digest);
  });
  std::vector<base::Digest>* next = &single;
  if (!read) {
    Cause cause = read.error().cause;
    bool by_stream = cause == Cause::too_large || cause == Cause::invalid || cause == Cause::engine ||
                     cause == Cause::unimplemented || cause == Cause::not_found || cause == Cause::corrupt;
    if (!by_stream) return read;
    if (cause == Cause::unimplemented) quirks_.lost(Feature::batch_read);
    if (cause == Cause::too_large) {
      quirks_.refused(bytes);
      if (batch.size() > 1 && bytes > Quirks::kLeast) next = &todo;
    }
  }
  next->insert(next->end(), batch.begin(), batch.end());
  return {};
}

Remote<void> Cas::State::fetch_stream(const Job& job, const base::Digest& digest, Contents& contents) {
  Remote<base::Pass> pass = enter(down_, static_cast<std::size_t>(digest.size), job.stop);
  if (!pass) return pass.error();
  bool zstd = options_.compression && job.capabilities.zstd_streams;
  Remote<ByteStream::Blob> blob = byte_stream_.read(job.call, digest, zstd, job.stop);
  if (!blob && blob.error().cause == Cause::not_found) {
    lacks(digest);
    return {};
  }
  if (!blob) return blob.error();
  received_.add(1, blob->bytes);
  contents.emplace(digest, std::move(blob->content));
  return {};
}

// A server that has lost one blob that was there may have lost others.
void Cas::State::lacks(const base::Digest& digest) {
  if (known_.has(digest)) known_.clear();
}

Cas::Cas(Connection& connection, CapabilityReader& capabilities, CasOptions options, base::Clock& clock)
    : state_(std::make_unique<State>(connection, capabilities, std::move(options), clock)) {}

Cas::~Cas() = default;

Remote<TransferCount> Cas::upload(const Call& call, const std::vector<Source>& sources, Ask ask,
                                  const std::stop_token& stop) {
  return state_->upload(call, sources, ask, stop);
}

Remote<Contents> Cas::fetch(const Call& call, const std::vector<base::Digest>& digests,
                            const std::stop_token& stop) {
  return state_->fetch(call, digests, stop);
}

TransferCount Cas::sent() const { return state_->sent(); }
TransferCount Cas::received() const { return state_->received(); }

}  // namespace remote
