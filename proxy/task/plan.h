// Where a compile that this machine's cache cannot answer is to run: elsewhere, here, or both until one of
// them is done. Pure.
#pragma once

#include <chrono>
#include <string>

#include "task/times.h"

namespace task {

struct PlanFacts {
  bool can_look_up = false;     // a cache from afar may be asked
  bool can_execute = false;     // an engine may be asked
  bool may_run_here = true;     // false: GOMA_FALLBACK=false
  bool may_race = true;         // false: GOMA_USE_LOCAL=false, here only when elsewhere failed
  bool store_only = false;      // GOMA_STORE_ONLY: results are wanted new
  std::string bound;            // why it can run on no other machine; empty when it can
  int free_slots = 0;           // local compiles that could start now
  bool remote_crowded = false;  // others wait for their turn to call
  Estimate times;
};

// A head start that never ends: nothing is compiled here before the remote side has failed.
inline constexpr std::chrono::milliseconds kNoRace = std::chrono::hours(24);

struct Plan {
  bool look_up = false;
  bool execute = false;
  bool here = true;
  // How long the remote side is alone before a local compile may start beside it; kNoRace where none may.
  std::chrono::milliseconds head_start{0};
};

Plan make_plan(const PlanFacts& facts);

}  // namespace task
