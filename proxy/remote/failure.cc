#include "remote/failure.h"

#include <grpcpp/support/status.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

#include "remote/failure_text.h"
#include "wire/rpc_status.pb.h"

namespace remote {
namespace {

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

template <std::size_t N>
bool contains_any(std::string_view text, const std::array<std::string_view, N>& parts) {
  return std::any_of(parts.begin(), parts.end(), [&](std::string_view part) { return contains(text, part); });
}

// The HTTP status that a proxy answered a gRPC call with, as the gRPC library words it. Servers tell of other
// statuses, such as that of a registry which they asked for an image.
int http_status_in(std::string_view message) {
  constexpr std::string_view kMark = "http2 header with status: ";
  std::size_t at = message.find(kMark);
  if (at == std::string_view::npos) return 0;
  std::string_view digits = message.substr(at + kMark.size());
  int status = 0;
  std::from_chars(digits.data(), digits.data() + std::min<std::size_t>(digits.size(), 3), status);
  return status >= 100 && status < 600 ? status : 0;
}

Cause cause_of_http(int status) {
  switch (status) {
    case 401:
    case 407:
      return Cause::unauthenticated;
    case 403:
      return Cause::denied;
    case 404:
    case 410:
      return Cause::not_found;
    case 405:
    case 501:
      return Cause::unimplemented;
    case 413:
      return Cause::too_large;
    case 429:
    case 507:
      return Cause::exhausted;
    case 408:
      return Cause::unavailable;
    default:
      return status >= 500 ? Cause::unavailable : Cause::invalid;
  }
}

// No connection could be made at all.
bool says_unreachable(std::string_view message) {
  static constexpr std::array<std::string_view, 7> kParts = {
      "failed to connect",         "Failed to connect",  "onnection refused", "DNS resolution failed",
      "No such file or directory", "empty address list", "handshake failed"};
  return contains_any(message, kParts);
}

// The library words a connection that was lost under a call in many ways, with statuses that differ.
bool says_lost(std::string_view message) {
  static constexpr std::array<std::string_view, 8> kParts = {
      "RST_STREAM",     "GOAWAY",      "Socket closed",   "Connection reset",
      "Stream removed", "Broken pipe", "missing trailer", "keepalive"};
  return contains_any(message, kParts);
}

bool says_too_large(std::string_view message) {
  static constexpr std::array<std::string_view, 4> kParts = {"larger than max", "message too large",
                                                             "message size", "exceeds maximum"};
  return contains_any(message, kParts);
}

// A precondition without details is either of two things, and only the words tell.
Cause precondition_cause(std::string_view message) {
  static constexpr std::array<std::string_view, 5> kPlacement = {"orker", "latform", "instance name",
                                                                 "ropert", "equirement"};
  return contains_any(message, kPlacement) ? Cause::unplaceable : Cause::missing_blobs;
}

Cause cause_of(int code, std::string_view message) {
  switch (static_cast<grpc::StatusCode>(code)) {
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::OUT_OF_RANGE:
    case grpc::StatusCode::ALREADY_EXISTS:
      return Cause::invalid;
    case grpc::StatusCode::NOT_FOUND:
      return Cause::not_found;
    case grpc::StatusCode::PERMISSION_DENIED:
      return Cause::denied;
    case grpc::StatusCode::UNAUTHENTICATED:
      return Cause::unauthenticated;
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return says_too_large(message) ? Cause::too_large : Cause::exhausted;
    case grpc::StatusCode::FAILED_PRECONDITION:
      return precondition_cause(message);
    case grpc::StatusCode::UNIMPLEMENTED:
      return Cause::unimplemented;
    case grpc::StatusCode::DATA_LOSS:
      return Cause::corrupt;
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return Cause::timed_out;
    case grpc::StatusCode::INTERNAL:
      return Cause::engine;
    default:
      return Cause::unavailable;  // UNAVAILABLE, ABORTED, CANCELLED by the server, UNKNOWN
  }
}

// "blobs/HASH/SIZE" or "blobs/FUNCTION/HASH/SIZE", perhaps after an instance name.
std::optional<base::Digest> digest_of_subject(std::string_view subject) {
  std::size_t at = subject.starts_with("blobs/") ? 0 : subject.rfind("/blobs/");
  if (at == std::string_view::npos) return std::nullopt;
  std::size_t last = subject.rfind('/');
  std::string_view before = subject.substr(0, last);
  std::size_t first = before.rfind('/');
  if (first == std::string_view::npos || first < at) return std::nullopt;
  std::string_view text = subject.substr(last + 1);
  std::int64_t size = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error != std::errc() || end != text.data() + text.size() || size < 0) return std::nullopt;
  auto digest = base::parse_digest(before.substr(first + 1), size);
  if (!digest) return std::nullopt;
  return *digest;
}

void read_details(const google::rpc::Status& status, Failure& failure) {
  bool preconditions = false;
  bool missing = false;
  for (const google::protobuf::Any& any : status.details()) {
    google::rpc::PreconditionFailure precondition;
    google::rpc::RetryInfo retry;
    if (is_type(any, "google.rpc.PreconditionFailure") && precondition.ParseFromString(any.value())) {
      preconditions = true;
      for (const auto& violation : precondition.violations()) {
        if (violation.type() != "MISSING") continue;
        missing = true;
        if (auto digest = digest_of_subject(violation.subject())) failure.missing.push_back(*digest);
      }
    } else if (is_type(any, "google.rpc.RetryInfo") && retry.ParseFromString(any.value())) {
      // A server that asks for an hour means "go away": no task waits longer than the caller's limits.
      std::int64_t seconds = std::clamp<std::int64_t>(retry.retry_delay().seconds(), 0, 3600);
      std::int64_t nanos = std::clamp<std::int64_t>(retry.retry_delay().nanos(), 0, 999'999'999);
      failure.retry_after = std::chrono::milliseconds(seconds * 1000 + nanos / 1'000'000);
    }
  }
  if (missing) {
    failure.cause = Cause::missing_blobs;
  } else if (preconditions && failure.cause == Cause::missing_blobs) {
    failure.cause = Cause::unplaceable;
  }
}

}  // namespace

bool is_type(const google::protobuf::Any& any, std::string_view name) {
  std::string_view url = any.type_url();
  return url.substr(url.rfind('/') + 1) == name;
}

const char* to_string(Cause cause) {
  switch (cause) {
    case Cause::unavailable:
      return "unavailable";
    case Cause::exhausted:
      return "exhausted";
    case Cause::too_large:
      return "too_large";
    case Cause::timed_out:
      return "timed_out";
    case Cause::unauthenticated:
      return "unauthenticated";
    case Cause::denied:
      return "denied";
    case Cause::missing_blobs:
      return "missing_blobs";
    case Cause::not_found:
      return "not_found";
    case Cause::unplaceable:
      return "unplaceable";
    case Cause::unimplemented:
      return "unimplemented";
    case Cause::invalid:
      return "invalid";
    case Cause::corrupt:
      return "corrupt";
    case Cause::engine:
      return "engine";
    case Cause::action_timeout:
      return "action_timeout";
    case Cause::cancelled:
      return "cancelled";
    case Cause::local:
      return "local";
  }
  return "unknown";
}

bool is_transient(Cause cause) {
  return cause == Cause::unavailable || cause == Cause::exhausted || cause == Cause::timed_out;
}

Failure failure_of(const grpc::Status& status, const std::string& what) {
  const std::string& said = status.error_message();
  Failure failure{cause_of(status.error_code(), said), {}};
  switch (status.error_code()) {
    case grpc::StatusCode::UNKNOWN:
    case grpc::StatusCode::INTERNAL:
      if (int http = http_status_in(said); http >= 400) {
        failure.cause = http == 404 ? Cause::unimplemented : cause_of_http(http);
      } else if (says_lost(said)) {
        failure.cause = Cause::unavailable;
      } else if (contains(said, "Exception calling application")) {
        failure.cause = Cause::engine;  // how gRPC in Python says that the server's own code failed
      }
      break;
    case grpc::StatusCode::UNAVAILABLE:
      if (http_status_in(said) == 429) failure.cause = Cause::exhausted;
      failure.unreachable = says_unreachable(said);
      break;
    default:
      break;
  }
  google::rpc::Status details;
  if (!status.error_details().empty() && details.ParseFromString(status.error_details())) {
    read_details(details, failure);
  }
  failure.message = what + ": " + explain(failure, http_status_in(said), said);
  return failure;
}

Failure failure_of(const google::rpc::Status& status, const std::string& what) {
  Failure failure{cause_of(status.code(), status.message()), {}};
  if (failure.cause == Cause::timed_out) failure.cause = Cause::action_timeout;
  if (status.code() == grpc::StatusCode::UNKNOWN) failure.cause = Cause::engine;
  read_details(status, failure);
  failure.message = what + ": " + explain(failure, 0, status.message());
  return failure;
}

Failure failure_of_http(int status, const std::string& what) {
  Failure failure{cause_of_http(status), {}};
  failure.message = what + ": " + explain(failure, status, {});
  return failure;
}

}  // namespace remote
