#include "remote/http_store.h"

#include <algorithm>
#include <utility>

#include "base/zstd.h"

namespace remote {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr std::size_t kLargestEntry = 16u << 20;
constexpr std::size_t kSlack = 64u << 10;  // zstd may make a blob that much longer
constexpr std::size_t kWorthCompressing = 1024;
constexpr milliseconds kConnectLimit{3'000};
constexpr milliseconds kSmallLimit{5'000};  // a look-up that takes longer is slower than most compiles
constexpr std::int64_t kSlowest = 100'000;  // bytes a second: a slower way there is of no use
constexpr minutes kFullPause{5};
constexpr std::size_t kMostDamaged = 1000;  // remembered, to be sent again; 100 bytes each
constexpr int kCompressionLevel = 1;

milliseconds limit_for(std::int64_t bytes) {
  return milliseconds(30'000) + milliseconds(std::min<std::int64_t>(bytes / (kSlowest / 1000), 600'000));
}

bool is_success(int status) { return status >= 200 && status < 300; }

// 403 is how stores of the S3 kind say "absent" to those who may not list. A redirect that was not followed
// leads nowhere.
bool is_absent(int status) {
  return status == 404 || status == 410 || status == 403 || (status >= 300 && status < 400);
}

Failure failure_of_error(const base::Error& error, const std::string& what) {
  Failure failure{Cause::unavailable, what + ": " + error.message};
  if (error.kind == base::ErrorKind::cancelled) failure = {Cause::cancelled, "cancelled"};
  if (error.kind == base::ErrorKind::invalid) failure.cause = Cause::invalid;
  failure.unreachable = error.kind == base::ErrorKind::io || error.kind == base::ErrorKind::rejected;
  return failure;
}

std::string name_of(const char* method, Shelf shelf) {
  return std::string(method) + (shelf == Shelf::ac ? " /ac/" : " /cas/");
}

}  // namespace

HttpStore::HttpStore(Endpoint endpoint, base::HttpTls tls, bool may_update, base::Http& http,
                     Credentials& credentials, base::Clock& clock)
    : endpoint_(std::move(endpoint)),
      tls_(std::move(tls)),
      may_update_(may_update),
      http_(http),
      credentials_(credentials),
      clock_(clock),
      health_(clock),
      refusals_(credentials, clock) {}

Failure HttpStore::refused(const Ask& ask) const {
  Failure failure = failure_of_http(401, name_of(ask.method, ask.shelf) + " at " + endpoint_.text);
  // Those credentials; newer ones may be good.
  failure.cause = Cause::denied;
  return failure;
}

// One attempt. Its health is told; what its status means to the caller is not.
Remote<base::HttpAnswer> HttpStore::send(Ask& ask, const Headers& credentials, const std::stop_token& stop) {
  const std::string what = name_of(ask.method, ask.shelf) + " at " + endpoint_.text;
  if (!health_.allows()) return Failure{Cause::unavailable, what + ": not tried, it failed before"};
  base::HttpCall& call = ask.call;
  call.method = ask.method;
  call.url = endpoint_.target + (endpoint_.target.ends_with('/') ? "" : "/") +
             (ask.shelf == Shelf::ac ? "ac/" : "cas/") + ask.hex;
  call.headers = ask.headers;
  call.headers.insert(call.headers.end(), credentials.begin(), credentials.end());
  call.tls = tls_;
  call.connect_limit = kConnectLimit;
  call.follow = true;
  call.proxy = !endpoint_.local;
  const base::Nanoseconds began = clock_.uptime();
  base::Result<base::HttpAnswer> answer = http_.call(call, stop);
  if (!answer) {
    Failure failure = failure_of_error(answer.error(), what);
    if (failure.cause == Cause::cancelled) {
      health_.inconclusive();
    } else {
      health_.failed(failure, began);
    }
    return failure;
  }
  sent_ += call.body.size();
  received_ += answer->body.size();
  if (answer->status >= 500 || answer->status == 429) {
    health_.failed(failure_of_http(answer->status, what), began);
  } else {
    const base::Nanoseconds took = clock_.uptime() - began;
    health_.succeeded(ask.small ? std::chrono::duration_cast<std::chrono::microseconds>(took)
                                : std::chrono::microseconds(0));
  }
  return std::move(*answer);
}

// Attempts until the credentials are settled: at most one with each of the old ones, new ones, and none.
Remote<base::HttpAnswer> HttpStore::request(Ask ask, const std::stop_token& stop) {
  const bool reads = std::string_view(ask.method) != "PUT";
  for (int attempt = 0;; ++attempt) {
    base::Result<Credentials::Current> current = credentials_.current(stop);
    if (!current) return failure_of_error(current.error(), "credentials");
    if (std::string why = reads ? refusals_.reason(Right::read) : std::string(); !why.empty()) {
      return Failure{Cause::unauthenticated, why};
    }
    bool anonymous = false;
    {
      std::lock_guard lock(mutex_);
      anonymous = standing_.anonymous == current->version;
    }
    const bool bare = current->headers.empty() || anonymous;
    Remote<base::HttpAnswer> answer = send(ask, anonymous ? Headers{} : current->headers, stop);
    if (!answer || answer->status != 401) return answer;
    if (!bare && attempt == 0 && credentials_.refused(current->version, stop)) continue;
    if (!reads) return answer;
    if (!bare) return without_credentials(ask, current->version, stop);
    refusals_.note(Right::read, refused(ask), current->version);
    return answer;
  }
}

Remote<base::HttpAnswer> HttpStore::without_credentials(Ask& ask, std::uint64_t version,
                                                        const std::stop_token& stop) {
  Remote<base::HttpAnswer> answer = send(ask, {}, stop);
  if (!answer) return answer;
  // Proof that anybody may read. What a server says while it is ill, or on the way elsewhere, is none.
  const bool reads = is_success(answer->status) || answer->status == 404 || answer->status == 410;
  if (answer->status == 401 || answer->status == 403) {
    refusals_.note(Right::read, refused(ask), version);
  } else if (reads) {
    refusals_.note(Right::update, refused(ask), version);
    std::lock_guard lock(mutex_);
    standing_.anonymous = version;
  }
  return answer;
}

void HttpStore::probe(const std::stop_token& stop) {
  Ask ask{"HEAD", Shelf::cas, base::digest_of("").hex()};
  ask.call.limit = kSmallLimit;
  Remote<base::HttpAnswer> answer = request(std::move(ask), stop);
  if (!answer) return;
  std::lock_guard lock(mutex_);
  if (is_success(answer->status) && answer->header("content-type").starts_with("text/html")) {
    standing_.warning = "it answers with web pages: is there a cache at this address?";
  } else if (answer->status == 400) {
    standing_.warning = "it calls a digest malformed: is there a cache at this address?";
  }
}

// The body of a GET without its encoding; nothing when absent.
Remote<std::optional<std::string>> HttpStore::content(Ask ask, std::size_t largest,
                                                      const std::stop_token& stop) {
  const std::string what = name_of(ask.method, ask.shelf) + " at " + endpoint_.text;
  ask.call.largest_answer = largest + kSlack;
  Remote<base::HttpAnswer> answer = request(std::move(ask), stop);
  if (!answer) return answer.error();
  if (is_absent(answer->status)) return std::optional<std::string>();
  if (answer->status != 200) return failure_of_http(std::max(answer->status, 400), what);
  const std::string encoding = answer->header("content-encoding");
  if (encoding.empty() || encoding == "identity") {
    return std::optional<std::string>(std::move(answer->body));
  }
  Failure corrupt{Cause::corrupt, what + ": the content is not what its encoding says"};
  if (encoding != "zstd") return corrupt;
  base::Result<std::string> plain = base::zstd_decompress(answer->body, largest);
  if (!plain) return corrupt;
  std::lock_guard lock(mutex_);
  standing_.takes_zstd = true;
  return std::optional<std::string>(std::move(*plain));
}

Remote<std::optional<std::string>> HttpStore::entry(const std::string& hex, const std::stop_token& stop) {
  Ask ask{"GET", Shelf::ac, hex};
  ask.call.limit = kSmallLimit;
  ask.headers = {{"accept-encoding", "zstd, identity"}};
  return content(std::move(ask), kLargestEntry, stop);
}

Remote<std::optional<std::string>> HttpStore::blob(const base::Digest& digest, const std::stop_token& stop) {
  if (digest.size == 0) return std::optional<std::string>("");
  const std::string what = "GET /cas/ at " + endpoint_.text;
  Failure last{Cause::corrupt, {}};
  // A second time without compression, for servers and proxies that get it wrong, or after a lost connection.
  for (int attempt = 0; attempt < 2; ++attempt) {
    Ask ask{"GET", Shelf::cas, digest.hex()};
    ask.small = false;
    ask.call.limit = limit_for(digest.size);
    ask.headers = {{"accept-encoding", attempt == 0 ? "zstd, identity" : "identity"}};
    Remote<std::optional<std::string>> bytes =
        content(std::move(ask), static_cast<std::size_t>(digest.size), stop);
    if (bytes && (!bytes->has_value() || base::digest_of(**bytes) == digest)) return bytes;
    last = bytes ? Failure{Cause::corrupt, what + ": the content does not match its digest"} : bytes.error();
    if (last.cause == Cause::corrupt) {
      health_.failed(last);
    } else if (last.cause != Cause::unavailable || last.unreachable) {
      break;
    }
  }
  // A longer body than the digest says is `invalid` to the HTTP side: that too is content of another digest.
  if (last.cause != Cause::corrupt && last.cause != Cause::invalid) return last;
  std::lock_guard lock(mutex_);
  if (standing_.damaged.size() >= kMostDamaged) standing_.damaged.clear();
  standing_.damaged.insert(digest.hex());
  return std::optional<std::string>();
}

Remote<bool> HttpStore::has_blob(const base::Digest& digest, const std::stop_token& stop) {
  {
    std::lock_guard lock(mutex_);
    if (standing_.damaged.contains(digest.hex())) return false;
  }
  Ask ask{"HEAD", Shelf::cas, digest.hex()};
  ask.call.limit = kSmallLimit;
  Remote<base::HttpAnswer> answer = request(std::move(ask), stop);
  if (!answer) return answer.error();
  return is_success(answer->status);
}

bool HttpStore::compresses(const std::string& bytes) {
  std::lock_guard lock(mutex_);
  return standing_.takes_zstd && !standing_.refuses_zstd && bytes.size() >= kWorthCompressing;
}

Remote<void> HttpStore::put(Shelf shelf, const std::string& hex, const std::string& bytes,
                            const std::stop_token& stop) {
  if (!may_update()) return Failure{Cause::denied, refusal()};
  const std::string what = name_of("PUT", shelf) + " at " + endpoint_.text;
  bool compressed = shelf == Shelf::cas && compresses(bytes);
  while (true) {
    Ask ask{"PUT", shelf, hex};
    ask.small = false;
    ask.call.limit = limit_for(static_cast<std::int64_t>(bytes.size()));
    ask.call.largest_answer = kSlack;
    ask.headers = {{"content-type", "application/octet-stream"}};
    base::Result<std::string> packed = std::string();
    if (compressed) packed = base::zstd_compress(bytes, kCompressionLevel);
    compressed = compressed && packed;
    ask.call.body = bytes;
    if (compressed) {
      ask.call.body = std::move(*packed);
      ask.headers.emplace_back("content-encoding", "zstd");
      ask.headers.emplace_back("x-digest-sizebytes", std::to_string(bytes.size()));
    }
    Remote<base::HttpAnswer> answer = request(std::move(ask), stop);
    if (!answer) return answer.error();
    if (compressed && (answer->status == 400 || answer->status == 415)) {
      std::lock_guard lock(mutex_);
      standing_.refuses_zstd = true;
      compressed = false;
      continue;
    }
    Remote<void> done = judge_put(*answer, what);
    if (!done || shelf != Shelf::cas) return done;
    std::lock_guard lock(mutex_);
    standing_.damaged.erase(hex);
    return done;
  }
}

Remote<void> HttpStore::judge_put(const base::HttpAnswer& answer, const std::string& what) {
  if (is_success(answer.status)) return {};
  Failure failure = failure_of_http(std::max(answer.status, 400), what);
  if (answer.status == 401 || answer.status == 403 || answer.status == 405 || answer.status == 501) {
    failure.cause = Cause::denied;
    refusals_.note(Right::update, failure, credentials_.version());
  } else if (answer.status == 507) {
    std::lock_guard lock(mutex_);
    standing_.full_until = clock_.uptime() + kFullPause;
  }
  return failure;
}

bool HttpStore::may_read() { return refusals_.allows(Right::read); }

bool HttpStore::may_update() {
  if (!may_update_ || !refusals_.allows(Right::update)) return false;
  std::lock_guard lock(mutex_);
  return clock_.uptime() >= standing_.full_until;
}

std::string HttpStore::refusal() {
  if (std::string why = refusals_.reason(Right::read); !why.empty()) return why;
  if (!may_update_) return "writing is switched off";
  if (std::string why = refusals_.reason(Right::update); !why.empty()) return why;
  std::lock_guard lock(mutex_);
  if (clock_.uptime() < standing_.full_until)
    return "its storage is full: nothing is written for some minutes";
  return {};
}

std::string HttpStore::warning() {
  std::lock_guard lock(mutex_);
  return standing_.warning;
}

}  // namespace remote
