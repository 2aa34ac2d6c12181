#include "remote/channels.h"

#include <absl/synchronization/mutex.h>
#include <grpc/support/log.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/log.h"

namespace remote {
namespace {

// Servers and proxies allow 100 streams or more on a connection; long waits on Execute fill them.
constexpr int kSmallPerChannel = 64;
constexpr std::size_t kMostSmall = 8;
constexpr int kBulkPerChannel = 32;
constexpr std::size_t kMostBulk = 4;

constexpr int kLargestMessage = 128 << 20;
constexpr int kStreamWindow = 16 << 20;

constexpr base::Nanoseconds kLookEvery = std::chrono::seconds(1);

// The library's own log goes to ours: it would else go to a terminal that is not there. What it says of
// connections is in the statuses too, so only its last words before it ends the program are loud.
void to_our_log(gpr_log_func_args* args) {
  std::string message = args->message;
  bool last_words = message.find("assertion failed") != std::string::npos;
  base::log(last_words ? base::LogLevel::error : base::LogLevel::debug, "gRPC: " + message);
}

grpc::ChannelArguments arguments_of(const Endpoint& endpoint, const TlsFiles& tls, Lane lane) {
  grpc::ChannelArguments args;
  args.SetUserAgentPrefix("goma/" GOMA_VERSION);
  args.SetMaxReceiveMessageSize(kLargestMessage);
  args.SetMaxSendMessageSize(kLargestMessage);
  args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // each channel is a connection of its own
  args.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, endpoint.local ? 0 : 1);
  // Calls that the server never saw are repeated by the library; no policy from outside adds to our retries.
  args.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  // Pings only while calls are open. A server that allows one in five minutes bears the few of one silent
  // slice of a wait; the library doubles the time when told that it pings too often.
  args.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  args.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  args.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 0);
  args.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 2);
  // A restarted engine is found within a second or two. The smallest back-off is also what one attempt to
  // connect may take.
  args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  args.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5'000);
  args.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1'000);
  args.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, 2'000);
  if (lane == Lane::bulk) args.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kStreamWindow);
  if (endpoint.tls && !tls.server_name.empty()) args.SetSslTargetNameOverride(tls.server_name);
  return args;
}

// Of the whole process, before its first channel.
void set_up_library() {
  gpr_set_log_function(to_our_log);
  // Distributions build the library's mutexes with the search for lock cycles of debug builds: each lock then
  // takes a lock that all threads share, and a cycle, though it may never close, would end the program.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
}

}  // namespace

Channels::Channels(const Endpoint& endpoint, TlsFiles tls, base::Clock& clock, base::Files& disk)
    : endpoint_(endpoint), tls_(std::move(tls)), clock_(clock), disk_(disk) {
  static std::once_flag set_up;
  std::call_once(set_up, set_up_library);
}

base::Result<Lease> Channels::lease(Lane lane) {
  int full = lane == Lane::small ? kSmallPerChannel : kBulkPerChannel;
  std::size_t most = lane == Lane::small ? kMostSmall : kMostBulk;
  std::lock_guard lock(mutex_);
  if (auto refreshed = refresh(); !refreshed) return refreshed.error();
  std::vector<Open>& open = lanes_[static_cast<std::size_t>(lane)];
  auto least = std::min_element(open.begin(), open.end(), [](const Open& a, const Open& b) {
    return a.in_flight->load() < b.in_flight->load();
  });
  if (least == open.end() || (least->in_flight->load() >= full && open.size() < most)) {
    open.push_back({make(lane), std::make_shared<std::atomic<int>>(0)});
    least = open.end() - 1;
  }
  ++*least->in_flight;
  return Lease(least->channel, least->in_flight);
}

void Channels::hurry() {
  std::lock_guard lock(mutex_);
  for (const std::vector<Open>& open : lanes_) {
    for (const Open& one : open) grpc::experimental::ChannelResetConnectionBackoff(one.channel.get());
  }
}

base::Result<void> Channels::refresh() {
  if (!endpoint_.tls) {
    if (!identity_) identity_ = grpc::InsecureChannelCredentials();
    return {};
  }
  base::Nanoseconds now = clock_.uptime();
  if (identity_ && now < looked_ + kLookEvery) return {};
  looked_ = now;
  TlsStamp stamp = stamp_of(tls_, disk_);
  if (identity_ && stamp == stamp_) return {};
  auto texts = read_tls(tls_, disk_);
  if (!texts) {
    // Files that are being replaced are not whole for a moment: what is in use stays in use.
    if (identity_) return {};
    return texts.error();
  }
  stamp_ = stamp;
  identity_ = grpc::SslCredentials({texts->ca, texts->key, texts->certificate});
  for (std::vector<Open>& open : lanes_) open.clear();
  return {};
}

std::shared_ptr<grpc::Channel> Channels::make(Lane lane) const {
  return grpc::CreateCustomChannel(endpoint_.target, identity_, arguments_of(endpoint_, tls_, lane));
}

}  // namespace remote
