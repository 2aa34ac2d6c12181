#include <algorithm>
#include <charconv>
#include <string_view>

#include "base/zstd.h"
#include "fake/reapi_state.h"

namespace fake {
namespace {

namespace bs = google::bytestream;

constexpr std::size_t kLargestBlob = 256u << 20;

grpc::Status no(grpc::StatusCode code, const std::string& message) { return {code, message}; }

void set_status(const grpc::Status& status, google::rpc::Status& out) {
  out.set_code(status.error_code());
  out.set_message(status.error_message());
}

void spoil(std::string& bytes) {
  if (!bytes.empty()) bytes.front() = static_cast<char>(bytes.front() ^ 1);
}

// "[inst/]blobs/HASH/SIZE", "[inst/]compressed-blobs/zstd/HASH/SIZE", with "uploads/UUID/" before for Write.
struct Resource {
  bool ok = false;
  bool zstd = false;
  std::string key;
};

Resource parse_resource(std::string_view name) {
  std::vector<std::string> parts;
  while (true) {
    std::size_t slash = name.find('/');
    parts.emplace_back(name.substr(0, slash));
    if (slash == std::string_view::npos) break;
    name.remove_prefix(slash + 1);
  }
  Resource out;
  std::size_t many = parts.size();
  if (many < 3) return out;
  out.key = parts[many - 2] + "/" + parts[many - 1];
  out.zstd = many >= 4 && parts[many - 3] == "zstd" && parts[many - 4] == "compressed-blobs";
  out.ok = parts[many - 2].size() == 64 && (out.zstd || parts[many - 3] == "blobs");
  return out;
}

class CapabilitiesService final : public re::Capabilities::Service {
 public:
  CapabilitiesService(Book& book, ReapiTraits& traits) : book_(book), traits_(traits) {}

  grpc::Status GetCapabilities(grpc::ServerContext* context, const re::GetCapabilitiesRequest* request,
                               re::ServerCapabilities* answer) override {
    Guard call(book_, "GetCapabilities", *context, *request);
    if (call->end) return *call->end;
    *answer = traits_.capabilities;
    return grpc::Status::OK;
  }

 private:
  Book& book_;
  ReapiTraits& traits_;
};

class CasService final : public re::ContentAddressableStorage::Service {
 public:
  CasService(Book& book, ReapiTraits& traits, Shelf& shelf) : book_(book), traits_(traits), shelf_(shelf) {}

  grpc::Status FindMissingBlobs(grpc::ServerContext* context, const re::FindMissingBlobsRequest* request,
                                re::FindMissingBlobsResponse* answer) override {
    Guard call(book_, "FindMissingBlobs", *context, *request);
    if (call->end) return *call->end;
    for (const re::Digest& digest : request->blob_digests()) {
      if (!shelf_.has(Shelf::key(digest))) *answer->add_missing_blob_digests() = digest;
    }
    return grpc::Status::OK;
  }

  grpc::Status BatchUpdateBlobs(grpc::ServerContext* context, const re::BatchUpdateBlobsRequest* request,
                                re::BatchUpdateBlobsResponse* answer) override {
    Guard call(book_, "BatchUpdateBlobs", *context, *request);
    if (call->end) return *call->end;
    const auto& known = traits_.capabilities.cache_capabilities().supported_batch_update_compressors();
    bool zstd = std::find(known.begin(), known.end(), re::Compressor::ZSTD) != known.end();
    for (const auto& one : request->requests()) {
      auto& response = *answer->add_responses();
      *response.mutable_digest() = one.digest();
      std::string bytes = one.data();
      grpc::Status status;
      if (one.compressor() == re::Compressor::ZSTD && zstd) {
        auto plain = base::zstd_decompress(bytes, kLargestBlob);
        if (plain) bytes = *plain;
      } else if (one.compressor() != re::Compressor::IDENTITY) {
        status = no(grpc::StatusCode::INVALID_ARGUMENT, "compressor is not supported");
      }
      if (status.ok()) status = shelf_.put(Shelf::key(one.digest()), bytes);
      set_status(status, *response.mutable_status());
    }
    return grpc::Status::OK;
  }

  grpc::Status BatchReadBlobs(grpc::ServerContext* context, const re::BatchReadBlobsRequest* request,
                              re::BatchReadBlobsResponse* answer) override {
    Guard call(book_, "BatchReadBlobs", *context, *request);
    if (call->end) return *call->end;
    std::size_t total = 0;
    for (const re::Digest& digest : request->digests()) {
      auto& response = *answer->add_responses();
      *response.mutable_digest() = digest;
      auto bytes = shelf_.get(Shelf::key(digest));
      if (!bytes) {
        set_status(no(grpc::StatusCode::NOT_FOUND, "no such blob"), *response.mutable_status());
        continue;
      }
      total += bytes->size();
      if (call->damaged) spoil(*bytes);
      response.set_data(*bytes);
    }
    if (total > traits_.largest_answer)
      return no(grpc::StatusCode::INVALID_ARGUMENT, "too much in one answer");
    return grpc::Status::OK;
  }

 private:
  Book& book_;
  ReapiTraits& traits_;
  Shelf& shelf_;
};

class ByteStreamService final : public bs::ByteStream::Service {
 public:
  ByteStreamService(Book& book, ReapiTraits& traits, Shelf& shelf)
      : book_(book), traits_(traits), shelf_(shelf) {}

  grpc::Status Read(grpc::ServerContext* context, const bs::ReadRequest* request,
                    grpc::ServerWriter<bs::ReadResponse>* writer) override {
    Guard call(book_, "Read", *context, *request);
    if (call->end) return *call->end;
    Resource resource = parse_resource(request->resource_name());
    if (!resource.ok) return no(grpc::StatusCode::INVALID_ARGUMENT, "malformed resource name");
    if (request->read_limit() != 0) return no(grpc::StatusCode::UNIMPLEMENTED, "read_limit");
    auto bytes = shelf_.get(resource.key);
    if (!bytes) return no(grpc::StatusCode::NOT_FOUND, "no such blob");
    std::size_t offset = static_cast<std::size_t>(request->read_offset());
    if (offset > bytes->size()) return no(grpc::StatusCode::OUT_OF_RANGE, "beyond the end");
    if (resource.zstd && traits_.ignores_zstd_offset) offset = 0;
    std::string sent = bytes->substr(offset);
    if (call->damaged) spoil(sent);
    if (resource.zstd) {
      auto frame = base::zstd_compress(sent, 1);
      if (frame) sent = *frame;
    }
    int messages = 0;
    for (std::size_t at = 0; at < sent.size(); at += traits_.chunk) {
      if (call->cut && messages++ >= call->cut->after) return call->cut->status;
      bs::ReadResponse response;
      response.set_data(sent.substr(at, traits_.chunk));
      if (!writer->Write(response)) return grpc::Status::CANCELLED;
    }
    return call->cut ? call->cut->status : grpc::Status::OK;
  }

  grpc::Status Write(grpc::ServerContext* context, grpc::ServerReader<bs::WriteRequest>* reader,
                     bs::WriteResponse* answer) override {
    bs::WriteRequest request;
    bool more = reader->Read(&request);
    bs::WriteRequest first = request;
    first.clear_data();
    Guard call(book_, "Write", *context, first);
    if (call->end) return *call->end;
    std::string name = request.resource_name();
    Resource resource = parse_resource(name);
    if (!resource.ok) return no(grpc::StatusCode::INVALID_ARGUMENT, "malformed resource name");
    if (shelf_.has(resource.key)) {
      answer->set_committed_size(resource.zstd ? traits_.early_compressed : size_in(resource.key));
      return grpc::Status::OK;
    }
    std::string bytes = begun(name, request.write_offset());
    bool finished = false;
    int messages = 0;
    while (more) {
      if (call->cut && messages++ >= call->cut->after) return call->cut->status;
      if (request.write_offset() != static_cast<std::int64_t>(bytes.size())) {
        return no(grpc::StatusCode::INVALID_ARGUMENT, "wrong write_offset");
      }
      bytes += request.data();
      keep(name, bytes);
      finished = request.finish_write();
      more = reader->Read(&request);
    }
    if (!finished) return no(grpc::StatusCode::INVALID_ARGUMENT, "the stream ended without finish_write");
    return finish(name, resource, bytes, answer);
  }

  grpc::Status QueryWriteStatus(grpc::ServerContext* context, const bs::QueryWriteStatusRequest* request,
                                bs::QueryWriteStatusResponse* answer) override {
    Guard call(book_, "QueryWriteStatus", *context, *request);
    if (call->end) return *call->end;
    if (!traits_.resumes_writes) return no(grpc::StatusCode::UNIMPLEMENTED, "QueryWriteStatus");
    Resource resource = parse_resource(request->resource_name());
    if (shelf_.has(resource.key)) {
      answer->set_complete(true);
      answer->set_committed_size(size_in(resource.key));
      return grpc::Status::OK;
    }
    std::lock_guard lock(mutex_);
    auto found = parts_.find(request->resource_name());
    if (found == parts_.end()) return no(grpc::StatusCode::NOT_FOUND, "no such upload");
    answer->set_committed_size(static_cast<std::int64_t>(found->second.size()));
    return grpc::Status::OK;
  }

 private:
  static std::int64_t size_in(const std::string& key) {
    std::string_view digits = std::string_view(key).substr(key.rfind('/') + 1);
    std::int64_t size = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), size);
    return size;
  }

  std::string begun(const std::string& name, std::int64_t offset) {
    std::lock_guard lock(mutex_);
    auto found = parts_.find(name);
    if (offset == 0 || found == parts_.end()) return {};
    return found->second.substr(0, static_cast<std::size_t>(offset));
  }

  void keep(const std::string& name, const std::string& bytes) {
    std::lock_guard lock(mutex_);
    parts_[name] = bytes;
  }

  grpc::Status finish(const std::string& name, const Resource& resource, const std::string& bytes,
                      bs::WriteResponse* answer) {
    {
      std::lock_guard lock(mutex_);
      parts_.erase(name);
    }
    std::string plain = bytes;
    if (resource.zstd) {
      auto unpacked = base::zstd_decompress(bytes, kLargestBlob);
      if (!unpacked) return no(grpc::StatusCode::UNKNOWN, "no zstd frame");
      plain = *unpacked;
    }
    answer->set_committed_size(static_cast<std::int64_t>(bytes.size()));
    return shelf_.put(resource.key, plain);
  }

  Book& book_;
  ReapiTraits& traits_;
  Shelf& shelf_;
  std::mutex mutex_;
  std::map<std::string, std::string> parts_;  // guarded by mutex_; unfinished uploads by resource name
};

class ActionCacheService final : public re::ActionCache::Service {
 public:
  ActionCacheService(Book& book, ReapiTraits& traits, Shelf& shelf)
      : book_(book), traits_(traits), shelf_(shelf) {}

  grpc::Status GetActionResult(grpc::ServerContext* context, const re::GetActionResultRequest* request,
                               re::ActionResult* answer) override {
    Guard call(book_, "GetActionResult", *context, *request);
    if (call->end) return *call->end;
    auto result = shelf_.result(Shelf::key(request->action_digest()));
    if (!result || (traits_.refuses_holes && has_holes(*result))) {
      return no(grpc::StatusCode::NOT_FOUND, "no such entry");
    }
    *answer = *result;
    if (traits_.inline_hints) {
      add_inline(shelf_, request->inline_stdout(), request->inline_stderr(), request->inline_output_files(),
                 *answer);
    }
    if (call->damaged) {
      for (auto& file : *answer->mutable_output_files()) spoil(*file.mutable_contents());
    }
    return grpc::Status::OK;
  }

  grpc::Status UpdateActionResult(grpc::ServerContext* context, const re::UpdateActionResultRequest* request,
                                  re::ActionResult* answer) override {
    Guard call(book_, "UpdateActionResult", *context, *request);
    if (call->end) return *call->end;
    shelf_.put_result(Shelf::key(request->action_digest()), request->action_result());
    *answer = request->action_result();
    return grpc::Status::OK;
  }

 private:
  bool has_holes(const re::ActionResult& result) const {
    return std::any_of(result.output_files().begin(), result.output_files().end(),
                       [&](const auto& file) { return !shelf_.has(Shelf::key(file.digest())); });
  }

  Book& book_;
  ReapiTraits& traits_;
  Shelf& shelf_;
};

}  // namespace

grpc::Status Shelf::put(const std::string& key, const std::string& bytes) {
  if (Shelf::key(wire_digest(base::digest_of(bytes))) != key) {
    return no(grpc::StatusCode::INVALID_ARGUMENT, "the bytes do not have this digest");
  }
  std::lock_guard lock(mutex_);
  blobs_[key] = bytes;
  ++uploads_[key];
  return grpc::Status::OK;
}

std::optional<std::string> Shelf::get(const std::string& key) const {
  std::lock_guard lock(mutex_);
  auto found = blobs_.find(key);
  if (found == blobs_.end()) return std::nullopt;
  return found->second;
}

bool Shelf::has(const std::string& key) const {
  std::lock_guard lock(mutex_);
  return blobs_.count(key) != 0;
}

void Shelf::erase(const std::string& key) {
  std::lock_guard lock(mutex_);
  blobs_.erase(key);
}

void Shelf::clear() {
  std::lock_guard lock(mutex_);
  blobs_.clear();
  results_.clear();
}

int Shelf::uploads(const std::string& key) const {
  std::lock_guard lock(mutex_);
  auto found = uploads_.find(key);
  return found == uploads_.end() ? 0 : found->second;
}

void Shelf::put_result(const std::string& key, const re::ActionResult& result) {
  std::lock_guard lock(mutex_);
  results_[key] = result;
}

std::optional<re::ActionResult> Shelf::result(const std::string& key) const {
  std::lock_guard lock(mutex_);
  auto found = results_.find(key);
  if (found == results_.end()) return std::nullopt;
  return found->second;
}

void add_inline(const Shelf& shelf, bool out, bool err,
                const google::protobuf::RepeatedPtrField<std::string>& paths, re::ActionResult& result) {
  if (out && result.has_stdout_digest()) {
    if (auto bytes = shelf.get(Shelf::key(result.stdout_digest()))) result.set_stdout_raw(*bytes);
  }
  if (err && result.has_stderr_digest()) {
    if (auto bytes = shelf.get(Shelf::key(result.stderr_digest()))) result.set_stderr_raw(*bytes);
  }
  for (auto& file : *result.mutable_output_files()) {
    if (std::find(paths.begin(), paths.end(), file.path()) == paths.end()) continue;
    if (auto bytes = shelf.get(Shelf::key(file.digest()))) file.set_contents(*bytes);
  }
}

std::unique_ptr<grpc::Service> make_capabilities(Book& book, ReapiTraits& traits) {
  return std::make_unique<CapabilitiesService>(book, traits);
}

std::unique_ptr<grpc::Service> make_cas(Book& book, ReapiTraits& traits, Shelf& shelf) {
  return std::make_unique<CasService>(book, traits, shelf);
}

std::unique_ptr<grpc::Service> make_byte_stream(Book& book, ReapiTraits& traits, Shelf& shelf) {
  return std::make_unique<ByteStreamService>(book, traits, shelf);
}

std::unique_ptr<grpc::Service> make_action_cache(Book& book, ReapiTraits& traits, Shelf& shelf) {
  return std::make_unique<ActionCacheService>(book, traits, shelf);
}

}  // namespace fake
