#include "task/plan.h"

#include <algorithm>

namespace task {
namespace {

using std::chrono::milliseconds;

// Below the one a race would start for answers that are on their way already. The other is what a build of
// half a minute can spare while its processors are free and nothing comes: a few of a hundred. A compile that
// is begun beside an answer costs processor time only, since it ends with the answer.
constexpr milliseconds kShortest{200};
constexpr milliseconds kLongest{1'000};
// For a connection to be made and the first answer to come.
constexpr milliseconds kUnknown{300};

milliseconds head_start(const PlanFacts& facts, bool execute) {
  if (!facts.may_race) return kNoRace;
  // Whoever has not answered lately may be gone; a free processor then has something better to do than wait.
  if (!facts.times.steady) return milliseconds(0);
  std::uint64_t usual_us = execute ? 2 * facts.times.remote_us : 4 * facts.times.look_up_us;
  if (usual_us == 0) return kUnknown;
  auto usual = std::chrono::duration_cast<milliseconds>(std::chrono::microseconds(usual_us));
  return std::clamp(usual, kShortest, kLongest);
}

}  // namespace

Plan make_plan(const PlanFacts& facts) {
  Plan plan;
  plan.here = true;
  plan.look_up = facts.can_look_up && !facts.store_only;
  plan.execute = facts.can_execute && facts.bound.empty();
  if (plan.execute) plan.here = facts.may_run_here;
  if (plan.execute && plan.here && facts.may_race && facts.free_slots > 0) {
    bool quicker_here = facts.times.local_us != 0 && facts.times.local_us < facts.times.remote_us / 2;
    plan.execute = !quicker_here && !facts.remote_crowded;
  }
  if (plan.look_up || plan.execute) {
    plan.head_start = plan.here ? head_start(facts, plan.execute) : kNoRace;
  }
  return plan;
}

}  // namespace task
