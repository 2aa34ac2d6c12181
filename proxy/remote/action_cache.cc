#include "remote/action_cache.h"

#include <utility>

#include "cache/outcome_codec.h"
#include "wire/reapi.grpc.pb.h"

namespace remote {
namespace {

namespace reapi = build::bazel::remote::execution::v2;

// A look-up that takes longer has lost against the compile.
constexpr std::chrono::seconds kLookupDeadline{5};
constexpr int kLookupAttempts = 3;

}  // namespace

ActionCache::ActionCache(Connection& connection, std::string instance)
    : connection_(connection), instance_(std::move(instance)) {}

Remote<std::optional<ActionCache::ActionResult>> ActionCache::get(
    const Call& call, const base::Digest& action, const std::vector<std::string>& output_paths,
    const std::stop_token& stop) {
  reapi::GetActionResultRequest request;
  request.set_instance_name(instance_);
  request.set_digest_function(reapi::DigestFunction::SHA256);
  cache::set_digest(action, *request.mutable_action_digest());
  request.set_inline_stdout(true);
  request.set_inline_stderr(true);
  for (const std::string& path : output_paths) request.add_inline_output_files(path);

  CallOptions options;
  options.method = "GetActionResult";
  options.deadline = kLookupDeadline;
  options.attempts = kLookupAttempts;
  ActionResult result;
  Remote<void> done = connection_.run(
      options, call, stop, [&](grpc::ClientContext& context, const Connection::Channel& channel) {
        result.Clear();
        return reapi::ActionCache::NewStub(channel)->GetActionResult(&context, request, &result);
      });
  if (done) return std::optional<ActionResult>(std::move(result));
  if (done.error().cause == Cause::not_found) return std::optional<ActionResult>();
  return done.error();
}

Remote<void> ActionCache::update(const Call& call, const base::Digest& action, const ActionResult& result,
                                 const std::stop_token& stop) {
  reapi::UpdateActionResultRequest request;
  request.set_instance_name(instance_);
  request.set_digest_function(reapi::DigestFunction::SHA256);
  cache::set_digest(action, *request.mutable_action_digest());
  *request.mutable_action_result() = result;

  CallOptions options;
  options.method = "UpdateActionResult";
  return connection_.run(
      options, call, stop, [&](grpc::ClientContext& context, const Connection::Channel& channel) {
        ActionResult stored;
        return reapi::ActionCache::NewStub(channel)->UpdateActionResult(&context, request, &stored);
      });
}

}  // namespace remote
