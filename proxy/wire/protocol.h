// What gomacc and compiler_proxy say to each other over the unix socket.
//
// gomacc has no C library and no exceptions, so this header uses neither <string> nor allocation: encoding
// goes to a sink that the caller supplies, decoding yields views into the received payload. argv and env are
// bytes, not UTF-8.
//
// A frame is
//   u32 length      of the payload, little endian, at most kMaxPayload
//   u16 protocol    kProtocol; the other side's number differs: compile locally
//   u16 type        one of Type
//   payload
// and a payload is the fields of its message in the order in which `fields` lists them: integers little
// endian, a text as u32 length, the bytes and a NUL (so that it can be handed to execve in place), a list as
// u32 count and its items.
//
// The conversation: gomacc sends `compile` (or `query`). The daemon sends `waiting` every 5 s until it
// answers with exactly one of
//   done    here is the whole result; the outputs are written. The connection ends.
//   run     run this command. gomacc answers `finished` when it has ended, and the daemon says `stored` once
//           it has its own copy of the outputs. gomacc waits for that, 15 s at most, if the command exited 0
//           and was captured whole, or if `again_if_lost` is set; else it has gone by then. While the command
//           runs the daemon may send `stop`: gomacc ends the compiler, removes partial outputs and answers
//           `stopped` when no child of it is alive; then `done` follows. A `stop` that crosses `finished` on
//           the way is not answered.
//   refuse  the daemon has nothing to do with this command: gomacc runs it on its own, or connects again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace wire {

inline constexpr std::uint16_t kProtocol = 1;
inline constexpr std::uint32_t kMaxPayload = 16u << 20;
inline constexpr std::size_t kHeaderSize = 8;

enum class Type : std::uint16_t {
  compile = 1,
  query = 2,
  finished = 3,
  stopped = 4,
  waiting = 16,
  run = 17,
  done = 18,
  refuse = 19,
  stop = 20,
  stored = 21,
};

struct Header {
  std::uint32_t length;
  std::uint16_t protocol;
  Type type;
};

inline void put_header(const Header& header, unsigned char* out) {
  auto type = static_cast<std::uint16_t>(header.type);
  for (int i = 0; i < 4; ++i) out[i] = static_cast<unsigned char>(header.length >> (8 * i));
  for (int i = 0; i < 2; ++i) out[4 + i] = static_cast<unsigned char>(header.protocol >> (8 * i));
  for (int i = 0; i < 2; ++i) out[6 + i] = static_cast<unsigned char>(type >> (8 * i));
}

inline Header get_header(const unsigned char* in) {
  Header header{};
  for (int i = 0; i < 4; ++i) header.length |= static_cast<std::uint32_t>(in[i]) << (8 * i);
  header.protocol = static_cast<std::uint16_t>(in[4] | in[5] << 8);
  header.type = static_cast<Type>(static_cast<std::uint16_t>(in[6] | in[7] << 8));
  return header;
}

// Reads a payload field by field. After a short or malformed field `ok()` is false and all further fields
// are empty; check once at the end.
class Reader {
 public:
  explicit Reader(std::string_view payload) : rest_(payload) {}

  bool ok() const { return ok_; }
  // True when every byte was read and all was well formed.
  bool complete() const { return ok_ && rest_.empty(); }

  std::uint64_t integer(std::size_t bytes) {
    if (!ok_ || rest_.size() < bytes) return fail();
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
      value |= static_cast<std::uint64_t>(static_cast<unsigned char>(rest_[i])) << (8 * i);
    }
    rest_.remove_prefix(bytes);
    return value;
  }

  std::string_view text() {
    auto size = static_cast<std::size_t>(integer(4));
    if (!ok_ || rest_.size() < size + 1 || rest_[size] != '\0') {
      fail();
      return {};
    }
    std::string_view value = rest_.substr(0, size);
    rest_.remove_prefix(size + 1);
    return value;
  }

  // The count of a list, each of whose items takes at least `item_size` bytes.
  std::uint32_t count(std::size_t item_size) {
    auto value = static_cast<std::uint32_t>(integer(4));
    if (ok_ && value > rest_.size() / item_size) return static_cast<std::uint32_t>(fail());
    return value;
  }

 private:
  std::uint64_t fail() {
    ok_ = false;
    return 0;
  }

  std::string_view rest_;
  bool ok_ = true;
};

// The smallest encoded text: its length and its NUL.
inline constexpr std::size_t kMinText = 5;

// Writes fields to `Sink`, which has `void append(const char*, size_t)`.
template <class Sink>
class Writer {
 public:
  explicit Writer(Sink& sink) : sink_(sink) {}

  void integer(std::uint64_t value, std::size_t bytes) {
    char raw[8];
    for (std::size_t i = 0; i < bytes; ++i) raw[i] = static_cast<char>(value >> (8 * i));
    sink_.append(raw, bytes);
  }
  void text(std::string_view value) {
    integer(value.size(), 4);
    if (!value.empty()) sink_.append(value.data(), value.size());
    sink_.append("", 1);
  }
  void count(std::uint32_t value) { integer(value, 4); }

 private:
  Sink& sink_;
};

// What a `compile` message asks for.
enum class Purpose : std::uint8_t {
  compile = 0,
  explain = 1,       // say what would be done; `done` holds the text
  print_inputs = 2,  // list the files the compile would read; `done` holds them, exit code 3 means "locally"
};

// Facts about gomacc's standard streams, bits of CompileHead::streams.
inline constexpr std::uint8_t kStdoutIsTerminal = 1;
inline constexpr std::uint8_t kStderrIsTerminal = 2;

// `compile`: the head, then argv (list of text, argv[0] as typed), then env (list of text, "NAME=VALUE").
struct CompileHead {
  std::string_view version;  // gomacc's own: the number alone, as in "0.1.0"
  Purpose purpose;
  std::uint8_t streams;
  std::uint32_t umask;
  std::string_view directory;  // physical working directory
  std::string_view compiler;   // absolute path of the program to run, its last symlink not resolved
};

template <class Sink>
void put_compile_head(Writer<Sink>& out, const CompileHead& head) {
  out.text(head.version);
  out.integer(static_cast<std::uint8_t>(head.purpose), 1);
  out.integer(head.streams, 1);
  out.integer(head.umask, 4);
  out.text(head.directory);
  out.text(head.compiler);
}

inline CompileHead get_compile_head(Reader& in) {
  CompileHead head{};
  head.version = in.text();
  head.purpose = static_cast<Purpose>(in.integer(1));
  head.streams = static_cast<std::uint8_t>(in.integer(1));
  head.umask = static_cast<std::uint32_t>(in.integer(4));
  head.directory = in.text();
  head.compiler = in.text();
  return head;
}

// `query`: u8 what. Answered by `done`.
enum class Query : std::uint8_t { port = 0 };

// `run`: the head, then argv (list of text, argv[0] first), then outputs (list of text, relative to the
// working directory or absolute): the files of which `finished` tells the identity, and which gomacc removes
// when a signal ended the compiler.
struct RunHead {
  bool capture;        // keep stdout and stderr for the daemon; else the child simply inherits both
  std::uint8_t strip;  // streams from which colour is stripped while relaying: bits kStrip*
  // The daemon owes the user a file that this command does not write (the depfile of -MMD). When the daemon
  // is lost before `stored` and the compiler exited 0, gomacc runs the command as typed, silently.
  bool again_if_lost;
};
inline constexpr std::uint8_t kStripStdout = 1;
inline constexpr std::uint8_t kStripStderr = 2;

template <class Sink>
void put_run_head(Writer<Sink>& out, const RunHead& head) {
  out.integer(head.capture ? 1 : 0, 1);
  out.integer(head.strip, 1);
  out.integer(head.again_if_lost ? 1 : 0, 1);
}

inline RunHead get_run_head(Reader& in) {
  RunHead head{};
  head.capture = in.integer(1) != 0;
  head.strip = static_cast<std::uint8_t>(in.integer(1));
  head.again_if_lost = in.integer(1) != 0;
  return head;
}

// One entry of the output list in `finished`, in the order of `run`'s list.
struct OutputIdentity {
  bool exists;  // as a regular file
  std::uint64_t dev;
  std::uint64_t ino;
  std::uint64_t size;
};

// `finished`: the head, then outputs (list of OutputIdentity). The streams are as the compiler wrote them.
struct FinishedHead {
  std::int32_t wait_status;  // as wait4() gives it
  std::uint64_t user_us;     // processor time of the compiler and all its children
  std::uint64_t system_us;
  std::uint64_t max_rss_kib;
  bool truncated;  // a stream was too large to keep, or some child still runs: do not store
  std::string_view out;
  std::string_view err;
};

template <class Sink>
void put_finished_head(Writer<Sink>& out, const FinishedHead& head) {
  out.integer(static_cast<std::uint32_t>(head.wait_status), 4);
  out.integer(head.user_us, 8);
  out.integer(head.system_us, 8);
  out.integer(head.max_rss_kib, 8);
  out.integer(head.truncated ? 1 : 0, 1);
  out.text(head.out);
  out.text(head.err);
}

inline FinishedHead get_finished_head(Reader& in) {
  FinishedHead head{};
  head.wait_status = static_cast<std::int32_t>(static_cast<std::uint32_t>(in.integer(4)));
  head.user_us = in.integer(8);
  head.system_us = in.integer(8);
  head.max_rss_kib = in.integer(8);
  head.truncated = in.integer(1) != 0;
  head.out = in.text();
  head.err = in.text();
  return head;
}

inline constexpr std::size_t kOutputIdentitySize = 25;

template <class Sink>
void put_output_identity(Writer<Sink>& out, const OutputIdentity& identity) {
  out.integer(identity.exists ? 1 : 0, 1);
  out.integer(identity.dev, 8);
  out.integer(identity.ino, 8);
  out.integer(identity.size, 8);
}

inline OutputIdentity get_output_identity(Reader& in) {
  OutputIdentity identity{};
  identity.exists = in.integer(1) != 0;
  identity.dev = in.integer(8);
  identity.ino = in.integer(8);
  identity.size = in.integer(8);
  return identity;
}

// `done`: what the user is to see. gomacc strips as `strip` says, writes both streams, exits.
struct Done {
  std::uint8_t exit_code;
  std::uint8_t strip;
  std::string_view out;
  std::string_view err;
};

template <class Sink>
void put_done(Writer<Sink>& out, const Done& done) {
  out.integer(done.exit_code, 1);
  out.integer(done.strip, 1);
  out.text(done.out);
  out.text(done.err);
}

inline Done get_done(Reader& in) {
  Done done{};
  done.exit_code = static_cast<std::uint8_t>(in.integer(1));
  done.strip = static_cast<std::uint8_t>(in.integer(1));
  done.out = in.text();
  done.err = in.text();
  return done;
}

// `refuse`.
struct Refuse {
  bool again;  // true: this daemon is ending; connect again, starting a new one if needed. Else run locally.
  std::string_view reason;
};

template <class Sink>
void put_refuse(Writer<Sink>& out, const Refuse& refuse) {
  out.integer(refuse.again ? 1 : 0, 1);
  out.text(refuse.reason);
}

inline Refuse get_refuse(Reader& in) {
  Refuse refuse{};
  refuse.again = in.integer(1) != 0;
  refuse.reason = in.text();
  return refuse;
}

// `waiting`, `stop`, `stopped` and `stored` have no payload.

}  // namespace wire
