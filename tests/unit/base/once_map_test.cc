#include "base/once_map.h"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

TEST_CASE("a key is computed once however many ask") {
  base::OnceMap<std::string, int> map;
  std::atomic<int> computed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 20; ++i) {
    threads.emplace_back([&] {
      base::Result<int> value = map.get("key", {}, [&]() -> base::Result<int> { return ++computed; });
      CHECK(*value == 1);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(computed == 1);
}

TEST_CASE("when the computing task is cancelled a waiter takes over") {
  base::OnceMap<int, int> map;
  std::atomic<bool> started{false};
  std::atomic<bool> finish{false};
  std::thread first([&] {
    base::Result<int> value = map.get(1, {}, [&]() -> base::Result<int> {
      started = true;
      while (!finish) std::this_thread::yield();
      return base::cancelled();
    });
    CHECK(!value.ok());
  });
  while (!started) std::this_thread::yield();
  std::thread second([&] {
    base::Result<int> value = map.get(1, {}, []() -> base::Result<int> { return 7; });
    REQUIRE(value.ok());
    CHECK(*value == 7);
  });
  finish = true;
  first.join();
  second.join();
}

TEST_CASE("a lasting error is kept, a passing one is not") {
  base::OnceMap<int, int> map;
  int calls = 0;
  auto fail = [&](base::ErrorKind kind) {
    return [&calls, kind]() -> base::Result<int> {
      ++calls;
      return base::Error{kind, "x"};
    };
  };
  CHECK(!map.get(1, {}, fail(base::ErrorKind::unsupported)).ok());
  CHECK(!map.get(1, {}, fail(base::ErrorKind::unsupported)).ok());
  CHECK(calls == 1);
  CHECK(!map.get(2, {}, fail(base::ErrorKind::transient)).ok());
  CHECK(!map.get(2, {}, fail(base::ErrorKind::transient)).ok());
  CHECK(calls == 3);
}

TEST_CASE("an erased key is computed anew") {
  base::OnceMap<int, int> map;
  CHECK(*map.get(1, {}, []() -> base::Result<int> { return 1; }) == 1);
  CHECK(map.peek(1).has_value());
  map.erase(1);
  CHECK(!map.peek(1).has_value());
  CHECK(*map.get(1, {}, []() -> base::Result<int> { return 2; }) == 2);
}
