#include "remote/byte_stream.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/zstd_stream.h"
#include "remote/pieces.h"
#include "remote/resource_name.h"
#include "wire/bytestream.grpc.pb.h"
#include "wire/bytestream.pb.h"

namespace remote {
namespace {

namespace bytestream = google::bytestream;

constexpr std::size_t kChunk = 256 << 10;
// For a server or a proxy that refuses messages of the usual size.
constexpr std::size_t kSmallChunk = 64 << 10;

// How often an interrupted transfer goes on from where it was.
constexpr int kResumptions = 8;

// Attempts that begin anew. Compressed fewer: plain ones follow.
constexpr int kAttempts = 4;
constexpr int kZstdAttempts = 2;

// Room that is made before the bytes are there: the size is only what somebody claimed.
constexpr std::size_t kReserve = 4 << 20;

CallOptions options_for(const char* method, const base::Digest& digest, int attempts) {
  CallOptions options;
  options.method = method;
  options.lane = Lane::bulk;
  options.attempts = attempts;
  // A slow network brings 50 KB a second.
  options.deadline += std::chrono::milliseconds(digest.size / 50);
  return options;
}

// Whether plain bytes may get through where compressed ones did not: not if the blob or our rights are at
// fault. They may even on a bad way, because plain transfers are resumed.
bool may_go_plain(Cause cause) {
  return cause == Cause::invalid || cause == Cause::engine || cause == Cause::corrupt ||
         cause == Cause::unimplemented || cause == Cause::unplaceable || is_transient(cause);
}

// Whether an attempt that ended so says anything about compression. A dead connection does not.
bool blames_compression(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::OK:
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return false;
    default:
      return true;
  }
}

// How the library words that a proxy answered by itself before all was sent: it then loses the answer's HTTP
// status. Either the proxy refuses bodies of this size, or the server behind it is gone.
bool is_early_answer(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::INTERNAL &&
         status.error_message().find("RST_STREAM with error code 0") != std::string::npos;
}

Failure refused_by_proxy(const Connection& connection, const base::Digest& digest) {
  return {Cause::too_large, "ByteStream.Write at " + connection.endpoint().text +
                                ": a proxy refuses uploads of " + std::to_string(digest.size) +
                                " bytes; raise its limit (nginx: client_max_body_size 0)"};
}

bool is_interruption(Cause cause) { return cause == Cause::unavailable || cause == Cause::timed_out; }

}  // namespace

// One blob on its way up, over several calls if need be.
class ByteStream::Upload {
 public:
  Upload(const Source& source, bool zstd, const std::string& instance)
      : source_(source), zstd_(zstd), instance_(instance) {}

  const Source& source() const { return source_; }
  const std::string& name() const { return name_; }
  std::uint64_t bytes() const { return bytes_; }
  bool started() const { return started_; }
  bool answered_early() const { return answered_early_; }
  bool zstd() const { return zstd_; }
  const grpc::Status& last() const { return last_; }
  const std::optional<Failure>& local() const { return local_; }
  void go_on_from(std::int64_t offset) { offset_ = offset; }
  // False when they are small already.
  bool use_small_chunks() { return std::exchange(chunk_, kSmallChunk) != kSmallChunk; }

  grpc::Status attempt(grpc::ClientContext& context, const Connection::Channel& channel) {
    last_ = send(context, channel);
    return last_;
  }

 private:
  grpc::Status send(grpc::ClientContext& context, const Connection::Channel& channel) {
    std::int64_t offset = std::exchange(offset_, 0);
    if (offset == 0) name_ = write_name(instance_, new_uuid(), source_.digest, zstd_);
    started_ = false;
    answered_early_ = false;
    std::unique_ptr<Pieces> pieces = make_pieces(source_, zstd_);
    grpc::Status skipped = skip(*pieces, offset);
    if (!skipped.ok()) return skipped;

    auto stub = bytestream::ByteStream::NewStub(channel);
    bytestream::WriteResponse response;
    std::unique_ptr<grpc::ClientWriter<bytestream::WriteRequest>> writer = stub->Write(&context, &response);
    stream(*pieces, offset, *writer);
    if (local_) context.TryCancel();
    grpc::Status status = writer->Finish();
    if (local_) return local_status();
    answered_early_ = is_early_answer(status);
    // Said so that it is neither tried again at once nor held against the server.
    if (answered_early_) return {grpc::StatusCode::RESOURCE_EXHAUSTED, "message too large for a proxy"};
    return status.ok() ? judge(response.committed_size()) : status;
  }

  grpc::Status skip(Pieces& pieces, std::int64_t offset) {
    for (std::int64_t at = 0; at < offset;) {
      Remote<std::string> piece = pieces.next(std::min(chunk_, static_cast<std::size_t>(offset - at)));
      if (!piece) {
        local_ = piece.error();
        return local_status();
      }
      if (piece->empty()) return {grpc::StatusCode::UNAVAILABLE, "the server claims more than there is"};
      at += static_cast<std::int64_t>(piece->size());
    }
    return {};
  }

  // Ends early when the server closed the stream or an input failed.
  void stream(Pieces& pieces, std::int64_t offset, grpc::ClientWriter<bytestream::WriteRequest>& writer) {
    bytestream::WriteRequest request;
    request.set_resource_name(name_);
    std::int64_t sent = offset;
    bool last = false;
    while (!last) {
      Remote<std::string> piece = pieces.next(chunk_);
      if (!piece) {
        local_ = piece.error();
        return;
      }
      std::int64_t size = static_cast<std::int64_t>(piece->size());
      last = pieces.done();
      request.set_write_offset(sent);
      request.set_data(std::move(*piece));
      request.set_finish_write(last);
      if (!writer.Write(request)) return;
      started_ = true;
      bytes_ += static_cast<std::uint64_t>(size);
      sent += size;
      request.clear_resource_name();
    }
    writer.WritesDone();
  }

  // An OK that comes early means that the blob is there already. Compressed, the size that the server names
  // may be -1, that of the blob, of our frame, or of as much of it as was read.
  grpc::Status judge(std::int64_t committed) const {
    bool there = committed == -1 || committed == source_.digest.size || (zstd_ && committed > 0);
    if (there) return {};
    return {grpc::StatusCode::UNAVAILABLE, "the server took " + std::to_string(committed) + " bytes only"};
  }

  static grpc::Status local_status() { return {grpc::StatusCode::INVALID_ARGUMENT, "input"}; }

  const Source& source_;
  const bool zstd_;
  const std::string& instance_;
  std::string name_;
  std::size_t chunk_ = kChunk;
  std::int64_t offset_ = 0;      // where the next attempt begins; 0: anew, under another name
  std::uint64_t bytes_ = 0;      // sent by all attempts
  bool started_ = false;         // the last attempt sent something
  bool answered_early_ = false;  // the last attempt, by a proxy
  grpc::Status last_;            // of the last attempt
  std::optional<Failure> local_;
};

// One blob on its way down, over several calls if need be.
class ByteStream::Download {
 public:
  Download(const base::Digest& digest, bool zstd, const std::string& instance)
      : digest_(digest), zstd_(zstd), name_(read_name(instance, digest, zstd)) {
    content_.reserve(std::min(size(), kReserve));
  }

  const base::Digest& digest() const { return digest_; }
  std::size_t progress() const { return content_.size(); }
  // An offset into a compressed stream is understood differently by servers, or not at all.
  bool resumable() const { return !zstd_; }
  const grpc::Status& last() const { return last_; }
  Blob take() { return {std::move(content_), bytes_}; }

  grpc::Status attempt(grpc::ClientContext& context, const Connection::Channel& channel) {
    last_ = receive(context, channel);
    return last_;
  }

 private:
  grpc::Status receive(grpc::ClientContext& context, const Connection::Channel& channel) {
    if (zstd_) content_.clear();
    // Some servers call an offset at the end an error, so it is not asked for.
    if (content_.size() < size()) {
      grpc::Status status = stream(context, channel);
      if (!status.ok()) return status;
      if (content_.size() < size()) {
        return {zstd_ ? grpc::StatusCode::DATA_LOSS : grpc::StatusCode::UNAVAILABLE,
                "the stream ended early"};
      }
    }
    if (base::digest_of(content_) == digest_) return {};
    content_.clear();
    return {grpc::StatusCode::DATA_LOSS, "the bytes are not those of the digest"};
  }

  std::size_t size() const { return static_cast<std::size_t>(digest_.size); }

  grpc::Status stream(grpc::ClientContext& context, const Connection::Channel& channel) {
    bytestream::ReadRequest request;
    request.set_resource_name(name_);
    request.set_read_offset(static_cast<std::int64_t>(content_.size()));
    auto stub = bytestream::ByteStream::NewStub(channel);
    std::unique_ptr<grpc::ClientReader<bytestream::ReadResponse>> reader = stub->Read(&context, request);
    base::ZstdDecoder decoder(size());
    bytestream::ReadResponse response;
    bool good = true;
    while (good && reader->Read(&response)) {
      bytes_ += response.data().size();
      if (zstd_) {
        good = decoder.add(response.data(), content_).ok();
      } else {
        good = response.data().size() <= size() - content_.size();
        if (good) content_ += response.data();
      }
    }
    if (!good) context.TryCancel();
    grpc::Status status = reader->Finish();
    if (good) return status;
    content_.clear();
    return {grpc::StatusCode::DATA_LOSS, zstd_ ? "no good zstd stream" : "more bytes than the digest says"};
  }

  const base::Digest digest_;
  const bool zstd_;
  const std::string name_;
  std::string content_;
  std::uint64_t bytes_ = 0;  // received by all attempts
  grpc::Status last_;        // of the last attempt
};

ByteStream::ByteStream(Connection& connection, std::string instance, Quirks& quirks)
    : connection_(connection), instance_(std::move(instance)), quirks_(quirks) {}

Remote<std::uint64_t> ByteStream::write(const Call& call, const Source& source, bool zstd,
                                        const std::stop_token& stop) {
  std::uint64_t bytes = 0;
  bool blame = false;
  bool compress = zstd && quirks_.has(Feature::zstd_streams) && is_compressible(source);
  if (compress) {
    Upload upload(source, true, instance_);
    Remote<void> sent = send(call, upload, stop);
    bytes = upload.bytes();
    if (sent) return bytes;
    if (upload.local() || !may_go_plain(sent.error().cause)) return sent.error();
    blame = blames_compression(upload.last());
  }
  if (!quirks_.takes_stream(static_cast<std::size_t>(source.digest.size)))
    return refused_by_proxy(connection_, source.digest);
  Upload upload(source, false, instance_);
  Remote<void> sent = send(call, upload, stop);
  if (!sent) return sent.error();
  if (blame) quirks_.lost(Feature::zstd_streams);
  return bytes + upload.bytes();
}

Remote<void> ByteStream::send(const Call& call, Upload& upload, const std::stop_token& stop) {
  int fresh = upload.zstd() ? kZstdAttempts : kAttempts;
  int resumptions = 0;
  int refusals = 0;
  bool resumable = true;
  while (true) {
    // Attempts are made here as long as each can go on where the last one was.
    resumable = resumable && quirks_.has(Feature::query_write_status);
    CallOptions options = options_for("ByteStream.Write", upload.source().digest, resumable ? 1 : fresh);
    Remote<void> sent = connection_.run(
        options, call, stop, [&](grpc::ClientContext& context, const Connection::Channel& channel) {
          return upload.attempt(context, channel);
        });
    if (upload.local()) return *upload.local();
    if (sent) return sent;
    Cause cause = sent.error().cause;
    bool early = upload.answered_early();
    if (cause == Cause::too_large && !early) {
      if (upload.use_small_chunks()) continue;
      if (!upload.zstd()) quirks_.refused_stream(static_cast<std::size_t>(upload.source().digest.size));
    }
    if (!early && (!resumable || !is_transient(cause))) return sent;
    if (!early && (!is_interruption(cause) || !upload.started())) {
      resumable = false;  // there is nothing to resume: pauses between the attempts are more use
      continue;
    }
    Remote<Progress> progress = ask_progress(call, upload, stop);
    if (!progress) return progress.error();
    if (*progress == Progress::complete) return {};
    if (early && *progress == Progress::none) {
      // The server is there, so it was the proxy; once may be a restart that is over now.
      if (++refusals < 2) continue;
      if (!upload.zstd()) quirks_.refused_stream(static_cast<std::size_t>(upload.source().digest.size));
      return refused_by_proxy(connection_, upload.source().digest);
    }
    bool enough = *progress == Progress::none ? --fresh == 0 : ++resumptions > kResumptions;
    if (enough) return sent;
  }
}

// Asks how far an upload came, and has it go on from there.
Remote<ByteStream::Progress> ByteStream::ask_progress(const Call& call, Upload& upload,
                                                      const std::stop_token& stop) {
  CallOptions options;
  options.method = "ByteStream.QueryWriteStatus";
  options.lane = Lane::bulk;  // behind a balancer, the server that has the pieces is on that way
  options.attempts = 2;
  bytestream::QueryWriteStatusRequest request;
  request.set_resource_name(upload.name());
  bytestream::QueryWriteStatusResponse response;
  Remote<void> asked = connection_.run(options, call, stop,
                                       [&](grpc::ClientContext& context, const Connection::Channel& channel) {
                                         auto stub = bytestream::ByteStream::NewStub(channel);
                                         return stub->QueryWriteStatus(&context, request, &response);
                                       });
  if (!asked) {
    Cause cause = asked.error().cause;
    if (cause == Cause::unimplemented) quirks_.lost(Feature::query_write_status);
    if (cause == Cause::cancelled || is_transient(cause)) return asked.error();
    return Progress::none;  // forgotten, or not ours to ask
  }
  if (response.complete()) return Progress::complete;
  if (response.committed_size() <= 0) return Progress::none;
  upload.go_on_from(response.committed_size());
  return Progress::some;
}

Remote<ByteStream::Blob> ByteStream::read(const Call& call, const base::Digest& digest, bool zstd,
                                          const std::stop_token& stop) {
  bool blame = false;
  bool compressed = zstd && quirks_.has(Feature::zstd_streams);
  if (compressed) {
    Download download(digest, true, instance_);
    Remote<void> received = receive(call, download, stop);
    if (received) return download.take();
    if (!may_go_plain(received.error().cause)) return received.error();
    blame = blames_compression(download.last());
  }
  Download download(digest, false, instance_);
  Remote<void> received = receive(call, download, stop);
  if (!received && received.error().cause == Cause::corrupt && !compressed) {
    received = receive(call, download, stop);
  }
  if (!received) return received.error();
  if (blame) quirks_.lost(Feature::zstd_streams);
  return download.take();
}

Remote<void> ByteStream::receive(const Call& call, Download& download, const std::stop_token& stop) {
  for (int round = 0;; ++round) {
    std::size_t before = download.progress();
    CallOptions options =
        options_for("ByteStream.Read", download.digest(), download.resumable() ? kAttempts : kZstdAttempts);
    Remote<void> received = connection_.run(
        options, call, stop, [&](grpc::ClientContext& context, const Connection::Channel& channel) {
          return download.attempt(context, channel);
        });
    if (received || !is_transient(received.error().cause)) return received;
    // Many interruptions are no reason to give up as long as each time something came.
    if (!download.resumable() || download.progress() <= before || round >= kResumptions) return received;
  }
}

}  // namespace remote
