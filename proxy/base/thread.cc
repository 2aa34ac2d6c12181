#include "base/thread.h"

#include <pthread.h>
#include <signal.h>

#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace base {

struct Thread::Handle {
  pthread_t thread{};
  std::string name;
  std::function<void()> body;
};

namespace {

template <class Handle>
void* run_body(void* argument) {
  auto* handle = static_cast<Handle*>(argument);
#ifdef __linux__
  ::pthread_setname_np(::pthread_self(), handle->name.substr(0, 15).c_str());
#endif
  handle->body();
  return nullptr;
}

}  // namespace

Thread::Thread(const char* name, std::function<void()> body) : handle_(std::make_unique<Handle>()) {
  handle_->name = name;
  handle_->body = std::move(body);
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, kStackBytes);
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = ::pthread_create(&handle_->thread, &attributes, run_body<Handle>, handle_.get());
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_attr_destroy(&attributes);
  // Without threads the daemon can serve nobody; its clients then compile by themselves.
  if (error != 0) std::abort();
}

Thread::Thread() = default;
Thread::Thread(Thread&& other) noexcept = default;

Thread& Thread::operator=(Thread&& other) noexcept {
  if (this != &other) {
    join();
    handle_ = std::move(other.handle_);
  }
  return *this;
}

Thread::~Thread() { join(); }

void Thread::join() {
  if (!handle_) return;
  ::pthread_join(handle_->thread, nullptr);
  handle_.reset();
}

class ThreadPool::State {
 public:
  State(const char* name, std::size_t limit) : name_(name), limit_(limit) {}

  ~State() {
    {
      std::lock_guard lock(mutex_);
      ending_ = true;
    }
    wake_.notify_all();
    threads_.clear();  // joins
  }

  void run(std::function<void()> job) {
    {
      std::lock_guard lock(mutex_);
      jobs_.push_back(std::move(job));
      if (idle_ < jobs_.size() && threads_.size() < limit_) {
        threads_.emplace_back(name_.c_str(), [this] { work(); });
        return;
      }
    }
    wake_.notify_one();
  }

  bool is_crowded() const {
    std::lock_guard lock(mutex_);
    return idle_ <= jobs_.size() && threads_.size() >= limit_;
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      ++idle_;
      wake_.wait(lock, [this] { return ending_ || !jobs_.empty(); });
      --idle_;
      if (jobs_.empty()) return;
      std::function<void()> job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
      job = nullptr;
      lock.lock();
    }
  }

  const std::string name_;
  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;  // guarded by mutex_
  std::vector<Thread> threads_;             // guarded by mutex_, but for the destructor
  std::size_t idle_ = 0;                    // guarded by mutex_
  bool ending_ = false;                     // guarded by mutex_
};

ThreadPool::ThreadPool(const char* name, std::size_t limit) : state_(std::make_unique<State>(name, limit)) {}
ThreadPool::~ThreadPool() = default;
void ThreadPool::run(std::function<void()> job) { state_->run(std::move(job)); }
bool ThreadPool::is_crowded() const { return state_->is_crowded(); }

}  // namespace base
