// Everything a task works with, around a folder of its own: real files, the real g++, a store, and a gomacc
// that is played by this process and remembers what it was told to run.
#pragma once

#include <sys/stat.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/path.h"
#include "base/spawn.h"
#include "fake/temp_dir.h"
#include "task/compile.h"
#include "task/prepare.h"
#include "task/services.h"

namespace fake {

// Runs what the daemon orders, as gomacc would.
class Client : public task::Client {
 public:
  explicit Client(std::string directory) : directory_(std::move(directory)) {}

  base::Result<task::RunReport> run(const task::RunOrder& order, const std::stop_token& stop) override {
    orders.push_back(order);
    if (vanished) return base::cancelled();
    if (before_run && before_run()) {
      std::mutex mutex;
      std::unique_lock lock(mutex);
      std::condition_variable_any().wait_for(lock, stop, std::chrono::seconds(60), [] { return false; });
      if (stop.stop_requested()) ++stopped;
      return base::cancelled();
    }
    base::SpawnRequest request;
    request.argv = order.argv;
    if (!base::is_absolute(request.argv[0])) request.argv[0] = "/usr/bin/" + request.argv[0];
    request.env = {"PATH=/usr/bin:/bin", "LANG=C.UTF-8"};
    request.directory = directory_;
    base::Result<base::SpawnOutcome> outcome = base::real_spawner().run(request, stop);
    if (!outcome) return outcome.error();
    if (after_run) after_run();
    task::RunReport report;
    report.wait_status = outcome->exit_code << 8;
    report.user_us = 1000;
    report.out = outcome->out;
    report.err = outcome->err;
    for (const std::string& path : order.outputs) {
      struct stat status {};
      bool exists = ::lstat(base::join(directory_, path).c_str(), &status) == 0 && S_ISREG(status.st_mode);
      report.outputs.push_back(
          {exists, status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size)});
    }
    if (spoil_report) spoil_report(report);
    return report;
  }

  bool gone() override { return left; }

  std::vector<task::RunOrder> orders;
  bool left = false;                                   // gomacc does not wait for the end
  bool vanished = false;                               // gomacc goes away instead of running anything
  int stopped = 0;                                     // runs that were ended from outside
  std::function<bool()> before_run;                    // true: it lasts until it is stopped
  std::function<void()> after_run;                     // a change that happens while the compiler runs
  std::function<void(task::RunReport&)> spoil_report;  // what gomacc says instead

 private:
  const std::string directory_;
};

class TaskWorld {
 public:
  TaskWorld()
      : work_(dir_ / "work"),
        identifier_(base::real_files(), base::real_spawner(), ""),
        dialects_(base::real_files(), base::real_spawner(), ""),
        index_(base::real_files(), base::real_clock()),
        scanner_(index_, dialects_),
        store_({dir_ / "cache", 0}, base::real_clock()),
        gates_{base::Gate(2), base::Gate(2), 2},
        neighbours_(base::real_files()),
        services_{base::real_files(),
                  base::real_clock(),
                  index_,
                  identifier_,
                  scanner_,
                  store_,
                  history_,
                  gates_,
                  memo_,
                  compiler_watch_,
                  neighbours_,
                  {},
                  dir_ / "private",
                  true},
        client(work_) {
    std::filesystem::create_directories(work_);
    std::filesystem::create_directories(dir_ / "private");
  }

  // Writes a file that is as old as what a build finds.
  void write(const std::string& name, const std::string& text) {
    std::string path = dir_.write("work/" + name, text);
    std::filesystem::last_write_time(path,
                                     std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  }
  std::string read(const std::string& name) const { return dir_.read("work/" + name); }
  bool exists(const std::string& name) const { return std::filesystem::exists(work_ + "/" + name); }
  void remove(const std::string& name) { std::filesystem::remove(work_ + "/" + name); }

  task::Request request(const std::vector<std::string>& argv,
                        wire::Purpose purpose = wire::Purpose::compile) {
    task::Request out;
    out.purpose = purpose;
    out.directory = work_;
    out.compiler = "/usr/bin/g++";
    out.argv = argv;
    out.env = {"PATH=/usr/bin:/bin", "LANG=C.UTF-8"};
    out.arrival = base::real_clock().wall();
    return out;
  }

  // One compile through the front door.
  task::Reply compile(const std::vector<std::string>& argv) {
    // The time stamps of what was written before this request are older than it.
    return task::serve(services_, request(argv), client, {});
  }
  task::Record last() const { return history_.ended(1).at(0); }

  const std::string& work() const { return work_; }
  const task::Services& services() const { return services_; }
  task::Services& services() { return services_; }
  cache::Store& store() { return store_; }
  task::History& history() { return history_; }

 private:
  TempDir dir_;
  const std::string work_;
  compiler::Identifier identifier_;
  compiler::Dialects dialects_;
  inputs::FileIndex index_;
  inputs::Scanner scanner_;
  cache::Store store_;
  task::History history_;
  task::Gates gates_;
  task::UnitMemo memo_;
  task::CompilerWatch compiler_watch_;
  task::Neighbours neighbours_;
  task::Services services_;

 public:
  Client client;
};

}  // namespace fake
