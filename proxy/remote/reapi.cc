#include "remote/reapi.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "cache/outcome_codec.h"
#include "remote/action_cache.h"
#include "remote/anonymous.h"
#include "remote/answer.h"
#include "remote/capabilities.h"
#include "remote/cas.h"
#include "remote/job_runner.h"
#include "remote/refusals.h"
#include "wire/reapi.pb.h"

namespace remote {
namespace {

constexpr std::chrono::minutes kGlance{5};

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

bool is_refusal(Cause cause) { return cause == Cause::unauthenticated || cause == Cause::denied; }

bool is_same(const Endpoint& a, const Endpoint& b) { return a.target == b.target && a.tls == b.tls; }

// The three services and the ways to them, shared where the addresses are equal.
class Ways {
 public:
  Ways(const ReapiOptions& options, Credentials& credentials, base::Clock& clock) {
    auto way = [&](const Endpoint& wanted) {
      const Endpoint& endpoint = wanted.target.empty() ? options.cas : wanted;
      for (const auto& known : connections_) {
        if (is_same(known->endpoint(), endpoint)) return known.get();
      }
      connections_.push_back(std::make_unique<Connection>(endpoint, options.tls, credentials, clock));
      return connections_.back().get();
    };
    cas = way(options.cas);
    action_cache = way(options.action_cache);
    executor = way(options.executor);
  }

  Connection* cas;
  Connection* action_cache;
  Connection* executor;

  const std::vector<std::unique_ptr<Connection>>& all() const { return connections_; }

 private:
  std::vector<std::unique_ptr<Connection>> connections_;
};

bool is_open(Connection& connection) { return connection.health().state().breaker == Breaker::open; }

class Reapi : public Backend {
 public:
  Reapi(const ReapiOptions& options, Credentials& credentials, base::Clock& clock)
      : options_(options),
        clock_(clock),
        credentials_(credentials),
        refusals_(credentials, clock),
        ways_(options, credentials_, clock),
        storage_facts_(*ways_.cas, options.instance, clock),
        executor_facts_(*ways_.executor, options.instance, clock),
        cas_(*ways_.cas, storage_facts_, {options.instance, options.compression}, clock),
        action_cache_(*ways_.action_cache, options.instance),
        execution_(*ways_.executor, options.instance, clock, options.limits),
        runner_(cas_, execution_, clock) {}

  Remote<std::optional<Answer>> lookup(const Call& call, const base::Digest& action,
                                       const std::vector<std::string>& output_paths,
                                       const std::stop_token& stop) override {
    glance(call, stop);
    return reading([&] { return find(call, action, output_paths, stop); });
  }

  Remote<Contents> fetch(const Call& call, const std::vector<base::Digest>& digests,
                         const std::stop_token& stop) override {
    return reading([&] { return cas_.fetch(call, digests, stop); });
  }

  Remote<Answer> execute(const Call& call, const Job& job, const std::function<void(Stage)>& on_stage,
                         const std::stop_token& stop) override;
  Remote<void> update(const Call& call, const base::Digest& action, const cache::Outcome& outcome,
                      const std::vector<Source>& sources, const std::stop_token& stop) override;

  Rights rights() override {
    Rights rights;
    rights.read = refusals_.allows(Right::read);
    rights.execute = options_.may_execute && refusals_.allows(Right::execute) && !is_open(*ways_.executor) &&
                     !is_open(*ways_.cas);
    rights.update = options_.may_update && refusals_.allows(Right::update);
    return rights;
  }

  bool available() override { return !is_open(*ways_.cas) && !is_open(*ways_.action_cache); }

  BackendState state() override;

 private:
  Remote<std::optional<Answer>> find(const Call& call, const base::Digest& action,
                                     const std::vector<std::string>& output_paths,
                                     const std::stop_token& stop);

  // A read; once more without credentials when they were refused.
  template <class Read>
  auto reading(const Read& read) -> decltype(read());

  // What the server says of itself. Failures that do not tell whether a call would work give nothing.
  Remote<std::optional<Capabilities>> facts(bool of_executor, const Call& call, const std::stop_token& stop);
  // What a server says of itself, or refuses to say, depends on who asks.
  void forget_facts() {
    storage_facts_.forget();
    executor_facts_.forget();
  }
  // Looks at the storage's capabilities now and then, so that what is wrong with them is told.
  void glance(const Call& call, const std::stop_token& stop);

  // The entry for an outcome, and its messages as blobs.
  static ActionCache::ActionResult entry_of(const cache::Outcome& outcome, std::vector<Source>& sources);

  const ReapiOptions options_;
  base::Clock& clock_;
  Anonymous credentials_;
  Refusals refusals_;
  Ways ways_;
  CapabilityReader storage_facts_;
  CapabilityReader executor_facts_;
  Cas cas_;
  ActionCache action_cache_;
  Execution execution_;
  JobRunner runner_;

  std::mutex mutex_;
  base::Nanoseconds next_glance_{0};     // guarded by mutex_; uptime
  std::array<std::string, 2> warnings_;  // guarded by mutex_; of storage and executor
};

template <class Read>
auto Reapi::reading(const Read& read) -> decltype(read()) {
  if (std::string why = refusals_.reason(Right::read); !why.empty()) return Failure{Cause::denied, why};
  std::uint64_t version = credentials_.version();
  bool was_left = credentials_.is_left();
  auto result = read();
  if (result || !is_refusal(result.error().cause)) return result;
  Failure refusal = result.error();
  if (!was_left && credentials_.leave()) {
    forget_facts();
    result = read();
    if (result) {
      refusals_.note(Right::execute, refusal, version);
      refusals_.note(Right::update, refusal, version);
      return result;
    }
    credentials_.take_up();
    forget_facts();
    if (!is_refusal(result.error().cause)) return result;
  }
  refusals_.note(Right::read, refusal, version);
  return result;
}

Remote<std::optional<Answer>> Reapi::find(const Call& call, const base::Digest& action,
                                          const std::vector<std::string>& output_paths,
                                          const std::stop_token& stop) {
  Remote<std::optional<ActionCache::ActionResult>> entry =
      action_cache_.get(call, action, output_paths, stop);
  if (!entry) return entry.error();
  if (!*entry) return std::optional<Answer>();
  base::Result<AnswerDraft> draft = read_entry(**entry);
  if (!draft) return std::optional<Answer>();
  Contents texts;
  if (std::vector<base::Digest> digests = wanted(*draft); !digests.empty()) {
    Remote<Contents> fetched = cas_.fetch(call, digests, stop);
    if (!fetched) return fetched.error();
    texts = std::move(*fetched);
  }
  return finish(std::move(*draft), texts);
}

Remote<std::optional<Capabilities>> Reapi::facts(bool of_executor, const Call& call,
                                                 const std::stop_token& stop) {
  bool apart = ways_.executor != ways_.cas;
  CapabilityReader& reader = of_executor && apart ? executor_facts_ : storage_facts_;
  Remote<Capabilities> answer = reader.get(call, stop);
  std::string warning = answer ? answer->warning : std::string();
  if (!answer && answer.error().cause == Cause::invalid) warning = answer.error().message;
  {
    std::lock_guard lock(mutex_);
    warnings_[of_executor && apart ? 1 : 0] = warning;
  }
  if (answer) return std::optional<Capabilities>(*answer);
  Cause cause = answer.error().cause;
  if (is_transient(cause) || cause == Cause::cancelled || cause == Cause::invalid) return answer.error();
  return std::optional<Capabilities>();
}

void Reapi::glance(const Call& call, const std::stop_token& stop) {
  {
    std::lock_guard lock(mutex_);
    base::Nanoseconds now = clock_.uptime();
    if (now < next_glance_) return;
    next_glance_ = now + kGlance;
  }
  (void)facts(false, call, stop);
}

Remote<Answer> Reapi::execute(const Call& call, const Job& job, const std::function<void(Stage)>& on_stage,
                              const std::stop_token& stop) {
  if (!options_.may_execute) return Failure{Cause::denied, "Execute: switched off by the configuration"};
  if (std::string why = refusals_.reason(Right::execute); !why.empty()) return Failure{Cause::denied, why};
  std::uint64_t version = credentials_.version();
  Remote<std::optional<Capabilities>> able = facts(true, call, stop);
  if (!able) return able.error();
  if (*able && !(*able)->execution) {
    Failure failure{Cause::unimplemented, "Execute: " + ways_.executor->endpoint().text +
                                              " does not execute, or not for this user"};
    refusals_.note(Right::execute, failure, version);
    return failure;
  }
  Remote<Answer> answer = runner_.run(call, job, on_stage, stop);
  if (!answer) refusals_.note(Right::execute, answer.error(), version);
  return answer;
}

ActionCache::ActionResult Reapi::entry_of(const cache::Outcome& outcome, std::vector<Source>& sources) {
  ActionCache::ActionResult entry;
  cache::to_message(outcome, 0, entry);
  static const std::string worker = host_name() + "/goma-local";
  entry.mutable_execution_metadata()->set_worker(worker);
  for (const std::string& text : {outcome.out, outcome.err}) {
    if (!text.empty()) sources.push_back({base::digest_of(text), text});
  }
  std::unordered_set<base::Digest> seen;
  auto again = [&](const Source& source) { return !seen.insert(source.digest).second; };
  sources.erase(std::remove_if(sources.begin(), sources.end(), again), sources.end());
  return entry;
}

Remote<void> Reapi::update(const Call& call, const base::Digest& action, const cache::Outcome& outcome,
                           const std::vector<Source>& sources, const std::stop_token& stop) {
  if (!options_.may_update) {
    return Failure{Cause::denied, "UpdateActionResult: switched off by the configuration"};
  }
  if (std::string why = refusals_.reason(Right::update); !why.empty()) return Failure{Cause::denied, why};
  if (outcome.exit_code != 0 || outcome.files.empty()) {
    return Failure{Cause::local, "UpdateActionResult: only results that can be used are offered"};
  }
  for (const cache::OutputFile& file : outcome.files) {
    bool given = file.digest.size == 0 ||
                 std::any_of(sources.begin(), sources.end(),
                             [&](const Source& source) { return source.digest == file.digest; });
    if (!given) return Failure{Cause::local, "UpdateActionResult: no content for " + file.path};
  }
  std::uint64_t version = credentials_.version();
  Remote<std::optional<Capabilities>> able = facts(false, call, stop);
  if (!able) return able.error();
  if (*able && !(*able)->update_enabled) {
    Failure failure{Cause::unimplemented, "UpdateActionResult: " + ways_.action_cache->endpoint().text +
                                              " takes no results, or not from this user"};
    refusals_.note(Right::update, failure, version);
    return failure;
  }
  std::vector<Source> all = sources;
  ActionCache::ActionResult entry = entry_of(outcome, all);
  Remote<void> done;
  if (Remote<TransferCount> sent = cas_.upload(call, all, Ask::unknown, stop); !sent) {
    done = sent.error();
  } else {
    done = action_cache_.update(call, action, entry, stop);
  }
  if (!done) refusals_.note(Right::update, done.error(), version);
  return done;
}

BackendState Reapi::state() {
  BackendState state;
  state.kind = "reapi";
  auto rank = [](const HealthState& health) {
    int breaker = health.breaker == Breaker::open ? 2 : health.breaker == Breaker::half_open ? 1 : 0;
    return 2 * breaker + (health.last_error.empty() ? 0 : 1);
  };
  bool first = true;
  for (const auto& connection : ways_.all()) {
    state.address += (first ? "" : ", ") + connection->endpoint().text;
    HealthState health = connection->health().state();
    if (first || rank(health) > rank(state.health)) state.health = health;
    first = false;
  }
  state.rights = rights();
  state.refusal = refusals_.reason();
  state.sent_bytes = cas_.sent().bytes;
  state.received_bytes = cas_.received().bytes;
  std::lock_guard lock(mutex_);
  state.warning = warnings_[0];
  if (!warnings_[1].empty()) state.warning += (state.warning.empty() ? "" : "; ") + warnings_[1];
  return state;
}

}  // namespace

std::unique_ptr<Backend> make_reapi(const ReapiOptions& options, Credentials& credentials,
                                    base::Clock& clock) {
  return std::make_unique<Reapi>(options, credentials, clock);
}

}  // namespace remote
