#include "task/history.h"

#include <doctest/doctest.h>

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace {

task::Record named(const std::string& source) {
  task::Record record;
  record.source = source;
  return record;
}

// Begins and ends a task, and returns its id.
std::uint64_t run(task::History& history, task::Record record, task::Result result) {
  record.id = history.begin(record);
  record.result = result;
  history.end(record);
  return record.id;
}

}  // namespace

TEST_CASE("ids count from one, and a task is active until it ends") {
  task::History history;
  task::Record first = named("a.cc");
  first.id = history.begin(first);
  CHECK(first.id == 1);
  CHECK(history.begin(named("b.cc")) == 2);
  CHECK(history.active().size() == 2);

  first.result = task::Result::local_exec;
  history.end(first);
  REQUIRE(history.active().size() == 1);
  CHECK(history.active()[0].source == "b.cc");
  REQUIRE(history.ended(10).size() == 1);
  CHECK(history.ended(10)[0].source == "a.cc");
  CHECK(history.totals().max_active == 2);
}

TEST_CASE("an update shows while the task runs and is ignored afterwards") {
  task::History history;
  task::Record record = named("a.cc");
  record.id = history.begin(record);
  record.inputs = 7;
  history.update(record);
  CHECK(history.find(record.id)->inputs == 7);

  record.result = task::Result::local_hit;
  history.end(record);
  record.inputs = 9;
  history.update(record);
  history.end(record);
  CHECK(history.find(record.id)->inputs == 7);
  CHECK(history.ended(10).size() == 1);
  CHECK(history.totals().ended == 1);
}

TEST_CASE("the ring keeps the last to end, newest first") {
  task::History history(3);
  for (int i = 1; i <= 5; ++i) run(history, named(std::to_string(i)), task::Result::local_exec);
  auto ended = history.ended(10);
  REQUIRE(ended.size() == 3);
  CHECK(ended[0].source == "5");
  CHECK(ended[2].source == "3");
  CHECK(history.ended(2).size() == 2);
  CHECK(!history.find(1).has_value());
  CHECK(history.find(4)->source == "4");
  CHECK(history.totals().ended == 5);
}

TEST_CASE("a reader that passes the number ended so far sees a slow task too") {
  task::History history;
  task::Record slow = named("slow.cc");
  slow.id = history.begin(slow);
  run(history, named("quick.cc"), task::Result::local_hit);
  std::uint64_t seen = history.totals().ended;
  CHECK(history.ended(10, seen).empty());

  slow.result = task::Result::local_exec;
  history.end(slow);
  auto fresh = history.ended(10, seen);
  REQUIRE(fresh.size() == 1);
  CHECK(fresh[0].source == "slow.cc");
  CHECK(history.ended(10, 99).empty());
}

TEST_CASE("totals count results, reasons by label, phases, and the time that hits saved") {
  task::History history;
  task::Record hit = named("a.cc");
  hit.compile_us = 500;
  hit.phase_us[static_cast<std::size_t>(task::Phase::scan)] = 30;
  run(history, hit, task::Result::local_hit);
  run(history, hit, task::Result::remote_hit);
  run(history, hit, task::Result::local_exec);
  task::Record refused = named("b.cc");
  refused.reason = "unknown_flag: -foo";
  run(history, refused, task::Result::passthrough);
  refused.reason = "unknown_flag: -bar";
  run(history, refused, task::Result::passthrough);
  history.count_mismatch();
  history.count_race(true);
  history.count_race(true);
  history.count_race(false);

  task::Totals totals = history.totals();
  CHECK(totals.started == 5);
  CHECK(totals.results["local_hit"] == 1);
  CHECK(totals.results["passthrough"] == 2);
  CHECK(totals.reasons.size() == 1);
  CHECK(totals.reasons["unknown_flag"] == 2);
  CHECK(totals.saved_us == 1000);
  CHECK(totals.phase_us[static_cast<std::size_t>(task::Phase::scan)] == 90);
  CHECK(totals.mismatches == 1);
  CHECK(totals.races_remote == 2);
  CHECK(totals.races_local == 1);
}

TEST_CASE("a huge command line is shortened, and huge records push out old ones") {
  task::History history;
  task::Record record = named("a.cc");
  record.command = std::string(100'000, 'x');
  std::uint64_t id = run(history, record, task::Result::local_exec);
  std::string command = history.find(id)->command;
  CHECK(command.size() < 40'000);
  CHECK(command.find("more bytes") != std::string::npos);

  for (int i = 0; i < 3000; ++i) run(history, record, task::Result::local_exec);
  CHECK(history.ended(10'000).size() < 2500);
  CHECK(history.totals().ended == 3001);
}

TEST_CASE("reasons stay bounded when every label is new") {
  task::History history;
  for (int i = 0; i < 1000; ++i) {
    task::Record record = named("a.cc");
    record.reason = "label" + std::to_string(i) + ": x";
    run(history, record, task::Result::passthrough);
  }
  CHECK(history.totals().reasons.size() <= 257);
  CHECK(history.totals().reasons["other"] > 700);
}

TEST_CASE("many threads at once lose nothing") {
  task::History history(100);
  std::atomic<bool> stop{false};
  std::thread reader([&] {
    while (!stop) {
      for (const task::Record& record : history.ended(50)) (void)history.find(record.id);
      (void)history.active();
    }
  });
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i) {
    writers.emplace_back([&] {
      for (int n = 0; n < 500; ++n) run(history, named("a.cc"), task::Result::local_hit);
    });
  }
  for (auto& writer : writers) writer.join();
  stop = true;
  reader.join();
  CHECK(history.totals().ended == 2000);
  CHECK(history.totals().results["local_hit"] == 2000);
  CHECK(history.active().empty());
  std::set<std::uint64_t> ids;
  for (const task::Record& record : history.ended(1000)) ids.insert(record.id);
  CHECK(ids.size() == 100);
}
