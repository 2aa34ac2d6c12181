#include "remote/connection.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "base/files.h"
#include "remote/channels.h"
#include "remote/pause.h"
#include "remote/retry.h"
#include "wire/reapi.pb.h"

namespace remote {
namespace {

using std::chrono::milliseconds;

constexpr const char* kMetadataHeader = "build.bazel.remote.execution.v2.requestmetadata-bin";

// A server that wants a longer pause than this is better left alone: a local compile is done sooner.
constexpr milliseconds kLongestWait{10'000};

std::string metadata_of(const Call& call) {
  build::bazel::remote::execution::v2::RequestMetadata metadata;
  metadata.mutable_tool_details()->set_tool_name("goma");
  metadata.mutable_tool_details()->set_tool_version(GOMA_VERSION);
  metadata.set_action_id(call.action_id);
  metadata.set_tool_invocation_id(call.build_id);
  metadata.set_correlated_invocations_id(call.build_id);
  metadata.set_action_mnemonic(call.mnemonic);
  metadata.set_target_id(call.target_id);
  return metadata.SerializeAsString();
}

// The library ends the program over a header that HTTP does not allow.
bool is_header(const std::string& name, const std::string& value) {
  bool good_name =
      !name.empty() && !name.ends_with("-bin") && std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
      });
  bool good_value =
      std::all_of(value.begin(), value.end(), [](unsigned char c) { return c >= ' ' && c < 0x7f; });
  return good_name && good_value;
}

gpr_timespec deadline_in(milliseconds time) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(time.count(), GPR_TIMESPAN));
}

Failure stopped(const std::string& what) { return {Cause::cancelled, what + ": stopped"}; }

}  // namespace

class Connection::State {
 public:
  State(Endpoint endpoint, TlsFiles tls, Credentials& credentials, base::Clock& clock)
      : endpoint_(std::move(endpoint)),
        credentials_(credentials),
        clock_(clock),
        health_(clock),
        budget_(clock),
        channels_(endpoint_, std::move(tls), clock, base::real_files()) {}

  Remote<void> run(const CallOptions& options, const Call& call, const std::stop_token& stop,
                   const Attempt& attempt);

  const Endpoint endpoint_;
  Credentials& credentials_;
  base::Clock& clock_;
  Health health_;

 private:
  // One run of a call: what changes from one attempt to the next.
  struct Course {
    std::string what;
    int attempts = 0;
    milliseconds deadline;
    bool refused_once = false;    // other credentials were asked for
    bool timed_out_once = false;  // and given more time
    bool withheld = false;        // credentials exist, but the way is in clear
    std::uint64_t credentials_version = 0;
  };

  std::optional<Failure> may_call(const std::string& what);
  std::optional<Failure> once(const CallOptions& options, const Call& call, const std::stop_token& stop,
                              const Attempt& attempt, Course& course);
  void report(const CallOptions& options, const std::optional<Failure>& failure, base::Nanoseconds began);
  // Whether to go on after this failure; waits as long as it takes.
  bool again(const CallOptions& options, const Failure& failure, const std::stop_token& stop, Course& course);
  std::optional<Failure> add_headers(grpc::ClientContext& context, const Call& call, const std::string& what,
                                     const std::stop_token& stop, Course& course);

  RetryBudget budget_;
  Jitter jitter_;
  Channels channels_;
};

Remote<void> Connection::State::run(const CallOptions& options, const Call& call, const std::stop_token& stop,
                                    const Attempt& attempt) {
  Course course{options.method + " at " + endpoint_.text, 0, options.deadline};
  budget_.earn();
  while (true) {
    if (stop.stop_requested()) return stopped(course.what);
    if (auto refused = may_call(course.what)) return *refused;
    ++course.attempts;
    std::optional<Failure> failure = once(options, call, stop, attempt, course);
    if (!failure) return {};
    if (stop.stop_requested()) return stopped(course.what);
    if (!again(options, *failure, stop, course)) {
      return stop.stop_requested() ? stopped(course.what) : *failure;
    }
  }
}

std::optional<Failure> Connection::State::may_call(const std::string& what) {
  bool was_closed = health_.state().breaker == Breaker::closed;
  if (health_.allows()) {
    if (!was_closed) channels_.hurry();
    return std::nullopt;
  }
  HealthState state = health_.state();
  return Failure{Cause::unavailable, what + ": not asked, after failures; the last one: " + state.last_error};
}

std::optional<Failure> Connection::State::once(const CallOptions& options, const Call& call,
                                               const std::stop_token& stop, const Attempt& attempt,
                                               Course& course) {
  auto lease = channels_.lease(options.lane);
  if (!lease) {
    health_.inconclusive();
    return Failure{Cause::local, course.what + ": " + lease.error().message};
  }
  grpc::ClientContext context;
  if (auto failure = add_headers(context, call, course.what, stop, course)) {
    health_.inconclusive();
    return failure;
  }
  context.set_deadline(deadline_in(course.deadline));
  base::Nanoseconds began = clock_.uptime();
  grpc::Status status;
  {
    std::stop_callback cancel(stop, [&] { context.TryCancel(); });
    status = attempt(context, lease->channel());
  }
  if (stop.stop_requested() && !status.ok()) {
    health_.inconclusive();
    return stopped(course.what);
  }
  std::optional<Failure> failure;
  if (!status.ok()) {
    failure = failure_of(status, course.what);
    if (failure->cause == Cause::timed_out && lease->channel()->GetState(false) != GRPC_CHANNEL_READY) {
      failure->cause = Cause::unavailable;
      failure->unreachable = true;
      failure->message += "; there was no connection all the while: check the network, a VPN or a firewall";
    }
  }
  if (failure && course.withheld && failure->cause == Cause::unauthenticated) {
    failure->message += "; the credentials were not sent, because the address is in clear: use grpcs://";
  }
  report(options, failure, began);
  return failure;
}

void Connection::State::report(const CallOptions& options, const std::optional<Failure>& failure,
                               base::Nanoseconds began) {
  if (options.streaming && (!failure || failure->cause == Cause::timed_out)) {
    health_.inconclusive();  // a wait that was cut, perhaps by its own slice
  } else if (!failure) {
    auto took = std::chrono::duration_cast<std::chrono::microseconds>(clock_.uptime() - began);
    health_.succeeded(options.lane == Lane::small ? took : std::chrono::microseconds(0));
  } else {
    health_.failed(*failure, began);
  }
}

bool Connection::State::again(const CallOptions& options, const Failure& failure, const std::stop_token& stop,
                              Course& course) {
  if (failure.cause == Cause::unauthenticated) {
    if (course.withheld) return false;
    if (course.refused_once || !credentials_.refused(course.credentials_version, stop)) return false;
    course.refused_once = true;
    return true;
  }
  if (!is_transient(failure.cause) || course.attempts >= options.attempts) return false;
  if (failure.retry_after > kLongestWait) return false;
  if (failure.cause == Cause::timed_out) {
    if (course.timed_out_once || options.streaming) return false;
    course.timed_out_once = true;
    course.deadline *= 2;
  }
  if (health_.state().breaker != Breaker::closed || !budget_.spend()) return false;
  milliseconds pause = backoff(course.attempts - 1, jitter_.next());
  remote::pause(std::max(pause, failure.retry_after), stop);
  return !stop.stop_requested();
}

std::optional<Failure> Connection::State::add_headers(grpc::ClientContext& context, const Call& call,
                                                      const std::string& what, const std::stop_token& stop,
                                                      Course& course) {
  context.AddMetadata(kMetadataHeader, metadata_of(call));
  course.credentials_version = 0;
  auto current = credentials_.current(stop);
  if (!current) {
    if (stop.stop_requested()) return stopped(what);
    return std::nullopt;  // anonymous
  }
  course.credentials_version = current->version;
  // In clear they would be anybody's. Some endpoints let anonymous callers read.
  course.withheld = !current->headers.empty() && !endpoint_.tls && !endpoint_.local;
  if (course.withheld) return std::nullopt;
  for (const auto& [name, value] : current->headers) {
    if (!is_header(name, value)) {
      return Failure{Cause::unauthenticated, what +
                                                 ": the header of the credentials is malformed; look for "
                                                 "line breaks in the token"};
    }
    context.AddMetadata(name, value);
  }
  return std::nullopt;
}

Connection::Connection(Endpoint endpoint, TlsFiles tls, Credentials& credentials, base::Clock& clock)
    : state_(std::make_unique<State>(std::move(endpoint), std::move(tls), credentials, clock)) {}

Connection::~Connection() = default;

Remote<void> Connection::run(const CallOptions& options, const Call& call, const std::stop_token& stop,
                             const Attempt& attempt) {
  return state_->run(options, call, stop, attempt);
}

const Endpoint& Connection::endpoint() const { return state_->endpoint_; }

Credentials& Connection::credentials() { return state_->credentials_; }

Health& Connection::health() { return state_->health_; }

}  // namespace remote
