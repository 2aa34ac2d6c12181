// A TaskWorld with a cluster behind it: a fake backend, filled with what the real compiler makes.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/thread.h"
#include "compiler/environment.h"
#include "fake/fake_backend.h"
#include "fake/task_world.h"
#include "remote/build_id.h"
#include "remote/confirm.h"
#include "remote/tier.h"
#include "task/remote_side.h"

namespace fake {

class RemoteWorld {
 public:
  explicit RemoteWorld(remote::Mode mode = remote::Mode::cluster)
      : tier_({mode, 4}, own_backend(), nullptr, nullptr),
        confirmer_({}, tier_.gate(), base::real_clock()),
        pool_("remote", 16),
        times_(base::real_clock()),
        share_(std::make_unique<task::Share>(tier_, world.store())),
        build_ids_(base::real_files()),
        side{tier_, confirmer_, pool_, times_, *share_, build_ids_, remote::Toolchain::image, true} {
    world.services().key.list_outside = true;
    world.write("x.h", "int h();\n");
    world.write("x.cc", "#include \"x.h\"\nint f() { return h(); }\n");
  }

  ~RemoteWorld() { confirmer_.end(); }

  static std::vector<std::string> command() { return {"g++", "-c", "x.cc", "-o", "x.o"}; }

  // Compiles here, moves the result to the cluster, and forgets that it was compiled. The object.
  std::string make_result(const std::vector<std::string>& argv = command()) {
    world.services().remote = nullptr;
    world.compile(argv);
    REQUIRE(world.last().result == task::Result::local_exec);
    REQUIRE(world.last().reason.empty());
    std::string object = world.read("x.o");
    action = action_of(argv);
    std::optional<cache::Outcome> outcome = world.store().lookup(action);
    REQUIRE(outcome.has_value());
    answer = remote::Answer{};
    answer.outcome = *outcome;
    for (const cache::OutputFile& file : outcome->files) {
      base::Result<std::string> bytes = world.store().read(file.digest);
      REQUIRE(bytes.ok());
      backend->put_blob(*bytes);
    }
    REQUIRE(world.store().clear().ok());
    world.remove("x.o");
    world.client.orders.clear();
    world.services().remote = &side;
    return object;
  }

  // The worker holds the same files as this machine.
  void confirm_everything() {
    backend->before_execute = [this](const remote::Job& job) {
      if (!job.output_paths.empty()) return;
      remote::Answer good;
      for (const remote::Source& source : job.sources) good.outcome.out += probe_answer(source.bytes);
      good.outcome.out += "end of probe\n";
      backend->put_result(job.action, good);
    };
  }

  TaskWorld world;
  FakeBackend* backend = nullptr;  // the tier's
  base::Digest action;
  remote::Answer answer;

 private:
  std::unique_ptr<remote::Backend> own_backend() {
    auto made = std::make_unique<FakeBackend>();
    backend = made.get();
    return made;
  }

  base::Digest action_of(const std::vector<std::string>& argv) {
    task::Request request = world.request(argv);
    task::Task task{world.services(), request, world.client, {}, {}, 0};
    task::refresh_index(task);
    // As the front door makes it: PWD is not set here.
    base::Result<std::vector<std::string>> env = compiler::key_environment(request.env);
    base::Result<task::Prepared> prepared = task::prepare(task, *env);
    REQUIRE(prepared.ok());
    return prepared->action.digest;
  }

  // What sha256sum and the shell would say of one input of the probe, when all is as wanted.
  static std::string probe_answer(const std::string& bytes) {
    std::string out;
    std::size_t at = 0;
    while (at < bytes.size()) {
      std::size_t end = bytes.find('\n', at);
      if (end == std::string::npos) break;
      std::string line = bytes.substr(at, end - at);
      at = end + 1;
      if (line.size() > 66 && line.compare(64, 3, "  /") == 0) out += line.substr(66) + ": OK\n";
      if (line.starts_with("/")) out += "absent: " + line + "\n";
    }
    return out;
  }

  remote::Tier tier_;
  remote::Confirmer confirmer_;
  base::ThreadPool pool_;
  task::Times times_;
  std::unique_ptr<task::Share> share_;
  remote::BuildIds build_ids_;

 public:
  task::RemoteSide side;
  remote::Tier& tier() { return tier_; }
  task::Times& times() { return times_; }
  task::Share& share() { return *share_; }
};

// No local compile may begin beside the remote side: what a test sees then does not depend on time.
inline task::Reply compile_without_race(RemoteWorld& remote) {
  task::Request request = remote.world.request(RemoteWorld::command());
  request.env.push_back("GOMA_USE_LOCAL=false");
  return task::serve(remote.world.services(), request, remote.world.client, {});
}

}  // namespace fake
