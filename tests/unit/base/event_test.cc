#include "base/event.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <stop_token>
#include <thread>
#include <vector>

TEST_CASE("all who wait for it hear of it, and whoever comes later too") {
  base::Event event;
  std::atomic<int> heard{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([&] { heard += event.wait({}) ? 1 : 0; });
  event.set();
  for (std::thread& thread : threads) thread.join();
  CHECK(heard == 8);
  CHECK(event.wait({}));
  CHECK(event.wait_within(std::chrono::milliseconds(0), {}));
}

TEST_CASE("a stop ends the wait, whether it came before or comes meanwhile") {
  base::Event event;
  std::stop_source stop;
  std::atomic<bool> waiting{false};
  std::atomic<bool> happened{true};
  std::thread waiter([&] {
    waiting = true;
    happened = event.wait(stop.get_token());
  });
  while (!waiting) std::this_thread::yield();
  stop.request_stop();
  waiter.join();
  CHECK(!happened);
  CHECK(!event.wait(stop.get_token()));
  event.set();
  CHECK(event.wait(stop.get_token()));
}

TEST_CASE("a wait ends at its limit") {
  base::Event event;
  CHECK(!event.wait_within(std::chrono::milliseconds(1), {}));
  event.set();
  CHECK(event.wait_within(std::chrono::milliseconds(1), {}));
}

TEST_CASE("who waits may be gone before the one who tells is through") {
  for (int i = 0; i < 200; ++i) {
    auto event = std::make_shared<base::Event>();
    std::thread teller([event] { event->set(); });
    CHECK(event->wait({}));
    event.reset();
    teller.join();
  }
}
