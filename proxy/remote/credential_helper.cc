#include "remote/credential_helper.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/thread.h"
#include "remote/credential_answer.h"
#include "remote/secrets.h"

namespace remote {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr seconds kRunLimit{30};
constexpr minutes kAhead{5};         // before its expiry an answer is renewed
constexpr minutes kUnknownLife{30};  // an answer that does not say when it expires is renewed after this
constexpr seconds kFirstHelperPause{10};
constexpr minutes kLongestHelperPause{10};
constexpr minutes kForgiven{60};  // a refusal this long ago does not lengthen the next pause

std::int64_t whole_seconds(base::Nanoseconds time) {
  return std::chrono::duration_cast<seconds>(time).count();
}

// A time, by the uptime, before which something is not done again; longer each time.
struct Pause {
  base::Nanoseconds length{0};
  base::Nanoseconds until{0};

  void begin(base::Nanoseconds now) {
    length = length.count() == 0 ? base::Nanoseconds(kFirstHelperPause)
                                 : std::min<base::Nanoseconds>(length * 2, kLongestHelperPause);
    until = now + length;
  }
};

class CredentialHelper : public CredentialSource {
 public:
  CredentialHelper(HelperOptions options, base::Spawner& spawner, base::Clock& clock)
      : options_(std::move(options)), spawner_(spawner), clock_(clock), runner_("helper", 1) {
    with_get_ = only_get();
  }
  ~CredentialHelper() override { stop_.request_stop(); }

  std::string name() const override { return "helper " + options_.argv[0]; }

  base::Result<Grant> get(const std::stop_token& stop) override {
    std::unique_lock lock(mutex_);
    while (true) {
      if (stop.stop_requested()) return base::cancelled();
      const base::Nanoseconds now = clock_.uptime();
      if (!asking_ && now >= failure_.until && is_due(now)) begin(lock);
      if (is_good()) return *grant_;
      if (!asking_) return base::invalid(problem_);
      answered_.wait(lock, stop, [&] { return !asking_; });
    }
  }

  base::Result<Grant> peek() override {
    std::lock_guard lock(mutex_);
    if (is_good()) return *grant_;
    return problem_.empty() ? base::Result<Grant>(Grant{}) : base::invalid(problem_);
  }

  void refused(const Headers& headers, const std::stop_token& stop) override {
    std::unique_lock lock(mutex_);
    if (!grant_ || grant_->headers != headers) return;  // others have come already
    const base::Nanoseconds now = clock_.uptime();
    refused_ = true;
    if (!asking_ && now >= failure_.until && now >= refusal_.until) begin(lock);
    answered_.wait(lock, stop, [&] { return !asking_; });
  }

 private:
  // The configuration says `get` itself.
  bool only_get() const { return options_.argv.back() == "get"; }

  // Requires: mutex_ held, for the next four.
  bool is_good() const {
    return grant_ && (grant_->expires_s == 0 || whole_seconds(clock_.wall()) < grant_->expires_s);
  }
  bool is_due(base::Nanoseconds now) const {
    return !is_good() || now >= renew_at_ || (refused_ && now >= refusal_.until);
  }
  // Lets the lock go for a moment, so that no other lock is taken under it.
  void begin(std::unique_lock<std::mutex>& lock) {
    asking_ = true;
    if (refused_) {
      const base::Nanoseconds now = clock_.uptime();
      if (now > refusal_.until + base::Nanoseconds(kForgiven)) refusal_ = {};
      refusal_.begin(now);
    }
    lock.unlock();
    runner_.run([this] { ask(); });
    lock.lock();
  }
  void keep(Grant grant, base::Nanoseconds now, std::int64_t wall_s) {
    refused_ = refused_ && grant_ && grant_->headers == grant.headers;
    base::Nanoseconds life = kUnknownLife;
    if (grant.expires_s != 0) {
      life = seconds(std::min<std::int64_t>(grant.expires_s - wall_s, 365LL * 86'400));
      // Of a short life the second half is left for renewing it.
      life -= std::min<base::Nanoseconds>(kAhead, life / 2);
    }
    renew_at_ = now + life;
    grant_ = std::move(grant);
    problem_.clear();
    failure_ = {};
  }

  // On the runner's thread, one at a time.
  void ask() {
    base::Result<Grant> grant = run();
    const base::Nanoseconds now = clock_.uptime();
    const std::int64_t wall_s = whole_seconds(clock_.wall());
    if (grant && grant->expires_s != 0 && grant->expires_s <= wall_s) {
      grant = base::invalid("the credential helper gave a token that has expired");
    }
    if (!grant) base::log(base::LogLevel::warning, grant.error().message);
    std::lock_guard lock(mutex_);
    if (grant) {
      keep(std::move(*grant), now, wall_s);
    } else {
      problem_ = grant.error().message;
      failure_.begin(now);
    }
    asking_ = false;
    answered_.notify_all();
  }

  base::Result<Grant> run() {
    base::Result<Grant> first = run_once(with_get_);
    if (first || only_get() || first.error().kind == base::ErrorKind::transient ||
        first.error().kind == base::ErrorKind::cancelled) {
      return first;
    }
    base::Result<Grant> second = run_once(!with_get_);
    if (!second) return first;
    with_get_ = !with_get_;
    return second;
  }

  base::Result<Grant> run_once(bool with_get) {
    const std::string who = "the credential helper " + options_.argv[0];
    base::SpawnRequest request;
    request.argv = options_.argv;
    if (with_get && !only_get()) request.argv.emplace_back("get");
    request.env = options_.env;
    request.directory = "/";
    request.limit = kRunLimit;
    nlohmann::json question = {{"uri", options_.uri}};
    request.input = question.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    base::Result<base::SpawnOutcome> outcome = spawner_.run(request, stop_.get_token());
    if (!outcome) {
      bool late = outcome.error().kind == base::ErrorKind::transient;
      std::string what = late ? " took longer than 30 s" : " cannot be run: " + outcome.error().message;
      return base::Error{outcome.error().kind, who + what};
    }
    base::Result<Grant> grant = parse_helper_answer(outcome->out);
    std::string said = without_secrets(without(outcome->err, grant));
    if (!said.empty()) base::log(base::LogLevel::info, who + " says: " + said);
    std::string tail = said.empty() ? "" : ": " + said.substr(0, 300);
    if (outcome->exit_code != 0) {
      return base::invalid(who + " ended with exit code " + std::to_string(outcome->exit_code) + tail);
    }
    if (!grant) return base::invalid(who + ": " + grant.error().message + tail);
    return grant;
  }

  // A helper may print to standard error what it gave us.
  static std::string without(std::string text, const base::Result<Grant>& grant) {
    if (!grant) return text;
    for (const auto& [name, value] : grant->headers) {
      std::string secret = value.substr(value.find(' ') + 1);
      if (secret.empty()) continue;
      for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
        text.replace(at, secret.size(), "[hidden]");
        at += 8;
      }
    }
    return text;
  }

  const HelperOptions options_;
  base::Spawner& spawner_;
  base::Clock& clock_;
  bool with_get_;  // which protocol it answered to; used by the runner's thread alone
  std::mutex mutex_;
  std::condition_variable_any answered_;
  bool asking_ = false;            // guarded by mutex_
  std::optional<Grant> grant_;     // guarded by mutex_
  std::string problem_;            // guarded by mutex_
  bool refused_ = false;           // guarded by mutex_; the other side does not take grant_
  base::Nanoseconds renew_at_{0};  // guarded by mutex_; uptime
  Pause failure_;                  // guarded by mutex_
  Pause refusal_;                  // guarded by mutex_
  std::stop_source stop_;
  base::ThreadPool runner_;  // last, so that it ends first
};

}  // namespace

std::unique_ptr<CredentialSource> make_credential_helper(HelperOptions options, base::Spawner& spawner,
                                                         base::Clock& clock) {
  return std::make_unique<CredentialHelper>(std::move(options), spawner, clock);
}

}  // namespace remote
