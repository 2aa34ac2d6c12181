#include "remote/rounds.h"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/event.h"

namespace {

constexpr std::chrono::hours kNever{1};

// Waits, bounded, for what another thread will bring about.
template <class Condition>
bool eventually(Condition condition) {
  base::Nanoseconds began = base::real_clock().uptime();
  while (base::real_clock().uptime() < began + std::chrono::seconds(20)) {
    if (condition()) return true;
    std::this_thread::yield();
  }
  return false;
}

// Up to three parts, and what the call made of them.
struct Work {
  std::string parts;
  std::string answer;
};

using Rounds = remote::Rounds<Work>;

Rounds::Ride ride(
    Rounds& rounds, char part, const std::function<void(Work&)>& during = [](Work&) {},
    const std::stop_token& stop = {}) {
  auto add = [&](Work& work) {
    if (work.parts.size() == 3) return false;
    work.parts += part;
    return true;
  };
  auto call = [&](Work& work) {
    during(work);
    work.answer = "answer to " + work.parts;
  };
  return rounds.ride(add, call, stop);
}

// A call that lasts until it is let go, and those who come meanwhile.
class Station {
 public:
  explicit Station(std::chrono::milliseconds tick = kNever) : rounds(tick) {
    first_ = std::thread([this] {
      ride(rounds, '1', [this](Work&) {
        begun_.set();
        go_.wait({});
      });
    });
    begun_.wait({});
  }
  ~Station() {
    let_go();
    first_.join();
    for (std::thread& thread : others_) thread.join();
  }

  // Comes while the first call is under way, and is there when this returns.
  Rounds::Ride& join(char part, const std::stop_token& stop = {}) {
    std::uint64_t before = rounds.joined();
    Rounds::Ride& got = rides_[others_.size()];
    others_.emplace_back([this, part, stop, &got] {
      got = ride(rounds, part, counted(), stop);
      ++returned;
    });
    CHECK(eventually([&] { return rounds.joined() > before; }));
    return got;
  }
  void let_go() { go_.set(); }
  void end() {
    let_go();
    for (std::thread& thread : others_) thread.join();
    others_.clear();
  }

  Rounds rounds;
  std::atomic<int> calls{0};     // after the first
  std::atomic<int> returned{0};  // of those who joined

 private:
  std::function<void(Work&)> counted() {
    return [this](Work&) { ++calls; };
  }

  base::Event begun_, go_;
  std::thread first_;
  std::array<Rounds::Ride, 8> rides_;
  std::vector<std::thread> others_;
};

}  // namespace

TEST_CASE("who is alone makes the call at once") {
  Rounds rounds(kNever);
  for (char part : {'a', 'b'}) {
    Rounds::Ride got = ride(rounds, part);
    REQUIRE(got.work);
    CHECK(got.led);
    CHECK(got.work->answer == std::string("answer to ") + part);
  }
  CHECK(rounds.joined() == 2);
}

TEST_CASE("those who come while a call is under way share the next one") {
  Station station;
  Rounds::Ride& a = station.join('a');
  Rounds::Ride& b = station.join('b');
  station.end();
  CHECK(station.calls == 1);
  REQUIRE(a.work);
  CHECK(a.work == b.work);
  CHECK(a.work->answer == "answer to ab");
  CHECK(a.led);
  CHECK(!b.led);
}

TEST_CASE("nobody waits longer than a tick for company") {
  Station station(std::chrono::milliseconds(1));
  Rounds::Ride& a = station.join('a');
  // The first call is never let go before.
  CHECK(eventually([&] { return station.returned == 1; }));
  REQUIRE(a.work);
  CHECK(a.work->answer == "answer to a");
}

TEST_CASE("a full round does not wait") {
  Station station;
  Rounds::Ride& a = station.join('a');
  station.join('b');
  station.join('c');
  CHECK(station.calls == 0);
  Rounds::Ride& d = station.join('d');
  // Whoever did not fit is still there.
  CHECK(eventually([&] { return station.returned == 3; }));
  CHECK(station.calls == 1);
  CHECK(station.rounds.joined() == 5);
  REQUIRE(a.work);
  CHECK(a.work->answer == "answer to abc");
  station.end();
  CHECK(station.calls == 2);
  REQUIRE(d.work);
  CHECK(d.work->answer == "answer to d");
}

TEST_CASE("who is stopped goes away, and the others are served") {
  Station station;
  std::stop_source stop;
  Rounds::Ride& a = station.join('a', stop.get_token());
  Rounds::Ride& b = station.join('b');
  stop.request_stop();
  CHECK(eventually([&] { return station.returned == 1; }));
  CHECK(!a.work);
  station.end();
  CHECK(station.calls == 1);
  REQUIRE(b.work);
  CHECK(b.led);
  // What it had put in is not taken out again.
  CHECK(b.work->answer == "answer to ab");
}

TEST_CASE("a round that everybody left is not called") {
  Station station;
  std::stop_source stop;
  station.join('a', stop.get_token());
  stop.request_stop();
  CHECK(eventually([&] { return station.returned == 1; }));
  Rounds::Ride& b = station.join('b');
  station.end();
  CHECK(station.calls == 1);
  REQUIRE(b.work);
  CHECK(b.work->answer == "answer to b");
}

TEST_CASE("whatever comes together, each part is called once and each caller answered") {
  Rounds rounds(std::chrono::milliseconds(1));
  std::atomic<int> answered{0}, stopped{0}, wrong{0}, leading{0}, calls{0};
  std::vector<std::thread> threads;
  for (int number = 0; number < 8; ++number) {
    threads.emplace_back([&, number] {
      std::minstd_rand random(static_cast<unsigned>(number) + 1);
      char part = static_cast<char>('a' + number);
      for (int turn = 0; turn < 500; ++turn) {
        std::stop_source stop;
        std::optional<std::thread> stopper;
        if (random() % 8 == 0) stopper.emplace([&] { stop.request_stop(); });
        Rounds::Ride got = ride(
            rounds, part,
            [&](Work& work) {
              ++calls;
              if (!work.answer.empty()) ++wrong;
              std::this_thread::yield();
            },
            stop.get_token());
        if (stopper) stopper->join();
        leading += got.led ? 1 : 0;
        if (!got.work) {
          ++stopped;
          wrong += stop.stop_requested() ? 0 : 1;
        } else {
          ++answered;
          bool mine = got.work->answer.find(part, sizeof "answer to " - 1) != std::string::npos;
          wrong += mine ? 0 : 1;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(answered + stopped == 8 * 500);
  CHECK(answered > 8 * 400);
  CHECK(leading == calls);
  CHECK(calls < answered);
  CHECK(rounds.joined() == 8 * 500);
}
