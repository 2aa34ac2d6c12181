#include "remote/find_missing.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <unordered_set>

#include "cache/outcome_codec.h"
#include "fake/fake_clock.h"
#include "fake/noise.h"
#include "wire/reapi.pb.h"

using remote::Cause;
using remote::Failure;
using Digests = std::vector<base::Digest>;
using Missing = remote::Remote<Digests>;

namespace {

constexpr std::chrono::hours kNever{1};

// Waits, bounded, for what another thread will bring about.
template <class Condition>
bool eventually(Condition condition) {
  for (auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
       std::chrono::steady_clock::now() < end; std::this_thread::yield())
    if (condition()) return true;
  return false;
}

// Answers by a list of what is missing; calls with the numbers held wait to be let go.
class Server {
 public:
  void hold(std::size_t call) {
    std::lock_guard lock(mutex_);
    held_.insert(call);
  }
  void let_go(std::size_t call) {
    std::lock_guard lock(mutex_);
    held_.erase(call);
    changed_.notify_all();
  }
  void lacks(const base::Digest& digest) {
    std::lock_guard lock(mutex_);
    missing_.insert(digest);
  }
  void has(const base::Digest& digest) {
    std::lock_guard lock(mutex_);
    missing_.erase(digest);
  }
  void fail(std::size_t call, Failure failure) {
    std::lock_guard lock(mutex_);
    failures_.emplace(call, std::move(failure));
  }
  std::vector<Digests> calls() const {
    std::lock_guard lock(mutex_);
    return calls_;
  }
  bool wait_for(std::size_t calls) const {
    return eventually([&] { return this->calls().size() >= calls; });
  }

  // The answer is made when the call arrives, as a server's is that then takes long on its way.
  Missing ask(const Digests& digests, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    calls_.push_back(digests);
    std::size_t number = calls_.size();
    Digests missing;
    for (const base::Digest& digest : digests)
      if (missing_.contains(digest)) missing.push_back(digest);
    if (!changed_.wait(lock, stop, [&] { return !held_.contains(number); }))
      return Failure{Cause::cancelled, "cancelled"};
    if (auto failure = failures_.find(number); failure != failures_.end()) return failure->second;
    return missing;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::set<std::size_t> held_;
  std::unordered_set<base::Digest> missing_;
  std::map<std::size_t, Failure> failures_;
  std::vector<Digests> calls_;
};

struct FindMissingWorld {
  explicit FindMissingWorld(remote::FindMissingOptions options = {})
      : find(
            known,
            [this](const remote::Call&, const Digests& digests, const std::stop_token& stop) {
              return server.ask(digests, stop);
            },
            options) {}

  Missing ask(const Digests& digests, bool doubt = false, const std::stop_token& stop = {}) {
    return find.missing_of({}, digests, doubt, stop);
  }

  fake::FakeClock clock;
  remote::KnownBlobs known{clock};
  Server server;
  remote::FindMissing find;
};

// A task that asks on a thread of its own.
class Asker {
 public:
  Asker(FindMissingWorld& world, const Digests& digests, bool doubt = false)
      : thread_([this, &world, digests, doubt] { answer_ = world.ask(digests, doubt, stop_.get_token()); }) {}
  void stop() { stop_.request_stop(); }
  const Missing& answer() {
    thread_.join();
    return answer_;
  }

 private:
  std::stop_source stop_;
  Missing answer_ = Digests();
  std::thread thread_;
};

}  // namespace

TEST_CASE("missing blobs come in the given order, each once, without the empty one") {
  FindMissingWorld world;
  for (int i : {1, 3, 5}) world.server.lacks(fake::numbered_digest(i));
  Missing missing = world.ask({fake::numbered_digest(5), fake::numbered_digest(2), fake::numbered_digest(5),
                               base::digest_of(""), fake::numbered_digest(1), fake::numbered_digest(4)});
  REQUIRE(missing.ok());
  CHECK(*missing == Digests{fake::numbered_digest(5), fake::numbered_digest(1)});
  REQUIRE(world.server.calls().size() == 1);
  CHECK(world.server.calls()[0] == Digests{fake::numbered_digest(5), fake::numbered_digest(2),
                                           fake::numbered_digest(1), fake::numbered_digest(4)});
  CHECK(world.ask({base::digest_of("")})->empty());
  CHECK(world.server.calls().size() == 1);
}

TEST_CASE("what is there becomes known and is not asked about again; what is missing is") {
  FindMissingWorld world;
  world.server.lacks(fake::numbered_digest(1));
  CHECK(*world.ask({fake::numbered_digest(1), fake::numbered_digest(2)}) ==
        Digests{fake::numbered_digest(1)});
  CHECK(*world.ask({fake::numbered_digest(1), fake::numbered_digest(2)}) ==
        Digests{fake::numbered_digest(1)});
  CHECK(world.ask({fake::numbered_digest(2)})->empty());
  REQUIRE(world.server.calls().size() == 2);
  CHECK(world.server.calls()[1] == Digests{fake::numbered_digest(1)});
}

TEST_CASE("questions that come while a call is under way are asked together when it ends") {
  FindMissingWorld world({.tick = kNever});
  world.server.hold(1);
  for (int i = 0; i < 30; ++i) world.server.lacks(fake::numbered_digest(i));
  Asker first(world, {fake::numbered_digest(100)});
  REQUIRE(world.server.wait_for(1));
  std::vector<std::unique_ptr<Asker>> others;
  for (int i = 0; i < 10; ++i)
    others.push_back(
        std::make_unique<Asker>(world, Digests{fake::numbered_digest(i), fake::numbered_digest(i + 1),
                                               fake::numbered_digest(50), fake::numbered_digest(100)}));
  REQUIRE(eventually([&] { return world.find.waiting() == 11; }));
  world.server.let_go(1);
  CHECK(first.answer()->empty());
  for (int i = 0; i < 10; ++i)
    CHECK(*others[static_cast<std::size_t>(i)]->answer() ==
          Digests{fake::numbered_digest(i), fake::numbered_digest(i + 1)});

  std::vector<Digests> calls = world.server.calls();
  REQUIRE(calls.size() == 2);
  std::unordered_set<base::Digest> asked(calls[1].begin(), calls[1].end());
  CHECK(asked.size() == calls[1].size());
  CHECK(asked.size() == 12);  // 0 to 10, and 50; 100 was under way
}

TEST_CASE("a question does not wait longer than a tick for a call that hangs") {
  FindMissingWorld world({.tick = std::chrono::milliseconds(1)});
  world.server.hold(1);
  Asker first(world, {fake::numbered_digest(1)});
  REQUIRE(world.server.wait_for(1));
  CHECK(world.ask({fake::numbered_digest(2)})->empty());
  CHECK(world.server.calls().size() == 2);
  world.server.let_go(1);
  CHECK(first.answer()->empty());
}

TEST_CASE("when the one who makes the call is stopped, another takes over") {
  FindMissingWorld world({.tick = kNever});
  world.server.hold(1);
  world.server.lacks(fake::numbered_digest(1));
  Asker leader(world, {fake::numbered_digest(1), fake::numbered_digest(2)});
  REQUIRE(world.server.wait_for(1));
  Asker follower(world, {fake::numbered_digest(1)});
  REQUIRE(eventually([&] { return world.find.waiting() == 2; }));
  leader.stop();
  CHECK(leader.answer().error().cause == Cause::cancelled);
  const Missing& answer = follower.answer();
  REQUIRE(answer.ok());
  CHECK(*answer == Digests{fake::numbered_digest(1)});
  CHECK(world.server.calls().size() == 2);
}

TEST_CASE("a stopped call that nobody waits for leaves nothing behind") {
  FindMissingWorld world({.tick = kNever});
  world.server.hold(1);
  Asker leader(world, {fake::numbered_digest(1)});
  REQUIRE(world.server.wait_for(1));
  leader.stop();
  CHECK(!leader.answer().ok());
  CHECK(world.ask({fake::numbered_digest(1)})->empty());
  CHECK(world.server.calls().size() == 2);
}

TEST_CASE("one who waits may be stopped without harm to the others") {
  FindMissingWorld world({.tick = kNever});
  world.server.hold(1);
  Asker leader(world, {fake::numbered_digest(1)});
  REQUIRE(world.server.wait_for(1));
  Asker same(world, {fake::numbered_digest(1)});
  Asker gathered(world, {fake::numbered_digest(2)});
  Asker also_gathered(world, {fake::numbered_digest(2), fake::numbered_digest(3)});
  REQUIRE(eventually([&] { return world.find.waiting() == 4; }));
  same.stop();
  gathered.stop();
  CHECK(same.answer().error().cause == Cause::cancelled);
  CHECK(gathered.answer().error().cause == Cause::cancelled);
  world.server.let_go(1);
  CHECK(leader.answer().ok());
  CHECK(also_gathered.answer().ok());
}

TEST_CASE("a failure is that of all who waited, and the next one asks anew") {
  FindMissingWorld world({.tick = kNever});
  world.server.hold(1);
  world.server.fail(1, {Cause::denied, "no right"});
  Asker leader(world, {fake::numbered_digest(1)});
  REQUIRE(world.server.wait_for(1));
  Asker follower(world, {fake::numbered_digest(1)});
  REQUIRE(eventually([&] { return world.find.waiting() == 2; }));
  world.server.let_go(1);
  CHECK(leader.answer().error().cause == Cause::denied);
  CHECK(follower.answer().error().cause == Cause::denied);
  CHECK(world.ask({fake::numbered_digest(1)}).ok());
}

TEST_CASE("a call has at most so many digests") {
  FindMissingWorld world({.most = 10});
  Digests many;
  for (int i = 0; i < 35; ++i) many.push_back(fake::numbered_digest(i));
  world.server.lacks(fake::numbered_digest(34));
  CHECK(*world.ask(many) == Digests{fake::numbered_digest(34)});
  std::size_t asked = 0;
  for (const Digests& call : world.server.calls()) {
    CHECK(call.size() <= 10);
    asked += call.size();
  }
  CHECK(asked == 35);
}

TEST_CASE("a full call is far below what servers take") {
  build::bazel::remote::execution::v2::FindMissingBlobsRequest request;
  request.set_instance_name(std::string(200, 'i'));
  base::Digest digest = fake::numbered_digest(1);
  digest.size = std::int64_t{1} << 50;
  for (std::size_t i = 0; i < remote::FindMissingOptions{}.most; ++i)
    cache::set_digest(digest, *request.add_blob_digests());
  CHECK(request.ByteSizeLong() < 1 << 20);
}

TEST_CASE("a call that is too large is halved, and the next ones begin smaller") {
  FindMissingWorld world;
  world.server.fail(1, {Cause::too_large, "too large"});
  Digests many;
  for (int i = 0; i < 40; ++i) many.push_back(fake::numbered_digest(i));
  world.server.lacks(fake::numbered_digest(39));
  CHECK(*world.ask(many) == Digests{fake::numbered_digest(39)});
  Digests others;
  for (int i = 100; i < 140; ++i) others.push_back(fake::numbered_digest(i));
  CHECK(world.ask(others)->empty());
  std::vector<std::size_t> sizes;
  for (const Digests& call : world.server.calls()) sizes.push_back(call.size());
  CHECK(sizes == std::vector<std::size_t>{40, 20, 20, 20, 20});
}

TEST_CASE("in doubt, what is known is asked again") {
  FindMissingWorld world;
  CHECK(world.ask({fake::numbered_digest(1), fake::numbered_digest(2)})->empty());
  world.server.lacks(fake::numbered_digest(1));
  CHECK(world.ask({fake::numbered_digest(1)})->empty());
  CHECK(*world.ask({fake::numbered_digest(1)}, true) == Digests{fake::numbered_digest(1)});
  // Everything was forgotten.
  CHECK(!world.known.has(fake::numbered_digest(2)));
}

TEST_CASE("in doubt, no answer to an older question is believed") {
  FindMissingWorld world({.tick = std::chrono::milliseconds(1)});
  world.server.hold(1);
  Asker older(world, {fake::numbered_digest(1)});
  REQUIRE(world.server.wait_for(1));
  world.server.lacks(fake::numbered_digest(1));
  CHECK(*world.ask({fake::numbered_digest(1)}, true) == Digests{fake::numbered_digest(1)});
  world.server.let_go(1);
  CHECK(older.answer()->empty());
  CHECK(!world.known.has(fake::numbered_digest(1)));
}

TEST_CASE("many tasks with stops all get right answers") {
  FindMissingWorld world({.most = 7, .tick = std::chrono::milliseconds(1)});
  for (int i = 0; i < 200; i += 3) world.server.lacks(fake::numbered_digest(i));
  std::atomic<int> wrong{0};
  std::vector<std::thread> tasks;
  for (unsigned task = 0; task < 12; ++task) {
    tasks.emplace_back([&world, &wrong, task] {
      std::mt19937 random(task);
      for (int round = 0; round < 60; ++round) {
        std::set<int> numbers;
        for (int i = 0; i < 10; ++i) numbers.insert(static_cast<int>(random() % 200));
        Digests digests;
        Digests expected;
        for (int number : numbers) {
          digests.push_back(fake::numbered_digest(number));
          if (number % 3 == 0) expected.push_back(fake::numbered_digest(number));
        }
        std::stop_source stop;
        if (random() % 4 == 0) stop.request_stop();
        Missing missing = world.ask(digests, random() % 8 == 0, stop.get_token());
        bool right = missing ? *missing == expected : missing.error().cause == Cause::cancelled;
        if (!right || (!missing && !stop.stop_requested())) ++wrong;
      }
    });
  }
  for (std::thread& task : tasks) task.join();
  CHECK(wrong == 0);
  CHECK(world.find.waiting() == 0);
}
