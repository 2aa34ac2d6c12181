#include "fake/reapi_server.h"

#include <algorithm>

#include "fake/reapi_state.h"
#include "wire/rpc_status.pb.h"

namespace fake {
namespace {

constexpr std::chrono::seconds kPatience{30};

re::ServerCapabilities good_capabilities() {
  re::ServerCapabilities out;
  re::CacheCapabilities& cache = *out.mutable_cache_capabilities();
  cache.add_digest_functions(re::DigestFunction::SHA256);
  cache.mutable_action_cache_update_capabilities()->set_update_enabled(true);
  cache.set_max_batch_total_size_bytes(4 << 20);
  cache.set_symlink_absolute_path_strategy(re::SymlinkAbsolutePathStrategy::DISALLOWED);
  cache.add_supported_compressors(re::Compressor::ZSTD);
  cache.add_supported_batch_update_compressors(re::Compressor::ZSTD);
  re::ExecutionCapabilities& execution = *out.mutable_execution_capabilities();
  execution.set_digest_function(re::DigestFunction::SHA256);
  execution.add_digest_functions(re::DigestFunction::SHA256);
  execution.set_exec_enabled(true);
  out.mutable_low_api_version()->set_major(2);
  out.mutable_high_api_version()->set_major(2);
  out.mutable_high_api_version()->set_minor(3);
  return out;
}

ReapiTraits good_traits() {
  ReapiTraits traits;
  traits.capabilities = good_capabilities();
  return traits;
}

bool set_up(const re::ServerCapabilities& capabilities) { return capabilities.ByteSizeLong() > 0; }

}  // namespace

void Latch::open() {
  std::lock_guard lock(mutex_);
  open_ = true;
  opened_.notify_all();
}

bool Latch::wait(const std::function<bool()>& given_up) {
  std::unique_lock lock(mutex_);
  auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!open_ && std::chrono::steady_clock::now() < deadline) {
    if (given_up && given_up()) return false;
    opened_.wait_for(lock, std::chrono::milliseconds(10));
  }
  return open_;
}

std::string Seen::header(const std::string& name) const {
  auto found = metadata.find(name);
  return found == metadata.end() ? std::string() : found->second;
}

re::RequestMetadata Seen::request_metadata() const {
  re::RequestMetadata out;
  out.ParseFromString(header("build.bazel.remote.execution.v2.requestmetadata-bin"));
  return out;
}

Ticket Book::begin(const std::string& method, grpc::ServerContext& context, std::string request) {
  Ticket ticket;
  ReapiServer::Hook hook;
  Seen call;
  {
    std::lock_guard lock(mutex_);
    Plan& plan = plans_[method];
    call.method = method;
    for (const auto& [name, value] : context.client_metadata()) {
      call.metadata.emplace(std::string(name.data(), name.size()), std::string(value.data(), value.size()));
    }
    call.peer = context.peer();
    call.request = std::move(request);
    call.number = static_cast<int>(plan.seen.size()) + 1;
    plan.seen.push_back(call);
    peers_.insert(call.peer);
    most_at_once_ = std::max(most_at_once_, ++at_once_);
    if (!plan.failures.empty()) {
      ticket.end = plan.failures.front();
      plan.failures.pop_front();
    } else if (!plan.cuts.empty()) {
      ticket.cut = plan.cuts.front();
      plan.cuts.pop_front();
    } else if (plan.damages > 0) {
      --plan.damages;
      ticket.damaged = true;
    }
    hook = plan.hook;
    began_.notify_all();
  }
  if (!ticket.end && hook) {
    call.cancelled = [&context] { return context.IsCancelled(); };
    ticket.end = hook(call);
  }
  return ticket;
}

void Book::end() {
  std::lock_guard lock(mutex_);
  --at_once_;
}

void Book::on(const std::string& method, ReapiServer::Hook hook) {
  std::lock_guard lock(mutex_);
  plans_[method].hook = std::move(hook);
}

void Book::fail(const std::string& method, const grpc::Status& status, int times) {
  std::lock_guard lock(mutex_);
  plans_[method].failures.insert(plans_[method].failures.end(), static_cast<std::size_t>(times), status);
}

void Book::cut(const std::string& method, const Cut& cut, int times) {
  std::lock_guard lock(mutex_);
  plans_[method].cuts.insert(plans_[method].cuts.end(), static_cast<std::size_t>(times), cut);
}

void Book::damage(const std::string& method, int times) {
  std::lock_guard lock(mutex_);
  plans_[method].damages += times;
}

std::vector<Seen> Book::seen(const std::string& method) const {
  std::lock_guard lock(mutex_);
  auto found = plans_.find(method);
  return found == plans_.end() ? std::vector<Seen>() : found->second.seen;
}

bool Book::wait_for(const std::string& method, int calls) const {
  std::unique_lock lock(mutex_);
  return began_.wait_for(lock, kPatience, [&] {
    auto found = plans_.find(method);
    return found != plans_.end() && static_cast<int>(found->second.seen.size()) >= calls;
  });
}

std::size_t Book::connections() const {
  std::lock_guard lock(mutex_);
  return peers_.size();
}

int Book::most_at_once() const {
  std::lock_guard lock(mutex_);
  return most_at_once_;
}

ReapiServer::ReapiServer() : ReapiServer(good_traits()) {}

ReapiServer::ReapiServer(ReapiTraits traits) : state_(std::make_unique<State>(std::move(traits))) {
  if (!set_up(state_->traits.capabilities)) state_->traits.capabilities = good_capabilities();
  state_->services.push_back(make_capabilities(state_->book, state_->traits));
  state_->services.push_back(make_cas(state_->book, state_->traits, state_->shelf));
  state_->services.push_back(make_byte_stream(state_->book, state_->traits, state_->shelf));
  state_->services.push_back(make_action_cache(state_->book, state_->traits, state_->shelf));
  start();
}

ReapiServer::~ReapiServer() { stop(); }

std::string ReapiServer::address() const { return state_->address; }

void ReapiServer::stop() {
  if (!state_->server) return;
  state_->server->Shutdown(std::chrono::system_clock::now());
  state_->floor.forget();
  state_->server->Wait();
  state_->server.reset();
}

void ReapiServer::start() {
  if (state_->server) return;
  grpc::ServerBuilder builder;
  const ReapiTraits& traits = state_->traits;
  int port = 0;
  std::string address = state_->address.empty() ? traits.address : state_->address;
  builder.AddListeningPort(address, traits.credentials, &port);
  // Two servers on one port would share its connections.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  if (traits.max_streams > 0) builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, traits.max_streams);
  if (traits.connection_age_ms > 0) {
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, traits.connection_age_ms);
  }
  for (const auto& service : state_->services) builder.RegisterService(service.get());
  builder.RegisterService(&state_->floor.execution());
  builder.RegisterService(&state_->floor.operations());
  state_->server = builder.BuildAndStart();
  if (!state_->server) return;
  bool numbered = address.ends_with(":0");
  state_->address = numbered ? address.substr(0, address.size() - 1) + std::to_string(port) : address;
}

LockedTraits ReapiServer::traits() { return {state_->traits, state_->book.lock()}; }

void ReapiServer::on(const std::string& method, Hook hook) { state_->book.on(method, std::move(hook)); }

void ReapiServer::fail(const std::string& method, const grpc::Status& status, int times) {
  state_->book.fail(method, status, times);
}

void ReapiServer::cut(const std::string& method, int after, const grpc::Status& status, int times) {
  state_->book.cut(method, {after, status}, times);
}

void ReapiServer::damage(const std::string& method, int times) { state_->book.damage(method, times); }

void ReapiServer::runner(Runner runner) { state_->floor.runner(std::move(runner)); }

int ReapiServer::count(const std::string& method) const {
  return static_cast<int>(state_->book.seen(method).size());
}

std::vector<Seen> ReapiServer::seen(const std::string& method) const { return state_->book.seen(method); }

bool ReapiServer::wait_for(const std::string& method, int calls) const {
  return state_->book.wait_for(method, calls);
}

std::size_t ReapiServer::connections() const { return state_->book.connections(); }

int ReapiServer::most_at_once() const { return state_->book.most_at_once(); }

void ReapiServer::put(const std::string& bytes) {
  state_->shelf.put(Shelf::key(wire_digest(base::digest_of(bytes))), bytes);
}

bool ReapiServer::has(const base::Digest& digest) const {
  return state_->shelf.has(Shelf::key(digest.hex(), digest.size));
}

std::optional<std::string> ReapiServer::get(const base::Digest& digest) const {
  return state_->shelf.get(Shelf::key(digest.hex(), digest.size));
}

void ReapiServer::erase(const base::Digest& digest) {
  state_->shelf.erase(Shelf::key(digest.hex(), digest.size));
}

void ReapiServer::clear() { state_->shelf.clear(); }

void ReapiServer::put_result(const base::Digest& action, const re::ActionResult& result) {
  state_->shelf.put_result(Shelf::key(action.hex(), action.size), result);
}

std::optional<re::ActionResult> ReapiServer::result(const base::Digest& action) const {
  return state_->shelf.result(Shelf::key(action.hex(), action.size));
}

int ReapiServer::uploads(const base::Digest& digest) const {
  return state_->shelf.uploads(Shelf::key(digest.hex(), digest.size));
}

re::Digest wire_digest(const base::Digest& digest) {
  re::Digest out;
  out.set_hash(digest.hex());
  out.set_size_bytes(digest.size);
  return out;
}

base::Digest digest_from(const re::Digest& digest) {
  auto parsed = base::parse_digest(digest.hash(), digest.size_bytes());
  return parsed ? *parsed : base::Digest{};
}

grpc::Status missing_status(const std::vector<std::string>& subjects) {
  google::rpc::PreconditionFailure failure;
  for (const std::string& subject : subjects) {
    auto& violation = *failure.add_violations();
    violation.set_type("MISSING");
    violation.set_subject(subject);
  }
  google::rpc::Status details;
  details.set_code(grpc::StatusCode::FAILED_PRECONDITION);
  details.set_message("Blobs are missing");
  details.add_details()->PackFrom(failure);
  return grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "Blobs are missing",
                      details.SerializeAsString());
}

}  // namespace fake
