// A Remote Execution API engine for tests: a real gRPC server on loopback with storage in memory. It behaves
// as a good engine does until told otherwise: every method can be made to fail, to wait, to be cut, and each
// call is recorded. The test's thread may change everything between calls, and hooks at any time; hooks and
// the runner are called by the server's threads, several at once.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/digest.h"
#include "wire/reapi.pb.h"

namespace fake {

namespace re = build::bazel::remote::execution::v2;

// Opened once; holds up whoever waits before. Every wait ends after 30 s: a broken test fails, not hangs.
class Latch {
 public:
  void open();
  // False when it was not opened in time, or when `given_up` became true first.
  bool wait(const std::function<bool()>& given_up = {});

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;  // guarded by mutex_
};

// A call as the server saw it.
struct Seen {
  std::string method;  // "FindMissingBlobs"
  std::multimap<std::string, std::string> metadata;
  std::string peer;                 // address and port: one for each connection
  std::string request;              // the (first) message, serialised
  int number = 0;                   // of this method, from 1
  std::function<bool()> cancelled;  // whether the client gave up; for hooks that wait

  std::string header(const std::string& name) const;
  re::RequestMetadata request_metadata() const;
};

// What the server can do; read when a call arrives, but `address`, `max_streams`, `connection_age_ms` and
// `credentials`, which hold from the next start().
struct ReapiTraits {
  std::string address = "127.0.0.1:0";
  int max_streams = 0;        // at once on one connection; 0: no limit
  int connection_age_ms = 0;  // sends GOAWAY after that; 0: never
  std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials();
  re::ServerCapabilities capabilities;   // as a good engine's at first
  bool inline_hints = true;              // GetActionResult and Execute send small outputs along
  bool refuses_holes = false;            // GetActionResult says NOT_FOUND when a blob is gone
  bool merges = true;                    // one run for equal actions in flight
  bool stage_messages = true;            // Execute tells the stage before the result
  bool operation_metadata = true;        // false as casd: Operation.metadata is absent
  bool resumes_writes = true;            // QueryWriteStatus knows; else UNIMPLEMENTED
  bool ignores_zstd_offset = false;      // as Buildbarn: a compressed Read begins at 0 always
  std::int64_t early_compressed = -1;    // committed_size of a compressed Write of a blob that is there
  std::size_t chunk = 64 << 10;          // of Read
  std::size_t largest_answer = 4 << 20;  // of BatchReadBlobs; more is INVALID_ARGUMENT
};

// One action as the runner sees it.
class Run {
 public:
  virtual ~Run() = default;
  virtual const re::ExecuteRequest& request() const = 0;
  virtual void stage(re::ExecutionStage::Value stage) = 0;  // tells the client
  virtual bool cancelled() const = 0;                       // by CancelOperation, or the server's end
};

// The traits, for as long as the expression lasts in which they are changed: calls that are under way have
// read theirs before, later ones read theirs afterwards.
class LockedTraits {
 public:
  LockedTraits(ReapiTraits& traits, std::unique_lock<std::mutex> lock)
      : traits_(traits), lock_(std::move(lock)) {}
  ReapiTraits* operator->() { return &traits_; }

 private:
  ReapiTraits& traits_;
  std::unique_lock<std::mutex> lock_;
};

// Any thread.
class ReapiServer {
 public:
  // A status ends the call with it; nothing goes on to the usual answer. May wait.
  using Hook = std::function<std::optional<grpc::Status>(const Seen&)>;
  using Runner = std::function<re::ExecuteResponse(Run&)>;

  ReapiServer();
  explicit ReapiServer(ReapiTraits traits);
  ~ReapiServer();

  // "127.0.0.1:PORT", the same after a restart.
  std::string address() const;
  // "grpc://127.0.0.1:PORT"
  std::string url() const { return "grpc://" + address(); }

  // Cuts all connections at once; then nothing listens on the port. start() listens on it again. Blobs and
  // entries stay; operations are forgotten.
  void stop();
  void start();

  LockedTraits traits();

  // Hooks by method: GetCapabilities, FindMissingBlobs, BatchUpdateBlobs, BatchReadBlobs, Read, Write,
  // QueryWriteStatus, GetActionResult, UpdateActionResult, Execute, WaitExecution, CancelOperation. An empty
  // hook takes it away.
  void on(const std::string& method, Hook hook);
  // The next `times` calls end with this status.
  void fail(const std::string& method, const grpc::Status& status, int times = 1);
  // The next `times` calls of a streaming method end with this status after so many messages (of the server
  // for Read, Execute and WaitExecution, of the client for Write).
  void cut(const std::string& method, int after, const grpc::Status& status, int times = 1);
  // The next answers of a method are damaged on their way: a byte of the blobs in them is another.
  void damage(const std::string& method, int times = 1);

  // Runs actions, each on a thread of its own. Without one: exit 0 and no outputs.
  void runner(Runner runner);

  int count(const std::string& method) const;
  std::vector<Seen> seen(const std::string& method) const;
  template <class Request>
  std::vector<Request> requests(const std::string& method) const {
    std::vector<Request> out;
    for (const Seen& call : seen(method)) out.emplace_back().ParseFromString(call.request);
    return out;
  }
  // Waits, bounded, until so many calls of a method have begun.
  bool wait_for(const std::string& method, int calls) const;
  // Distinct connections that calls came by.
  std::size_t connections() const;
  // The most calls that were under way at once.
  int most_at_once() const;

  // The storage, by hex digest and size.
  void put(const std::string& bytes);
  bool has(const base::Digest& digest) const;
  std::optional<std::string> get(const base::Digest& digest) const;
  void erase(const base::Digest& digest);
  void clear();  // blobs and entries
  void put_result(const base::Digest& action, const re::ActionResult& result);
  std::optional<re::ActionResult> result(const base::Digest& action) const;
  // How often the blob was sent up.
  int uploads(const base::Digest& digest) const;

  class State;

 private:
  std::unique_ptr<State> state_;
};

re::Digest wire_digest(const base::Digest& digest);
base::Digest digest_from(const re::Digest& digest);

// A status with the details that engines attach: a PreconditionFailure that names these blobs.
grpc::Status missing_status(const std::vector<std::string>& subjects);

}  // namespace fake
