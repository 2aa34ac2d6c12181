// What a connection must bear, against a gRPC server and against frames written by hand. TLS has a file of
// its own; nginx in between is the engines' suite.

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <sys/socket.h>

#include <atomic>
#include <cstdlib>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "fake/raw_http2.h"
#include "fake/reapi_server.h"
#include "fake/remote_caller.h"
#include "fake/text.h"
#include "wire/bytestream.grpc.pb.h"

namespace {

namespace bs = google::bytestream;
using fake::RawHttp2;
using fake::RawPeer;
using grpc::Status;
using grpc::StatusCode;
using remote::Cause;
using remote::Connection;

const std::string kMethod = "FindMissingBlobs";
const RawPeer::Fields kGrpcHeaders = {{":status", "200"}, {"content-type", "application/grpc"}};

remote::CallOptions once(const std::string& method = kMethod) {
  remote::CallOptions options{method};
  options.attempts = 1;
  options.lane = method == "Read" || method == "Write" ? remote::Lane::bulk : remote::Lane::small;
  return options;
}

// What one call came to, without repetition, at a server that answers by frames.
remote::Failure failure_from(const RawHttp2::Script& script) {
  RawHttp2 server(script);
  fake::RemoteCaller caller(server.url());
  auto failed = caller.ask(once());
  REQUIRE_FALSE(failed.ok());
  return failed.error();
}

remote::Failure failure_of_html(const char* status) {
  return failure_from([&](RawPeer& peer, std::uint32_t stream) {
    peer.headers(stream, {{":status", status}, {"content-type", "text/html"}}, false);
    peer.data(stream, "<html><body><h1>" + std::string(status) + " from nginx</h1></body></html>", true);
  });
}

std::string resource_of(const std::string& bytes) {
  base::Digest digest = base::digest_of(bytes);
  return "blobs/" + digest.hex() + "/" + std::to_string(digest.size);
}

// Writes `bytes` in pieces of 64 KiB until all are sent or the server has heard enough.
Status write_blob(grpc::ClientContext& context, const Connection::Channel& channel, const std::string& bytes,
                  std::int64_t* committed) {
  bs::WriteResponse answer;
  auto stub = bs::ByteStream::NewStub(channel);
  auto writer = stub->Write(&context, &answer);
  constexpr std::size_t kPiece = 64 << 10;
  for (std::size_t at = 0; at < bytes.size(); at += kPiece) {
    bs::WriteRequest request;
    if (at == 0) request.set_resource_name("uploads/1/" + resource_of(bytes));
    request.set_write_offset(static_cast<std::int64_t>(at));
    request.set_data(bytes.substr(at, kPiece));
    request.set_finish_write(at + kPiece >= bytes.size());
    if (!writer->Write(request)) break;
  }
  writer->WritesDone();
  Status status = writer->Finish();
  *committed = answer.committed_size();
  return status;
}

}  // namespace

TEST_CASE("calls one after the other share a connection") {
  fake::ReapiServer server;
  fake::RemoteCaller caller(server.url());
  for (int at = 0; at < 50; ++at) CHECK(caller.ask(once()).ok());
  CHECK(server.connections() == 1);
}

TEST_CASE("100 parallel calls at a server that allows 8 streams") {
  fake::ReapiTraits traits;
  traits.max_streams = 8;
  fake::ReapiServer server(traits);
  fake::RemoteCaller caller(server.url());
  std::atomic<int> good{0};
  std::vector<std::thread> tasks;
  for (int at = 0; at < 100; ++at) {
    tasks.emplace_back([&] { good += caller.ask(once()).ok() ? 1 : 0; });
  }
  for (std::thread& task : tasks) task.join();
  CHECK(good == 100);
  CHECK(server.count(kMethod) == 100);
  CHECK(server.most_at_once() <= 16);
}

TEST_CASE("a server that sends GOAWAY all the time loses no call") {
  fake::ReapiTraits traits;
  traits.connection_age_ms = 20;
  fake::ReapiServer server(traits);
  fake::RemoteCaller caller(server.url());
  int calls = 0;
  while (server.connections() < 5 && calls < 100'000) {
    CHECK(caller.ask({kMethod}).ok());
    ++calls;
  }
  CHECK(server.connections() >= 5);
}

TEST_CASE("calls that a GOAWAY left unprocessed are made again, and its last ones are answered") {
  // Each connection answers two calls, and says so while the second is under way.
  RawHttp2 server([](RawPeer& peer, std::uint32_t stream) {
    if (peer.requests == 2) peer.goaway(stream, 0, "");
    if (peer.requests <= 2) peer.answer(stream);
  });
  fake::RemoteCaller caller(server.url());
  std::atomic<int> good{0};
  std::vector<std::thread> tasks;
  for (int at = 0; at < 4; ++at) {
    tasks.emplace_back([&] {
      for (int round = 0; round < 10; ++round) good += caller.ask({kMethod}).ok() ? 1 : 0;
    });
  }
  for (std::thread& task : tasks) task.join();
  CHECK(good == 40);
  CHECK(server.connections() >= 20);
}

TEST_CASE("too_many_pings ends a call, and the next one has a new connection") {
  RawHttp2 server([](RawPeer& peer, std::uint32_t stream) {
    if (peer.number == 1) {
      peer.headers(stream, kGrpcHeaders, false);
      peer.goaway(stream, 11, "too_many_pings");
      peer.hang_up();
    } else {
      peer.answer(stream);
    }
  });
  fake::RemoteCaller caller(server.url());
  auto failed = caller.ask(once());
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().cause == Cause::unavailable);
  CHECK(caller.ask({kMethod}).ok());
  CHECK(server.connections() == 2);
}

TEST_CASE("an early OK and an early error end an upload") {
  fake::ReapiServer server;
  fake::RemoteCaller caller(server.url());
  std::string bytes(24 << 20, 'x');
  server.put(bytes);
  std::int64_t committed = 0;
  auto write = [&](grpc::ClientContext& context, const Connection::Channel& channel) {
    return write_blob(context, channel, bytes, &committed);
  };
  CHECK(caller.connection.run(once("Write"), caller.call, {}, write).ok());
  CHECK(committed == static_cast<std::int64_t>(bytes.size()));
  server.fail("Write", Status(StatusCode::PERMISSION_DENIED, "read only"));
  auto refused = caller.connection.run(once("Write"), caller.call, {}, write);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().cause == Cause::denied);
}

TEST_CASE("errors that are trailers only") {
  remote::Failure failure = failure_from([](RawPeer& peer, std::uint32_t stream) {
    RawPeer::Fields fields = kGrpcHeaders;
    fields.push_back({"grpc-status", "7"});
    fields.push_back({"grpc-message", "not%20you"});
    peer.headers(stream, fields, true);
  });
  CHECK(failure.cause == Cause::denied);
  CHECK(fake::holds(failure.message, "not you"));
}

TEST_CASE("an answer without trailers is a truncated one") {
  remote::Failure failure = failure_from([](RawPeer& peer, std::uint32_t stream) {
    peer.headers(stream, kGrpcHeaders, false);
    peer.data(stream, std::string(5, '\0'), true);
  });
  CHECK(failure.cause == Cause::unavailable);
}

TEST_CASE("an answer that is cut in the middle of a message") {
  remote::Failure failure = failure_from([](RawPeer& peer, std::uint32_t stream) {
    peer.headers(stream, kGrpcHeaders, false);
    peer.data(stream, std::string("\0\0\0\0\x09", 5) + "abc", false);
    peer.hang_up();
  });
  CHECK(failure.cause == Cause::unavailable);
  CHECK_FALSE(failure.unreachable);
}

TEST_CASE("a proxy's HTML is read as what it means, and names what to set") {
  remote::Failure large = failure_of_html("413");
  CHECK(large.cause == Cause::too_large);
  CHECK(fake::holds(large.message, "client_max_body_size"));
  CHECK(failure_of_html("502").cause == Cause::unavailable);
  CHECK(fake::holds(failure_of_html("502").message, "HTTP 502"));
  CHECK(failure_of_html("503").cause == Cause::unavailable);
  CHECK(fake::holds(failure_of_html("504").message, "grpc_read_timeout"));
  CHECK(failure_of_html("500").cause == Cause::unavailable);
  CHECK(failure_of_html("401").cause == Cause::unauthenticated);
  CHECK(failure_of_html("403").cause == Cause::denied);
  CHECK(failure_of_html("404").cause == Cause::unimplemented);
  CHECK(failure_of_html("429").cause == Cause::exhausted);
}

TEST_CASE("reset codes") {
  auto cause_of_reset = [](std::uint32_t code) {
    return failure_from([&](RawPeer& peer, std::uint32_t stream) {
             peer.headers(stream, kGrpcHeaders, false);
             peer.reset(stream, code);
           })
        .cause;
  };
  for (std::uint32_t code : {0, 1, 2, 3, 5, 8, 9, 10, 13}) {
    CHECK_MESSAGE(cause_of_reset(code) == Cause::unavailable, code);
  }
  CHECK(cause_of_reset(11) == Cause::exhausted);  // ENHANCE_YOUR_CALM
  CHECK(cause_of_reset(12) == Cause::denied);     // INADEQUATE_SECURITY
}

TEST_CASE("a refused stream is asked for again") {
  RawHttp2 server([](RawPeer& peer, std::uint32_t stream) {
    if (peer.requests == 1) {
      peer.reset(stream, 7);
    } else {
      peer.answer(stream);
    }
  });
  fake::RemoteCaller caller(server.url());
  CHECK(caller.ask({kMethod}).ok());
  CHECK(server.requests() == 2);
}

TEST_CASE("a message of 64 MiB comes, and one that is too large for the server says so") {
  fake::ReapiServer server;
  server.traits()->largest_answer = 128 << 20;
  fake::RemoteCaller caller(server.url());
  std::string bytes(64 << 20, 'y');
  server.put(bytes);
  fake::re::BatchReadBlobsRequest request;
  *request.add_digests() = fake::wire_digest(base::digest_of(bytes));
  fake::re::BatchReadBlobsResponse answer;
  auto read = caller.connection.run(
      once(), caller.call, {}, [&](grpc::ClientContext& context, const Connection::Channel& channel) {
        return fake::re::ContentAddressableStorage::NewStub(channel)->BatchReadBlobs(&context, request,
                                                                                     &answer);
      });
  REQUIRE(read.ok());
  CHECK(answer.responses(0).data() == bytes);
  caller.request.set_instance_name(std::string(5 << 20, 'z'));
  auto refused = caller.ask(once());
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().cause == Cause::too_large);
}

TEST_CASE("a reader that is slow holds up neither small calls nor other streams") {
  fake::Latch first;
  fake::Latch go;
  fake::ReapiServer server;
  fake::RemoteCaller caller(server.url());
  std::string bytes(48 << 20, 'r');
  server.put(bytes);
  server.put("little");
  auto read_blob = [&](const std::string& name, const std::function<void()>& after_first) {
    std::size_t got = 0;
    auto read = caller.connection.run(once("Read"), caller.call, {},
                                      [&](grpc::ClientContext& context, const Connection::Channel& channel) {
                                        bs::ReadRequest request;
                                        request.set_resource_name(name);
                                        auto stub = bs::ByteStream::NewStub(channel);
                                        auto reader = stub->Read(&context, request);
                                        bs::ReadResponse part;
                                        while (reader->Read(&part)) {
                                          if (got == 0) after_first();
                                          got += part.data().size();
                                        }
                                        return reader->Finish();
                                      });
    return read.ok() ? got : 0;
  };
  std::atomic<std::size_t> slow{0};
  std::thread reader([&] {
    slow = read_blob(resource_of(bytes), [&] {
      first.open();
      go.wait();
    });
  });
  CHECK(first.wait());
  CHECK(caller.ask(once()).ok());
  CHECK(read_blob(resource_of("little"), [] {}) == 6);
  go.open();
  reader.join();
  CHECK(slow == bytes.size());
}

TEST_CASE("a stop frees a writer whom a slow server holds up") {
  fake::Latch never;
  fake::ReapiServer server;
  fake::RemoteCaller caller(server.url());
  server.on("Write", [&](const fake::Seen& seen) {
    never.wait(seen.cancelled);
    return std::nullopt;
  });
  std::stop_source stop;
  std::thread stopper([&] {
    server.wait_for("Write", 1);
    stop.request_stop();
  });
  std::string bytes(64 << 20, 'w');
  std::int64_t committed = 0;
  auto stopped = caller.connection.run(once("Write"), caller.call, stop.get_token(),
                                       [&](grpc::ClientContext& context, const Connection::Channel& channel) {
                                         return write_blob(context, channel, bytes, &committed);
                                       });
  stopper.join();
  REQUIRE_FALSE(stopped.ok());
  CHECK(stopped.error().cause == Cause::cancelled);
}

TEST_CASE("a stop in mid-stream reaches the server") {
  fake::Latch cancelled;
  fake::ReapiServer server;
  fake::RemoteCaller caller(server.url());
  server.runner([&](fake::Run& run) {
    run.stage(fake::re::ExecutionStage::EXECUTING);
    cancelled.wait([&] { return run.cancelled(); });
    return fake::re::ExecuteResponse();
  });
  std::stop_source stop;
  int messages = 0;
  auto stopped = caller.connection.run(once("Execute"), caller.call, stop.get_token(),
                                       [&](grpc::ClientContext& context, const Connection::Channel& channel) {
                                         auto stub = fake::re::Execution::NewStub(channel);
                                         auto reader = stub->Execute(&context, {});
                                         google::longrunning::Operation operation;
                                         while (reader->Read(&operation)) {
                                           ++messages;
                                           stop.request_stop();
                                         }
                                         return reader->Finish();
                                       });
  REQUIRE_FALSE(stopped.ok());
  CHECK(stopped.error().cause == Cause::cancelled);
  CHECK(messages == 1);
  cancelled.open();
}

TEST_CASE("a connection that was closed while idle is made again") {
  RawHttp2 server([](RawPeer& peer, std::uint32_t stream) {
    peer.answer(stream);
    peer.hang_up();
  });
  fake::RemoteCaller caller(server.url());
  for (int at = 0; at < 5; ++at) CHECK(caller.ask({kMethod}).ok());
  CHECK(server.connections() >= 5);
}

TEST_CASE("an address that takes connections and says nothing is out of reach") {
  base::Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  REQUIRE(::bind(listener.get(), generic, size) == 0);
  REQUIRE(::listen(listener.get(), 8) == 0);
  ::getsockname(listener.get(), generic, &size);
  fake::RemoteCaller caller("grpc://127.0.0.1:" + std::to_string(ntohs(address.sin_port)));
  remote::CallOptions options = once();
  options.deadline = std::chrono::milliseconds(100);
  for (int at = 0; at < 3; ++at) {
    auto failed = caller.ask(options);
    REQUIRE_FALSE(failed.ok());
    CHECK(failed.error().cause == Cause::unavailable);
    CHECK(failed.error().unreachable);
  }
  CHECK_FALSE(caller.connection.health().allows());
}

TEST_CASE("a proxy of the environment is for others than this machine") {
  fake::ReapiServer server;
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  fake::RemoteCaller here(server.url());
  CHECK(here.ask(once()).ok());
  // Its name would not resolve; that a refused connection is spoken of shows that the proxy was asked.
  fake::RemoteCaller there("grpc://engine.invalid:1");
  auto failed = there.ask(once());
  ::unsetenv("http_proxy");
  REQUIRE_FALSE(failed.ok());
  CHECK(fake::holds(failed.error().message, "nothing listens there"));
}
