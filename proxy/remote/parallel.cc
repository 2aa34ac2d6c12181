#include "remote/parallel.h"

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>

namespace remote {
namespace {

// Helpers that start after everything is taken find nothing to do, and touch nothing but this.
struct Work {
  std::mutex mutex;
  std::condition_variable done;
  std::size_t next = 0;      // guarded by mutex
  std::size_t finished = 0;  // guarded by mutex
  std::size_t count = 0;
  const std::function<void(std::size_t)>* body = nullptr;  // valid while finished < count

  void run() {
    std::unique_lock lock(mutex);
    while (next < count) {
      std::size_t mine = next++;
      lock.unlock();
      (*body)(mine);
      lock.lock();
      if (++finished == count) done.notify_all();
    }
  }
};

}  // namespace

void for_each(base::ThreadPool& pool, std::size_t count, std::size_t width,
              const std::function<void(std::size_t)>& body) {
  auto work = std::make_shared<Work>();
  work->count = count;
  work->body = &body;
  for (std::size_t i = 1; i < std::min(count, width); ++i) {
    pool.run([work] { work->run(); });
  }
  work->run();
  std::unique_lock lock(work->mutex);
  work->done.wait(lock, [&] { return work->finished == count; });
}

}  // namespace remote
