#include "remote/http_cache.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/files.h"
#include "base/thread.h"
#include "cache/outcome_codec.h"
#include "remote/answer.h"
#include "remote/http_store.h"
#include "remote/parallel.h"
#include "wire/reapi.pb.h"

namespace remote {
namespace {

namespace reapi = build::bazel::remote::execution::v2;

constexpr std::size_t kThreads = 32;  // of all transfers that go beside their caller's own
constexpr std::size_t kAtOnce = 8;    // of one call
constexpr std::size_t kMostAbsent = 8192;
constexpr std::chrono::seconds kAbsentFor{5};
// Smaller blobs are sent without asking whether they are there: the question costs as much.
constexpr std::int64_t kWorthAsking = 64 << 10;

// Entries that were just looked for in vain: a build that asks again at once is told from memory. Any thread.
class AbsentEntries {
 public:
  explicit AbsentEntries(base::Clock& clock) : clock_(clock) {}

  bool has(const base::Digest& action) {
    std::lock_guard lock(mutex_);
    auto found = until_.find(action);
    return found != until_.end() && clock_.uptime() < found->second;
  }
  void add(const base::Digest& action) {
    std::lock_guard lock(mutex_);
    if (until_.size() >= kMostAbsent) until_.clear();
    until_[action] = clock_.uptime() + kAbsentFor;
  }
  void remove(const base::Digest& action) {
    std::lock_guard lock(mutex_);
    until_.erase(action);
  }

 private:
  base::Clock& clock_;
  std::mutex mutex_;
  std::unordered_map<base::Digest, base::Nanoseconds> until_;  // guarded by mutex_
};

// The first failure of several transfers; the others then need not begin. Any thread.
class FirstFailure {
 public:
  void set(Failure failure) {
    std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::move(failure);
    happened_ = true;
  }
  bool happened() const { return happened_; }
  const std::optional<Failure>& get() const { return failure_; }  // Requires: all transfers have ended.

 private:
  std::atomic<bool> happened_{false};
  std::mutex mutex_;
  std::optional<Failure> failure_;  // guarded by mutex_
};

// The bytes of a blob, those of a file if they still have the digest.
Remote<std::string> bytes_of(const Source& source) {
  if (source.path.empty()) return source.bytes;
  base::Result<std::string> bytes = base::real_files().read(source.path);
  if (!bytes) return Failure{Cause::local, bytes.error().message};
  if (base::digest_of(*bytes) != source.digest) {
    return Failure{Cause::local, source.path + " has changed since it was looked at"};
  }
  return std::move(*bytes);
}

class HttpCache : public Backend {
 public:
  HttpCache(const HttpCacheOptions& options, base::Http& http, Credentials& credentials, base::Clock& clock)
      : address_(options.endpoint.text),
        store_(options.endpoint, options.tls, options.may_update, http, credentials, clock),
        absent_(clock),
        pool_("http", kThreads) {}

  Remote<std::optional<Answer>> lookup(const Call& /*call*/, const base::Digest& action,
                                       const std::vector<std::string>& /*output_paths*/,
                                       const std::stop_token& stop) override {
    if (!probed_.exchange(true)) store_.probe(stop);
    if (absent_.has(action)) return std::optional<Answer>();
    Remote<std::optional<std::string>> bytes = store_.entry(action.hex(), stop);
    if (!bytes && bytes.error().cause != Cause::corrupt && bytes.error().cause != Cause::invalid) {
      return bytes.error();
    }
    Remote<std::optional<Answer>> answer = std::optional<Answer>();
    if (bytes && bytes->has_value()) answer = answer_of(**bytes, stop);
    if (answer && !answer->has_value()) absent_.add(action);
    return answer;
  }

  Remote<Contents> fetch(const Call& /*call*/, const std::vector<base::Digest>& digests,
                         const std::stop_token& stop) override {
    std::vector<std::optional<std::string>> blobs(digests.size());
    FirstFailure failure;
    for_each(pool_, digests.size(), kAtOnce, [&](std::size_t i) {
      if (failure.happened()) return;
      Remote<std::optional<std::string>> blob = store_.blob(digests[i], stop);
      if (!blob) {
        failure.set(blob.error());
      } else {
        blobs[i] = std::move(*blob);
      }
    });
    if (failure.get()) return *failure.get();
    Contents contents;
    for (std::size_t i = 0; i < digests.size(); ++i) {
      if (blobs[i]) contents.insert_or_assign(digests[i], std::move(*blobs[i]));
    }
    return contents;
  }

  Remote<Answer> execute(const Call& /*call*/, const Job& /*job*/,
                         const std::function<void(Stage)>& /*on_stage*/,
                         const std::stop_token& /*stop*/) override {
    return Failure{Cause::unimplemented, address_ + ": an HTTP cache runs nothing"};
  }

  Remote<void> update(const Call& /*call*/, const base::Digest& action, const cache::Outcome& outcome,
                      const std::vector<Source>& sources, const std::stop_token& stop) override {
    if (!store_.may_update()) return Failure{Cause::denied, store_.refusal()};
    std::vector<Source> blobs = sources;
    for (const std::string* text : {&outcome.out, &outcome.err}) {
      if (text->size() > cache::kLargestInlineText) blobs.push_back({base::digest_of(*text), *text});
    }
    FirstFailure failure;
    auto send = [&](std::size_t i) {
      if (failure.happened() || blobs[i].digest.size == 0) return;
      Remote<void> sent = send_blob(blobs[i], stop);
      if (!sent) failure.set(sent.error());
    };
    // Whether we may write at all is learnt from one before the others follow.
    if (!blobs.empty()) send(0);
    for_each(pool_, blobs.empty() ? 0 : blobs.size() - 1, kAtOnce, [&](std::size_t i) { send(i + 1); });
    if (failure.get()) return *failure.get();
    Remote<void> entered = store_.put(Shelf::ac, action.hex(), cache::encode(outcome), stop);
    if (entered) absent_.remove(action);
    return entered;
  }

  Rights rights() override { return {store_.may_read(), false, store_.may_update()}; }

  bool available() override { return store_.health().state().breaker != Breaker::open; }

  BackendState state() override {
    BackendState state;
    state.address = address_;
    state.kind = "http";
    state.health = store_.health().state();
    state.rights = rights();
    state.refusal = store_.refusal();
    state.warning = store_.warning();
    state.sent_bytes = store_.sent_bytes();
    state.received_bytes = store_.received_bytes();
    return state;
  }

 private:
  // Nothing for an entry that no compile can have made, or whose messages are gone.
  Remote<std::optional<Answer>> answer_of(const std::string& bytes, const std::stop_token& stop) {
    reapi::ActionResult message;
    if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return std::optional<Answer>();
    base::Result<AnswerDraft> draft = read_entry(message);
    if (!draft) return std::optional<Answer>();
    Contents texts;
    for (const base::Digest& digest : wanted(*draft)) {
      Remote<std::optional<std::string>> blob = store_.blob(digest, stop);
      if (!blob) return blob.error();
      if (!blob->has_value()) return std::optional<Answer>();
      texts.insert_or_assign(digest, std::move(**blob));
    }
    return finish(std::move(*draft), texts);
  }

  Remote<void> send_blob(const Source& source, const std::stop_token& stop) {
    if (source.digest.size >= kWorthAsking) {
      Remote<bool> there = store_.has_blob(source.digest, stop);
      if (!there) return there.error();
      if (*there) return {};
    }
    Remote<std::string> bytes = bytes_of(source);
    if (!bytes) return bytes.error();
    return store_.put(Shelf::cas, source.digest.hex(), *bytes, stop);
  }

  const std::string address_;
  HttpStore store_;
  AbsentEntries absent_;
  std::atomic<bool> probed_{false};
  base::ThreadPool pool_;  // last, so that it ends first
};

}  // namespace

std::unique_ptr<Backend> make_http_cache(const HttpCacheOptions& options, base::Http& http,
                                         Credentials& credentials, base::Clock& clock) {
  return std::make_unique<HttpCache>(options, http, credentials, clock);
}

}  // namespace remote
