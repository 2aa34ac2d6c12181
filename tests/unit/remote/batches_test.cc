#include "remote/batches.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/event.h"
#include "base/zstd.h"
#include "fake/listening.h"
#include "fake/noise.h"
#include "fake/reapi_server.h"
#include "fake/remote_caller.h"
#include "fake/temp_dir.h"
#include "unit/remote/engine.h"
#include "wire/reapi.grpc.pb.h"
#include "wire/reapi.pb.h"

namespace re = build::bazel::remote::execution::v2;

using grpc::Status;
using grpc::StatusCode;
using remote::Cause;
using remote::Source;

namespace {

struct BatchesWorld {
  fake::ReapiServer server;
  fake::RemoteCaller caller{server.url()};
  remote::Batches batches{caller.connection, "main"};
  remote::Batches::Sent sent;
  remote::Batches::Received received;

  remote::Remote<void> update(const std::vector<Source>& sources, bool zstd = false) {
    std::vector<const Source*> pointers;
    for (const Source& source : sources) pointers.push_back(&source);
    return batches.update(caller.call, pointers, zstd, sent, {});
  }
  remote::Remote<void> read(const std::vector<base::Digest>& digests, bool zstd = false) {
    return batches.read(caller.call, digests, zstd, received, {});
  }
};

// A storage whose answers a test writes by hand.
class ScriptedStorage : public re::ContentAddressableStorage::Service {
 public:
  std::function<void(const re::BatchUpdateBlobsRequest&, re::BatchUpdateBlobsResponse&)> on_update;
  std::function<void(const re::BatchReadBlobsRequest&, re::BatchReadBlobsResponse&)> on_read;

  std::string url() const { return listening_.url(); }

  // Before what the scripts have written down is read.
  std::unique_lock<std::mutex> lock() { return std::unique_lock(mutex_); }

  Status BatchUpdateBlobs(grpc::ServerContext*, const re::BatchUpdateBlobsRequest* request,
                          re::BatchUpdateBlobsResponse* response) override {
    std::lock_guard lock(mutex_);
    on_update(*request, *response);
    return Status::OK;
  }
  Status BatchReadBlobs(grpc::ServerContext*, const re::BatchReadBlobsRequest* request,
                        re::BatchReadBlobsResponse* response) override {
    std::lock_guard lock(mutex_);
    on_read(*request, *response);
    return Status::OK;
  }

 private:
  std::mutex mutex_;
  fake::Listening listening_{this};  // last: calls use the rest
};

// A storage that is asked by several tasks at once. Its first call lasts until it is let go, and those who
// come meanwhile are in one round.
class Crowd {
 public:
  // `on_call` ends a call with its status, if it has one.
  explicit Crowd(const fake::ReapiServer::Hook& on_call = [](const fake::Seen&) { return std::nullopt; }) {
    for (const char* method : {"BatchUpdateBlobs", "BatchReadBlobs"}) {
      server.on(method, [this, on_call](const fake::Seen& seen) {
        if (++calls == 1) go_.wait({});
        return on_call(seen);
      });
    }
  }
  ~Crowd() { end(); }

  struct Task {
    remote::Remote<void> done;
    remote::Batches::Sent sent;
    remote::Batches::Received received;
  };
  // Takes part when this returns.
  Task& update(const Source& source, const std::stop_token& stop = {}, bool zstd = false) {
    return begin([this, source, stop, zstd](Task& task) {
      task.done = batches.update(caller.call, {&source}, zstd, task.sent, stop);
    });
  }
  Task& read(const base::Digest& digest) {
    return begin([this, digest](Task& task) {
      task.done = batches.read(caller.call, {digest}, false, task.received, {});
    });
  }
  // Everything is done when this returns.
  void end() {
    go_.set();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  fake::ReapiServer server;
  fake::RemoteCaller caller{server.url()};
  remote::Batches batches{caller.connection, "main", std::chrono::hours(1)};
  std::atomic<int> calls{0};

 private:
  Task& begin(std::function<void(Task&)> work) {
    Task& task = tasks_.emplace_back();
    std::uint64_t before = batches.joined();
    threads_.emplace_back([&task, work] { work(task); });
    base::Nanoseconds began = base::real_clock().uptime();
    while (batches.joined() == before || calls == 0) {
      if (base::real_clock().uptime() > began + std::chrono::seconds(20)) break;
      std::this_thread::yield();
    }
    return task;
  }

  base::Event go_;
  std::deque<Task> tasks_;
  std::vector<std::thread> threads_;
};

}  // namespace

TEST_CASE("what a blob takes in a message is never underestimated, and hardly overestimated") {
  for (std::size_t size : {1, 100, 127, 128, 16'000, 20'000, 3'000'000}) {
    std::string bytes(size, 'x');
    base::Digest digest = base::digest_of(bytes);
    re::BatchUpdateBlobsRequest request;
    request.set_instance_name("main/instance");
    request.set_digest_function(re::DigestFunction::SHA256);
    re::BatchReadBlobsResponse response;
    for (int i = 0; i < 3; ++i) {
      auto& entry = *request.add_requests();
      entry.mutable_digest()->set_hash(digest.hex());
      entry.mutable_digest()->set_size_bytes(digest.size);
      entry.set_data(bytes);
      entry.set_compressor(re::Compressor::ZSTD);
      auto& answer = *response.add_responses();
      *answer.mutable_digest() = entry.digest();
      answer.set_data(bytes);
      answer.mutable_status();
      answer.set_compressor(re::Compressor::IDENTITY);
    }
    std::size_t counted = remote::overhead_bytes("main/instance") + 3 * remote::entry_bytes(digest);
    CHECK(request.ByteSizeLong() <= counted);
    CHECK(counted <= request.ByteSizeLong() + 20);
    CHECK(response.ByteSizeLong() <= counted);
  }
}

TEST_CASE("as many fit as the encoded message allows") {
  std::vector<base::Digest> digests(10, base::digest_of(std::string(1'000, 'x')));
  std::size_t overhead = remote::overhead_bytes("");
  std::size_t entry = remote::entry_bytes(digests[0]);
  CHECK(remote::count_that_fits(digests, "", overhead + 3 * entry) == 3);
  CHECK(remote::count_that_fits(digests, "", overhead + 3 * entry - 1) == 2);
  CHECK(remote::count_that_fits(digests, "", 1 << 20) == 10);
  CHECK(remote::count_that_fits(digests, "", entry) == 0);
  CHECK(remote::count_that_fits({}, "", 1 << 20) == 0);
  // Data of exactly the announced limit does not fit, because the message is larger than its data.
  CHECK(remote::count_that_fits(digests, "", 10 * 1'000) == 9);
}

TEST_CASE("a batch has at most so many blobs") {
  std::vector<base::Digest> digests(5'000, base::digest_of("x"));
  CHECK(remote::count_that_fits(digests, "", 100 << 20) == remote::kMostEntries);
}

TEST_CASE("bytes and files go up in one call") {
  BatchesWorld world;
  fake::TempDir dir;
  Source file{base::digest_of("of a file"), "", dir.write("file", "of a file")};
  REQUIRE(world.update({engine::source("one"), file}).ok());
  CHECK(*world.server.get(file.digest) == "of a file");
  CHECK(world.server.has(base::digest_of("one")));
  CHECK(world.sent.confirmed.size() == 2);
  CHECK(world.sent.bytes == 12);
  REQUIRE(world.server.count("BatchUpdateBlobs") == 1);
  auto request = world.server.requests<re::BatchUpdateBlobsRequest>("BatchUpdateBlobs")[0];
  CHECK(request.instance_name() == "main");
  CHECK(request.digest_function() == re::DigestFunction::SHA256);
}

TEST_CASE("a file that changed is not sent") {
  BatchesWorld world;
  fake::TempDir dir;
  Source file{base::digest_of("before"), "", dir.write("file", "after!")};
  CHECK(world.update({file}).error().cause == Cause::local);
  CHECK(world.server.count("BatchUpdateBlobs") == 0);
}

TEST_CASE("blobs are compressed one by one, those that gain by it") {
  BatchesWorld world;
  std::string text(50'000, 'a');
  REQUIRE(
      world.update({engine::source(text), engine::source("small"), engine::source(fake::noise(20'000))}, true)
          .ok());
  CHECK(world.server.has(base::digest_of(text)));
  auto request = world.server.requests<re::BatchUpdateBlobsRequest>("BatchUpdateBlobs")[0];
  CHECK(request.requests(0).compressor() == re::Compressor::ZSTD);
  CHECK(request.requests(0).digest().size_bytes() == 50'000);
  CHECK(request.requests(1).compressor() == re::Compressor::IDENTITY);
  CHECK(request.requests(2).compressor() == re::Compressor::IDENTITY);
  CHECK(world.sent.bytes < 21'000);
}

TEST_CASE("a bad blob does not hide that the others arrived") {
  BatchesWorld world;
  // The server without zstd batches refuses the compressed blob only.
  world.server.traits()
      ->capabilities.mutable_cache_capabilities()
      ->clear_supported_batch_update_compressors();
  auto updated = world.update(
      {engine::source("one"), engine::source(std::string(5'000, 'a')), engine::source("two")}, true);
  REQUIRE(!updated.ok());
  CHECK(updated.error().cause == Cause::invalid);
  CHECK(world.sent.confirmed == std::vector{base::digest_of("one"), base::digest_of("two")});
  CHECK(world.server.count("BatchUpdateBlobs") == 1);
}

TEST_CASE("blobs are read in one call, and absent ones are told apart") {
  BatchesWorld world;
  world.server.put("one");
  world.server.put("two");
  REQUIRE(world.read({base::digest_of("one"), base::digest_of("gone"), base::digest_of("two")}).ok());
  CHECK(world.received.contents.at(base::digest_of("one")) == "one");
  CHECK(world.received.contents.at(base::digest_of("two")) == "two");
  CHECK(world.received.absent.size() == 1);
  CHECK(world.received.absent.contains(base::digest_of("gone")));
  CHECK(world.received.bytes == 6);
  auto request = world.server.requests<re::BatchReadBlobsRequest>("BatchReadBlobs")[0];
  CHECK(request.acceptable_compressors_size() == 0);
  CHECK(request.digest_function() == re::DigestFunction::SHA256);
}

TEST_CASE("compression is offered for reads where wanted, and plain answers are fine") {
  BatchesWorld world;
  world.server.put("one");
  REQUIRE(world.read({base::digest_of("one")}, true).ok());
  CHECK(world.received.contents.at(base::digest_of("one")) == "one");
  auto request = world.server.requests<re::BatchReadBlobsRequest>("BatchReadBlobs")[0];
  REQUIRE(request.acceptable_compressors_size() == 1);
  CHECK(request.acceptable_compressors(0) == re::Compressor::ZSTD);
}

TEST_CASE("wrong bytes are told apart and never come out") {
  BatchesWorld world;
  world.server.put("one");
  world.server.damage("BatchReadBlobs");
  REQUIRE(world.read({base::digest_of("one")}).ok());
  CHECK(world.received.contents.empty());
  CHECK(world.received.corrupt.contains(base::digest_of("one")));
}

TEST_CASE("a call that fails in passing is made again") {
  BatchesWorld world;
  world.server.fail("BatchUpdateBlobs", Status(StatusCode::UNAVAILABLE, "later"));
  CHECK(world.update({engine::source("one")}).ok());
  CHECK(world.server.count("BatchUpdateBlobs") == 2);
  world.server.fail("BatchReadBlobs", Status(StatusCode::UNAVAILABLE, "later"));
  CHECK(world.read({base::digest_of("one")}).ok());
  CHECK(world.received.contents.size() == 1);
}

TEST_CASE("only the blobs that failed in passing are sent again") {
  ScriptedStorage server;
  fake::RemoteCaller caller(server.url());
  remote::Batches batches(caller.connection, "");
  std::vector<int> sizes;
  server.on_update = [&](const auto& request, auto& response) {
    sizes.push_back(request.requests_size());
    for (const auto& entry : request.requests()) {
      auto& answer = *response.add_responses();
      *answer.mutable_digest() = entry.digest();
      bool busy = sizes.size() == 1 && entry.data() == "two";
      answer.mutable_status()->set_code(busy ? StatusCode::UNAVAILABLE : StatusCode::OK);
    }
  };
  std::vector<Source> sources = {engine::source("one"), engine::source("two"), engine::source("three")};
  remote::Batches::Sent sent;
  REQUIRE(batches.update(caller.call, {&sources[0], &sources[1], &sources[2]}, false, sent, {}).ok());
  auto lock = server.lock();
  CHECK(sizes == std::vector<int>{3, 1});
  CHECK(sent.confirmed.size() == 3);
}

TEST_CASE("a right that is refused blob by blob is a refusal, though the call is OK") {
  ScriptedStorage server;
  fake::RemoteCaller caller(server.url());
  remote::Batches batches(caller.connection, "");
  std::atomic<int> calls{0};
  server.on_update = [&](const auto& request, auto& response) {
    ++calls;
    for (const auto& entry : request.requests()) {
      auto& answer = *response.add_responses();
      *answer.mutable_digest() = entry.digest();
      answer.mutable_status()->set_code(StatusCode::PERMISSION_DENIED);
    }
  };
  std::vector<Source> sources = {engine::source("one"), engine::source("two")};
  remote::Batches::Sent sent;
  auto updated = batches.update(caller.call, {&sources[0], &sources[1]}, false, sent, {});
  CHECK(updated.error().cause == Cause::denied);
  CHECK(calls == 1);
  CHECK(sent.confirmed.empty());
}

TEST_CASE("blobs without an answer are not taken for sent or absent") {
  ScriptedStorage server;
  fake::RemoteCaller caller(server.url());
  remote::Batches batches(caller.connection, "");
  server.on_update = [](const auto&, auto&) {};
  server.on_read = [](const auto&, auto&) {};
  Source source = engine::source("one");
  remote::Batches::Sent sent;
  CHECK(batches.update(caller.call, {&source}, false, sent, {}).error().cause == Cause::corrupt);
  CHECK(sent.confirmed.empty());
  remote::Batches::Received received;
  CHECK(batches.read(caller.call, {source.digest}, false, received, {}).error().cause == Cause::corrupt);
  CHECK(received.absent.empty());
}

TEST_CASE("compressed answers are unpacked, and those that make no sense are corrupt") {
  ScriptedStorage server;
  fake::RemoteCaller caller(server.url());
  remote::Batches batches(caller.connection, "");
  std::string good(5'000, 'g');
  std::string garbage(5'000, 'h');
  std::string bomb(5'000, 'b');
  std::string strange(5'000, 's');
  server.on_read = [&](const auto&, auto& response) {
    auto add = [&](const std::string& bytes, const std::string& data, re::Compressor::Value compressor) {
      auto& answer = *response.add_responses();
      answer.mutable_digest()->set_hash(base::digest_of(bytes).hex());
      answer.mutable_digest()->set_size_bytes(5'000);
      answer.set_data(data);
      answer.set_compressor(compressor);
    };
    add(good, *base::zstd_compress(good, 1), re::Compressor::ZSTD);
    add(garbage, "no frame", re::Compressor::ZSTD);
    add(bomb, *base::zstd_compress(std::string(5'000'000, 'b'), 1), re::Compressor::ZSTD);
    add(strange, strange, re::Compressor::BROTLI);
    add("never asked for", "never asked for", re::Compressor::IDENTITY);
  };
  std::vector<base::Digest> digests;
  for (const std::string& bytes : {good, garbage, bomb, strange}) digests.push_back(base::digest_of(bytes));
  remote::Batches::Received received;
  REQUIRE(batches.read(caller.call, digests, true, received, {}).ok());
  CHECK(received.contents.size() == 1);
  CHECK(received.contents.at(digests[0]) == good);
  CHECK(received.corrupt.size() == 3);
}

TEST_CASE("small blobs of several tasks go up in one call") {
  Crowd crowd;
  crowd.update(engine::source("first"));
  Crowd::Task& a = crowd.update(engine::source("of a"));
  Crowd::Task& b = crowd.update(engine::source("of task b"));
  crowd.end();
  CHECK(crowd.calls == 2);
  REQUIRE(a.done.ok());
  REQUIRE(b.done.ok());
  CHECK(a.sent.confirmed == std::vector{base::digest_of("of a")});
  CHECK(b.sent.confirmed == std::vector{base::digest_of("of task b")});
  CHECK(crowd.server.has(base::digest_of("of a")));
  CHECK(crowd.server.has(base::digest_of("of task b")));
  // Bytes on the wire are counted once, wherever.
  CHECK(a.sent.bytes + b.sent.bytes == std::string("of aof task b").size());
}

TEST_CASE("small blobs that several tasks want are read in one call") {
  Crowd crowd;
  for (const char* text : {"first", "of a", "of both"}) crowd.server.put(text);
  crowd.read(base::digest_of("first"));
  Crowd::Task& a = crowd.read(base::digest_of("of a"));
  Crowd::Task& b = crowd.read(base::digest_of("of both"));
  Crowd::Task& c = crowd.read(base::digest_of("of both"));
  Crowd::Task& d = crowd.read(base::digest_of("gone"));
  crowd.end();
  CHECK(crowd.calls == 2);
  for (Crowd::Task* task : {&a, &b, &c, &d}) CHECK(task->done.ok());
  CHECK(a.received.contents == remote::Contents{{base::digest_of("of a"), "of a"}});
  CHECK(b.received.contents == remote::Contents{{base::digest_of("of both"), "of both"}});
  CHECK(c.received.contents == b.received.contents);
  CHECK(a.received.absent.empty());
  CHECK(d.received.contents.empty());
  CHECK(d.received.absent.contains(base::digest_of("gone")));
  CHECK(a.received.bytes + b.received.bytes + c.received.bytes + d.received.bytes == 11);
}

TEST_CASE("bulk does not wait for company, and keeps nobody waiting") {
  Crowd crowd;
  crowd.update(engine::source("first"));
  std::string large(remote::kShared, 'x');
  remote::Batches::Sent sent;
  Source source = engine::source(large);
  CHECK(crowd.batches.update(crowd.caller.call, {&source}, false, sent, {}).ok());
  remote::Batches::Received received;
  CHECK(crowd.batches.read(crowd.caller.call, {source.digest}, false, received, {}).ok());
  CHECK(crowd.calls == 3);
}

TEST_CASE("rounds are no larger than calls of the small lane") {
  Crowd crowd;
  crowd.update(engine::source("first"));
  for (char letter : std::string("abcdef")) crowd.update(engine::source(std::string(15'000, letter)));
  crowd.end();
  CHECK(crowd.calls == 3);
  for (const auto& request : crowd.server.requests<re::BatchUpdateBlobsRequest>("BatchUpdateBlobs")) {
    CHECK(request.ByteSizeLong() <= remote::kMostShared + 100);
  }
}

TEST_CASE("what the server minds in one task's blobs does not spoil the others'") {
  // One proxy minds a word, and refuses all that holds it.
  Crowd crowd([](const fake::Seen& seen) -> std::optional<Status> {
    if (seen.request.find("badword") == std::string::npos) return std::nullopt;
    return Status(StatusCode::INVALID_ARGUMENT, "no such words");
  });
  crowd.update(engine::source("first"));
  Crowd::Task& good = crowd.update(engine::source("good"));
  Crowd::Task& bad = crowd.update(engine::source("badword"));
  crowd.end();
  CHECK(good.done.ok());
  CHECK(good.sent.confirmed == std::vector{base::digest_of("good")});
  REQUIRE(!bad.done.ok());
  CHECK(bad.done.error().cause == Cause::invalid);
  CHECK(bad.sent.confirmed.empty());
}

TEST_CASE("one bad blob of a round is its task's affair") {
  Crowd crowd;
  // The server without zstd batches refuses the compressed blob only.
  crowd.server.traits()
      ->capabilities.mutable_cache_capabilities()
      ->clear_supported_batch_update_compressors();
  crowd.update(engine::source("first"));
  Crowd::Task& good = crowd.update(engine::source("good"));
  Crowd::Task& bad = crowd.update(engine::source(std::string(5'000, 'a')), {}, true);
  crowd.end();
  CHECK(good.done.ok());
  REQUIRE(!bad.done.ok());
  CHECK(bad.done.error().cause == Cause::invalid);
  // The round, and the bad one alone.
  CHECK(crowd.calls == 3);
}

TEST_CASE("a failure that all would meet is not met again by each") {
  std::atomic<bool> refuses{false};
  Crowd crowd([&](const fake::Seen&) -> std::optional<Status> {
    if (!refuses) return std::nullopt;
    return Status(StatusCode::PERMISSION_DENIED, "read only");
  });
  std::vector<Crowd::Task*> tasks;
  SUBCASE("to send") {
    for (const char* text : {"first", "of a", "of b"}) tasks.push_back(&crowd.update(engine::source(text)));
  }
  SUBCASE("to read") {
    for (const char* text : {"first", "of a", "of b"}) tasks.push_back(&crowd.read(base::digest_of(text)));
  }
  refuses = true;
  crowd.end();
  for (Crowd::Task* task : tasks) {
    REQUIRE(!task->done.ok());
    CHECK(task->done.error().cause == Cause::denied);
  }
  CHECK(crowd.calls == 2);
}

TEST_CASE("who is stopped while it waits for company is cancelled") {
  Crowd crowd;
  crowd.update(engine::source("first"));
  std::stop_source stop;
  Crowd::Task& gone = crowd.update(engine::source("gone"), stop.get_token());
  Crowd::Task& there = crowd.update(engine::source("there"));
  stop.request_stop();
  crowd.end();
  CHECK(there.done.ok());
  CHECK(crowd.server.has(base::digest_of("there")));
  REQUIRE(!gone.done.ok());
  CHECK(gone.done.error().cause == Cause::cancelled);
}
