#include "serve/listener.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "fake/temp_dir.h"

namespace {

using std::chrono::milliseconds;

// A listener at work on a thread, and a client for it.
class Door {
 public:
  explicit Door(serve::Serve serve, const std::string& name = "s")
      : listener_({dir / "folder", name, "lock", "1.2.3", 8, [this] { ++bound_again; }}, std::move(serve),
                  [] { return 8088; }) {
    REQUIRE(listener_.open().ok());
    thread_ = std::thread([this] { listener_.accept_until_stopped(std::chrono::seconds(600)); });
  }
  ~Door() {
    listener_.stop();
    thread_.join();
    listener_.drain(std::chrono::seconds(60));
  }

  std::unique_ptr<serve::Connection> connect() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::string path = listener_.socket_path();
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    base::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    while (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      std::this_thread::yield();
    return std::make_unique<serve::Connection>(std::move(fd));
  }

  fake::TempDir dir;
  std::atomic<int> bound_again{0};
  serve::Listener& listener() { return listener_; }

 private:
  serve::Listener listener_;
  std::thread thread_;
};

std::string request_of_version(const std::string& version) {
  std::string payload;
  wire::Writer<std::string> out(payload);
  wire::put_compile_head(out, {version, wire::Purpose::compile, 0, 022, "/", "/usr/bin/g++"});
  out.count(1);
  out.text("g++");
  out.count(0);
  return payload;
}

serve::Frame ask(serve::Connection& connection, wire::Type type, const std::string& payload) {
  REQUIRE(connection.write(type, payload).ok());
  base::Result<serve::Frame> frame = connection.read(milliseconds(60'000), {});
  REQUIRE(frame.ok());
  return *frame;
}

serve::Serve echo() {
  return [](const task::Request& request, task::Client&, const std::stop_token&) {
    task::Reply reply;
    reply.exit_code = 3;
    reply.out = request.compiler;
    return reply;
  };
}

}  // namespace

TEST_CASE("a request is answered, and the socket is private") {
  Door door(echo());
  auto connection = door.connect();
  serve::Frame frame = ask(*connection, wire::Type::compile, request_of_version("1.2.3"));
  REQUIRE(frame.type == wire::Type::done);
  wire::Reader in(frame.payload);
  wire::Done done = wire::get_done(in);
  CHECK(done.exit_code == 3);
  CHECK(done.out == "/usr/bin/g++");
  struct stat status {};
  REQUIRE(::stat((door.dir / "folder").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0700);
  REQUIRE(::stat((door.dir / "folder/s").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("an exit code that no process can have is a failure") {
  for (int exit_code : {256, -256, 512, -1, 1000}) {
    CAPTURE(exit_code);
    Door door([exit_code](const task::Request&, task::Client&, const std::stop_token&) {
      task::Reply reply;
      reply.exit_code = exit_code;
      return reply;
    });
    auto connection = door.connect();
    serve::Frame frame = ask(*connection, wire::Type::compile, request_of_version("1.2.3"));
    wire::Reader in(frame.payload);
    CHECK(wire::get_done(in).exit_code == 1);
  }
}

TEST_CASE("the port is told") {
  Door door(echo());
  auto connection = door.connect();
  serve::Frame frame = ask(*connection, wire::Type::query, std::string(1, '\0'));
  wire::Reader in(frame.payload);
  CHECK(wire::get_done(in).out == "8088");
}

TEST_CASE("a malformed request and an older gomacc are refused for good, a newer one may come again") {
  Door door(echo());
  auto refused = [&](const std::string& payload) {
    auto connection = door.connect();
    serve::Frame frame = ask(*connection, wire::Type::compile, payload);
    REQUIRE(frame.type == wire::Type::refuse);
    wire::Reader in(frame.payload);
    return wire::get_refuse(in).again;
  };
  CHECK(!refused("junk"));
  CHECK(!refused(request_of_version("1.1.9")));
  CHECK(refused(request_of_version("1.3.0")));
}

TEST_CASE("one daemon per socket") {
  Door door(echo());
  serve::Listener second({door.dir / "folder", "s", "lock", "1.2.3", 8}, echo(), [] { return 0; });
  base::Result<void> opened = second.open();
  REQUIRE(!opened.ok());
  CHECK(opened.error().kind == base::ErrorKind::rejected);
  auto connection = door.connect();
  CHECK(ask(*connection, wire::Type::compile, request_of_version("1.2.3")).type == wire::Type::done);
}

TEST_CASE("a folder that others may enter, or that is none, is not used") {
  fake::TempDir dir;
  ::mkdir((dir / "open").c_str(), 0755);
  ::chmod((dir / "open").c_str(), 0755);
  serve::Listener open({dir / "open", "s", "lock", "1.2.3", 8}, echo(), [] { return 0; });
  CHECK(open.open().error().message.find("chmod 700") != std::string::npos);
  dir.write("file", "");
  serve::Listener file({dir / "file", "s", "lock", "1.2.3", 8}, echo(), [] { return 0; });
  CHECK(!file.open().ok());
}

TEST_CASE("a gomacc that hangs up stops its task") {
  std::atomic<bool> started{false};
  std::atomic<bool> stopped{false};
  Door door([&](const task::Request&, task::Client&, const std::stop_token& stop) {
    started = true;
    while (!stop.stop_requested()) std::this_thread::yield();
    stopped = true;
    return task::Reply{};
  });
  auto connection = door.connect();
  REQUIRE(connection->write(wire::Type::compile, request_of_version("1.2.3")).ok());
  while (!started) std::this_thread::yield();
  connection.reset();
  while (!stopped) std::this_thread::yield();
  CHECK(stopped);
}

TEST_CASE("a socket that vanishes is bound again") {
  Door door(echo());
  auto before = door.connect();
  ::unlink((door.dir / "folder/s").c_str());
  while (::access((door.dir / "folder/s").c_str(), F_OK) != 0) std::this_thread::yield();
  auto after = door.connect();
  CHECK(ask(*after, wire::Type::compile, request_of_version("1.2.3")).type == wire::Type::done);
  CHECK(door.bound_again == 1);
}

TEST_CASE("a socket path longer than the kernel's limit works") {
  fake::TempDir dir;
  std::string folder = dir / std::string(120, 'x');
  serve::Listener listener({folder, "s", "lock", "1.2.3", 8}, echo(), [] { return 0; });
  REQUIRE(listener.open().ok());
  CHECK(::access((folder + "/s").c_str(), F_OK) == 0);
}

TEST_CASE("more clients than threads all get their answer") {
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  Door door([&](const task::Request&, task::Client&, const std::stop_token&) {
    int now = ++inside;
    int seen = most;
    while (now > seen && !most.compare_exchange_weak(seen, now)) {
    }
    std::this_thread::yield();
    --inside;
    return task::Reply{};
  });
  std::vector<std::unique_ptr<serve::Connection>> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(door.connect());
    REQUIRE(clients.back()->write(wire::Type::compile, request_of_version("1.2.3")).ok());
  }
  for (auto& client : clients) {
    base::Result<serve::Frame> frame = client->read(milliseconds(60'000), {});
    REQUIRE(frame.ok());
    CHECK(frame->type == wire::Type::done);
  }
  CHECK(most <= 8);
}

TEST_CASE("a question is answered while every thread has a task, and waiting tasks get theirs") {
  std::mutex mutex;
  std::condition_variable changed;
  bool held = true;
  Door door([&](const task::Request&, task::Client&, const std::stop_token&) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return !held; });
    return task::Reply{};
  });
  std::vector<std::unique_ptr<serve::Connection>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(door.connect());
    REQUIRE(clients.back()->write(wire::Type::compile, request_of_version("1.2.3")).ok());
  }
  for (int i = 0; i < 20; ++i) {
    auto connection = door.connect();
    serve::Frame frame = ask(*connection, wire::Type::query, std::string(1, '\0'));
    wire::Reader in(frame.payload);
    CHECK(wire::get_done(in).out == "8088");
  }
  {
    std::lock_guard lock(mutex);
    held = false;
  }
  changed.notify_all();
  for (auto& client : clients) {
    base::Result<serve::Frame> frame = client->read(milliseconds(60'000), {});
    REQUIRE(frame.ok());
    CHECK(frame->type == wire::Type::done);
  }
}
