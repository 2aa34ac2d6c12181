#include "compile.h"

#include "child.h"
#include "local.h"
#include "version.h"

namespace gomacc {
namespace {

constexpr int kSilenceMs = 15000;
constexpr int kMaxAttempts = 50;
constexpr int kAgainMs = 100;
constexpr int kMaxLost = 2;

enum class Answer { done, run, refuse, again, closed, silent };

std::uint32_t count(const char* const* list) {
  std::uint32_t size = 0;
  while (list[size] != nullptr) ++size;
  return size;
}

template <class Writer>
void put_list(Writer& out, const char* const* list) {
  out.count(count(list));
  for (; *list != nullptr; ++list) out.text(*list);
}

wire::Purpose purpose(Wish wish) {
  if (wish == Wish::explain) return wire::Purpose::explain;
  return wish == Wish::print_inputs ? wire::Purpose::print_inputs : wire::Purpose::compile;
}

// False when the daemon has gone; an answer may still have come before it went.
bool send_request(Connection& connection, const Request& request) {
  wire::CompileHead head{};
  head.version = kVersion;
  head.purpose = purpose(request.invocation.wish);
  if (sys::is_terminal(1)) head.streams |= wire::kStdoutIsTerminal;
  if (sys::is_terminal(2)) head.streams |= wire::kStderrIsTerminal;
  head.umask = sys::file_mask();
  head.directory = request.working_directory;
  head.compiler = request.compiler.program;
  const char* const* env = request.environment.variables();
  return connection.send(wire::Type::compile, [&](auto& out) {
    wire::put_compile_head(out, head);
    put_list(out, request.invocation.words.data());
    put_list(out, env);
  });
}

// The answer, when the daemon has given one. Each `waiting` shows that it lives.
Answer wait_for_answer(Connection& connection, Frame& frame) {
  for (;;) {
    switch (connection.receive(frame, sys::monotonic_ms() + kSilenceMs, kSilenceMs)) {
      case Connection::Got::closed:
        return Answer::closed;
      case Connection::Got::nothing:
        return Answer::silent;
      case Connection::Got::frame:
        break;
    }
    switch (frame.type) {
      case wire::Type::waiting:
        continue;
      case wire::Type::done:
        return Answer::done;
      case wire::Type::run:
        return Answer::run;
      case wire::Type::refuse: {
        wire::Reader in(frame.payload);
        wire::Refuse refuse = wire::get_refuse(in);
        if (!in.complete()) return Answer::closed;
        return refuse.again ? Answer::again : Answer::refuse;
      }
      default:
        return Answer::closed;
    }
  }
}

struct ToStream {
  int fd;
  bool ok = true;
  void append(const char* data, std::size_t size) { ok = ok && write_all(fd, {data, size}); }
};

void show(int fd, std::string_view text, bool strip) {
  if (!strip) {
    write_all(fd, text);
    return;
  }
  ToStream stream{fd};
  Stripper stripper;
  stripper.feed(text, stream);
  stripper.finish(stream);
}

// What of `text` the user has not seen yet, when `seen` was shown before: the same compile was run here and
// stopped half-way.
std::string_view unseen(std::string_view text, const Relay* seen) {
  if (seen == nullptr || !text.starts_with(seen->kept())) return text;
  return text.substr(seen->kept().size());
}

// Returns only when the message is malformed.
void finish_done(std::string_view payload, const End* stopped) {
  wire::Reader in(payload);
  wire::Done done = wire::get_done(in);
  if (!in.complete()) return;
  show(1, unseen(done.out, stopped != nullptr ? stopped->out : nullptr),
       (done.strip & wire::kStripStdout) != 0);
  show(2, unseen(done.err, stopped != nullptr ? stopped->err : nullptr),
       (done.strip & wire::kStripStderr) != 0);
  sys::exit(done.exit_code);
}

void send_finished(Connection& connection, const End& end, const std::vector<const char*>& outputs) {
  std::vector<wire::OutputIdentity> identities;
  identities.reserve(outputs.size());
  for (const char* name : outputs) {
    sys::FileInfo info{};
    bool exists = sys::lstat(name, &info) == 0 && S_ISREG(info.mode);
    identities.push_back(exists ? wire::OutputIdentity{true, info.dev, info.ino, info.size}
                                : wire::OutputIdentity{});
  }
  wire::FinishedHead head{};
  head.wait_status = end.wait_status;
  head.user_us = end.user_us;
  head.system_us = end.system_us;
  head.max_rss_kib = end.max_rss_kib;
  head.truncated = end.truncated;
  if (end.out != nullptr) head.out = end.out->kept();
  if (end.err != nullptr) head.err = end.err->kept();
  connection.send(wire::Type::finished, [&](auto& out) {
    wire::put_finished_head(out, head);
    out.count(static_cast<std::uint32_t>(identities.size()));
    for (const wire::OutputIdentity& identity : identities) wire::put_output_identity(out, identity);
  });
}

// Waits until the daemon has its own copy of the outputs, which the next build step may change.
bool wait_until_stored(Connection& connection) {
  std::int64_t deadline = sys::monotonic_ms() + kSilenceMs;
  Frame frame;
  while (connection.receive(frame, deadline) == Connection::Got::frame) {
    // A `stop` that crossed our `finished` on the way has nothing left to stop.
    // A daemon that says `waiting` is alive and copying.
    if (frame.type == wire::Type::waiting) deadline = sys::monotonic_ms() + kSilenceMs;
    if (frame.type == wire::Type::waiting || frame.type == wire::Type::stop) continue;
    return frame.type == wire::Type::stored || frame.type == wire::Type::done;
  }
  return false;
}

// Reads a list of texts and ends it with a null.
std::vector<const char*> get_list(wire::Reader& in) {
  std::uint32_t size = in.count(wire::kMinText);
  std::vector<const char*> list;
  list.reserve(size + std::size_t{1});
  for (std::uint32_t i = 0; i < size && in.ok(); ++i) list.push_back(in.text().data());
  list.push_back(nullptr);
  return list;
}

[[noreturn]] void run_in_place(const Request& request, bool silent = false) {
  Plan plan{request.compiler.program, request.invocation.words.data(), request.compiler.env.data()};
  plan.silent = silent;
  end_like(run(plan));
}

// Does what a `run` message says; again when it was stopped for a result that turned out to be of no use.
// Returns when the daemon's word can't be followed.
void run_as_told(const Request& request, Connection& connection, std::string_view payload) {
  End before;
  for (;;) {
    // The message must outlive the next one.
    payload = {join({payload}), payload.size()};
    wire::Reader in(payload);
    wire::RunHead head = wire::get_run_head(in);
    std::vector<const char*> argv = get_list(in);
    std::vector<const char*> outputs = get_list(in);
    if (!in.complete() || argv[0] == nullptr) return;
    outputs.pop_back();
    Plan plan{request.compiler.program, argv.data(), request.compiler.env.data()};
    plan.capture = head.capture;
    plan.strip = head.strip;
    plan.outputs = outputs;
    plan.daemon = &connection;
    plan.before = &before;
    End end = run(plan);
    if (!end.stopped) {
      send_finished(connection, end, outputs);
      bool may_be_stored = head.capture && !end.truncated;
      bool wait = end.wait_status == 0 && (may_be_stored || head.again_if_lost);
      if (wait && !wait_until_stored(connection) && head.again_if_lost) run_in_place(request, true);
      end_like(end);
    }
    connection.send(wire::Type::stopped);
    Frame frame;
    Answer answer = wait_for_answer(connection, frame);
    if (answer == Answer::done) finish_done(frame.payload, &end);
    if (answer != Answer::run) return;
    payload = frame.payload;
    before = end;
  }
}

void run_at_once(const Request& request) {
  sys::exit(become(request.compiler.program, request.invocation.words.data(), request.compiler.env.data()));
}

}  // namespace

void compile(const Request& request, const Folder& folder, Daemon& daemon) {
  // Without the folder there is nowhere to meet the daemon, nor the gomaccs to share the processors with.
  if (folder.problem != nullptr) run_at_once(request);

  Connection connection;
  bool ask = !daemon.is_known_silent();
  if (ask) daemon.reach(connection);
  int lost = 0;
  for (int attempt = 0; ask && attempt < kMaxAttempts; ++attempt) {
    if (!connection.is_open() && wait_for_place(folder, daemon, connection, true) == Place::taken) {
      run_in_place(request);
    }
    send_request(connection, request);
    Frame frame;
    Answer answer = wait_for_answer(connection, frame);
    if (answer == Answer::done) finish_done(frame.payload, nullptr);
    if (answer == Answer::run) run_as_told(request, connection, frame.payload);
    if (answer == Answer::refuse && !says_compile(request.invocation.words)) run_at_once(request);
    if (answer == Answer::silent) daemon.note_silent();
    connection.close();
    if (answer == Answer::again) {
      sys::sleep_ms(kAgainMs);
    } else if (answer == Answer::closed && ++lost < kMaxLost) {
      // A daemon that died is replaced once; a request that kills daemons must not do so for ever.
    } else {
      break;
    }
    daemon.reach(connection);
  }
  wait_for_place(folder, daemon, connection, false);
  run_in_place(request);
}

void consult(const Request& request, const Folder& folder, Daemon& daemon) {
  const char* why = "the daemon did not answer";
  Connection connection;
  if (request.environment.flag("GOMA_DISABLED", false)) {
    why = "GOMA_DISABLED is set";
  } else if (folder.problem != nullptr) {
    why = join({folder.path, " ", folder.problem});
  } else if (!daemon.reach(connection)) {
    why = join({"no daemon at ", folder.socket_path});
  } else {
    send_request(connection, request);
    Frame frame;
    Answer answer = wait_for_answer(connection, frame);
    if (answer == Answer::done) finish_done(frame.payload, nullptr);
    if (answer == Answer::refuse || answer == Answer::again) {
      wire::Reader in(frame.payload);
      why = join({wire::get_refuse(in).reason});
    }
  }
  complain({why});
  sys::exit(3);
}

void print_port(Daemon& daemon) {
  Connection connection;
  bool connected = daemon.connect(connection);
  if (connected) {
    connection.send(wire::Type::query, [](auto& out) { out.integer(0, 1); });
    Frame frame;
    if (wait_for_answer(connection, frame) == Answer::done) finish_done(frame.payload, nullptr);
  }
  write_all(2, join({"GOMA: port request failed. connect_success: ", connected ? "1" : "0",
                     " err: ", decimal(static_cast<unsigned>(connected ? ETIMEDOUT : daemon.error())),
                     " http_return_code: 0\n"}));
  sys::exit(1);
}

}  // namespace gomacc
