#include "remote/batches.h"

#include <optional>
#include <unordered_map>
#include <utility>

#include "base/zstd.h"
#include "cache/outcome_codec.h"
#include "remote/pieces.h"
#include "wire/reapi.grpc.pb.h"
#include "wire/reapi.pb.h"

namespace remote {
namespace {

namespace reapi = build::bazel::remote::execution::v2;

// Smaller calls go with the small ones, so that they do not wait for bulk.
constexpr std::size_t kBulk = 64 << 10;

CallOptions options_for(const char* method, std::size_t bytes) {
  CallOptions options;
  options.method = method;
  options.lane = bytes > kBulk ? Lane::bulk : Lane::small;
  // A slow network brings 50 KB a second.
  options.deadline += std::chrono::milliseconds(bytes / 50);
  return options;
}

// The status of one blob as if it were that of the call, so that it is retried or not by the same rules.
grpc::Status status_of(const google::rpc::Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), status.message(), status.SerializeAsString()};
}

bool is_there(const google::rpc::Status& status) {
  return status.code() == grpc::StatusCode::OK || status.code() == grpc::StatusCode::ALREADY_EXISTS;
}

// The worse of two: what will not pass counts more than what may.
void keep_worse(grpc::Status& worst, const grpc::Status& status) {
  bool worse = worst.ok() || is_transient(failure_of(worst, {}).cause);
  if (worse && !status.ok()) worst = status;
}

grpc::Status unanswered() { return {grpc::StatusCode::DATA_LOSS, "the answer lacks some of the blobs"}; }

// Whether the call of a round with so many parts failed for a reason that each would meet alone too.
bool is_final(const std::optional<Failure>& failure, int parts) {
  if (!failure || parts == 1) return failure.has_value();
  switch (failure->cause) {
    case Cause::unavailable:
    case Cause::exhausted:
    case Cause::timed_out:
    case Cause::unauthenticated:
    case Cause::denied:
      return true;
    default:
      return false;
  }
}

// Takes what was answered about the blob; false when nothing was.
bool take_answer(const Batches::Received& from, const base::Digest& digest, Batches::Received& to) {
  if (auto found = from.contents.find(digest); found != from.contents.end()) {
    to.contents.insert(*found);
  } else if (from.absent.contains(digest)) {
    to.absent.insert(digest);
  } else if (from.corrupt.contains(digest)) {
    to.corrupt.insert(digest);
  } else {
    return false;
  }
  return true;
}

// One BatchUpdateBlobs with its retries.
class Update {
 public:
  int parts = 0;
  std::optional<Failure> failure;
  std::unordered_set<base::Digest> confirmed;
  std::uint64_t bytes = 0;  // sent, with those that were refused

  Remote<void> add(const std::vector<const Source*>& sources, bool zstd) {
    for (const Source* source : sources) {
      if (Remote<void> added = add(*source, zstd); !added) return added;
    }
    return {};
  }

  std::size_t size() const { return request_.ByteSizeLong(); }

  // Takes over the entries of another, unless that would be too much for a call that is shared.
  bool join(Update& other) {
    if (parts > 0 && size() + other.size() > kMostShared) return false;
    ++parts;
    auto& entries = *other.request_.mutable_requests();
    while (!entries.empty()) request_.mutable_requests()->AddAllocated(entries.ReleaseLast());
    return true;
  }

  void run(Connection& connection, const std::string& instance, const Call& call,
           const std::stop_token& stop) {
    request_.set_instance_name(instance);
    request_.set_digest_function(reapi::DigestFunction::SHA256);
    Remote<void> ran = connection.run(options_for("BatchUpdateBlobs", size()), call, stop,
                                      [&](grpc::ClientContext& context, const Connection::Channel& channel) {
                                        return attempt(context, channel);
                                      });
    if (!ran) failure = ran.error();
  }

 private:
  Remote<void> add(const Source& source, bool zstd) {
    Remote<std::string> content = read_whole(source);
    if (!content) return content.error();
    reapi::BatchUpdateBlobsRequest::Request& entry = *request_.add_requests();
    cache::set_digest(source.digest, *entry.mutable_digest());
    if (zstd && content->size() >= kLeastCompressed) {
      base::Result<std::string> frame = base::zstd_compress(*content, kZstdLevel);
      if (frame && frame->size() < content->size() - content->size() / 10) {
        entry.set_compressor(reapi::Compressor::ZSTD);
        *content = std::move(*frame);
      }
    }
    entry.set_data(std::move(*content));
    return {};
  }

  grpc::Status attempt(grpc::ClientContext& context, const Connection::Channel& channel) {
    auto stub = reapi::ContentAddressableStorage::NewStub(channel);
    reapi::BatchUpdateBlobsResponse response;
    grpc::Status status = stub->BatchUpdateBlobs(&context, request_, &response);
    if (!status.ok()) return status;
    for (const auto& entry : request_.requests()) bytes += entry.data().size();
    return take(response);
  }

  // Leaves those in the request that are not there yet.
  grpc::Status take(const reapi::BatchUpdateBlobsResponse& response) {
    std::unordered_set<std::string> there;
    grpc::Status worst;
    for (const auto& answer : response.responses()) {
      if (is_there(answer.status())) {
        there.insert(answer.digest().hash());
      } else {
        keep_worse(worst, status_of(answer.status()));
      }
    }
    auto& entries = *request_.mutable_requests();
    int kept = 0;
    for (int i = 0; i < entries.size(); ++i) {
      if (there.contains(entries[i].digest().hash())) {
        confirmed.insert(*cache::get_digest(entries[i].digest()));
      } else {
        entries.SwapElements(kept++, i);
      }
    }
    entries.DeleteSubrange(kept, entries.size() - kept);
    if (kept == 0) return {};
    return worst.ok() ? unanswered() : worst;
  }

  reapi::BatchUpdateBlobsRequest request_;
};

// One BatchReadBlobs with its retries.
class Read {
 public:
  int parts = 0;
  std::optional<Failure> failure;
  Batches::Received received;

  // What one more wants, of so many bytes, unless that would be too much for a call that is shared.
  bool join(const std::vector<base::Digest>& digests, std::size_t entries, bool zstd) {
    if (parts > 0 && bytes_ + entries > kMostShared) return false;
    zstd_ = parts == 0 ? zstd : zstd_ && zstd;
    ++parts;
    bytes_ += entries;
    wanted_.insert(digests.begin(), digests.end());
    return true;
  }

  void run(Connection& connection, const std::string& instance, const Call& call,
           const std::stop_token& stop) {
    Remote<void> ran = connection.run(options_for("BatchReadBlobs", bytes_), call, stop,
                                      [&](grpc::ClientContext& context, const Connection::Channel& channel) {
                                        return attempt(instance, context, channel);
                                      });
    if (!ran) failure = ran.error();
  }

 private:
  grpc::Status attempt(const std::string& instance, grpc::ClientContext& context,
                       const Connection::Channel& channel) {
    reapi::BatchReadBlobsRequest request;
    request.set_instance_name(instance);
    request.set_digest_function(reapi::DigestFunction::SHA256);
    if (zstd_) request.add_acceptable_compressors(reapi::Compressor::ZSTD);
    for (const base::Digest& digest : wanted_) cache::set_digest(digest, *request.add_digests());
    auto stub = reapi::ContentAddressableStorage::NewStub(channel);
    reapi::BatchReadBlobsResponse response;
    grpc::Status status = stub->BatchReadBlobs(&context, request, &response);
    if (!status.ok()) return status;
    grpc::Status worst;
    for (auto& answer : *response.mutable_responses()) keep_worse(worst, take(answer));
    if (wanted_.empty()) return {};
    return worst.ok() ? unanswered() : worst;
  }

  grpc::Status take(reapi::BatchReadBlobsResponse::Response& answer) {
    base::Result<base::Digest> digest = cache::get_digest(answer.digest());
    if (!digest || wanted_.count(*digest) == 0) return {};
    if (answer.status().code() == grpc::StatusCode::NOT_FOUND) {
      received.absent.insert(*digest);
    } else if (answer.status().code() != grpc::StatusCode::OK) {
      return status_of(answer.status());
    } else {
      received.bytes += answer.data().size();
      std::optional<std::string> content = content_of(answer, *digest);
      if (content && base::digest_of(*content) == *digest) {
        received.contents.emplace(*digest, std::move(*content));
      } else {
        received.corrupt.insert(*digest);
      }
    }
    wanted_.erase(*digest);
    return {};
  }

  static std::optional<std::string> content_of(reapi::BatchReadBlobsResponse::Response& answer,
                                               const base::Digest& digest) {
    if (answer.compressor() == reapi::Compressor::IDENTITY) return std::move(*answer.mutable_data());
    if (answer.compressor() != reapi::Compressor::ZSTD) return std::nullopt;
    base::Result<std::string> content =
        base::zstd_decompress(answer.data(), static_cast<std::size_t>(digest.size));
    if (!content) return std::nullopt;
    return std::move(*content);
  }

  bool zstd_ = false;
  std::size_t bytes_ = 0;
  std::unordered_set<base::Digest> wanted_;
};

std::size_t varint_bytes(std::uint64_t value) {
  std::size_t bytes = 1;
  for (; value >= 128; value >>= 7) ++bytes;
  return bytes;
}

// Tag, length and content of a field with a number below 16.
std::size_t field_bytes(std::size_t content) { return 1 + varint_bytes(content) + content; }

}  // namespace

// Counts a compressor too. A response has a status besides, which is empty for a blob that comes along.
std::size_t entry_bytes(const base::Digest& digest) {
  constexpr std::size_t kStatusOrCompressor = 4;
  std::size_t name = field_bytes(64) + 1 + varint_bytes(static_cast<std::uint64_t>(digest.size));
  return field_bytes(field_bytes(name) + field_bytes(static_cast<std::size_t>(digest.size)) +
                     kStatusOrCompressor);
}

std::size_t overhead_bytes(const std::string& instance) { return field_bytes(instance.size()) + 2; }

std::size_t count_that_fits(const std::vector<base::Digest>& digests, const std::string& instance,
                            std::size_t limit) {
  std::size_t bytes = overhead_bytes(instance);
  std::size_t count = 0;
  while (count < digests.size() && count < kMostEntries) {
    bytes += entry_bytes(digests[count]);
    if (bytes > limit) break;
    ++count;
  }
  return count;
}

struct Batches::Shared {
  explicit Shared(std::chrono::milliseconds tick) : updates(tick), reads(tick) {}

  Rounds<Update> updates;
  Rounds<Read> reads;
};

Batches::Batches(Connection& connection, std::string instance, std::chrono::milliseconds tick)
    : connection_(connection), instance_(std::move(instance)), shared_(std::make_unique<Shared>(tick)) {}

Batches::~Batches() = default;

std::uint64_t Batches::joined() const { return shared_->updates.joined() + shared_->reads.joined(); }

Remote<void> Batches::update(const Call& call, const std::vector<const Source*>& sources, bool zstd,
                             Sent& sent, const std::stop_token& stop) {
  Update mine;
  Remote<void> added = mine.add(sources, zstd);
  if (!added) return added;
  if (mine.size() <= kShared) {
    auto ride =
        shared_->updates.ride([&](Update& all) { return all.join(mine); },
                              [&](Update& all) { all.run(connection_, instance_, call, stop); }, stop);
    if (!ride.work) return Failure{Cause::cancelled, "BatchUpdateBlobs: stopped"};
    if (ride.led) sent.bytes += ride.work->bytes;
    std::vector<const Source*> rest;
    for (const Source* source : sources) {
      if (ride.work->confirmed.contains(source->digest)) {
        sent.confirmed.push_back(source->digest);
      } else {
        rest.push_back(source);
      }
    }
    if (rest.empty()) return {};
    if (is_final(ride.work->failure, ride.work->parts)) return *ride.work->failure;
    mine = Update();
    added = mine.add(rest, zstd);
    if (!added) return added;
  }
  mine.run(connection_, instance_, call, stop);
  sent.bytes += mine.bytes;
  sent.confirmed.insert(sent.confirmed.end(), mine.confirmed.begin(), mine.confirmed.end());
  return mine.failure ? Remote<void>(*mine.failure) : Remote<void>();
}

Remote<void> Batches::read(const Call& call, const std::vector<base::Digest>& digests, bool zstd,
                           Received& received, const std::stop_token& stop) {
  std::size_t bytes = 0;
  for (const base::Digest& digest : digests) bytes += entry_bytes(digest);
  std::vector<base::Digest> rest = digests;
  if (bytes <= kShared) {
    auto ride = shared_->reads.ride([&](Read& all) { return all.join(digests, bytes, zstd); },
                                    [&](Read& all) { all.run(connection_, instance_, call, stop); }, stop);
    if (!ride.work) return Failure{Cause::cancelled, "BatchReadBlobs: stopped"};
    if (ride.led) received.bytes += ride.work->received.bytes;
    std::erase_if(
        rest, [&](const base::Digest& digest) { return take_answer(ride.work->received, digest, received); });
    if (rest.empty()) return {};
    if (is_final(ride.work->failure, ride.work->parts)) return *ride.work->failure;
  }
  Read mine;
  mine.join(rest, bytes, zstd);
  mine.run(connection_, instance_, call, stop);
  received.bytes += mine.received.bytes;
  received.contents.merge(mine.received.contents);
  received.absent.merge(mine.received.absent);
  received.corrupt.merge(mine.received.corrupt);
  return mine.failure ? Remote<void>(*mine.failure) : Remote<void>();
}

}  // namespace remote
