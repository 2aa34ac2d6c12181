#include "remote/execution.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "cache/outcome_codec.h"
#include "remote/pause.h"
#include "wire/longrunning.grpc.pb.h"
#include "wire/reapi.grpc.pb.h"

namespace remote {
namespace {

namespace reapi = build::bazel::remote::execution::v2;
using google::longrunning::Operation;
using std::chrono::milliseconds;

constexpr int kReconnectAttempts = 6;  // enough for a scheduler that is being restarted
constexpr milliseconds kCancelDeadline{1000};

// A stream that is cut again and again without lasting is given up; one that lasts may be cut for as long as
// the limits allow, since some proxies cut each after a few seconds.
constexpr milliseconds kShortStream{1000};
constexpr milliseconds kFirstReconnectPause{50};
constexpr milliseconds kLongestReconnectPause{2000};

milliseconds to_ms(base::Nanoseconds time) { return std::chrono::duration_cast<milliseconds>(time); }

// One action on its way through streams and operations.
class Run {
 public:
  Run(base::Clock& clock, const ExecutionLimits& limits, const std::function<void(Stage)>& on_stage)
      : clock_(clock), limits_(limits), on_stage_(on_stage), since_(clock.uptime()) {}

  // Reads one stream to its end. OK when there is something to go on with: the result, or an operation to
  // wait for.
  grpc::Status read(grpc::ClientContext& context, const Connection::Channel& channel,
                    const reapi::ExecuteRequest& request, const std::stop_token& stop) {
    auto stub = reapi::Execution::NewStub(channel);
    waiting_ = !name_.empty();
    sliced_ = false;
    std::unique_ptr<grpc::ClientReader<Operation>> reader;
    if (waiting_) {
      reapi::WaitExecutionRequest wait;
      wait.set_name(name_);
      reader = stub->WaitExecution(&context, wait);
    } else {
      reader = stub->Execute(&context, request);
    }
    Operation operation;
    bool heard = false;
    while (!done_ && reader->Read(&operation)) {
      heard = true;
      take(operation);
    }
    if (done_) context.TryCancel();  // the rest of the stream, if any, is of no interest
    grpc::Status status = reader->Finish();
    if (done_) return grpc::Status::OK;
    if (stop.stop_requested()) return status;
    if (name_.empty()) {
      if (!status.ok()) return status;
      return {grpc::StatusCode::UNAVAILABLE, "the stream ended without an operation"};
    }
    sliced_ = status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
    return heard && is_cut(status) ? grpc::Status::OK : status;
  }

  // The limit that has passed, if one has.
  std::optional<Failure> over_limit() {
    account();
    if (waited_ >= limits_.queue) {
      return Failure{Cause::timed_out, "Execute: no worker took the action within " + seconds(limits_.queue)};
    }
    if (ran_ >= limits_.execute) {
      return Failure{Cause::action_timeout, "Execute: the action ran for " + seconds(limits_.execute)};
    }
    return std::nullopt;
  }

  // For the next stream: no longer than a slice, nor than what the limits leave.
  milliseconds deadline() {
    account();
    base::Nanoseconds left = executing_ ? limits_.execute - ran_ : limits_.queue - waited_;
    return std::max(std::min(limits_.slice, to_ms(left)), milliseconds(1));
  }

  // After the server forgot the operation.
  void forget() {
    name_.clear();
    set_stage(false);
  }

  bool done() const { return done_; }
  bool waiting() const { return waiting_; }  // whether the last stream was for an operation known before
  bool sliced() const { return sliced_; }    // whether the last stream ended because its time was over
  const std::string& name() const { return name_; }
  Remote<reapi::ExecuteResponse> response() && { return std::move(*response_); }

 private:
  // Ends that say nothing about the action: the way to the server failed, or a slice was over.
  static bool is_cut(const grpc::Status& status) {
    switch (status.error_code()) {
      case grpc::StatusCode::OK:
      case grpc::StatusCode::CANCELLED:
      case grpc::StatusCode::UNKNOWN:
      case grpc::StatusCode::DEADLINE_EXCEEDED:
      case grpc::StatusCode::ABORTED:
      case grpc::StatusCode::INTERNAL:
      case grpc::StatusCode::UNAVAILABLE:
        return true;
      default:
        return false;
    }
  }

  static std::string seconds(milliseconds time) { return std::to_string(time.count() / 1000) + " s"; }

  void take(const Operation& operation) {
    if (!operation.name().empty()) name_ = operation.name();
    if (operation.done()) {
      done_ = true;
      response_ = unpack(operation);
      return;
    }
    reapi::ExecuteOperationMetadata metadata;
    bool told = is_type(operation.metadata(), "build.bazel.remote.execution.v2.ExecuteOperationMetadata") &&
                metadata.ParseFromString(operation.metadata().value());
    // A server that never tells stages has no queue to speak of, or none that could be told from running.
    set_stage(!told || metadata.stage() == reapi::ExecutionStage::EXECUTING ||
              metadata.stage() == reapi::ExecutionStage::COMPLETED);
  }

  static Remote<reapi::ExecuteResponse> unpack(const Operation& operation) {
    if (operation.has_error() && operation.error().code() != 0) {
      return failure_of(operation.error(), "Execute");
    }
    reapi::ExecuteResponse response;
    if (!operation.has_response() ||
        !is_type(operation.response(), "build.bazel.remote.execution.v2.ExecuteResponse") ||
        !response.ParseFromString(operation.response().value())) {
      return Failure{Cause::corrupt, "Execute: the operation is done, but holds no response"};
    }
    return response;
  }

  void set_stage(bool executing) {
    account();
    bool changed = !told_ || executing != executing_;
    told_ = true;
    executing_ = executing;
    if (changed && on_stage_) on_stage_(executing ? Stage::executing : Stage::queued);
  }

  void account() {
    base::Nanoseconds now = clock_.uptime();
    (executing_ ? ran_ : waited_) += now - since_;
    since_ = now;
  }

  base::Clock& clock_;
  const ExecutionLimits& limits_;
  const std::function<void(Stage)>& on_stage_;
  std::string name_;  // opaque; only for the server that gave it
  bool executing_ = false;
  bool told_ = false;  // on_stage_ was called
  bool waiting_ = false;
  bool sliced_ = false;
  bool done_ = false;
  base::Nanoseconds since_;      // when waited_ and ran_ were last brought up to date
  base::Nanoseconds waited_{0};  // over all operations of this run, so that the whole is bounded
  base::Nanoseconds ran_{0};
  std::optional<Remote<reapi::ExecuteResponse>> response_;
};

// The server no longer knows the operation, or never knew how to wait for one.
bool is_forgotten(Cause cause) {
  return cause == Cause::not_found || cause == Cause::invalid || cause == Cause::unimplemented;
}

reapi::ExecuteRequest make_request(const std::string& instance, const base::Digest& action,
                                   const std::vector<std::string>& output_paths, bool skip_cache) {
  reapi::ExecuteRequest request;
  request.set_instance_name(instance);
  request.set_digest_function(reapi::DigestFunction::SHA256);
  request.set_skip_cache_lookup(skip_cache);
  cache::set_digest(action, *request.mutable_action_digest());
  request.set_inline_stdout(true);
  request.set_inline_stderr(true);
  for (const std::string& path : output_paths) request.add_inline_output_files(path);
  return request;
}

}  // namespace

Execution::Execution(Connection& connection, std::string instance, base::Clock& clock, ExecutionLimits limits)
    : connection_(connection), instance_(std::move(instance)), clock_(clock), limits_(limits) {}

Remote<Execution::ExecuteResponse> Execution::execute(const Call& call, const base::Digest& action,
                                                      const std::vector<std::string>& output_paths,
                                                      bool skip_cache,
                                                      const std::function<void(Stage)>& on_stage,
                                                      const std::stop_token& stop) {
  const reapi::ExecuteRequest request = make_request(instance_, action, output_paths, skip_cache);
  Run run(clock_, limits_, on_stage);
  int restarts = 0;
  int short_streams = 0;
  milliseconds wait = kFirstReconnectPause;
  while (true) {
    if (std::optional<Failure> over = run.over_limit()) {
      cancel(call, run.name());
      return *over;
    }
    CallOptions options;
    options.method = run.name().empty() ? "Execute" : "WaitExecution";
    options.deadline = run.deadline();
    options.attempts = kReconnectAttempts;
    options.streaming = true;
    base::Nanoseconds began = clock_.uptime();
    Remote<void> streamed = connection_.run(
        options, call, stop, [&](grpc::ClientContext& context, const Connection::Channel& channel) {
          return run.read(context, channel, request, stop);
        });
    if (run.done()) {
      connection_.health().succeeded(std::chrono::microseconds(0));
      return std::move(run).response();
    }
    // Silence for a whole slice is as it should be while an action runs.
    bool silent = !streamed && streamed.error().cause == Cause::timed_out && run.sliced();
    if (!streamed && !silent) {
      if (streamed.error().cause == Cause::cancelled || stop.stop_requested()) {
        cancel(call, run.name());
        return Failure{Cause::cancelled, "Execute: stopped"};
      }
      if (!run.waiting() || !is_forgotten(streamed.error().cause)) return streamed.error();
      if (++restarts > limits_.restarts) {
        return Failure{Cause::unavailable, "Execute: the server forgot the operation again and again"};
      }
      run.forget();
      continue;
    }
    if (clock_.uptime() - began >= kShortStream) {
      short_streams = 0;
      wait = kFirstReconnectPause;
      continue;
    }
    if (!run.sliced() && ++short_streams > limits_.cuts) {
      return Failure{Cause::unavailable, "Execute: the stream is cut again and again"};
    }
    pause(wait, stop);
    wait = std::min(2 * wait, kLongestReconnectPause);
  }
}

void Execution::cancel(const Call& call, const std::string& name) {
  if (name.empty() || cannot_cancel_) return;
  CallOptions options;
  options.method = "CancelOperation";
  options.deadline = kCancelDeadline;
  options.attempts = 1;
  google::longrunning::CancelOperationRequest request;
  request.set_name(name);
  Remote<void> done = connection_.run(
      options, call, {}, [&](grpc::ClientContext& context, const Connection::Channel& channel) {
        google::protobuf::Empty answer;
        return google::longrunning::Operations::NewStub(channel)->CancelOperation(&context, request, &answer);
      });
  if (!done && done.error().cause == Cause::unimplemented) cannot_cancel_ = true;
}

}  // namespace remote
