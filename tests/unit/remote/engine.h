// What the tests of executions share: a small job, and an engine that compiles it if it has all of it.
#pragma once

#include <grpcpp/support/status.h>

#include <string>
#include <vector>

#include "base/digest.h"
#include "cache/outcome_codec.h"
#include "fake/reapi_server.h"
#include "remote/backend.h"
#include "wire/reapi.pb.h"

namespace engine {

namespace reapi = build::bazel::remote::execution::v2;
using grpc::StatusCode;

inline const std::string kObject = "object";
inline const base::Digest kAction = base::digest_of("action");

inline remote::Source source(const std::string& bytes) { return {base::digest_of(bytes), bytes}; }

inline remote::Job job() {
  remote::Job job;
  job.action = kAction;
  job.output_paths = {"x.d", "x.o"};
  job.sources = {source("x.cc"), source("x.h"), source("root"), source("command"), source("action")};
  return job;
}

inline void set_status(reapi::ExecuteResponse& response, StatusCode code, const std::string& message) {
  response.mutable_status()->set_code(static_cast<int>(code));
  response.mutable_status()->set_message(message);
}

// A good compile: the object is in the storage.
inline reapi::ExecuteResponse compiled(fake::ReapiServer& server, const std::string& object = kObject) {
  server.put(object);
  reapi::ExecuteResponse response;
  reapi::OutputFile& file = *response.mutable_result()->add_output_files();
  file.set_path("x.o");
  cache::set_digest(base::digest_of(object), *file.mutable_digest());
  response.mutable_result()->mutable_execution_metadata()->set_worker("worker 1");
  return response;
}

inline reapi::ExecuteResponse failed(StatusCode code, const std::string& message) {
  reapi::ExecuteResponse response;
  set_status(response, code, message);
  response.mutable_result();
  return response;
}

// What a PreconditionFailure about this blob looks like inside a response.
inline reapi::ExecuteResponse missing(const base::Digest& digest) {
  grpc::Status status = fake::missing_status({"blobs/" + digest.hex() + "/" + std::to_string(digest.size)});
  reapi::ExecuteResponse response;
  response.mutable_result();
  response.mutable_status()->ParseFromString(status.error_details());
  return response;
}

// Whether the engine has everything that the job consists of.
inline bool has_all(const fake::ReapiServer& server) {
  for (const remote::Source& source : job().sources) {
    if (!server.has(source.digest)) return false;
  }
  return true;
}

}  // namespace engine
