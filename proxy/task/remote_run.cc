#include "task/remote_run.h"

#include <algorithm>

namespace task {
namespace {

std::uint64_t us_since(base::Clock& clock, base::Nanoseconds start) {
  return static_cast<std::uint64_t>((clock.uptime() - start).count() / 1000);
}

// How long a task waits for its turn to call. Builds with many more tasks than the cluster takes wait long
// and rightly; who waits longer than this is better off with a processor of its own.
constexpr std::chrono::minutes kTurn{10};

}  // namespace

std::shared_ptr<RemoteRun> RemoteRun::start(RemoteSide& side, cache::Store& store, base::Clock& clock,
                                            Order order) {
  std::shared_ptr<RemoteRun> run(new RemoteRun(side, store, clock, std::move(order)));
  side.pool.run([run] { run->work(); });
  return run;
}

RemoteRun::Ending RemoteRun::run(RemoteSide& side, cache::Store& store, base::Clock& clock, Order order,
                                 const std::stop_token& stop) {
  RemoteRun run(side, store, clock, std::move(order));
  std::stop_callback on_stop(stop, [&run] { run.cancel(); });
  return run.make_ending();
}

bool RemoteRun::wait(std::chrono::milliseconds limit, const std::stop_token& stop) {
  return over_.wait_within(limit, stop);
}

RemoteRun::Ending RemoteRun::take() { return std::move(ending_); }

void RemoteRun::work() {
  ending_ = make_ending();
  bool answered = ending_.answer.has_value();
  over_.set();
  if (answered) answered_.request_stop();
}

base::Pass RemoteRun::take_turn(Ending& ending) {
  base::Result<base::Pass> pass = side_.tier.gate().enter_within(kTurn, stop_.get_token());
  if (!pass) {
    ending.why = "no turn to call the cluster";
    return {};
  }
  lowerings_ = side_.tier.lowerings();
  return std::move(*pass);
}

RemoteRun::Ending RemoteRun::make_ending() {
  Ending ending;
  if (order_.look_up) {
    base::Pass pass = take_turn(ending);
    if (!pass || look_up(ending)) return ending;
  }
  if (!order_.execute || stop_.stop_requested()) return ending;
  remote::Backend* engine = side_.tier.executor();
  if (engine == nullptr) {
    if (ending.why.empty()) ending.why = "no engine may be asked at present";
    return ending;
  }
  // Who waits for another's probe takes no other's turn meanwhile.
  base::Nanoseconds start = clock_.uptime();
  if (!confirm(*engine, ending)) return ending;
  if (base::Pass pass = take_turn(ending)) execute(*engine, start, ending);
  return ending;
}

// What nobody asked for is neither fetched nor kept.
void RemoteRun::leave_asked(remote::Answer& answer) const {
  const std::vector<std::string>& asked = order_.job.output_paths;
  std::erase_if(answer.outcome.files, [&](const cache::OutputFile& file) {
    return std::find(asked.begin(), asked.end(), file.path) == asked.end();
  });
}

// What is wrong with the outputs; empty when each that every result has is there and holds something.
std::string RemoteRun::lacks(const remote::Answer& answer) const {
  const std::vector<cache::OutputFile>& files = answer.outcome.files;
  for (const std::string& path : order_.required) {
    auto found = std::find_if(files.begin(), files.end(),
                              [&](const cache::OutputFile& file) { return file.path == path; });
    if (found == files.end()) return "missing_output: " + path;
    if (found->digest.size == 0) return "empty_output: " + path;
  }
  return {};
}

void RemoteRun::note_failure(const remote::Failure& failure, std::string& why) {
  why = failure.message;
  // Being told "no" is an answer; having waited in vain is none.
  bool silent = failure.cause == remote::Cause::timed_out || failure.cause == remote::Cause::cancelled;
  if (!silent) side_.times.note_reply();
  if (failure.cause == remote::Cause::exhausted) side_.tier.exhausted(lowerings_);
}

// Fetches what neither came along nor lies here already.
bool RemoteRun::complete(remote::Backend& backend, remote::Answer& answer, std::string& why) {
  std::vector<base::Digest> wanted;
  for (const cache::OutputFile& file : answer.outcome.files) {
    if (answer.contents.count(file.digest) > 0) continue;
    if (base::Result<std::string> here = store_.read(file.digest)) {
      answer.contents.emplace(file.digest, std::move(*here));
    } else {
      wanted.push_back(file.digest);
    }
  }
  if (wanted.empty()) return true;
  remote::Remote<remote::Contents> fetched = backend.fetch(order_.call, wanted, stop_.get_token());
  if (!fetched) {
    note_failure(fetched.error(), why);
    return false;
  }
  answer.contents.merge(*fetched);
  for (const base::Digest& digest : wanted) {
    if (answer.contents.count(digest) > 0) continue;
    why = "an output is gone from the storage";
    return false;
  }
  return true;
}

bool RemoteRun::look_up(Ending& ending) {
  remote::Backend* cache = side_.tier.cache();
  if (cache == nullptr) return false;
  base::Nanoseconds start = clock_.uptime();
  side_.times.note_question();
  remote::Remote<std::optional<remote::Answer>> found =
      cache->lookup(order_.call, order_.job.action, order_.job.output_paths, stop_.get_token());
  if (!found) {
    note_failure(found.error(), ending.why);
    return false;
  }
  side_.times.note_look_up(us_since(clock_, start));
  if (!found->has_value()) {
    order_.job.is_new = true;
    return false;
  }
  remote::Answer& answer = **found;
  leave_asked(answer);
  if (lacks(answer).empty() && complete(*cache, answer, ending.why)) {
    ending.answer = std::move(answer);
    return true;
  }
  // What the cache holds is of no use: it must not come back as the answer to the execution.
  order_.job.skip_cache = true;
  return false;
}

bool RemoteRun::confirm(remote::Backend& engine, Ending& ending) {
  side_.times.note_question();
  remote::Remote<void> alike =
      side_.confirmer.confirm(engine, order_.call, order_.outside, stop_.get_token());
  order_.outside = {};  // large, and the execution may take long
  // Many tasks are told of one failed probe: not a reason for each of them to lower the limit on calls.
  if (!alike && alike.error().cause == remote::Cause::exhausted) {
    ending.why = alike.error().message;
  } else if (!alike) {
    note_failure(alike.error(), ending.why);
  }
  return alike.ok();
}

void RemoteRun::execute(remote::Backend& engine, base::Nanoseconds start, Ending& ending) {
  // Once more when the engine's cache gave something useless.
  for (int attempt = 0; attempt < 2; ++attempt) {
    remote::Remote<remote::Answer> answer = engine.execute(
        order_.call, order_.job, [](remote::Stage) {}, stop_.get_token());
    if (!answer) return note_failure(answer.error(), ending.why);
    side_.tier.succeeded();
    side_.times.note_reply();
    leave_asked(*answer);
    if (answer->outcome.exit_code != 0) {
      ending.why = "the compiler reported an error on the cluster";
      ending.report = std::move(*answer);
      return;
    }
    // Looked at before anybody hears of an answer: a compile beside this one would be ended for it.
    ending.why = lacks(*answer);
    if (!ending.why.empty() || !complete(engine, *answer, ending.why)) {
      if (!answer->cached || order_.job.skip_cache) return;
      order_.job.skip_cache = true;
      continue;
    }
    side_.times.note_remote(order_.unit, us_since(clock_, start));
    ending.executed = !answer->cached;
    ending.why.clear();
    ending.answer = std::move(*answer);
    return;
  }
}

}  // namespace task
