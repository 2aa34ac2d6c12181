#include "remote/execution.h"

#include <doctest/doctest.h>

#include <deque>
#include <memory>
#include <mutex>
#include <utility>

#include "base/thread.h"
#include "cache/outcome_codec.h"
#include "fake/fake_clock.h"
#include "fake/listening.h"
#include "fake/reapi_server.h"
#include "fake/remote_caller.h"
#include "unit/remote/engine.h"
#include "wire/longrunning.grpc.pb.h"
#include "wire/reapi.grpc.pb.h"

namespace reapi = build::bazel::remote::execution::v2;
using google::longrunning::Operation;
using remote::Cause;
using remote::Stage;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

const grpc::Status kHungUp{grpc::StatusCode::UNAVAILABLE, "Socket closed"};

// An execution service that streams what it is told to, message by message. Any thread.
class Script final : public reapi::Execution::Service, public google::longrunning::Operations::Service {
 public:
  struct Stream {
    std::vector<Operation> messages;
    grpc::Status end;
    bool hangs = false;  // until the client has had enough
  };

  std::string url() const { return listening_.url(); }

  // The streams that the coming calls get, whatever their method; the last one is given again and again.
  void add(Stream stream) {
    std::lock_guard lock(mutex_);
    streams_.push_back(std::move(stream));
  }
  // "Execute", "Wait NAME", "Cancel NAME"
  std::vector<std::string> calls() {
    std::lock_guard lock(mutex_);
    return calls_;
  }
  grpc::Status cancel_status;  // set before the first call

  grpc::Status Execute(grpc::ServerContext* context, const reapi::ExecuteRequest*,
                       grpc::ServerWriter<Operation>* writer) override {
    return play(next("Execute"), *context, *writer);
  }
  grpc::Status WaitExecution(grpc::ServerContext* context, const reapi::WaitExecutionRequest* request,
                             grpc::ServerWriter<Operation>* writer) override {
    return play(next("Wait " + request->name()), *context, *writer);
  }
  grpc::Status CancelOperation(grpc::ServerContext*,
                               const google::longrunning::CancelOperationRequest* request,
                               google::protobuf::Empty*) override {
    std::lock_guard lock(mutex_);
    calls_.push_back("Cancel " + request->name());
    return cancel_status;
  }

 private:
  Stream next(const std::string& call) {
    std::lock_guard lock(mutex_);
    calls_.push_back(call);
    if (streams_.empty()) return {{}, {grpc::StatusCode::INTERNAL, "the script is at its end"}};
    Stream stream = streams_.front();
    if (streams_.size() > 1) streams_.pop_front();
    return stream;
  }

  static grpc::Status play(const Stream& stream, grpc::ServerContext& context,
                           grpc::ServerWriter<Operation>& writer) {
    for (const Operation& message : stream.messages) writer.Write(message);
    fake::Latch never;
    if (stream.hangs) never.wait([&] { return context.IsCancelled(); });
    return stream.end;
  }

  std::mutex mutex_;
  std::deque<Stream> streams_;      // guarded by mutex_
  std::vector<std::string> calls_;  // guarded by mutex_
  fake::Listening listening_{
      static_cast<reapi::Execution::Service*>(this),
      static_cast<google::longrunning::Operations::Service*>(this)};  // last: calls use the rest
};

Operation at_stage(const std::string& name, reapi::ExecutionStage::Value stage) {
  Operation operation;
  operation.set_name(name);
  reapi::ExecuteOperationMetadata metadata;
  metadata.set_stage(stage);
  operation.mutable_metadata()->PackFrom(metadata);
  return operation;
}
Operation queued(const std::string& name) { return at_stage(name, reapi::ExecutionStage::QUEUED); }
Operation executing(const std::string& name) { return at_stage(name, reapi::ExecutionStage::EXECUTING); }
Operation bare(const std::string& name) {
  Operation operation;
  operation.set_name(name);
  return operation;
}
Operation done(const std::string& name, int exit_code = 0) {
  Operation operation = bare(name);
  operation.set_done(true);
  reapi::ExecuteResponse response;
  response.mutable_result()->set_exit_code(exit_code);
  operation.mutable_response()->PackFrom(response);
  return operation;
}

struct ExecutionWorld {
  explicit ExecutionWorld(remote::ExecutionLimits given = {}) : limits(given) {}

  remote::Remote<reapi::ExecuteResponse> execute(const std::stop_token& stop = {}) {
    return execution.execute(
        {}, engine::kAction, {"x.o"}, false,
        [this](Stage stage) {
          stages.push_back(stage);
          if (on_stage) on_stage(stage);
        },
        stop);
  }

  remote::ExecutionLimits limits;
  Script script;
  fake::FakeClock clock;
  fake::FakeCredentials credentials;
  remote::Connection connection{fake::endpoint_at(script.url()), {}, credentials, clock};
  remote::Execution execution{connection, "", clock, limits};
  std::vector<Stage> stages;
  std::function<void(Stage)> on_stage;
};

using Calls = std::vector<std::string>;

}  // namespace

TEST_CASE("the request says what is wanted, and stages are told") {
  fake::ReapiServer server;
  fake::FakeClock clock;
  fake::FakeCredentials credentials;
  remote::Connection connection(fake::endpoint_at(server.url()), {}, credentials, clock);
  remote::Execution execution(connection, "main", clock);
  server.runner([](fake::Run& run) {
    run.stage(reapi::ExecutionStage::QUEUED);
    run.stage(reapi::ExecutionStage::EXECUTING);
    reapi::ExecuteResponse response;
    response.mutable_result()->set_exit_code(3);
    return response;
  });
  std::vector<Stage> stages;
  auto response = execution.execute({}, engine::kAction, {"x.o", "x.d"}, true,
                                    [&](Stage stage) { stages.push_back(stage); }, {});
  REQUIRE(response);
  CHECK(response->result().exit_code() == 3);
  CHECK(stages == std::vector<Stage>{Stage::queued, Stage::executing});
  auto requests = server.requests<reapi::ExecuteRequest>("Execute");
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].instance_name() == "main");
  CHECK(requests[0].skip_cache_lookup());
  CHECK(requests[0].digest_function() == reapi::DigestFunction::SHA256);
  CHECK(requests[0].inline_stdout());
  CHECK(requests[0].inline_stderr());
  CHECK(requests[0].inline_output_files_size() == 2);
  CHECK(requests[0].action_digest().hash() == engine::kAction.hex());
}

TEST_CASE("a stream that breaks is taken up where it was, by the name as it was given") {
  for (const std::string& name : Calls{"#uuid", "inst/uuid", "/operations/uuid", "uuid"}) {
    for (const grpc::Status& end :
         {kHungUp, grpc::Status(grpc::StatusCode::INTERNAL, "Received RST_STREAM with error code 2"),
          grpc::Status(grpc::StatusCode::UNKNOWN, "Received http2 header with status: 504"),
          grpc::Status(grpc::StatusCode::CANCELLED, "bye"), grpc::Status::OK}) {
      ExecutionWorld world;
      world.script.add({{queued(name)}, end});
      world.script.add({{executing(name), done(name, 7)}});
      auto response = world.execute();
      REQUIRE(response);
      CHECK(response->result().exit_code() == 7);
      CHECK(world.script.calls() == Calls{"Execute", "Wait " + name});
      CHECK(world.stages == std::vector<Stage>{Stage::queued, Stage::executing});
    }
  }
}

TEST_CASE("a silent stream is given up before a proxy does, and waited for again") {
  remote::ExecutionLimits limits;
  limits.slice = milliseconds(50);
  ExecutionWorld world(limits);
  world.script.add({{executing("op")}, {}, true});
  world.script.add({{}, {}, true});
  world.script.add({{executing("op")}, {}, true});
  world.script.add({{done("op")}});
  CHECK(world.execute());
  CHECK(world.script.calls() == Calls{"Execute", "Wait op", "Wait op", "Wait op"});
  CHECK(world.stages == std::vector<Stage>{Stage::executing});
  CHECK(world.connection.health().state().breaker == remote::Breaker::closed);
}

TEST_CASE("only an answer says that the endpoint is well, and not a stream that was cut") {
  remote::ExecutionLimits limits;
  limits.cuts = 0;
  ExecutionWorld world(limits);
  const remote::Failure refused{remote::Cause::unavailable, "refused", {}, {}, true};
  for (int i = 0; i < 3; ++i) world.connection.health().failed(refused);
  world.clock.advance(std::chrono::seconds(2));
  world.script.add({{executing("op")}, kHungUp});
  world.script.add({{executing("op"), done("op")}});
  CHECK(!world.execute());
  CHECK(world.connection.health().state().breaker == remote::Breaker::half_open);
  CHECK(world.execute());
  CHECK(world.connection.health().state().breaker == remote::Breaker::closed);
}

TEST_CASE("an operation that the server forgot is executed anew, so many times") {
  ExecutionWorld world;
  world.script.add({{executing("one")}, kHungUp});
  world.script.add({{}, {grpc::StatusCode::NOT_FOUND, "no such operation"}});
  world.script.add({{queued("two"), executing("two"), done("two")}});
  REQUIRE(world.execute());
  CHECK(world.script.calls() == Calls{"Execute", "Wait one", "Execute"});
  CHECK(world.stages == std::vector<Stage>{Stage::executing, Stage::queued, Stage::executing});

  remote::ExecutionLimits limits;
  limits.restarts = 1;
  ExecutionWorld hopeless(limits);
  hopeless.script.add({{executing("one")}, kHungUp});
  hopeless.script.add({{}, {grpc::StatusCode::NOT_FOUND, "no such operation"}});
  hopeless.script.add({{executing("two")}, kHungUp});
  hopeless.script.add({{}, {grpc::StatusCode::NOT_FOUND, "no such operation"}});
  auto response = hopeless.execute();
  REQUIRE_FALSE(response);
  CHECK(response.error().cause == Cause::unavailable);
  CHECK(hopeless.script.calls() == Calls{"Execute", "Wait one", "Execute", "Wait two"});
}

TEST_CASE("a server that cannot wait for operations is asked to execute again") {
  for (auto code : {grpc::StatusCode::UNIMPLEMENTED, grpc::StatusCode::INVALID_ARGUMENT}) {
    ExecutionWorld world;
    world.script.add({{executing("op")}, kHungUp});
    world.script.add({{}, {code, "what is that?"}});
    world.script.add({{done("op")}});
    CHECK(world.execute());
    CHECK(world.script.calls() == Calls{"Execute", "Wait op", "Execute"});
  }
}

TEST_CASE("a refused Execute is not tried again") {
  for (auto [code, cause] : {std::pair(grpc::StatusCode::NOT_FOUND, Cause::not_found),
                             std::pair(grpc::StatusCode::PERMISSION_DENIED, Cause::denied),
                             std::pair(grpc::StatusCode::UNAUTHENTICATED, Cause::unauthenticated),
                             std::pair(grpc::StatusCode::INVALID_ARGUMENT, Cause::invalid),
                             std::pair(grpc::StatusCode::UNIMPLEMENTED, Cause::unimplemented),
                             std::pair(grpc::StatusCode::INTERNAL, Cause::engine)}) {
    ExecutionWorld world;
    world.script.add({{}, {code, "no"}});
    auto response = world.execute();
    REQUIRE_FALSE(response);
    CHECK(response.error().cause == cause);
    CHECK(world.script.calls() == Calls{"Execute"});
    CHECK(world.stages.empty());
  }
}

TEST_CASE("a scheduler that is being restarted is waited for") {
  ExecutionWorld world;
  for (int i = 0; i < 2; ++i) world.script.add({{}, {grpc::StatusCode::UNAVAILABLE, "starting"}});
  world.script.add({{done("op")}});
  CHECK(world.execute());
  CHECK(world.script.calls() == Calls{"Execute", "Execute", "Execute"});
}

TEST_CASE("a stream that ends without a word is tried again as a failure of the way there") {
  ExecutionWorld world;
  world.script.add({});
  world.script.add({{done("op")}});
  CHECK(world.execute());
  CHECK(world.script.calls() == Calls{"Execute", "Execute"});
}

TEST_CASE("a stream that is cut again and again at once is given up") {
  remote::ExecutionLimits limits;
  limits.cuts = 2;
  ExecutionWorld world(limits);
  world.script.add({{executing("op")}, kHungUp});
  auto response = world.execute();
  REQUIRE_FALSE(response);
  CHECK(response.error().cause == Cause::unavailable);
  CHECK(world.script.calls() == Calls{"Execute", "Wait op", "Wait op"});
}

TEST_CASE("a stream that lasts may be cut for as long as the limits allow") {
  remote::ExecutionLimits limits;
  limits.cuts = 0;
  ExecutionWorld world(limits);
  world.on_stage = [&](Stage) { world.clock.advance(seconds(5)); };
  for (int i = 0; i < 3; ++i) {
    world.script.add({{queued("op"), executing("op")}, kHungUp});
  }
  world.script.add({{done("op")}});
  CHECK(world.execute());
  CHECK(world.script.calls() == Calls{"Execute", "Wait op", "Wait op", "Wait op"});
}

TEST_CASE("an action that no worker takes has a limit of its own") {
  remote::ExecutionLimits limits;
  limits.slice = milliseconds(50);
  limits.queue = seconds(300);
  limits.execute = seconds(10'000);
  ExecutionWorld world(limits);
  world.on_stage = [&](Stage) { world.clock.advance(seconds(301)); };
  world.script.add({{queued("op")}, {}, true});
  auto response = world.execute();
  REQUIRE_FALSE(response);
  CHECK(response.error().cause == Cause::timed_out);
  CHECK(response.error().message == "Execute: no worker took the action within 300 s");
  CHECK(world.script.calls() == Calls{"Execute", "Cancel op"});
}

TEST_CASE("time in the queue is not time of execution, nor the other way round") {
  remote::ExecutionLimits limits;
  limits.slice = milliseconds(50);
  limits.queue = seconds(300);
  limits.execute = seconds(900);
  ExecutionWorld world(limits);
  world.on_stage = [&](Stage stage) {
    world.clock.advance(stage == Stage::queued ? seconds(299) : seconds(899));
  };
  world.script.add({{queued("op")}, {}, true});
  world.script.add({{executing("op")}, {}, true});
  world.script.add({{done("op")}});
  CHECK(world.execute());

  ExecutionWorld slow(limits);
  slow.on_stage = [&](Stage) { slow.clock.advance(seconds(901)); };
  slow.script.add({{executing("op")}, {}, true});
  auto response = slow.execute();
  REQUIRE_FALSE(response);
  CHECK(response.error().cause == Cause::action_timeout);
  CHECK(slow.script.calls() == Calls{"Execute", "Cancel op"});
}

TEST_CASE("a server that tells no stages executes at once") {
  remote::ExecutionLimits limits;
  limits.slice = milliseconds(50);
  limits.queue = seconds(10);
  ExecutionWorld world(limits);
  world.on_stage = [&](Stage) { world.clock.advance(seconds(600)); };
  world.script.add({{bare("#uuid")}, {}, true});
  world.script.add({{done("#uuid")}});
  CHECK(world.execute());
  CHECK(world.stages == std::vector<Stage>{Stage::executing});
}

TEST_CASE("a stop ends the wait within moments and cancels the operation once") {
  ExecutionWorld world;
  world.script.add({{executing("op")}, {}, true});
  std::stop_source stop;
  world.on_stage = [&](Stage) { stop.request_stop(); };
  auto response = world.execute(stop.get_token());
  REQUIRE_FALSE(response);
  CHECK(response.error().cause == Cause::cancelled);
  CHECK(world.script.calls() == Calls{"Execute", "Cancel op"});
}

TEST_CASE("a server that cannot cancel is asked once only") {
  ExecutionWorld world;
  world.script.cancel_status = {grpc::StatusCode::UNIMPLEMENTED, "Operations"};
  world.script.add({{executing("op")}, {}, true});
  for (int i = 0; i < 3; ++i) {
    std::stop_source stop;
    world.on_stage = [&](Stage) { stop.request_stop(); };
    CHECK_FALSE(world.execute(stop.get_token()));
  }
  CHECK(world.script.calls() == Calls{"Execute", "Cancel op", "Execute", "Execute"});
}

TEST_CASE("what an operation ends with is looked at with care") {
  ExecutionWorld failed;
  Operation error = bare("op");
  error.set_done(true);
  error.mutable_error()->set_code(static_cast<int>(grpc::StatusCode::RESOURCE_EXHAUSTED));
  error.mutable_error()->set_message("queue is full");
  failed.script.add({{error}});
  auto response = failed.execute();
  REQUIRE_FALSE(response);
  CHECK(response.error().cause == Cause::exhausted);

  ExecutionWorld empty;
  Operation nothing = bare("op");
  nothing.set_done(true);
  empty.script.add({{nothing}});
  response = empty.execute();
  REQUIRE_FALSE(response);
  CHECK(response.error().cause == Cause::corrupt);

  ExecutionWorld wrong;
  Operation other = nothing;
  other.mutable_response()->PackFrom(reapi::Digest());
  wrong.script.add({{other}});
  CHECK_FALSE(wrong.execute());

  // Only the last part of a type's address counts.
  ExecutionWorld prefixed;
  Operation fine = done("op", 9);
  fine.mutable_response()->set_type_url("example.com/types/build.bazel.remote.execution.v2.ExecuteResponse");
  prefixed.script.add({{fine}});
  response = prefixed.execute();
  REQUIRE(response);
  CHECK(response->result().exit_code() == 9);
}

TEST_CASE("a status inside the response is handed on as it is") {
  ExecutionWorld world;
  Operation operation = bare("op");
  operation.set_done(true);
  reapi::ExecuteResponse said;
  said.mutable_status()->set_code(static_cast<int>(grpc::StatusCode::INVALID_ARGUMENT));
  said.mutable_result()->set_exit_code(0);
  operation.mutable_response()->PackFrom(said);
  world.script.add({{operation}});
  auto response = world.execute();
  REQUIRE(response);
  CHECK(response->status().code() == static_cast<int>(grpc::StatusCode::INVALID_ARGUMENT));
}
