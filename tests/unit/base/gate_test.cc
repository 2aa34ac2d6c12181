#include "base/gate.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

TEST_CASE("no more are inside than the limit, and all get in") {
  base::Gate gate(3);
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 40; ++i) {
    threads.emplace_back([&] {
      base::Result<base::Pass> pass = gate.enter({});
      REQUIRE(pass.ok());
      int now = ++inside;
      int seen = most;
      while (now > seen && !most.compare_exchange_weak(seen, now)) {
      }
      std::this_thread::yield();
      --inside;
      ++done;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(most <= 3);
  CHECK(done == 40);
  CHECK(gate.inside() == 0);
}

TEST_CASE("a stop gives up the place in the queue") {
  base::Gate gate(1);
  base::Result<base::Pass> held = gate.enter({});
  std::stop_source stop;
  std::atomic<bool> cancelled{false};
  std::thread waiter([&] {
    base::Result<base::Pass> pass = gate.enter(stop.get_token());
    cancelled = !pass.ok() && pass.error().kind == base::ErrorKind::cancelled;
  });
  while (gate.waiting() == 0) std::this_thread::yield();
  stop.request_stop();
  waiter.join();
  CHECK(cancelled);
  CHECK(gate.waiting() == 0);
  held->release();
  CHECK(gate.enter({}).ok());
}

TEST_CASE("a stop that came before is seen before entering") {
  base::Gate gate(1);
  std::stop_source stop;
  stop.request_stop();
  CHECK(!gate.enter(stop.get_token()).ok());
  CHECK(gate.inside() == 0);
}

TEST_CASE("a raised limit lets waiters in") {
  base::Gate gate(1);
  base::Result<base::Pass> held = gate.enter({});
  std::thread waiter([&] { CHECK(gate.enter({}).ok()); });
  while (gate.waiting() == 0) std::this_thread::yield();
  gate.set_limit(2);
  waiter.join();
  gate.set_limit(0);
  CHECK(gate.limit() == 1);
}

TEST_CASE("a moved pass is given back once") {
  base::Gate gate(1);
  {
    base::Pass first = std::move(*gate.enter({}));
    base::Pass second = std::move(first);
    CHECK(!first);
    CHECK(gate.inside() == 1);
  }
  CHECK(gate.inside() == 0);
}

TEST_CASE("a wait with a limit ends, and leaves the queue") {
  base::Gate gate(1);
  base::Result<base::Pass> held = gate.enter({});
  base::Result<base::Pass> late = gate.enter_within(std::chrono::milliseconds(1), {});
  REQUIRE(!late.ok());
  CHECK(late.error().kind == base::ErrorKind::transient);
  CHECK(gate.waiting() == 0);
  held->release();
  CHECK(gate.enter_within(std::chrono::milliseconds(1), {}).ok());
}
