// The records of tasks under way and of the last ones that ended, and the sums over all of them. Memory is
// bounded: the oldest records go first, by number and by the bytes of their texts, and what is kept of one
// command line is bounded too. Nothing here can fail.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "task/record.h"

namespace task {

struct Totals {
  std::uint64_t started = 0;
  std::map<std::string, std::uint64_t> results;  // by to_string(Result)
  std::map<std::string, std::uint64_t> reasons;  // by label
  std::uint64_t mismatches = 0;                  // the compiler read a file that the scan had not found
  std::uint64_t races_remote = 0;                // run in both places, and the cluster was first
  std::uint64_t races_local = 0;                 // the same, and this machine was first
  std::uint64_t saved_us = 0;                    // processor time of compiles spared by hits
  std::uint64_t max_active = 0;
  std::uint64_t ended = 0;
  std::array<std::uint64_t, kPhases> phase_us{};  // summed over the ended tasks
};

// Any thread.
class History {
 public:
  explicit History(std::size_t kept = 10'000);
  ~History();

  // Gives the record its id.
  std::uint64_t begin(Record record);
  // Replaces what is known of a running task (a phase ended).
  void update(const Record& record);
  // Moves it to the ended ones.
  void end(const Record& record);
  void count_mismatch();
  void count_race(bool remote_won);

  std::vector<Record> active() const;
  // The last to end first, at most `limit`, without the first `after` that ended in this daemon. So a reader
  // who passes the `ended` of totals() read before sees each task at least once, in whatever order they end.
  std::vector<Record> ended(std::size_t limit, std::uint64_t after = 0) const;
  std::optional<Record> find(std::uint64_t id) const;
  Totals totals() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace task
