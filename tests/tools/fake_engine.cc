// The fake engine as a program, for tests from outside: an engine that is faster than any client. It compiles
// nothing: an action waits, and then has an object and a depfile that look right; a probe of the worker's
// files finds all as wanted.
//
//   fake_engine [READS [GATHER]]
//
// READS lists what every compile reads besides its source, one name a line. The first GATHER actions wait for
// each other, so that a client which has that many in flight is known to have had them at once.
//
// The first line of its output is its address. Each line of its input is a number of seconds, which an action
// takes from then on; the answer is a line of JSON with what happened since the one before. Ends with its
// input.
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <string>
#include <utility>

#include "fake/reapi_server.h"

namespace {

namespace re = fake::re;

// Who waits for company waits so long; fewer than hoped for then go on by themselves.
constexpr std::chrono::seconds kPatience{60};

// Actions under way. Any thread.
class Floor {
 public:
  explicit Floor(int gather) : gather_(gather) {}

  void take(double seconds) {
    std::lock_guard lock(mutex_);
    seconds_ = seconds;
  }

  void stay() {
    std::unique_lock lock(mutex_);
    ++executed_;
    most_ = std::max(most_, ++inside_);
    if (executed_ >= gather_) gathered_.notify_all();
    gathered_.wait_for(lock, kPatience, [this] { return executed_ >= gather_; });
    // Nothing wakes it but the time.
    std::condition_variable().wait_for(lock, std::chrono::duration<double>(seconds_), [] { return false; });
    --inside_;
  }

  std::string told() {
    std::lock_guard lock(mutex_);
    std::string text = "{\"executed\": " + std::to_string(executed_ - told_) +
                       ", \"most_at_once\": " + std::to_string(most_) + "}";
    told_ = executed_;
    most_ = inside_;
    return text;
  }

 private:
  const int gather_;
  std::mutex mutex_;
  std::condition_variable gathered_;
  double seconds_ = 0;  // guarded by mutex_; that an action takes
  int inside_ = 0;      // guarded by mutex_
  int executed_ = 0;    // guarded by mutex_
  int told_ = 0;        // guarded by mutex_; of executed_
  int most_ = 0;        // guarded by mutex_; inside at once
};

class Worker {
 public:
  Worker(fake::ReapiServer& server, Floor& floor, std::string reads)
      : server_(server), floor_(floor), reads_(std::move(reads)) {}

  re::ExecuteResponse run(const re::ExecuteRequest& request) {
    auto action = get<re::Action>(request.action_digest());
    auto command = get<re::Command>(action.command_digest());
    std::string object;
    for (const std::string& path : command.output_paths()) {
      if (path.ends_with(".o")) object = path;
    }
    re::ExecuteResponse response;
    if (object.empty()) {
      response.mutable_result()->set_stdout_raw(probe(get<re::Directory>(action.input_root_digest())));
      return response;
    }
    floor_.stay();
    for (const std::string& path : command.output_paths()) {
      std::string text = path == object ? "\177ELF not really, for " + path : depfile(command, object);
      re::OutputFile& file = *response.mutable_result()->add_output_files();
      file.set_path(path);
      *file.mutable_digest() = fake::wire_digest(base::digest_of(text));
      server_.put(text);
    }
    return response;
  }

 private:
  template <class Message>
  Message get(const re::Digest& digest) const {
    Message message;
    message.ParseFromString(server_.get(fake::digest_from(digest)).value_or(""));
    return message;
  }

  // Lines of "DIGEST  PATH" and of paths; all are as they should be.
  std::string probe(const re::Directory& root) const {
    std::string out;
    for (const re::FileNode& file : root.files()) {
      std::string text = server_.get(fake::digest_from(file.digest())).value_or("");
      for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
        std::string line = text.substr(at, end - at);
        if (file.name() == "files") out += line.substr(line.find("  ") + 2) + ": OK\n";
        if (file.name() == "absent") out += "absent: " + line + "\n";
      }
    }
    return out + "end of probe\n";
  }

  std::string depfile(const re::Command& command, const std::string& object) const {
    std::string text = object + ":";
    for (const std::string& word : command.arguments()) {
      if (word.ends_with(".cc")) text += " " + word;
    }
    return text + reads_ + "\n";
  }

  fake::ReapiServer& server_;
  Floor& floor_;
  const std::string reads_;  // as they stand in a depfile
};

std::string as_dependencies(const char* list) {
  std::string text;
  std::ifstream in(list);
  for (std::string name; std::getline(in, name);) text += " \\\n " + name;
  return text;
}

void say(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  fake::ReapiServer server;
  Floor floor(argc > 2 ? static_cast<int>(std::strtol(argv[2], nullptr, 10)) : 0);
  Worker worker(server, floor, argc > 1 ? as_dependencies(argv[1]) : "");
  server.runner([&](fake::Run& run) { return worker.run(run.request()); });
  say(server.url());
  for (char line[64]; std::fgets(line, sizeof line, stdin) != nullptr;) {
    floor.take(std::strtod(line, nullptr));
    say(floor.told());
  }
  return 0;
}
