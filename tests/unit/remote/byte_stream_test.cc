#include "remote/byte_stream.h"

#include <doctest/doctest.h>

#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/zstd.h"
#include "fake/fake_clock.h"
#include "fake/listening.h"
#include "fake/noise.h"
#include "fake/reapi_server.h"
#include "fake/remote_caller.h"
#include "fake/temp_dir.h"
#include "fake/text.h"
#include "unit/remote/engine.h"
#include "wire/bytestream.grpc.pb.h"
#include "wire/bytestream.pb.h"

using google::bytestream::ReadRequest;
using google::bytestream::WriteRequest;
using grpc::Status;
using grpc::StatusCode;
using remote::Cause;
using remote::Feature;
using remote::Source;

namespace {

const Status kCut(StatusCode::UNAVAILABLE, "cut");

// Looks as if it compressed well, but its frame has many pieces.
std::string half_noise(std::size_t size) { return std::string(40'000, 'a') + fake::noise(size - 40'000); }

struct ByteStreamWorld {
  fake::ReapiServer server;
  fake::FakeClock clock;
  fake::RemoteCaller caller{server.url()};
  remote::Quirks quirks{clock};
  remote::ByteStream stream{caller.connection, "main/inst", quirks};

  auto write(const Source& source, bool zstd, const std::stop_token& stop = {}) {
    return stream.write(caller.call, source, zstd, stop);
  }
  auto read(const base::Digest& digest, bool zstd, const std::stop_token& stop = {}) {
    return stream.read(caller.call, digest, zstd, stop);
  }
  std::vector<WriteRequest> writes() { return server.requests<WriteRequest>("Write"); }
  std::vector<ReadRequest> reads() { return server.requests<ReadRequest>("Read"); }
};

// A server whose answers a test writes by hand.
class ScriptedStream : public google::bytestream::ByteStream::Service {
 public:
  std::string read_bytes;         // of each plain Read, whatever was asked for
  std::string read_zstd;          // of each compressed one
  std::int64_t committed = 0;     // the answer of the first Write; later ones tell the truth
  std::int64_t write_status = 0;  // the answer of QueryWriteStatus

  // Of the resources, in order.
  std::vector<std::string> names() const {
    std::lock_guard lock(mutex_);
    return names_;
  }

  std::string url() const { return listening_.url(); }

  Status Read(grpc::ServerContext*, const ReadRequest* request,
              grpc::ServerWriter<google::bytestream::ReadResponse>* writer) override {
    note(request->resource_name());
    google::bytestream::ReadResponse response;
    response.set_data(fake::holds(request->resource_name(), "zstd") ? read_zstd : read_bytes);
    writer->Write(response);
    return Status::OK;
  }
  Status Write(grpc::ServerContext*, grpc::ServerReader<WriteRequest>* reader,
               google::bytestream::WriteResponse* response) override {
    WriteRequest request;
    std::int64_t size = 0;
    bool first = names().empty();
    while (reader->Read(&request)) {
      if (!request.resource_name().empty()) note(request.resource_name());
      size = request.write_offset() + static_cast<std::int64_t>(request.data().size());
    }
    response->set_committed_size(first ? committed : size);
    return Status::OK;
  }
  Status QueryWriteStatus(grpc::ServerContext*, const google::bytestream::QueryWriteStatusRequest*,
                          google::bytestream::QueryWriteStatusResponse* response) override {
    response->set_committed_size(write_status);
    return Status::OK;
  }

 private:
  void note(const std::string& name) {
    std::lock_guard lock(mutex_);
    names_.push_back(name);
  }

  mutable std::mutex mutex_;
  std::vector<std::string> names_;   // guarded by mutex_
  fake::Listening listening_{this};  // last: calls use the rest
};

struct ScriptedWorld {
  ScriptedStream server;
  fake::FakeClock clock;
  fake::RemoteCaller caller{server.url()};
  remote::Quirks quirks{clock};
  remote::ByteStream stream{caller.connection, "", quirks};
};

}  // namespace

TEST_CASE("bytes and files are uploaded under the name of their digest") {
  ByteStreamWorld world;
  fake::TempDir dir;
  std::string bytes = fake::noise(1'000'000);
  Source source = engine::source(bytes);
  CHECK(*world.write(source, false) == bytes.size());
  CHECK(*world.server.get(source.digest) == bytes);
  std::string name = world.writes().at(0).resource_name();
  CHECK(name.starts_with("main/inst/uploads/"));
  CHECK(name.ends_with("/blobs/" + source.digest.hex() + "/1000000"));

  std::string other = half_noise(700'000);
  Source file{base::digest_of(other), "", dir.write("file", other)};
  CHECK(*world.write(file, false) == other.size());
  CHECK(*world.server.get(file.digest) == other);
}

TEST_CASE("what gains by compression is uploaded compressed") {
  ByteStreamWorld world;
  std::string text(3'000'000, 'a');
  CHECK(*world.write(engine::source(text), true) < 100'000);
  CHECK(world.server.has(base::digest_of(text)));
  CHECK(fake::holds(world.writes().at(0).resource_name(), "/compressed-blobs/zstd/"));
  CHECK(world.writes().at(0).resource_name().ends_with("/3000000"));

  CHECK(world.write(engine::source(fake::noise(500'000)), true).ok());
  CHECK(!fake::holds(world.writes().at(1).resource_name(), "compressed"));
}

TEST_CASE("a blob that somebody else has sent is a success, whatever size the server names") {
  ByteStreamWorld world;
  std::string bytes = half_noise(5'000'000);
  world.server.put(bytes);
  int stored = world.server.uploads(base::digest_of(bytes));
  CHECK(world.write(engine::source(bytes), false).ok());
  for (std::int64_t size : {std::int64_t{-1}, std::int64_t{4'961'234}, std::int64_t{5'000'000}}) {
    world.server.traits()->early_compressed = size;
    CHECK(world.write(engine::source(bytes), true).ok());
  }
  CHECK(world.server.count("Write") == 4);
  CHECK(world.server.uploads(base::digest_of(bytes)) == stored);
  CHECK(world.quirks.has(Feature::zstd_streams));
}

TEST_CASE("an interrupted upload goes on where the server says") {
  for (bool zstd : {false, true}) {
    ByteStreamWorld world;
    std::string bytes = half_noise(2'000'000);
    world.server.cut("Write", 2, kCut);
    REQUIRE(world.write(engine::source(bytes), zstd).ok());
    CHECK(*world.server.get(base::digest_of(bytes)) == bytes);
    CHECK(world.server.count("QueryWriteStatus") == 1);
    std::vector<WriteRequest> writes = world.writes();
    REQUIRE(writes.size() == 2);
    CHECK(writes[1].resource_name() == writes[0].resource_name());
    CHECK(writes[1].write_offset() == 2 * (256 << 10));
  }
}

TEST_CASE("interrupted again and again it goes on as long as something arrives") {
  ByteStreamWorld world;
  std::string bytes = fake::noise(2'000'000);
  world.server.cut("Write", 1, kCut, 6);
  REQUIRE(world.write(engine::source(bytes), false).ok());
  CHECK(world.server.has(base::digest_of(bytes)));
  CHECK(world.writes().back().write_offset() == 6 * (256 << 10));
}

TEST_CASE("where the server cannot say, the upload begins anew under another name") {
  ByteStreamWorld world;
  world.server.traits()->resumes_writes = false;
  std::string bytes = fake::noise(2'000'000);
  world.server.cut("Write", 2, kCut);
  REQUIRE(world.write(engine::source(bytes), false).ok());
  CHECK(world.server.has(base::digest_of(bytes)));
  std::vector<WriteRequest> writes = world.writes();
  REQUIRE(writes.size() == 2);
  CHECK(writes[1].resource_name() != writes[0].resource_name());
  CHECK(writes[1].write_offset() == 0);
  CHECK(!world.quirks.has(Feature::query_write_status));

  // It is not asked a second time.
  std::string other = fake::noise(1'500'000);
  world.server.cut("Write", 2, kCut);
  REQUIRE(world.write(engine::source(other), false).ok());
  CHECK(world.server.count("QueryWriteStatus") == 1);
  writes = world.writes();
  REQUIRE(writes.size() == 4);
  CHECK(writes[3].resource_name() != writes[2].resource_name());
}

TEST_CASE("an upload that the server forgot, or that is not ours to ask about, begins anew") {
  for (StatusCode code : {StatusCode::NOT_FOUND, StatusCode::UNAUTHENTICATED}) {
    ByteStreamWorld world;
    std::string bytes = fake::noise(1'000'000);
    world.server.cut("Write", 2, kCut);
    world.server.fail("QueryWriteStatus", Status(code, "no"));
    REQUIRE(world.write(engine::source(bytes), false).ok());
    std::vector<WriteRequest> writes = world.writes();
    REQUIRE(writes.size() == 2);
    CHECK(writes[1].resource_name() != writes[0].resource_name());
    CHECK(writes[1].write_offset() == 0);
    CHECK(world.quirks.has(Feature::query_write_status));
  }
}

TEST_CASE("an upload that turns out to be complete is not repeated") {
  ByteStreamWorld world;
  std::string bytes = fake::noise(1'000'000);
  world.server.cut("Write", 2, kCut);
  world.server.on("QueryWriteStatus", [&](const fake::Seen&) {
    world.server.put(bytes);
    return std::nullopt;
  });
  CHECK(world.write(engine::source(bytes), false).ok());
  CHECK(world.server.count("Write") == 1);
}

TEST_CASE("when plain bytes get through where compressed ones did not, compression ends for the endpoint") {
  for (StatusCode code : {StatusCode::UNKNOWN, StatusCode::INTERNAL, StatusCode::INVALID_ARGUMENT}) {
    ByteStreamWorld world;
    world.server.on("Write", [&](const fake::Seen& seen) -> std::optional<Status> {
      WriteRequest request;
      request.ParseFromString(seen.request);
      if (fake::holds(request.resource_name(), "compressed")) return Status(code, "garbage");
      return std::nullopt;
    });
    std::string text(2'000'000, 'a');
    REQUIRE(world.write(engine::source(text), true).ok());
    CHECK(world.server.has(base::digest_of(text)));
    CHECK(!world.quirks.has(Feature::zstd_streams));
    CHECK(world.server.count("Write") <= 3);
    int before = world.server.count("Write");
    REQUIRE(world.write(engine::source(text + "b"), true).ok());
    CHECK(world.server.count("Write") == before + 1);
  }
}

TEST_CASE("a server that restarts says nothing about compression") {
  ByteStreamWorld world;
  world.server.fail("Write", kCut, 2);
  world.server.fail("QueryWriteStatus", Status(StatusCode::NOT_FOUND, "no"), 2);
  CHECK(world.write(engine::source(std::string(1'000'000, 'a')), true).ok());
  CHECK(world.quirks.has(Feature::zstd_streams));
}

TEST_CASE("no right to write is one call") {
  ByteStreamWorld world;
  world.server.fail("Write", Status(StatusCode::PERMISSION_DENIED, "read only"), 9);
  CHECK(world.write(engine::source(std::string(100'000, 'a')), true).error().cause == Cause::denied);
  CHECK(world.server.count("Write") == 1);
}

TEST_CASE("messages that are too large become smaller, and a proxy's refusal says what its owner can do") {
  ByteStreamWorld world;
  Source source = engine::source(fake::noise(1'000'000));
  world.server.fail("Write", Status(StatusCode::RESOURCE_EXHAUSTED, "Received message larger than max"));
  CHECK(world.write(source, false).ok());
  CHECK(world.server.count("Write") == 2);

  world.server.fail("Write", Status(StatusCode::UNKNOWN, "Received http2 header with status: 413"), 9);
  Source other = engine::source(fake::noise(900'000));
  remote::Failure failure = world.write(other, false).error();
  CHECK(failure.cause == Cause::too_large);
  CHECK(fake::holds(failure.message, "client_max_body_size"));
  CHECK(world.server.count("Write") == 4);
}

TEST_CASE("a proxy that answers before all is sent refuses the size, if the server behind it is well") {
  const Status early(StatusCode::INTERNAL, "Received RST_STREAM with error code 0");
  for (bool resumes : {false, true}) {
    ByteStreamWorld world;
    world.server.traits()->resumes_writes = resumes;
    world.server.fail("Write", early, 2);
    if (resumes) world.server.fail("QueryWriteStatus", Status(StatusCode::NOT_FOUND, "no such upload"), 2);
    Source source = engine::source(fake::noise(1'500'000));
    remote::Failure failure = world.write(source, false).error();
    CHECK(failure.cause == Cause::too_large);
    CHECK(fake::holds(failure.message, "1500000 bytes"));
    CHECK(fake::holds(failure.message, "client_max_body_size"));
    CHECK(world.server.count("Write") == 2);
    CHECK(world.caller.connection.health().state().breaker == remote::Breaker::closed);

    // It is remembered for a while; smaller ones go on.
    CHECK(world.write(source, false).error().cause == Cause::too_large);
    CHECK(world.server.count("Write") == 2);
    CHECK(world.write(engine::source(fake::noise(900'000)), false).ok());
    world.clock.advance(std::chrono::minutes(11));
    CHECK(world.write(source, false).ok());
  }
}

TEST_CASE("a proxy that answers for a server that is gone is an endpoint that is not available") {
  ByteStreamWorld world;
  world.server.fail("Write", Status(StatusCode::INTERNAL, "Received RST_STREAM with error code 0"));
  world.server.fail("QueryWriteStatus", Status(StatusCode::UNAVAILABLE, "status: 502"), 9);
  Source source = engine::source(fake::noise(1'500'000));
  CHECK(world.write(source, false).error().cause == Cause::unavailable);
  CHECK(world.server.count("Write") == 1);
}

TEST_CASE("a file that changed is never finished on the server") {
  ByteStreamWorld world;
  fake::TempDir dir;
  std::string bytes = half_noise(1'000'000);
  Source source{base::digest_of(bytes), "", dir.write("file", bytes + "more")};
  for (bool zstd : {false, true}) {
    CHECK(world.write(source, zstd).error().cause == Cause::local);
    CHECK(!world.server.has(source.digest));
  }
}

TEST_CASE("a stop ends an upload") {
  fake::Latch never;
  ByteStreamWorld world;
  world.server.on("Write", [&](const fake::Seen& seen) -> std::optional<Status> {
    never.wait(seen.cancelled);
    return Status(StatusCode::CANCELLED, "cancelled");
  });
  std::stop_source stop;
  std::thread stopper([&] {
    CHECK(world.server.wait_for("Write", 1));
    stop.request_stop();
  });
  CHECK(world.write(engine::source(fake::noise(5'000'000)), false, stop.get_token()).error().cause ==
        Cause::cancelled);
  stopper.join();
}

TEST_CASE("blobs are read, compressed where wanted, and never with a limit") {
  for (bool zstd : {false, true}) {
    ByteStreamWorld world;
    std::string bytes = half_noise(1'000'000);
    base::Digest digest = base::digest_of(bytes);
    world.server.put(bytes);
    auto blob = world.read(digest, zstd);
    REQUIRE(blob.ok());
    CHECK(blob->content == bytes);
    CHECK((blob->bytes < bytes.size()) == zstd);
    ReadRequest request = world.reads().at(0);
    CHECK(request.resource_name() == std::string("main/inst/") +
                                         (zstd ? "compressed-blobs/zstd/" : "blobs/") + digest.hex() +
                                         "/1000000");
    CHECK(request.read_limit() == 0);
  }
}

TEST_CASE("an interrupted plain read goes on where it was") {
  ByteStreamWorld world;
  std::string bytes = fake::noise(1'000'000);
  world.server.put(bytes);
  world.server.cut("Read", 3, kCut);
  CHECK(world.read(base::digest_of(bytes), false)->content == bytes);
  REQUIRE(world.reads().size() == 2);
  CHECK(world.reads()[1].read_offset() == 3 * (64 << 10));
}

TEST_CASE("an interrupted compressed read begins anew, because not all servers mind the offset") {
  ByteStreamWorld world;
  world.server.traits()->ignores_zstd_offset = true;
  std::string bytes = half_noise(1'000'000);
  world.server.put(bytes);
  world.server.cut("Read", 3, kCut);
  CHECK(world.read(base::digest_of(bytes), true)->content == bytes);
  REQUIRE(world.reads().size() == 2);
  CHECK(world.reads()[1].read_offset() == 0);
  CHECK(world.quirks.has(Feature::zstd_streams));
}

TEST_CASE("a read that was cut after its last byte is complete: nothing is asked at the end") {
  ByteStreamWorld world;
  std::string bytes = fake::noise(128 << 10);
  world.server.put(bytes);
  world.server.cut("Read", 2, kCut);
  CHECK(world.read(base::digest_of(bytes), false)->content == bytes);
  CHECK(world.server.count("Read") == 1);
}

TEST_CASE("a stream that ends early without an error is gone on with") {
  ByteStreamWorld world;
  std::string bytes = half_noise(1'000'000);
  world.server.put(bytes);
  world.server.cut("Read", 3, Status::OK);
  CHECK(world.read(base::digest_of(bytes), false)->content == bytes);
  CHECK(world.reads().at(1).read_offset() == 3 * (64 << 10));

  world.server.cut("Read", 3, Status::OK);
  CHECK(world.read(base::digest_of(bytes), true)->content == bytes);
}

TEST_CASE("wrong bytes are asked for once more, uncompressed, and then are a failure") {
  for (bool zstd : {false, true}) {
    ByteStreamWorld world;
    std::string bytes = half_noise(300'000);
    base::Digest digest = base::digest_of(bytes);
    world.server.put(bytes);
    world.server.damage("Read");
    CHECK(world.read(digest, zstd)->content == bytes);
    REQUIRE(world.reads().size() == 2);
    CHECK(!fake::holds(world.reads()[1].resource_name(), "compressed"));
    CHECK(world.quirks.has(Feature::zstd_streams) == !zstd);
    world.server.damage("Read", 2);
    CHECK(world.read(digest, false).error().cause == Cause::corrupt);
    CHECK(world.server.count("Read") == 4);
  }
}

TEST_CASE("a blob that is not there is not found, by one call") {
  for (bool zstd : {false, true}) {
    ByteStreamWorld world;
    CHECK(world.read(base::digest_of("gone"), zstd).error().cause == Cause::not_found);
    CHECK(world.server.count("Read") == 1);
  }
}

TEST_CASE("more bytes than the digest says are not taken in") {
  ScriptedWorld world;
  base::Digest digest = base::digest_of("five.");
  world.server.read_bytes = "five. and more";
  world.server.read_zstd = *base::zstd_compress(std::string(5'000'000, 'x'), 1);
  for (bool zstd : {false, true}) {
    auto blob = world.stream.read(world.caller.call, digest, zstd, {});
    REQUIRE(!blob.ok());
    CHECK(blob.error().cause == Cause::corrupt);
  }
}

TEST_CASE("when a plain read is right where a compressed one was garbage, compression ends") {
  ScriptedWorld world;
  base::Digest digest = base::digest_of("five.");
  world.server.read_bytes = "five.";
  world.server.read_zstd = "no frame";
  CHECK(world.stream.read(world.caller.call, digest, true, {})->content == "five.");
  CHECK(!world.quirks.has(Feature::zstd_streams));
  CHECK(world.stream.read(world.caller.call, digest, true, {}).ok());
  CHECK(world.server.names().size() == 3);
}

TEST_CASE("an upload of which the server took a part only is gone on with") {
  ScriptedWorld world;
  world.server.committed = 300'000;
  world.server.write_status = 300'000;
  Source source = engine::source(fake::noise(600'000));
  auto sent = world.stream.write(world.caller.call, source, false, {});
  REQUIRE(sent.ok());
  CHECK(*sent == 900'000);
  REQUIRE(world.server.names().size() == 2);
  CHECK(world.server.names()[1] == world.server.names()[0]);
}

TEST_CASE("a server that claims to have more than there is gets the upload anew") {
  ScriptedWorld world;
  world.server.committed = 1;
  world.server.write_status = 900'000;
  Source source = engine::source(fake::noise(600'000));
  REQUIRE(world.stream.write(world.caller.call, source, false, {}).ok());
  REQUIRE(world.server.names().size() == 2);
  CHECK(world.server.names()[1] != world.server.names()[0]);
}
