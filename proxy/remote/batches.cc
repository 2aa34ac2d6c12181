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

// One BatchUpdateBlobs with its retries.
class Update {
 public:
  Update(const std::string& instance, Batches::Sent& sent) : sent_(sent) {
    request_.set_instance_name(instance);
    request_.set_digest_function(reapi::DigestFunction::SHA256);
  }

  Remote<void> add(const Source& source, bool zstd) {
    Remote<std::string> bytes = read_whole(source);
    if (!bytes) return bytes.error();
    reapi::BatchUpdateBlobsRequest::Request& entry = *request_.add_requests();
    cache::set_digest(source.digest, *entry.mutable_digest());
    if (zstd && bytes->size() >= kLeastCompressed) {
      base::Result<std::string> frame = base::zstd_compress(*bytes, kZstdLevel);
      if (frame && frame->size() < bytes->size() - bytes->size() / 10) {
        entry.set_compressor(reapi::Compressor::ZSTD);
        *bytes = std::move(*frame);
      }
    }
    entry.set_data(std::move(*bytes));
    return {};
  }

  std::size_t size() const { return request_.ByteSizeLong(); }

  grpc::Status attempt(grpc::ClientContext& context, const Connection::Channel& channel) {
    auto stub = reapi::ContentAddressableStorage::NewStub(channel);
    reapi::BatchUpdateBlobsResponse response;
    grpc::Status status = stub->BatchUpdateBlobs(&context, request_, &response);
    if (!status.ok()) return status;
    for (const auto& entry : request_.requests()) sent_.bytes += entry.data().size();
    return take(response);
  }

 private:
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
        sent_.confirmed.push_back(*cache::get_digest(entries[i].digest()));
      } else {
        entries.SwapElements(kept++, i);
      }
    }
    entries.DeleteSubrange(kept, entries.size() - kept);
    if (kept == 0) return {};
    return worst.ok() ? unanswered() : worst;
  }

  Batches::Sent& sent_;
  reapi::BatchUpdateBlobsRequest request_;
};

// One BatchReadBlobs with its retries.
class Read {
 public:
  Read(const std::string& instance, bool zstd, const std::vector<base::Digest>& digests,
       Batches::Received& received)
      : instance_(instance), zstd_(zstd), wanted_(digests.begin(), digests.end()), received_(received) {}

  grpc::Status attempt(grpc::ClientContext& context, const Connection::Channel& channel) {
    reapi::BatchReadBlobsRequest request;
    request.set_instance_name(instance_);
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

 private:
  grpc::Status take(reapi::BatchReadBlobsResponse::Response& answer) {
    base::Result<base::Digest> digest = cache::get_digest(answer.digest());
    if (!digest || wanted_.count(*digest) == 0) return {};
    if (answer.status().code() == grpc::StatusCode::NOT_FOUND) {
      received_.absent.insert(*digest);
    } else if (answer.status().code() != grpc::StatusCode::OK) {
      return status_of(answer.status());
    } else {
      received_.bytes += answer.data().size();
      std::optional<std::string> content = content_of(answer, *digest);
      if (content && base::digest_of(*content) == *digest) {
        received_.contents.emplace(*digest, std::move(*content));
      } else {
        received_.corrupt.insert(*digest);
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

  const std::string& instance_;
  const bool zstd_;
  std::unordered_set<base::Digest> wanted_;
  Batches::Received& received_;
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

Batches::Batches(Connection& connection, std::string instance)
    : connection_(connection), instance_(std::move(instance)) {}

Remote<void> Batches::update(const Call& call, const std::vector<const Source*>& sources, bool zstd,
                             Sent& sent, const std::stop_token& stop) {
  Update update(instance_, sent);
  for (const Source* source : sources) {
    Remote<void> added = update.add(*source, zstd);
    if (!added) return added;
  }
  return connection_.run(options_for("BatchUpdateBlobs", update.size()), call, stop,
                         [&](grpc::ClientContext& context, const Connection::Channel& channel) {
                           return update.attempt(context, channel);
                         });
}

Remote<void> Batches::read(const Call& call, const std::vector<base::Digest>& digests, bool zstd,
                           Received& received, const std::stop_token& stop) {
  std::size_t bytes = 0;
  for (const base::Digest& digest : digests) bytes += entry_bytes(digest);
  Read read(instance_, zstd, digests, received);
  return connection_.run(options_for("BatchReadBlobs", bytes), call, stop,
                         [&](grpc::ClientContext& context, const Connection::Channel& channel) {
                           return read.attempt(context, channel);
                         });
}

}  // namespace remote
