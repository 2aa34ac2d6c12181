#include "task/plan.h"

#include <doctest/doctest.h>

namespace {

using std::chrono::milliseconds;

task::PlanFacts cluster() {
  task::PlanFacts facts;
  facts.can_look_up = true;
  facts.can_execute = true;
  facts.times = {4'000'000, 500'000, 10'000, true};
  return facts;
}

}  // namespace

TEST_CASE("with nothing far away everything runs here at once") {
  task::Plan plan = task::make_plan({});
  CHECK(!plan.look_up);
  CHECK(!plan.execute);
  CHECK(plan.here);
  CHECK(plan.head_start == milliseconds(0));
}

TEST_CASE("a cluster gets twice its usual time before a local compile starts beside it") {
  task::Plan plan = task::make_plan(cluster());
  CHECK(plan.look_up);
  CHECK(plan.execute);
  CHECK(plan.here);
  CHECK(plan.head_start == milliseconds(1'000));
  task::PlanFacts quick = cluster();
  quick.times.remote_us = 1;
  CHECK(task::make_plan(quick).head_start == milliseconds(200));
  task::PlanFacts slow = cluster();
  slow.times.remote_us = 60'000'000;
  CHECK(task::make_plan(slow).head_start == milliseconds(1'000));
}

TEST_CASE("an endpoint that nobody has asked yet gets time for the first answer") {
  task::PlanFacts facts = cluster();
  facts.times.remote_us = 0;
  CHECK(task::make_plan(facts).head_start == milliseconds(300));
}

TEST_CASE("an endpoint that has not answered lately gets no head start") {
  task::PlanFacts facts = cluster();
  facts.times.steady = false;
  CHECK(task::make_plan(facts).head_start == milliseconds(0));
}

TEST_CASE("a bound compile is looked up and not executed") {
  task::PlanFacts facts = cluster();
  facts.bound = "native_cpu: x";
  facts.may_run_here = false;
  task::Plan plan = task::make_plan(facts);
  CHECK(plan.look_up);
  CHECK(!plan.execute);
  // Nobody but this machine can compile it.
  CHECK(plan.here);
}

TEST_CASE(
    "GOMA_FALLBACK=false keeps a compile away from here, GOMA_USE_LOCAL=false as long as the other side "
    "lasts") {
  task::PlanFacts facts = cluster();
  facts.may_run_here = false;
  CHECK(!task::make_plan(facts).here);
  CHECK(task::make_plan(facts).head_start == task::kNoRace);
  facts = cluster();
  facts.may_race = false;
  CHECK(task::make_plan(facts).here);
  CHECK(task::make_plan(facts).head_start == task::kNoRace);
}

TEST_CASE("what is quicker here runs here when there is room") {
  task::PlanFacts facts = cluster();
  facts.times.local_us = 100'000;
  CHECK(task::make_plan(facts).execute);
  facts.free_slots = 1;
  CHECK(!task::make_plan(facts).execute);
  facts.may_race = false;
  CHECK(task::make_plan(facts).execute);
}

TEST_CASE("a crowd before the cluster sends a compile to a free slot") {
  task::PlanFacts facts = cluster();
  facts.remote_crowded = true;
  CHECK(task::make_plan(facts).execute);
  facts.free_slots = 1;
  CHECK(!task::make_plan(facts).execute);
}

TEST_CASE("results that are wanted new are not looked up") {
  task::PlanFacts facts = cluster();
  facts.store_only = true;
  CHECK(!task::make_plan(facts).look_up);
  CHECK(task::make_plan(facts).execute);
}
