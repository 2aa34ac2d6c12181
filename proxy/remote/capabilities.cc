#include "remote/capabilities.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "wire/reapi.grpc.pb.h"

namespace remote {
namespace {

namespace re = build::bazel::remote::execution::v2;

constexpr base::Nanoseconds kOldAge = std::chrono::minutes(10);
// Each lost call may be the sign of another server, but a connection that is lost all the time is not asked
// about all the time.
constexpr base::Nanoseconds kReadAgainAfter = std::chrono::seconds(10);
constexpr base::Nanoseconds kKeepFailure = std::chrono::seconds(2);

// With one repetition that has twice the time, just below 5 s.
constexpr std::chrono::milliseconds kDeadline{1'600};

// The library's own limit on what a server receives, 4 MiB, less what surrounds the data. Servers that
// announce as much as that, or more, refuse it nevertheless.
constexpr std::int64_t kLargestBatch = (4 << 20) - (64 << 10);

template <class Values, class Value>
bool holds(const Values& values, Value value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

// A list that is empty, or only says "unknown", is of a server from before there was a choice.
template <class Values>
bool has_our_digests(const Values& functions) {
  bool says_nothing = std::all_of(functions.begin(), functions.end(),
                                  [](int function) { return function == re::DigestFunction::UNKNOWN; });
  return says_nothing || holds(functions, re::DigestFunction::SHA256);
}

std::string text_of(const re::ApiVersion& version) {
  return std::to_string(version.major()) + "." + std::to_string(version.minor());
}

bool is_before(const re::ApiVersion& version, int major, int minor) {
  return version.major() < major || (version.major() == major && version.minor() < minor);
}

void read_cache(const re::CacheCapabilities& cache, Capabilities& out) {
  out.cache = true;
  out.update_enabled = cache.action_cache_update_capabilities().update_enabled();
  if (cache.max_batch_total_size_bytes() > 0) {
    out.batch_bytes = std::min(kLargestBatch, cache.max_batch_total_size_bytes());
  }
  out.largest_blob = std::max<std::int64_t>(0, cache.max_cas_blob_size_bytes());
  out.zstd_streams = holds(cache.supported_compressors(), re::Compressor::ZSTD);
  out.zstd_batches = holds(cache.supported_batch_update_compressors(), re::Compressor::ZSTD);
  out.absolute_links = cache.symlink_absolute_path_strategy() == re::SymlinkAbsolutePathStrategy::ALLOWED;
}

// The number nearest to 0 that the server takes.
std::int32_t priority_of(const re::PriorityCapabilities& priorities) {
  if (priorities.priorities().empty()) return 0;
  std::int32_t best = 0;
  bool found = false;
  for (const auto& range : priorities.priorities()) {
    if (range.min_priority() > range.max_priority()) continue;
    std::int32_t nearest = std::clamp(0, range.min_priority(), range.max_priority());
    if (!found || std::abs(std::int64_t{nearest}) < std::abs(std::int64_t{best})) best = nearest;
    found = true;
  }
  return best;
}

// `invalid` when the server speaks another major version; a warning when it is about to.
Remote<void> read_versions(const re::ServerCapabilities& answer, Capabilities& out) {
  if (answer.has_high_api_version()) {
    const re::ApiVersion& high = answer.high_api_version();
    if (is_before(high, 2, 0)) {
      return Failure{Cause::invalid,
                     "the server speaks version " + text_of(high) +
                         " of the Remote Execution API, and this client 2.x; update the server"};
    }
    out.has_output_paths = !is_before(high, 2, 1);
  }
  if (!answer.has_low_api_version() || is_before(answer.low_api_version(), 3, 0)) return {};
  const re::ApiVersion& old = answer.deprecated_api_version();
  if (!answer.has_deprecated_api_version() || is_before(old, 2, 0) || !is_before(old, 3, 0)) {
    return Failure{Cause::invalid, "the server speaks only version " + text_of(answer.low_api_version()) +
                                       " of the Remote Execution API and later, and this client 2.x; update "
                                       "this client"};
  }
  out.warning = "the server will soon give up version 2 of the Remote Execution API; update this client";
  return {};
}

}  // namespace

Remote<Capabilities> capabilities_of(const re::ServerCapabilities& answer) {
  Capabilities out;
  out.batch_bytes = kLargestBatch;
  if (auto versions = read_versions(answer, out); !versions) return versions.error();
  if (answer.has_cache_capabilities()) {
    if (!has_our_digests(answer.cache_capabilities().digest_functions())) {
      return Failure{Cause::invalid,
                     "the server stores by other digests than SHA-256; have it offer SHA-256"};
    }
    read_cache(answer.cache_capabilities(), out);
  }
  if (!answer.has_execution_capabilities()) return out;
  const re::ExecutionCapabilities& execution = answer.execution_capabilities();
  std::vector<int> functions(execution.digest_functions().begin(), execution.digest_functions().end());
  if (functions.empty()) functions.push_back(execution.digest_function());
  if (!has_our_digests(functions)) {
    if (!out.cache) {
      return Failure{Cause::invalid, "the server runs by other digests than SHA-256; have it offer SHA-256"};
    }
    out.warning = "the server does not execute by SHA-256 digests: only its cache is used";
    return out;
  }
  out.execution = execution.exec_enabled();
  out.priority = priority_of(execution.execution_priority_capabilities());
  return out;
}

CapabilityReader::CapabilityReader(Connection& connection, std::string instance, base::Clock& clock)
    : connection_(connection), instance_(std::move(instance)), clock_(clock) {}

Remote<Capabilities> CapabilityReader::get(const Call& call, const std::stop_token& stop) {
  std::uint64_t losses = 0;
  std::uint64_t credentials = 0;
  std::unique_lock lock(mutex_, std::defer_lock);
  while (true) {
    losses = connection_.health().losses();
    credentials = connection_.credentials().version();
    lock.lock();
    if (known_ && (reading_ || is_fresh(losses, credentials))) return *known_;
    if (failure_ && credentials == credentials_ && clock_.uptime() < when_ + kKeepFailure) return *failure_;
    if (!reading_) break;
    std::uint64_t before = readings_;
    done_.wait(lock, stop, [&] { return readings_ != before; });
    if (stop.stop_requested()) return Failure{Cause::cancelled, "GetCapabilities: stopped"};
    // Nothing may have come of it, when the task that read was stopped.
    lock.unlock();
  }
  reading_ = true;
  lock.unlock();
  return keep(read(call, stop), losses, credentials);
}

void CapabilityReader::forget() {
  std::lock_guard lock(mutex_);
  known_.reset();
  failure_.reset();
}

bool CapabilityReader::is_fresh(std::uint64_t losses, std::uint64_t credentials) const {
  base::Nanoseconds now = clock_.uptime();
  if (credentials != credentials_ || now >= when_ + kOldAge) return false;
  return losses == losses_ || now < when_ + kReadAgainAfter;
}

Remote<Capabilities> CapabilityReader::read(const Call& call, const std::stop_token& stop) {
  re::GetCapabilitiesRequest request;
  request.set_instance_name(instance_);
  re::ServerCapabilities answer;
  CallOptions options{"GetCapabilities"};
  options.deadline = kDeadline;
  options.attempts = 2;
  auto asked = connection_.run(
      options, call, stop, [&](grpc::ClientContext& context, const Connection::Channel& channel) {
        return re::Capabilities::NewStub(channel)->GetCapabilities(&context, request, &answer);
      });
  if (!asked) return asked.error();
  auto capabilities = capabilities_of(answer);
  if (capabilities) return capabilities;
  Failure failure = capabilities.error();
  failure.message = "GetCapabilities at " + connection_.endpoint().text + ": " + failure.message;
  return failure;
}

Remote<Capabilities> CapabilityReader::keep(Remote<Capabilities> read, std::uint64_t losses,
                                            std::uint64_t credentials) {
  std::lock_guard lock(mutex_);
  reading_ = false;
  ++readings_;
  done_.notify_all();
  failure_.reset();
  if (!read.ok() && read.error().cause == Cause::cancelled) {
    // Nothing was learnt: the next one reads.
    return known_ ? Remote<Capabilities>(*known_) : read;
  }
  when_ = clock_.uptime();
  losses_ = losses;
  credentials_ = credentials;
  if (read) {
    known_ = *read;
    return read;
  }
  if (known_ && is_transient(read.error().cause)) return *known_;
  known_.reset();
  failure_ = read.error();
  return read;
}

base::Result<void> check_instance(const std::string& instance) {
  static constexpr std::array<std::string_view, 7> kReserved = {
      "blobs", "uploads", "actions", "actionResults", "operations", "capabilities", "compressed-blobs"};
  std::string_view rest = instance;
  while (!rest.empty()) {
    std::size_t slash = rest.find('/');
    std::string_view segment = rest.substr(0, slash);
    if (segment.empty()) {
      return base::invalid("the instance name \"" + instance +
                           "\" has an empty segment; leave out slashes at its ends");
    }
    if (holds(kReserved, segment)) {
      return base::invalid("the instance name \"" + instance + "\" holds the reserved segment \"" +
                           std::string(segment) + "\"; ask whoever runs the server for its name");
    }
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
    if (rest.empty()) {
      return base::invalid("the instance name \"" + instance + "\" ends with a slash; leave it out");
    }
  }
  return {};
}

}  // namespace remote
