#include "serve/hangup.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

namespace {

struct Pair {
  base::Fd ours;
  base::Fd theirs;
};

Pair make_pair() {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  return {base::Fd(ends[0]), base::Fd(ends[1])};
}

struct Event {
  std::mutex mutex;
  std::condition_variable wake;
  int count = 0;
  void happen() {
    std::lock_guard lock(mutex);
    ++count;
    wake.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex);
    wake.wait(lock, [this] { return count > 0; });
  }
};

}  // namespace

TEST_CASE("a closed peer is reported once") {
  serve::Hangup hangup;
  Pair first = make_pair();
  Pair second = make_pair();
  Event closed;
  std::atomic<int> other{0};
  hangup.add(
      first.ours.get(), [&] { closed.happen(); }, [] {});
  hangup.add(
      second.ours.get(), [&] { ++other; }, [] {});
  first.theirs.reset();
  closed.wait();
  hangup.remove(first.ours.get());
  hangup.remove(second.ours.get());
  CHECK(closed.count == 1);
  CHECK(other == 0);
}

TEST_CASE("a peer that was gone before is reported too") {
  serve::Hangup hangup;
  Pair pair = make_pair();
  pair.theirs.reset();
  Event closed;
  hangup.add(
      pair.ours.get(), [&] { closed.happen(); }, [] {});
  closed.wait();
  hangup.remove(pair.ours.get());
}

TEST_CASE("data from the peer is no hang-up, and a removed one is forgotten") {
  serve::Hangup hangup;
  std::atomic<int> calls{0};
  Pair pair = make_pair();
  hangup.add(
      pair.ours.get(), [&] { ++calls; }, [] {});
  REQUIRE(::send(pair.theirs.get(), "x", 1, 0) == 1);
  hangup.remove(pair.ours.get());
  pair.theirs.reset();
  // A later hang-up has been seen when this one has.
  Pair last = make_pair();
  Event closed;
  hangup.add(
      last.ours.get(), [&] { closed.happen(); }, [] {});
  last.theirs.reset();
  closed.wait();
  hangup.remove(last.ours.get());
  CHECK(calls == 0);
}
