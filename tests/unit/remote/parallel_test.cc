#include "remote/parallel.h"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <vector>

TEST_CASE("each index once, all of them done at the return") {
  base::ThreadPool pool("test", 4);
  for (std::size_t count : {0u, 1u, 2u, 100u}) {
    std::vector<std::atomic<int>> seen(count);
    remote::for_each(pool, count, 8, [&](std::size_t i) { ++seen[i]; });
    for (const std::atomic<int>& times : seen) CHECK(times == 1);
  }
}

TEST_CASE("several run at a time: each waits for the other") {
  std::mutex mutex;
  std::condition_variable changed;
  int inside = 0;
  bool met = true;
  base::ThreadPool pool("test", 1);
  remote::for_each(pool, 2, 2, [&](std::size_t) {
    std::unique_lock lock(mutex);
    ++inside;
    changed.notify_all();
    met = changed.wait_for(lock, std::chrono::seconds(20), [&] { return inside == 2; }) && met;
  });
  CHECK(met);
}

TEST_CASE("a pool that is busy holds nobody up") {
  std::mutex mutex;
  std::condition_variable changed;
  bool release = false;
  base::ThreadPool pool("test", 1);
  pool.run([&] {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return release; });
  });
  std::atomic<int> done{0};
  remote::for_each(pool, 5, 5, [&](std::size_t) { ++done; });
  CHECK(done == 5);
  std::lock_guard lock(mutex);
  release = true;
  changed.notify_all();
}
