#include "base/thread.h"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

TEST_CASE("a thread is joined at its end") {
  std::atomic<bool> ran{false};
  {
    base::Thread thread("test", [&] { ran = true; });
  }
  CHECK(ran);
}

TEST_CASE("a pool runs every job, on no more threads than its limit") {
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::atomic<int> done{0};
  {
    base::ThreadPool pool("test", 4);
    for (int i = 0; i < 200; ++i) {
      pool.run([&] {
        int now = ++inside;
        int seen = most;
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
        ++done;
        --inside;
      });
    }
  }
  CHECK(done == 200);
  CHECK(most <= 4);
}

TEST_CASE("jobs that wait for each other all get a thread") {
  std::mutex mutex;
  std::condition_variable all_here;
  int here = 0;
  base::ThreadPool pool("test", 8);
  for (int i = 0; i < 8; ++i) {
    pool.run([&] {
      std::unique_lock lock(mutex);
      ++here;
      all_here.notify_all();
      all_here.wait(lock, [&] { return here == 8; });
    });
  }
  std::unique_lock lock(mutex);
  all_here.wait(lock, [&] { return here == 8; });
  CHECK(here == 8);
}
