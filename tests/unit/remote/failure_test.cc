#include "remote/failure.h"

#include <doctest/doctest.h>
#include <grpcpp/grpcpp.h>

#include <string>
#include <vector>

#include "fake/text.h"
#include "wire/rpc_status.pb.h"

namespace {

using remote::Cause;

remote::Failure of(grpc::StatusCode code, const std::string& message) {
  return remote::failure_of(grpc::Status(code, message), "Call at grpc://host:1");
}

// What a server attaches to a status: a PreconditionFailure with these subjects.
google::rpc::Status with_missing(const std::vector<std::string>& subjects, const std::string& prefix) {
  google::rpc::PreconditionFailure failure;
  for (const std::string& subject : subjects) {
    auto& violation = *failure.add_violations();
    violation.set_type("MISSING");
    violation.set_subject(subject);
  }
  google::rpc::Status status;
  status.set_code(grpc::StatusCode::FAILED_PRECONDITION);
  status.set_message("blobs are gone");
  auto& any = *status.add_details();
  any.set_type_url(prefix + "google.rpc.PreconditionFailure");
  any.set_value(failure.SerializeAsString());
  return status;
}

}  // namespace

TEST_CASE("statuses that mean what they say") {
  CHECK(of(grpc::StatusCode::UNAVAILABLE, "").cause == Cause::unavailable);
  CHECK(of(grpc::StatusCode::ABORTED, "").cause == Cause::unavailable);
  CHECK(of(grpc::StatusCode::CANCELLED, "").cause == Cause::unavailable);
  CHECK(of(grpc::StatusCode::UNKNOWN, "").cause == Cause::unavailable);
  CHECK(of(grpc::StatusCode::DEADLINE_EXCEEDED, "").cause == Cause::timed_out);
  CHECK(of(grpc::StatusCode::NOT_FOUND, "").cause == Cause::not_found);
  CHECK(of(grpc::StatusCode::PERMISSION_DENIED, "").cause == Cause::denied);
  CHECK(of(grpc::StatusCode::UNAUTHENTICATED, "").cause == Cause::unauthenticated);
  CHECK(of(grpc::StatusCode::INVALID_ARGUMENT, "").cause == Cause::invalid);
  CHECK(of(grpc::StatusCode::UNIMPLEMENTED, "").cause == Cause::unimplemented);
  CHECK(of(grpc::StatusCode::DATA_LOSS, "").cause == Cause::corrupt);
  CHECK(of(grpc::StatusCode::INTERNAL, "Error staging inputs").cause == Cause::engine);
  CHECK(of(grpc::StatusCode::RESOURCE_EXHAUSTED, "quota").cause == Cause::exhausted);
}

TEST_CASE("statuses that mislead are told by their words") {
  CHECK(of(grpc::StatusCode::UNKNOWN, "Received http2 header with status: 413").cause == Cause::too_large);
  CHECK(of(grpc::StatusCode::UNKNOWN, "Received http2 header with status: 500").cause == Cause::unavailable);
  // What a server tells of others is not said to us.
  for (int other : {401, 403, 404, 502}) {
    std::string said = "pull image: unexpected status: " + std::to_string(other);
    CHECK(of(grpc::StatusCode::INTERNAL, said).cause == of(grpc::StatusCode::INTERNAL, "broken").cause);
    CHECK(of(grpc::StatusCode::UNKNOWN, said).cause == of(grpc::StatusCode::UNKNOWN, "broken").cause);
  }
  CHECK(of(grpc::StatusCode::UNAVAILABLE, "Received http2 header with status: 502").cause ==
        Cause::unavailable);
  CHECK(of(grpc::StatusCode::INTERNAL, "Received RST_STREAM with error code 2").cause == Cause::unavailable);
  CHECK(of(grpc::StatusCode::UNKNOWN, "Stream removed").cause == Cause::unavailable);
  CHECK(of(grpc::StatusCode::UNKNOWN, "Exception calling application: x").cause == Cause::engine);
  CHECK(of(grpc::StatusCode::RESOURCE_EXHAUSTED, "Received message larger than max (5 vs. 4)").cause ==
        Cause::too_large);
}

TEST_CASE("only a connection that was never made is unreachable") {
  CHECK(of(grpc::StatusCode::UNAVAILABLE,
           "failed to connect to all addresses; last error: UNKNOWN: "
           "ipv4:127.0.0.1:1: Failed to connect to remote host: "
           "Connection refused")
            .unreachable);
  CHECK(of(grpc::StatusCode::UNAVAILABLE, "DNS resolution failed for host:1").unreachable);
  CHECK_FALSE(of(grpc::StatusCode::UNAVAILABLE, "Socket closed").unreachable);
  CHECK_FALSE(of(grpc::StatusCode::UNAVAILABLE, "status: 502").unreachable);
}

TEST_CASE("missing blobs are named, however the server writes them") {
  std::string hash(64, 'a');
  auto digest = base::parse_digest(hash, 12);
  REQUIRE(digest.ok());
  for (const std::string& subject :
       {"blobs/" + hash + "/12", "blobs/sha256/" + hash + "/12", "some/inst/blobs/" + hash + "/12"}) {
    auto status = with_missing({subject}, "type.googleapis.com/");
    remote::Failure in_response = remote::failure_of(status, "Execute");
    CHECK(in_response.cause == Cause::missing_blobs);
    REQUIRE(in_response.missing.size() == 1);
    CHECK(in_response.missing[0] == *digest);

    grpc::Status rpc(grpc::StatusCode::FAILED_PRECONDITION, "gone", status.SerializeAsString());
    CHECK(remote::failure_of(rpc, "Execute").missing == in_response.missing);
  }
  // Another host before the type's name is as good.
  CHECK(
      remote::failure_of(with_missing({"blobs/" + hash + "/12"}, "example.com/"), "Execute").missing.size() ==
      1);
}

TEST_CASE("a subject that is no blob still says that something is missing") {
  std::string hash(64, 'a');
  for (const std::string& subject :
       {std::string("blobs"), std::string(""), "blobs/" + hash, std::string("blobs/xyz/12"),
        "blobs/" + hash + "/-1", "blobs/" + hash + "/", "other/" + hash + "/1"}) {
    remote::Failure failure = remote::failure_of(with_missing({subject}, "a/"), "Execute");
    CHECK(failure.cause == Cause::missing_blobs);
    CHECK_MESSAGE(failure.missing.empty(), subject);
  }
}

TEST_CASE("a precondition without details: no worker, or perhaps blobs") {
  CHECK(of(grpc::StatusCode::FAILED_PRECONDITION, "No workers exist for instance name prefix").cause ==
        Cause::unplaceable);
  CHECK(of(grpc::StatusCode::FAILED_PRECONDITION, "Error staging input").cause == Cause::missing_blobs);
  google::rpc::Status other = with_missing({"x"}, "a/");
  google::rpc::PreconditionFailure failure;
  failure.add_violations()->set_type("TOS");
  other.mutable_details(0)->set_value(failure.SerializeAsString());
  CHECK(remote::failure_of(other, "Execute").cause == Cause::unplaceable);
}

TEST_CASE("the status of a run differs from that of a call") {
  google::rpc::Status status;
  status.set_code(grpc::StatusCode::DEADLINE_EXCEEDED);
  CHECK(remote::failure_of(status, "Execute").cause == Cause::action_timeout);
  status.set_code(grpc::StatusCode::UNKNOWN);
  CHECK(remote::failure_of(status, "Execute").cause == Cause::engine);
  status.set_code(grpc::StatusCode::UNAVAILABLE);
  status.set_message("Worker disappeared while task was executing");
  CHECK(remote::failure_of(status, "Execute").cause == Cause::unavailable);
}

TEST_CASE("the server's wish for a pause is read, within reason") {
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(2);
  retry.mutable_retry_delay()->set_nanos(500'000'000);
  google::rpc::Status status;
  status.set_code(grpc::StatusCode::RESOURCE_EXHAUSTED);
  status.add_details()->PackFrom(retry);
  CHECK(remote::failure_of(status, "Execute").retry_after == std::chrono::milliseconds(2500));
  retry.mutable_retry_delay()->set_seconds(-5);
  retry.mutable_retry_delay()->set_nanos(0);
  status.mutable_details(0)->PackFrom(retry);
  CHECK(remote::failure_of(status, "Execute").retry_after == std::chrono::milliseconds(0));
}

TEST_CASE("details that are no message are passed over") {
  grpc::Status status(grpc::StatusCode::FAILED_PRECONDITION, "Error staging", "\xff\xff\xff");
  CHECK(remote::failure_of(status, "Execute").cause == Cause::missing_blobs);
}

TEST_CASE("HTTP statuses") {
  CHECK(remote::failure_of_http(401, "GET").cause == Cause::unauthenticated);
  CHECK(remote::failure_of_http(403, "GET").cause == Cause::denied);
  CHECK(remote::failure_of_http(404, "GET").cause == Cause::not_found);
  CHECK(remote::failure_of_http(405, "PUT").cause == Cause::unimplemented);
  CHECK(remote::failure_of_http(413, "PUT").cause == Cause::too_large);
  CHECK(remote::failure_of_http(429, "GET").cause == Cause::exhausted);
  CHECK(remote::failure_of_http(507, "PUT").cause == Cause::exhausted);
  CHECK(remote::failure_of_http(503, "GET").cause == Cause::unavailable);
  CHECK(remote::failure_of_http(400, "GET").cause == Cause::invalid);
  CHECK(fake::holds(remote::failure_of_http(413, "PUT /cas/x").message, "PUT /cas/x: a proxy refuses"));
}

TEST_CASE("every cause has its word, and few are worth another try") {
  int transient = 0;
  for (int at = 0; at <= static_cast<int>(Cause::local); ++at) {
    CHECK(remote::to_string(static_cast<Cause>(at)) != std::string("unknown"));
    transient += remote::is_transient(static_cast<Cause>(at)) ? 1 : 0;
  }
  CHECK(transient == 3);
  CHECK(remote::is_transient(Cause::unavailable));
  CHECK_FALSE(remote::is_transient(Cause::denied));
}
