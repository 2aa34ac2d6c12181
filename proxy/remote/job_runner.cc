#include "remote/job_runner.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "remote/answer.h"
#include "remote/pause.h"
#include "wire/reapi.pb.h"

namespace remote {
namespace {

using std::chrono::milliseconds;

constexpr int kMostRounds = 3;  // of mending, after the first attempt
constexpr milliseconds kFirstRoundPause{500};
constexpr milliseconds kLongestRoundPause{5000};
// What a server may ask us to wait. Who asks for more is too busy to be of use to a compile.
constexpr milliseconds kLongestWish{10'000};
// An action that has taken so long is not begun anew: what it does to its workers it does again.
constexpr std::chrono::minutes kLastRound{10};
constexpr int kCodeNotFound = 5;
constexpr int kProgramNotFound = 127;  // as shells and workers say it

Failure failure_in(const Execution::ExecuteResponse& response) {
  Failure failure = failure_of(response.status(), "Execute");
  if (response.status().code() == kCodeNotFound && response.result().exit_code() == kProgramNotFound) {
    failure.cause = Cause::engine;
    failure.message = "Execute: the program is not on the worker [" + failure.message + "]";
  }
  return failure;
}

}  // namespace

Remote<Answer> JobRunner::run(const Call& call, const Job& job, const std::function<void(Stage)>& on_stage,
                              const std::stop_token& stop) {
  if (on_stage) on_stage(Stage::sending);
  Remote<TransferCount> first = cas_.upload(call, job.sources, job.is_new ? Ask::files : Ask::unknown, stop);
  if (!first) return first.error();
  bool skip_cache = job.skip_cache;
  bool believed = false;  // the engine's word that something was missing, against its storage's
  milliseconds wait = kFirstRoundPause;
  const base::Nanoseconds began = clock_.uptime();
  for (int round = 0;; ++round) {
    std::uint64_t mended = mended_;
    Attempt attempt = execute(call, job, skip_cache, on_stage, stop);
    bool last = round == kMostRounds || clock_.uptime() - began > kLastRound;
    if (attempt.answer || attempt.remedy == Remedy::none || last) return attempt.answer;
    Failure failure = attempt.answer.error();
    if (attempt.remedy == Remedy::skip_cache) {
      if (skip_cache) return failure;
      skip_cache = true;
    } else if (attempt.remedy == Remedy::wait) {
      if (failure.retry_after > kLongestWish) return failure;
      pause(std::max(failure.retry_after, wait), stop);
      wait = std::min(2 * wait, kLongestRoundPause);
    } else {
      if (on_stage) on_stage(Stage::sending);
      Remote<TransferCount> sent = cas_.upload(call, job.sources, Ask::all, stop);
      if (!sent) return sent.error();
      if (sent->blobs > 0) ++mended_;
      // Another job may have sent the very blobs that this one missed.
      bool worth_it = mended_ != mended || (failure.cause == Cause::missing_blobs && !believed);
      if (failure.cause == Cause::missing_blobs) believed = true;
      if (!worth_it) {
        if (failure.cause != Cause::unplaceable) failure.cause = Cause::engine;
        return failure;
      }
    }
    if (stop.stop_requested()) return Failure{Cause::cancelled, "Execute: stopped"};
  }
}

JobRunner::Remedy JobRunner::remedy_of(const Failure& failure, bool by_worker) {
  switch (failure.cause) {
    case Cause::missing_blobs:
    case Cause::engine:
    case Cause::not_found:
    case Cause::unplaceable:  // what servers say of missing blobs and of missing workers is alike
      return Remedy::upload;
    case Cause::unavailable:
    case Cause::exhausted:
      return by_worker ? Remedy::wait : Remedy::none;  // a call was tried again already
    default:
      return Remedy::none;
  }
}

JobRunner::Attempt JobRunner::execute(const Call& call, const Job& job, bool skip_cache,
                                      const std::function<void(Stage)>& on_stage,
                                      const std::stop_token& stop) {
  Remote<Execution::ExecuteResponse> response =
      execution_.execute(call, job.action, job.output_paths, skip_cache, on_stage, stop);
  if (!response) return {response.error(), remedy_of(response.error(), false)};
  if (!skip_cache && response->cached_result() && response->status().code() == 0 &&
      response->result().exit_code() != 0) {
    // Engines that keep failures serve them for ever, also those that were the worker's fault.
    return {Failure{Cause::engine, "Execute: the engine keeps the failure of another run"},
            Remedy::skip_cache};
  }
  Attempt attempt = read(call, *response, stop);
  std::string remark = response->message().substr(0, kLongestRemark);
  if (attempt.answer) {
    attempt.answer->message = std::move(remark);
  } else if (!remark.empty()) {
    Failure failure = attempt.answer.error();
    failure.message += " (" + remark + ")";
    attempt.answer = std::move(failure);
  }
  return attempt;
}

JobRunner::Attempt JobRunner::read(const Call& call, const Execution::ExecuteResponse& response,
                                   const std::stop_token& stop) {
  // Before the exit code, which says 0 when the action was not run at all.
  if (response.status().code() != 0) {
    Failure failure = failure_in(response);
    bool program_absent = response.result().exit_code() == kProgramNotFound;
    return {failure, program_absent ? Remedy::none : remedy_of(failure, true)};
  }
  if (!response.has_result()) return {Failure{Cause::corrupt, "Execute: an answer without a result"}};
  base::Result<AnswerDraft> draft = read_result(response.result());
  if (!draft) {
    return {Failure{Cause::corrupt, "Execute: " + draft.error().message},
            response.cached_result() ? Remedy::skip_cache : Remedy::none};
  }
  Contents texts;
  if (std::vector<base::Digest> digests = wanted(*draft); !digests.empty()) {
    Remote<Contents> fetched = cas_.fetch(call, digests, stop);
    if (!fetched) return {fetched.error()};
    texts = std::move(*fetched);
  }
  std::optional<Answer> answer = finish(std::move(*draft), texts);
  if (!answer) {
    return {Failure{Cause::missing_blobs, "Execute: the messages of the compile are gone"},
            Remedy::skip_cache};
  }
  answer->cached = response.cached_result() && answer->outcome.exit_code == 0;
  return {std::move(*answer)};
}

}  // namespace remote
