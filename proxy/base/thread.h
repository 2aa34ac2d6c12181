// Threads with small stacks, and a pool that grows on demand: one thread per task, for as long as it takes.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace base {

// Stack of every thread of ours. Nothing recurses over input, so this is ample; sanitizers need more.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr std::size_t kStackBytes = 4u << 20;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr std::size_t kStackBytes = 4u << 20;
#else
inline constexpr std::size_t kStackBytes = 256u << 10;
#endif
#else
inline constexpr std::size_t kStackBytes = 256u << 10;
#endif

// A thread that is joined when the object ends. Signals meant for the process are blocked in it, so that the
// main thread alone receives them.
class Thread {
 public:
  Thread();
  // Starts at once. Ends the program when the system has no thread left at start-up.
  Thread(const char* name, std::function<void()> body);
  Thread(Thread&& other) noexcept;
  Thread& operator=(Thread&& other) noexcept;
  ~Thread();

  void join();

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

// Runs jobs on at most `limit` threads; further jobs wait their turn. An idle thread stays for the next job.
// Any thread may call. The destructor waits for all jobs.
class ThreadPool {
 public:
  ThreadPool(const char* name, std::size_t limit);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  void run(std::function<void()> job);

  // Whether a job that were run now would have to wait for a thread.
  bool is_crowded() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace base
