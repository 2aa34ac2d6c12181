#include "fake/reapi_state.h"

#include <algorithm>

namespace fake {
namespace {

namespace lr = google::longrunning;

// One run of an action, and what its watchers are told. Any thread.
struct Operation : Run {
  Operation(re::ExecuteRequest asked, std::string named, bool tells_stages, bool tells_metadata)
      : request_(std::move(asked)), name(std::move(named)), stages(tells_stages), metadata(tells_metadata) {}

  const re::ExecuteRequest& request() const override { return request_; }

  void stage(re::ExecutionStage::Value value) override {
    lr::Operation message = blank(value);
    if (stages) publish(std::move(message));
  }

  bool cancelled() const override {
    std::lock_guard lock(mutex);
    return stop;
  }

  void cancel() {
    std::lock_guard lock(mutex);
    stop = true;
  }

  void finish(const re::ExecuteResponse& response) {
    lr::Operation message = blank(re::ExecutionStage::COMPLETED);
    message.set_done(true);
    if (cancelled()) {
      message.mutable_error()->set_code(grpc::StatusCode::CANCELLED);
      message.mutable_error()->set_message("cancelled");
    } else {
      message.mutable_response()->PackFrom(response);
    }
    publish(std::move(message));
  }

  lr::Operation blank(re::ExecutionStage::Value value) const {
    lr::Operation message;
    message.set_name(name);
    if (metadata) {
      re::ExecuteOperationMetadata held;
      held.set_stage(value);
      *held.mutable_action_digest() = request_.action_digest();
      message.mutable_metadata()->PackFrom(held);
    }
    return message;
  }

  void publish(lr::Operation message) {
    std::lock_guard lock(mutex);
    messages.push_back(std::move(message));
    news.notify_all();
  }

  // Sends what there is and what comes, from `from` on, until it is done, cut or given up.
  grpc::Status watch(std::size_t from, grpc::ServerContext& context, const std::optional<Cut>& cut,
                     grpc::ServerWriter<lr::Operation>& writer) {
    int sent = 0;
    // gRPC tells a blocking handler of a cancellation only when it asks. Hundreds that ask all the time would
    // be what a test of many actions measures.
    std::chrono::milliseconds tick{10};
    while (true) {
      if (cut && sent >= cut->after) return cut->status;
      lr::Operation message;
      {
        std::unique_lock lock(mutex);
        while (messages.size() <= from) {
          if (context.IsCancelled()) return grpc::Status::CANCELLED;
          news.wait_for(lock, tick);
          tick = std::min(2 * tick, std::chrono::milliseconds(200));
        }
        message = messages[from++];
      }
      if (!writer.Write(message)) return grpc::Status::CANCELLED;
      ++sent;
      if (message.done()) return grpc::Status::OK;
    }
  }

  const re::ExecuteRequest request_;
  const std::string name;
  const bool stages;
  const bool metadata;
  mutable std::mutex mutex;
  std::condition_variable news;
  std::vector<lr::Operation> messages;  // guarded by mutex
  bool stop = false;                    // guarded by mutex
};

}  // namespace

class Floor::State final : public re::Execution::Service, public lr::Operations::Service {
 public:
  State(Book& book, ReapiTraits& traits, Shelf& shelf) : book_(book), traits_(traits), shelf_(shelf) {}

  grpc::Status Execute(grpc::ServerContext* context, const re::ExecuteRequest* request,
                       grpc::ServerWriter<lr::Operation>* writer) override {
    Guard call(book_, "Execute", *context, *request);
    if (call->end) return *call->end;
    return take(*request)->watch(0, *context, call->cut, *writer);
  }

  grpc::Status WaitExecution(grpc::ServerContext* context, const re::WaitExecutionRequest* request,
                             grpc::ServerWriter<lr::Operation>* writer) override {
    Guard call(book_, "WaitExecution", *context, *request);
    if (call->end) return *call->end;
    std::shared_ptr<Operation> operation = find(request->name());
    if (!operation) return {grpc::StatusCode::NOT_FOUND, "no such operation"};
    std::size_t latest = 0;
    {
      std::lock_guard lock(operation->mutex);
      if (!operation->messages.empty()) latest = operation->messages.size() - 1;
    }
    return operation->watch(latest, *context, call->cut, *writer);
  }

  grpc::Status CancelOperation(grpc::ServerContext* context, const lr::CancelOperationRequest* request,
                               google::protobuf::Empty*) override {
    Guard call(book_, "CancelOperation", *context, *request);
    if (call->end) return *call->end;
    std::shared_ptr<Operation> operation = find(request->name());
    if (!operation) return {grpc::StatusCode::NOT_FOUND, "no such operation"};
    operation->cancel();
    return grpc::Status::OK;
  }

  void set_runner(ReapiServer::Runner runner) {
    std::lock_guard lock(mutex_);
    runner_ = std::move(runner);
  }

  void forget() {
    std::vector<std::thread> threads;
    {
      std::lock_guard lock(mutex_);
      for (auto& [name, operation] : operations_) operation->cancel();
      operations_.clear();
      latest_.clear();
      threads.swap(threads_);
    }
    for (std::thread& thread : threads) thread.join();
  }

 private:
  std::shared_ptr<Operation> find(const std::string& name) {
    std::lock_guard lock(mutex_);
    auto found = operations_.find(name);
    return found == operations_.end() ? nullptr : found->second;
  }

  std::shared_ptr<Operation> take(const re::ExecuteRequest& request) {
    std::string key = Shelf::key(request.action_digest());
    std::lock_guard lock(mutex_);
    if (auto latest = latest_.find(key); traits_.merges && latest != latest_.end()) {
      Operation& operation = *latest->second;
      std::lock_guard inner(operation.mutex);
      bool under_way = operation.messages.empty() || !operation.messages.back().done();
      if (under_way && !operation.stop) return latest->second;
    }
    std::string name = "operations/" + std::to_string(++named_);
    auto operation =
        std::make_shared<Operation>(request, name, traits_.stage_messages, traits_.operation_metadata);
    operations_[name] = operation;
    latest_[key] = operation;
    threads_.emplace_back([this, operation, runner = runner_] { run(*operation, runner); });
    return operation;
  }

  void run(Operation& operation, const ReapiServer::Runner& runner) {
    re::ExecuteResponse response;
    if (runner) {
      response = runner(operation);
    } else {
      operation.stage(re::ExecutionStage::EXECUTING);
      response.mutable_result();
    }
    if (traits_.inline_hints && response.has_result()) {
      const re::ExecuteRequest& asked = operation.request();
      add_inline(shelf_, asked.inline_stdout(), asked.inline_stderr(), asked.inline_output_files(),
                 *response.mutable_result());
    }
    operation.finish(response);
  }

  Book& book_;
  ReapiTraits& traits_;
  Shelf& shelf_;
  std::mutex mutex_;
  ReapiServer::Runner runner_;                                    // guarded by mutex_
  std::map<std::string, std::shared_ptr<Operation>> operations_;  // guarded by mutex_
  std::map<std::string, std::shared_ptr<Operation>> latest_;      // by the action; guarded by mutex_
  std::vector<std::thread> threads_;                              // guarded by mutex_
  int named_ = 0;                                                 // guarded by mutex_
};

Floor::Floor(Book& book, ReapiTraits& traits, Shelf& shelf)
    : state_(std::make_unique<State>(book, traits, shelf)) {}

Floor::~Floor() { forget(); }

grpc::Service& Floor::execution() { return static_cast<re::Execution::Service&>(*state_); }

grpc::Service& Floor::operations() { return static_cast<lr::Operations::Service&>(*state_); }

void Floor::runner(ReapiServer::Runner runner) { state_->set_runner(std::move(runner)); }

void Floor::forget() { state_->forget(); }

}  // namespace fake
