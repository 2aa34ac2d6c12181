#include "serve/connection.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

namespace {

using std::chrono::milliseconds;

struct Ends {
  base::Fd peer;
  std::unique_ptr<serve::Connection> ours;
};

Ends make_ends() {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  return {base::Fd(ends[0]), std::make_unique<serve::Connection>(base::Fd(ends[1]))};
}

void send_frame(int fd, std::uint16_t protocol, wire::Type type, std::uint32_t length,
                const std::string& payload) {
  std::string bytes(wire::kHeaderSize, '\0');
  wire::put_header({length, protocol, type}, reinterpret_cast<unsigned char*>(bytes.data()));
  bytes += payload;
  REQUIRE(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
}

std::string request_payload(const std::string& directory, const std::vector<std::string>& argv) {
  std::string payload;
  wire::Writer<std::string> out(payload);
  wire::put_compile_head(out, {"0.1.0", wire::Purpose::compile, 2, 022, directory, "/usr/bin/g++"});
  out.count(static_cast<std::uint32_t>(argv.size()));
  for (const std::string& word : argv) out.text(word);
  out.count(1);
  out.text("A=b");
  return payload;
}

}  // namespace

TEST_CASE("a frame arrives whole") {
  Ends ends = make_ends();
  send_frame(ends.peer.get(), wire::kProtocol, wire::Type::query, 3, "abc");
  base::Result<serve::Frame> frame = ends.ours->read(milliseconds(1000), {});
  REQUIRE(frame.ok());
  CHECK(frame->type == wire::Type::query);
  CHECK(frame->payload == "abc");
}

TEST_CASE("frames of another protocol, too large, cut short or late are errors") {
  Ends other = make_ends();
  send_frame(other.peer.get(), wire::kProtocol + 1, wire::Type::query, 0, "");
  CHECK(other.ours->read(milliseconds(1000), {}).error().kind == base::ErrorKind::invalid);
  Ends large = make_ends();
  send_frame(large.peer.get(), wire::kProtocol, wire::Type::query, wire::kMaxPayload + 1, "");
  CHECK(large.ours->read(milliseconds(1000), {}).error().kind == base::ErrorKind::invalid);
  Ends cut = make_ends();
  send_frame(cut.peer.get(), wire::kProtocol, wire::Type::query, 10, "abc");
  cut.peer.reset();
  CHECK(cut.ours->read(milliseconds(1000), {}).error().kind == base::ErrorKind::cancelled);
  Ends late = make_ends();
  CHECK(late.ours->read(milliseconds(10), {}).error().kind == base::ErrorKind::transient);
}

TEST_CASE("a request is decoded field by field, and a malformed one refused") {
  std::string version;
  base::Result<task::Request> request =
      serve::decode_request(request_payload("/work", {"g++", "-c", "x.cc"}), version);
  REQUIRE(request.ok());
  CHECK(version == "0.1.0");
  CHECK(request->directory == "/work");
  CHECK(request->compiler == "/usr/bin/g++");
  CHECK(request->argv == std::vector<std::string>{"g++", "-c", "x.cc"});
  CHECK(request->env == std::vector<std::string>{"A=b"});
  CHECK(request->streams == wire::kStderrIsTerminal);
  CHECK(!serve::decode_request(request_payload("relative", {"g++"}), version).ok());
  CHECK(!serve::decode_request(request_payload("/work", {}), version).ok());
  std::string payload = request_payload("/work", {"g++", "-c"});
  for (std::size_t size = 0; size < payload.size(); ++size) {
    CHECK(!serve::decode_request(payload.substr(0, size), version).ok());
  }
  CHECK(!serve::decode_request(payload + "x", version).ok());
}

TEST_CASE("a run order is sent and its report comes back") {
  Ends ends = make_ends();
  task::RunOrder order;
  order.argv = {"g++", "-c"};
  order.outputs = {"x.o"};
  std::thread peer([&] {
    char raw[wire::kHeaderSize];
    REQUIRE(::recv(ends.peer.get(), raw, sizeof raw, MSG_WAITALL) == sizeof raw);
    wire::Header header = wire::get_header(reinterpret_cast<unsigned char*>(raw));
    REQUIRE(header.type == wire::Type::run);
    std::string payload(header.length, '\0');
    REQUIRE(::recv(ends.peer.get(), payload.data(), payload.size(), MSG_WAITALL) ==
            static_cast<ssize_t>(payload.size()));
    std::string answer;
    wire::Writer<std::string> out(answer);
    wire::put_finished_head(out, {256, 5, 6, 7, false, "o", "e"});
    out.count(1);
    wire::put_output_identity(out, {true, 1, 2, 3});
    send_frame(ends.peer.get(), wire::kProtocol, wire::Type::finished,
               static_cast<std::uint32_t>(answer.size()), answer);
  });
  base::Result<task::RunReport> report = ends.ours->run(order, {});
  peer.join();
  REQUIRE(report.ok());
  CHECK(report->wait_status == 256);
  CHECK(!report->succeeded());
  CHECK(report->out == "o");
  CHECK(report->err == "e");
  CHECK(report->outputs.size() == 1);
  CHECK(report->outputs[0].ino == 2);
}

TEST_CASE("a gomacc that goes away cancels its run") {
  Ends ends = make_ends();
  ends.peer.reset();
  CHECK(!ends.ours->run({}, {}).ok());
}

TEST_CASE("a stop is passed on to gomacc, and the run is over when gomacc says so") {
  Ends ends = make_ends();
  std::stop_source stop;
  std::thread gomacc([&] {
    serve::Connection peer(std::move(ends.peer));
    base::Result<serve::Frame> order = peer.read(milliseconds(10'000), {});
    REQUIRE(order.ok());
    CHECK(order->type == wire::Type::run);
    stop.request_stop();
    base::Result<serve::Frame> told = peer.read(milliseconds(10'000), {});
    REQUIRE(told.ok());
    CHECK(told->type == wire::Type::stop);
    REQUIRE(peer.write(wire::Type::stopped, {}).ok());
    base::Result<serve::Frame> done = peer.read(milliseconds(10'000), {});
    REQUIRE(done.ok());
    CHECK(done->type == wire::Type::done);
  });
  task::RunOrder order;
  order.argv = {"g++"};
  base::Result<task::RunReport> report = ends.ours->run(order, stop.get_token());
  REQUIRE(!report.ok());
  CHECK(report.error().kind == base::ErrorKind::cancelled);
  // The connection is still good for the answer.
  REQUIRE(ends.ours->write(wire::Type::done, {}).ok());
  gomacc.join();
}
