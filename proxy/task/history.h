// The records of tasks under way and of the last ones that ended, and the sums over all of them.
#pragma once

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
  std::uint64_t mismatches = 0;   // the compiler read a file that the scan had not found
  std::uint64_t saved_us = 0;     // processor time of compiles spared by hits
  std::uint64_t max_active = 0;
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

  std::vector<Record> active() const;
  // The newest first, at most `limit`, with ids above `after`.
  std::vector<Record> ended(std::size_t limit, std::uint64_t after = 0) const;
  std::optional<Record> find(std::uint64_t id) const;
  Totals totals() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace task
