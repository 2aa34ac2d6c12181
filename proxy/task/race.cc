#include "task/race.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/path.h"
#include "compiler/environment.h"
#include "task/accept.h"
#include "task/cached.h"
#include "task/colour.h"
#include "task/placement.h"
#include "task/plan.h"
#include "task/remote_run.h"
#include "task/run_local.h"

namespace task {
namespace {

class Race {
 public:
  Race(Task& task, Prepared& prepared)
      : task_(task), prepared_(prepared), side_(*task.services.remote), unit_name_(unit_name()) {}

  Reply run() {
    plan_ = make_plan(facts());
    if (plan_.look_up || plan_.execute) {
      if (std::optional<Reply> reply = run_remotely()) return *reply;
    }
    if (!plan_.here) return refuse();
    return run_here();
  }

 private:
  std::string unit_name() const { return base::join(task_.request.directory, prepared_.command.source); }

  PlanFacts facts() {
    PlanFacts facts;
    facts.can_look_up = side_.tier.cache() != nullptr;
    facts.can_execute = side_.tier.mode() == remote::Mode::cluster;
    facts.bound = bound_here(prepared_, side_);
    facts.may_run_here = !compiler::is_off(task_.request.env, "GOMA_FALLBACK");
    facts.may_race = !compiler::is_off(task_.request.env, "GOMA_USE_LOCAL");
    facts.store_only = compiler::is_on(task_.request.env, "GOMA_STORE_ONLY");
    const base::Gate& local = task_.services.gates.local;
    facts.free_slots = std::max(0, local.limit() - local.inside() - local.waiting());
    facts.remote_crowded = side_.tier.gate().waiting() > 0;
    facts.times = side_.times.estimate(unit_name_);
    if (facts.can_execute && !facts.bound.empty()) why_here_ = facts.bound;
    return facts;
  }

  // Takes from the Action what only the execution needs.
  RemoteRun::Order make_order() {
    RemoteRun::Order order;
    order.call = call();
    order.unit = unit_name_;
    order.look_up = plan_.look_up;
    order.execute = plan_.execute;
    for (const Destination& destination : prepared_.unit->destinations) {
      order.job.output_paths.push_back(destination.action_path);
      if (destination.required) order.required.push_back(destination.action_path);
    }
    std::sort(order.job.output_paths.begin(), order.job.output_paths.end());
    order.job.action = prepared_.action.digest;
    order.job.skip_cache = compiler::is_on(task_.request.env, "GOMA_STORE_ONLY");
    if (plan_.execute) add_execution(order);
    return order;
  }

  void add_execution(RemoteRun::Order& order) {
    remote::Action& action = prepared_.action;
    std::vector<remote::Source>& sources = order.job.sources;
    sources.reserve(action.files.size() + action.directories.size() + 2);
    for (remote::KeyFile& file : action.files) sources.push_back({file.digest, {}, std::move(file.path)});
    for (remote::Blob& blob : action.directories) {
      sources.push_back({blob.digest, std::move(blob.bytes), {}});
    }
    action.files.clear();
    action.directories.clear();
    sources.push_back({base::digest_of(action.command), action.command, {}});
    sources.push_back({action.digest, action.action, {}});
    order.outside = take_needs(action, side_.toolchain);
  }

  // Nothing when the compile is still to be run here.
  std::optional<Reply> run_remotely() {
    task_.services.history.update(task_.record);
    RemoteRun::Order order = make_order();
    if (plan_.head_start == kNoRace && side_.confirmer.knows(order.outside)) {
      return run_alone(std::move(order));
    }
    std::shared_ptr<RemoteRun> remote =
        RemoteRun::start(side_, task_.services.store, task_.services.clock, std::move(order));
    bool over = false;
    {
      PhaseTimer timer(task_, Phase::remote);
      over = remote->wait(plan_.head_start, task_.stop);
    }
    if (!over && !task_.stop.stop_requested()) {
      Reply reply = run_beside(*remote);
      // Lost or won, the other side is over or of no use now.
      over = remote->wait(std::chrono::milliseconds(0), {});
      bool lost = task_.record.result == Result::cancelled && over && !task_.stop.stop_requested();
      if (!over || lost) task_.services.history.count_race(lost);
      if (!lost) {
        remote->cancel();
        return reply;
      }
      task_.record.result = Result::running;
    }
    if (!over) {
      remote->cancel();
      return give_up();
    }
    return conclude(remote->take());
  }

  // Where nothing may run beside it, a thread of its own would only have to be woken and waited for. But a
  // probe goes on after a stop, and this thread must not.
  std::optional<Reply> run_alone(RemoteRun::Order order) {
    order.outside = {};
    RemoteRun::Ending ending;
    {
      PhaseTimer timer(task_, Phase::remote);
      ending =
          RemoteRun::run(side_, task_.services.store, task_.services.clock, std::move(order), task_.stop);
    }
    if (task_.stop.stop_requested()) return give_up();
    return conclude(std::move(ending));
  }

  Reply give_up() {
    task_.record.result = Result::cancelled;
    Reply reply;
    reply.lost = true;
    return reply;
  }

  // The local compile, which an answer from afar ends.
  Reply run_beside(const RemoteRun& remote) {
    std::stop_source either;
    auto end = [&either] { either.request_stop(); };
    std::stop_callback on_stop(task_.stop, end);
    std::stop_callback on_answer(remote.answered(), end);
    std::stop_token outer = std::exchange(task_.stop, either.get_token());
    Reply reply = run_here();
    task_.stop = outer;
    return reply;
  }

  std::optional<Reply> conclude(RemoteRun::Ending ending) {
    if (ending.report && !plan_.here) return show(*ending.report);
    if (!ending.answer) {
      why_here_ = ending.why;
      return std::nullopt;
    }
    base::Result<Reply> reply = accept(task_, prepared_, *ending.answer);
    if (!reply && reply.error().kind == base::ErrorKind::cancelled) return give_up();
    if (!reply) {
      why_here_ = reply.error().message;
      return std::nullopt;
    }
    task_.record.result = ending.executed ? Result::remote_exec : Result::remote_hit;
    if (ending.executed) note_phases(*ending.answer);
    return *reply;
  }

  void note_phases(const remote::Answer& answer) {
    task_.record.phase_us[static_cast<std::size_t>(Phase::queue)] = answer.queue_us;
    task_.record.phase_us[static_cast<std::size_t>(Phase::worker)] = answer.execute_us;
  }

  // What the compiler said on the worker, where nothing may be compiled here.
  Reply show(const remote::Answer& answer) {
    const Unit& unit = *prepared_.unit;
    task_.record.result = Result::failed;
    task_.record.exit_code = answer.outcome.exit_code;
    Reply reply;
    reply.exit_code = answer.outcome.exit_code;
    reply.strip = strip_for(unit.colour, unit.family, task_.request);
    reply.out = unit.portable ? remote::from_alias(answer.outcome.out, unit.roots) : answer.outcome.out;
    reply.err = unit.portable ? remote::from_alias(answer.outcome.err, unit.roots) : answer.outcome.err;
    return reply;
  }

  Reply refuse() {
    std::string why = why_here_.empty() ? "the cluster did not answer" : why_here_;
    task_.record.result = Result::failed;
    task_.record.exit_code = 1;
    task_.record.reason = "not_run_here: " + why;
    Reply reply;
    reply.exit_code = 1;
    reply.err = "gomacc: " + prepared_.command.source + ": " + why +
                " (GOMA_FALLBACK=false forbids to compile it here)\n";
    return reply;
  }

  Reply run_here() {
    Reply reply = run_local(task_, prepared_);
    if (task_.record.result != Result::local_exec) return reply;
    side_.times.note_local(unit_name_, task_.record.phase_us[static_cast<std::size_t>(Phase::execute)]);
    if (task_.record.reason.empty()) {
      if (prepared_.unit->portable || task_.services.key.chroot) offer();
      if (!why_here_.empty()) task_.record.reason = "remote: " + why_here_;
    }
    return reply;
  }

  void offer() {
    if (side_.tier.shares() == nullptr) return;
    side_.share.offer({call(), prepared_.action.digest, prepared_.action.action, prepared_.action.command});
  }

  remote::Call call() const {
    remote::Call call;
    call.build_id = side_.build_ids.of(task_.request.env, task_.request.pid);
    call.action_id = prepared_.action.digest.hex();
    call.target_id = prepared_.unit->output;
    return call;
  }

  Task& task_;
  Prepared& prepared_;
  RemoteSide& side_;
  const std::string unit_name_;
  Plan plan_;
  std::string why_here_;  // why the cluster did not answer, in words
};

}  // namespace

Reply race(Task& task, Prepared& prepared) { return Race(task, prepared).run(); }

}  // namespace task
