#include "remote/cas.h"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <thread>

#include "fake/fake_clock.h"
#include "fake/noise.h"
#include "fake/reapi_server.h"
#include "fake/remote_caller.h"
#include "fake/temp_dir.h"
#include "fake/text.h"
#include "unit/remote/engine.h"
#include "wire/bytestream.pb.h"
#include "wire/reapi.pb.h"

namespace re = build::bazel::remote::execution::v2;

using google::bytestream::ReadRequest;
using google::bytestream::WriteRequest;
using grpc::Status;
using grpc::StatusCode;
using remote::Ask;
using remote::Cause;
using remote::Source;
using Updates = std::vector<re::BatchUpdateBlobsRequest>;

namespace {

const Status kRefusedByProxy(StatusCode::UNKNOWN, "Received http2 header with status: 413");

std::vector<Source> many(unsigned count, std::size_t size, unsigned first = 0) {
  std::vector<Source> sources;
  for (unsigned i = 0; i < count; ++i) sources.push_back(engine::source(fake::noise(size, first + i)));
  return sources;
}

std::vector<base::Digest> digests_of(const std::vector<Source>& sources) {
  std::vector<base::Digest> digests;
  for (const Source& source : sources) digests.push_back(source.digest);
  return digests;
}

struct CasWorld {
  fake::ReapiServer server;
  fake::FakeClock clock;
  fake::RemoteCaller caller{server.url()};
  remote::CapabilityReader capabilities{caller.connection, "main", clock};
  std::unique_ptr<remote::Cas> cas;

  explicit CasWorld(bool compression = true) {
    cas = std::make_unique<remote::Cas>(caller.connection, capabilities,
                                        remote::CasOptions{"main", compression}, clock);
  }
  re::CacheCapabilities& announced() { return *server.traits()->capabilities.mutable_cache_capabilities(); }

  auto upload(const std::vector<Source>& sources, Ask ask = Ask::unknown, const std::stop_token& stop = {}) {
    return cas->upload(caller.call, sources, ask, stop);
  }
  auto fetch(const std::vector<base::Digest>& digests, const std::stop_token& stop = {}) {
    return cas->fetch(caller.call, digests, stop);
  }
  bool has_all(const std::vector<Source>& sources) const {
    for (const Source& source : sources)
      if (!server.has(source.digest)) return false;
    return true;
  }
  Updates updates() { return server.requests<re::BatchUpdateBlobsRequest>("BatchUpdateBlobs"); }
  std::size_t largest_update() {
    std::size_t largest = 0;
    for (const auto& update : updates()) largest = std::max(largest, update.ByteSizeLong());
    return largest;
  }
};

}  // namespace

TEST_CASE("only what is missing is sent, and what is known is not even asked about") {
  CasWorld world;
  world.server.put("there");
  auto sent = world.upload({engine::source("there"), engine::source("new"), engine::source("new")});
  REQUIRE(sent.ok());
  CHECK(sent->blobs == 1);
  CHECK(sent->bytes == 3);
  CHECK(world.server.uploads(base::digest_of("new")) == 1);
  auto asked = world.server.requests<re::FindMissingBlobsRequest>("FindMissingBlobs").at(0);
  CHECK(asked.instance_name() == "main");
  CHECK(asked.digest_function() == re::DigestFunction::SHA256);
  CHECK(asked.blob_digests_size() == 2);

  sent = world.upload({engine::source("new"), engine::source("there")});
  CHECK(sent->blobs == 0);
  CHECK(world.server.count("FindMissingBlobs") == 1);
  CHECK(world.cas->sent().blobs == 1);
}

TEST_CASE("small blobs of a new action are sent unasked when no file is unknown") {
  CasWorld world;
  fake::TempDir dir;
  Source file{base::digest_of("a file"), "", dir.write("file", "a file")};
  REQUIRE(world.upload({file, engine::source("one")}, Ask::files)->blobs == 2);
  CHECK(world.server.count("FindMissingBlobs") == 1);

  // Also what is given twice, and what another client has sent meanwhile.
  world.server.put("two");
  std::vector<Source> sources = {file, engine::source("two"), engine::source(""), engine::source("three"),
                                 engine::source("three")};
  CHECK(world.upload(sources, Ask::files)->blobs == 2);
  CHECK(world.server.count("FindMissingBlobs") == 1);
  CHECK(world.has_all({engine::source("two"), engine::source("three")}));
  CHECK(world.upload(sources, Ask::files)->blobs == 0);
  CHECK(world.server.count("FindMissingBlobs") == 1);

  CHECK(world.upload({engine::source("four")}, Ask::unknown)->blobs == 1);
  CHECK(world.server.count("FindMissingBlobs") == 2);
  CHECK(world.upload({engine::source("five"), engine::source(fake::noise(16 << 10))}, Ask::files)->blobs ==
        2);
  CHECK(world.server.count("FindMissingBlobs") == 3);
  CHECK(world.upload(many(17, 10), Ask::files)->blobs == 17);
  CHECK(world.server.count("FindMissingBlobs") == 4);
}

TEST_CASE("the empty blob is neither asked about nor sent nor fetched") {
  CasWorld world;
  CHECK(world.upload({engine::source("")}).ok());
  auto contents = world.fetch({base::digest_of("")});
  REQUIRE(contents.ok());
  CHECK(contents->at(base::digest_of("")).empty());
  CHECK(world.server.count("FindMissingBlobs") == 0);
  CHECK(world.server.count("GetCapabilities") == 0);
}

TEST_CASE("what was evicted is sent again in doubt, and after a while without") {
  CasWorld world;
  std::vector<Source> sources = many(3, 100);
  REQUIRE(world.upload(sources).ok());
  world.server.erase(sources[1].digest);
  CHECK(world.upload(sources)->blobs == 0);
  CHECK(world.upload(sources, Ask::all)->blobs == 1);
  world.server.erase(sources[2].digest);
  world.clock.advance(std::chrono::hours(1));
  CHECK(world.upload(sources)->blobs == 1);
  CHECK(world.has_all(sources));
}

TEST_CASE("small blobs go in batches, large ones and files by stream") {
  CasWorld world;
  fake::TempDir dir;
  std::vector<Source> sources = many(5, 1'000);
  sources.push_back(engine::source(fake::noise(1'500'000)));
  std::string text(3'000'000, 'f');
  sources.push_back({base::digest_of(text), "", dir.write("large", text)});
  sources.push_back({base::digest_of("small file"), "", dir.write("small", "small file")});
  auto sent = world.upload(sources);
  REQUIRE(sent.ok());
  CHECK(sent->blobs == 8);
  CHECK(world.has_all(sources));
  CHECK(world.server.count("BatchUpdateBlobs") == 1);
  CHECK(world.server.count("Write") == 2);
}

TEST_CASE("batches keep to the announced limit, counted as encoded") {
  CasWorld world;
  world.announced().set_max_batch_total_size_bytes(100'000);
  std::vector<Source> sources = many(40, 10'000);
  REQUIRE(world.upload(sources).ok());
  CHECK(world.has_all(sources));
  CHECK(world.largest_update() <= 100'000);
  CHECK(world.updates().size() == 5);
}

TEST_CASE("without an announced limit no message is over what gRPC takes") {
  CasWorld world;
  world.announced().set_max_batch_total_size_bytes(0);
  std::vector<Source> sources = many(12, 900'000);
  REQUIRE(world.upload(sources).ok());
  CHECK(world.has_all(sources));
  CHECK(world.largest_update() <= (4 << 20) - (64 << 10));
  CHECK(world.updates().size() > 2);
}

TEST_CASE("a batch that a proxy refuses is halved until it passes, and the limit remembered for a while") {
  CasWorld world;
  world.server.on("BatchUpdateBlobs", [](const fake::Seen& seen) -> std::optional<Status> {
    if (seen.request.size() > 300'000) return kRefusedByProxy;
    return std::nullopt;
  });
  std::vector<Source> sources = many(100, 10'000);
  REQUIRE(world.upload(sources).ok());
  CHECK(world.has_all(sources));
  auto refused = [&] {
    int count = 0;
    for (const auto& update : world.updates()) count += update.ByteSizeLong() > 300'000 ? 1 : 0;
    return count;
  };
  CHECK(refused() == 2);
  REQUIRE(world.upload(many(100, 10'000, 1'000)).ok());
  CHECK(refused() == 2);
  world.clock.advance(std::chrono::minutes(11));
  REQUIRE(world.upload(many(100, 10'000, 2'000)).ok());
  CHECK(refused() > 2);
}

TEST_CASE("a single blob that is too large for a message goes by stream") {
  CasWorld world;
  Source source = engine::source(fake::noise(500'000));
  world.server.fail("BatchUpdateBlobs", Status(StatusCode::RESOURCE_EXHAUSTED, "message larger than max"));
  REQUIRE(world.upload({source}).ok());
  CHECK(world.server.count("Write") == 1);
  CHECK(world.server.has(source.digest));
}

TEST_CASE("a single blob that a proxy refuses either way fails with advice for the proxy's owner") {
  CasWorld world;
  world.server.fail("BatchUpdateBlobs", kRefusedByProxy, 9);
  world.server.fail("Write", kRefusedByProxy, 9);
  remote::Failure failure = world.upload({engine::source(fake::noise(500'000))}).error();
  CHECK(failure.cause == Cause::too_large);
  CHECK(fake::holds(failure.message, "client_max_body_size"));
  CHECK(fake::holds(failure.message, "1 MiB"));
}

TEST_CASE("a blob over the server's limit is not sent, and the message says why") {
  CasWorld world;
  world.announced().set_max_cas_blob_size_bytes(2 << 20);
  fake::TempDir dir;
  std::string bytes = fake::noise(3 << 20);
  remote::Failure failure = world.upload({{base::digest_of(bytes), "", dir.write("cc1plus", bytes)}}).error();
  CHECK(failure.cause == Cause::too_large);
  CHECK(fake::holds(failure.message, "cc1plus"));
  CHECK(fake::holds(failure.message, "3 MiB"));
  CHECK(fake::holds(failure.message, "2 MiB"));
  CHECK(world.server.count("Write") == 0);
}

TEST_CASE("a limit that is not announced is a refusal of the blob") {
  CasWorld world;
  world.server.fail("Write", Status(StatusCode::INVALID_ARGUMENT, "blob is too large"), 9);
  CHECK(world.upload({engine::source(fake::noise(2 << 20))}).error().cause == Cause::invalid);
}

TEST_CASE("a file that changed is a local failure and keeps nobody else from sending") {
  CasWorld world;
  fake::TempDir dir;
  base::Digest digest = base::digest_of("before");
  CHECK(world.upload({{digest, "", dir.write("file", "after!")}}).error().cause == Cause::local);
  CHECK(!world.server.has(digest));
  CHECK(world.upload({engine::source("before")}).ok());
  CHECK(world.server.has(digest));
}

TEST_CASE("of two tasks with the same blob only one sends it") {
  fake::Latch latch;
  CasWorld world;
  world.server.on("BatchUpdateBlobs", [&](const fake::Seen& seen) -> std::optional<Status> {
    latch.wait(seen.cancelled);
    return std::nullopt;
  });
  std::thread first([&] { CHECK(world.upload({engine::source("shared")}).ok()); });
  REQUIRE(world.server.wait_for("BatchUpdateBlobs", 1));
  std::thread second([&] { CHECK(world.upload({engine::source("shared")})->blobs == 0); });
  REQUIRE(world.server.wait_for("FindMissingBlobs", 2));
  latch.open();
  first.join();
  second.join();
  CHECK(world.server.uploads(base::digest_of("shared")) == 1);
}

TEST_CASE("when the one who sends is stopped, the one who waits sends") {
  fake::Latch never;
  CasWorld world;
  world.server.on("BatchUpdateBlobs", [&](const fake::Seen& seen) -> std::optional<Status> {
    if (seen.number > 1) return std::nullopt;
    never.wait(seen.cancelled);
    return Status(StatusCode::CANCELLED, "cancelled");
  });
  std::stop_source stop;
  std::thread first([&] {
    CHECK(world.upload({engine::source("shared")}, Ask::unknown, stop.get_token()).error().cause ==
          Cause::cancelled);
  });
  REQUIRE(world.server.wait_for("BatchUpdateBlobs", 1));
  std::thread second([&] { CHECK(world.upload({engine::source("shared")}).ok()); });
  REQUIRE(world.server.wait_for("FindMissingBlobs", 2));
  stop.request_stop();
  first.join();
  second.join();
  CHECK(world.server.has(base::digest_of("shared")));
}

TEST_CASE("what the server minds in one blob does not concern those who wait for the others") {
  fake::Latch latch;
  CasWorld world;
  std::string bad = fake::noise(2 << 20);
  std::string good = fake::noise(3 << 20);
  std::string bad_hash = base::digest_of(bad).hex();
  world.server.on("Write", [&](const fake::Seen& seen) -> std::optional<Status> {
    latch.wait(seen.cancelled);
    if (seen.request.find(bad_hash) == std::string::npos) return std::nullopt;
    return Status(StatusCode::INVALID_ARGUMENT, "blob is too large");
  });
  std::thread first([&] {
    CHECK(world.upload({engine::source(bad), engine::source(good)}).error().cause == Cause::invalid);
  });
  REQUIRE(world.server.wait_for("Write", 1));
  std::thread second([&] { CHECK(world.upload({engine::source(good)}).ok()); });
  REQUIRE(world.server.wait_for("FindMissingBlobs", 2));
  latch.open();
  first.join();
  second.join();
  CHECK(world.server.has(base::digest_of(good)));
}

TEST_CASE("many tasks with overlapping inputs send each blob once") {
  CasWorld world;
  std::vector<Source> sources = many(60, 2'000);
  std::vector<std::thread> tasks;
  for (std::size_t task = 0; task < 8; ++task) {
    tasks.emplace_back([&world, &sources, task] {
      std::vector<Source> some;
      for (std::size_t i = 0; i < sources.size(); ++i)
        if ((i + task) % 3 != 0) some.push_back(sources[i]);
      CHECK(world.upload(some).ok());
    });
  }
  for (std::thread& task : tasks) task.join();
  for (const Source& source : sources) CHECK(world.server.uploads(source.digest) == 1);
}

TEST_CASE("a refusal is one call, and the next task may try") {
  CasWorld world;
  world.server.fail("BatchUpdateBlobs", Status(StatusCode::PERMISSION_DENIED, "read only"));
  CHECK(world.upload({engine::source("x")}).error().cause == Cause::denied);
  CHECK(world.server.count("BatchUpdateBlobs") == 1);
  CHECK(world.upload({engine::source("x")}).ok());
}

TEST_CASE("a server without batches is served by streams, and not asked for batches again") {
  CasWorld world;
  world.server.fail("BatchUpdateBlobs", Status(StatusCode::UNIMPLEMENTED, "no"), 9);
  world.server.fail("BatchReadBlobs", Status(StatusCode::UNIMPLEMENTED, "no"), 9);
  std::vector<Source> sources = many(3, 100);
  REQUIRE(world.upload(sources).ok());
  REQUIRE(world.upload(many(3, 100, 100)).ok());
  CHECK(world.server.count("BatchUpdateBlobs") == 1);
  CHECK(world.server.count("Write") == 6);
  CHECK(world.fetch(digests_of(sources))->size() == 3);
  CHECK(world.fetch(digests_of(sources))->size() == 3);
  CHECK(world.server.count("BatchReadBlobs") == 1);
}

TEST_CASE("as Buildbarn announces it, streams are compressed and batches are not") {
  CasWorld world;
  world.announced().clear_supported_batch_update_compressors();
  world.server.traits()->resumes_writes = false;
  world.server.traits()->ignores_zstd_offset = true;
  std::string small(50'000, 's');
  std::string large(3'000'000, 'l');
  REQUIRE(world.upload({engine::source(small), engine::source(large)}).ok());
  CHECK(world.updates().at(0).requests(0).compressor() == re::Compressor::IDENTITY);
  CHECK(fake::holds(world.server.requests<WriteRequest>("Write").at(0).resource_name(),
                    "compressed-blobs/zstd"));
  CHECK(world.fetch({base::digest_of(small), base::digest_of(large)})->size() == 2);
  auto read = world.server.requests<re::BatchReadBlobsRequest>("BatchReadBlobs").at(0);
  CHECK(read.acceptable_compressors_size() == 0);
  CHECK(
      fake::holds(world.server.requests<ReadRequest>("Read").at(0).resource_name(), "compressed-blobs/zstd"));
}

TEST_CASE("as bazel-remote announces it, both are compressed") {
  CasWorld world;
  std::string small(50'000, 's');
  auto sent = world.upload({engine::source(small), engine::source(std::string(3'000'000, 'l'))});
  REQUIRE(sent.ok());
  CHECK(sent->bytes < 10'000);
  CHECK(world.updates().at(0).requests(0).compressor() == re::Compressor::ZSTD);
}

TEST_CASE("compression can be turned off") {
  CasWorld world(false);
  std::string small(50'000, 's');
  std::string large(3'000'000, 'l');
  REQUIRE(world.upload({engine::source(small), engine::source(large)}).ok());
  CHECK(world.updates().at(0).requests(0).compressor() == re::Compressor::IDENTITY);
  REQUIRE(world.fetch({base::digest_of(small), base::digest_of(large)}).ok());
  CHECK(!fake::holds(world.server.requests<WriteRequest>("Write").at(0).resource_name(), "compressed"));
  CHECK(!fake::holds(world.server.requests<ReadRequest>("Read").at(0).resource_name(), "compressed"));
}

TEST_CASE("compressed batches end when plain ones pass where they did not") {
  CasWorld world;
  world.server.fail("BatchUpdateBlobs", Status(StatusCode::INVALID_ARGUMENT, "compressor"));
  REQUIRE(world.upload({engine::source(std::string(50'000, 'a'))}).ok());
  REQUIRE(world.upload({engine::source(std::string(50'000, 'b'))}).ok());
  Updates updates = world.updates();
  REQUIRE(updates.size() == 3);
  CHECK(updates[0].requests(0).compressor() == re::Compressor::ZSTD);
  CHECK(updates[1].requests(0).compressor() == re::Compressor::IDENTITY);
  CHECK(updates[2].requests(0).compressor() == re::Compressor::IDENTITY);
}

TEST_CASE("what is there is fetched, what is absent is left out") {
  CasWorld world;
  std::vector<Source> sources = many(4, 1'000);
  sources.push_back(engine::source(fake::noise(2'000'000)));
  for (const Source& source : sources) world.server.put(source.bytes);
  std::vector<base::Digest> digests = digests_of(sources);
  digests.push_back(base::digest_of("gone"));
  base::Digest large_gone = base::digest_of(fake::noise(1'500'000, 99));
  digests.push_back(large_gone);
  digests.push_back(digests[0]);
  auto contents = world.fetch(digests);
  REQUIRE(contents.ok());
  CHECK(contents->size() == 5);
  for (const Source& source : sources) CHECK(contents->at(source.digest) == source.bytes);
  CHECK(world.server.count("BatchReadBlobs") == 1);
  CHECK(world.cas->received().blobs == 5);
  CHECK(world.cas->received().bytes > 0);
}

TEST_CASE("the answers of batch reads stay below what a server may send") {
  CasWorld world;
  world.announced().set_max_batch_total_size_bytes(0);
  std::vector<Source> sources = many(12, 700'000);
  for (const Source& source : sources) world.server.put(source.bytes);
  CHECK(world.fetch(digests_of(sources))->size() == 12);
  CHECK(world.server.count("Read") == 0);
}

TEST_CASE("a batch read that the server refuses as a whole is done blob by blob") {
  CasWorld world;
  std::vector<Source> sources = many(3, 1'000);
  for (const Source& source : sources) world.server.put(source.bytes);
  for (StatusCode code : {StatusCode::INVALID_ARGUMENT, StatusCode::INTERNAL, StatusCode::NOT_FOUND}) {
    world.server.fail("BatchReadBlobs", Status(code, "no"));
    CHECK(world.fetch(digests_of(sources))->size() == 3);
  }
  CHECK(world.server.count("BatchReadBlobs") == 3);
  CHECK(world.server.count("Read") == 9);
}

TEST_CASE("an answer that is too large is asked for in halves") {
  CasWorld world;
  std::vector<Source> sources = many(40, 10'000);
  for (const Source& source : sources) world.server.put(source.bytes);
  world.server.fail("BatchReadBlobs", Status(StatusCode::RESOURCE_EXHAUSTED, "message larger than max"));
  CHECK(world.fetch(digests_of(sources))->size() == 40);
  CHECK(world.server.count("BatchReadBlobs") == 4);
  CHECK(world.server.count("Read") == 0);
}

TEST_CASE("wrong bytes in a batch are read again by themselves, and twice wrong is a failure") {
  CasWorld world;
  Source source = engine::source(fake::noise(5'000));
  world.server.put(source.bytes);
  world.server.damage("BatchReadBlobs");
  CHECK(world.fetch({source.digest})->at(source.digest) == source.bytes);
  world.server.damage("BatchReadBlobs");
  world.server.damage("Read", 9);
  CHECK(world.fetch({source.digest}).error().cause == Cause::corrupt);
}

TEST_CASE("a known blob that turns out to be gone makes everything doubtful") {
  CasWorld world;
  std::vector<Source> sources = many(2, 100);
  REQUIRE(world.upload(sources).ok());
  world.server.erase(sources[0].digest);
  CHECK(world.fetch({sources[0].digest})->empty());
  CHECK(world.upload(sources)->blobs == 1);
}

TEST_CASE("a size that no compile's output has is not believed") {
  CasWorld world;
  base::Digest digest = base::digest_of("x");
  digest.size = std::int64_t{1} << 40;
  CHECK(world.fetch({digest}).error().cause == Cause::too_large);
  CHECK(world.server.count("Read") == 0);
}

TEST_CASE("a server that cannot be asked is the failure of the upload and of the fetch") {
  CasWorld world;
  world.server.fail("FindMissingBlobs", Status(StatusCode::PERMISSION_DENIED, "no"));
  CHECK(world.upload({engine::source("x")}).error().cause == Cause::denied);
  world.server.fail("GetCapabilities", Status(StatusCode::UNAUTHENTICATED, "who are you"), 9);
  CHECK(world.fetch({base::digest_of("x")}).error().cause == Cause::unauthenticated);
}

TEST_CASE("a stop ends a fetch") {
  fake::Latch never;
  CasWorld world;
  world.server.on("BatchReadBlobs", [&](const fake::Seen& seen) -> std::optional<Status> {
    never.wait(seen.cancelled);
    return Status(StatusCode::CANCELLED, "cancelled");
  });
  std::stop_source stop;
  std::thread stopper([&] {
    CHECK(world.server.wait_for("BatchReadBlobs", 1));
    stop.request_stop();
  });
  CHECK(world.fetch({base::digest_of("x")}, stop.get_token()).error().cause == Cause::cancelled);
  stopper.join();
}
