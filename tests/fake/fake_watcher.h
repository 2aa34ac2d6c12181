// Watchers for tests: one whose notices the test writes itself, and one that passes on the kernel's but can
// be told to lose them or to refuse watches.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "inputs/watcher.h"

namespace fake {

// Each path gets a watch of its own. Any thread.
class FakeWatcher : public inputs::Watcher {
 public:
  // Queues a notice about `name` in a watched directory, or with an empty name about what is watched itself.
  // Without a watch nobody is told, as with the kernel.
  void tell(Kind kind, const std::string& watched, const std::string& name = "", bool directory = false) {
    std::lock_guard lock(mutex_);
    if (auto found = watches_.find(watched); found != watches_.end()) {
      queue_.push_back({kind, found->second, directory, name});
    }
  }
  void lose() {
    std::lock_guard lock(mutex_);
    queue_.push_back({Kind::everything, -1, false, ""});
  }
  bool watches(const std::string& path) const {
    std::lock_guard lock(mutex_);
    return watches_.count(path) != 0;
  }

  std::atomic<bool> reliable_devices{true};
  std::atomic<bool> refuse{false};
  std::atomic<std::size_t> files{1000};
  std::atomic<int> restarts{0};

  bool reliable(const std::string&, std::uint64_t) override { return reliable_devices; }
  Added add(const std::string& path, int& watch) override {
    std::lock_guard lock(mutex_);
    if (refuse) return Added::refused;
    auto [found, is_new] = watches_.try_emplace(path, last_ + 1);
    if (is_new) ++last_;
    watch = found->second;
    return Added::yes;
  }
  Added add_file(const std::string& path, int& watch) override { return add(path, watch); }
  std::size_t file_limit() override { return files; }
  void remove(int watch) override {
    std::lock_guard lock(mutex_);
    for (auto it = watches_.begin(); it != watches_.end(); ++it) {
      if (it->second == watch) {
        watches_.erase(it);
        return;
      }
    }
  }
  bool restart() override {
    std::lock_guard lock(mutex_);
    watches_.clear();
    queue_.clear();
    ++restarts;
    return true;
  }
  void drain(const Sink& sink) override {
    while (true) {
      Told told;
      {
        std::lock_guard lock(mutex_);
        if (queue_.empty()) return;
        told = queue_.front();
        queue_.pop_front();
      }
      if (!sink({told.kind, told.watch, told.directory, told.kind == Kind::everything, told.name})) return;
    }
  }

 private:
  struct Told {
    Kind kind;
    int watch;
    bool directory;
    std::string name;
  };
  mutable std::mutex mutex_;
  std::map<std::string, int> watches_;
  std::deque<Told> queue_;
  int last_ = 0;
};

// The kernel's notices, with accidents. Any thread may set the flags.
class LossyWatcher : public inputs::Watcher {
 public:
  explicit LossyWatcher(std::unique_ptr<inputs::Watcher> inner) : inner_(std::move(inner)) {}

  std::atomic<bool> lose_next{false};  // the next drain loses all notices, as a full queue does
  std::atomic<bool> refuse{false};
  std::atomic<bool> reliable_devices{true};

  bool reliable(const std::string& path, std::uint64_t dev) override {
    return reliable_devices && inner_->reliable(path, dev);
  }
  Added add(const std::string& path, int& watch) override {
    return refuse ? Added::refused : inner_->add(path, watch);
  }
  Added add_file(const std::string& path, int& watch) override {
    return refuse ? Added::refused : inner_->add_file(path, watch);
  }
  std::size_t file_limit() override { return inner_->file_limit(); }
  void remove(int watch) override { inner_->remove(watch); }
  bool restart() override { return inner_->restart(); }
  void drain(const Sink& sink) override {
    if (!lose_next.exchange(false)) return inner_->drain(sink);
    inner_->drain([](const Event&) { return true; });
    sink({Kind::everything, -1, false, true, {}});
  }

 private:
  std::unique_ptr<inputs::Watcher> inner_;
};

}  // namespace fake
