#include "serve/connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace serve {
namespace {

using Steady = std::chrono::steady_clock;

// A gomacc that does not take its answer within this time is stuck or stopped.
constexpr std::chrono::seconds kSendLimit{15};

std::string frame(wire::Type type, std::string_view payload) {
  std::string bytes(wire::kHeaderSize, '\0');
  wire::put_header({static_cast<std::uint32_t>(payload.size()), wire::kProtocol, type},
                   reinterpret_cast<unsigned char*>(bytes.data()));
  return bytes.append(payload);
}

std::string encode(const task::RunOrder& order) {
  std::string payload;
  wire::Writer<std::string> out(payload);
  wire::put_run_head(out, {order.capture, order.strip, order.again_if_lost});
  out.count(static_cast<std::uint32_t>(order.argv.size()));
  for (const std::string& argument : order.argv) out.text(argument);
  out.count(static_cast<std::uint32_t>(order.outputs.size()));
  for (const std::string& path : order.outputs) out.text(path);
  return payload;
}

base::Result<task::RunReport> decode_report(std::string_view payload) {
  wire::Reader in(payload);
  wire::FinishedHead head = wire::get_finished_head(in);
  task::RunReport report;
  report.wait_status = head.wait_status;
  report.user_us = head.user_us;
  report.system_us = head.system_us;
  report.max_rss_kib = head.max_rss_kib;
  report.truncated = head.truncated;
  report.out = head.out;
  report.err = head.err;
  std::uint32_t count = in.count(wire::kOutputIdentitySize);
  for (std::uint32_t i = 0; i < count && in.ok(); ++i)
    report.outputs.push_back(wire::get_output_identity(in));
  if (!in.complete()) return base::invalid("malformed report of a run");
  return report;
}

std::vector<std::string> texts(wire::Reader& in) {
  std::vector<std::string> list;
  std::uint32_t count = in.count(wire::kMinText);
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) list.emplace_back(in.text());
  return list;
}

}  // namespace

base::Result<void> Connection::receive(char* into, std::size_t size, Steady::time_point deadline,
                                       const std::stop_token& stop) {
  while (size > 0) {
    ssize_t got = ::recv(fd_.get(), into, size, MSG_DONTWAIT);
    if (got > 0) {
      into += got;
      size -= static_cast<std::size_t>(got);
      continue;
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) return base::cancelled();
    if (stop.stop_requested()) return base::cancelled();
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Steady::now()).count();
    if (left <= 0) return base::Error{base::ErrorKind::transient, "gomacc is silent"};
    pollfd fds{fd_.get(), POLLIN, 0};
    // A stop has no descriptor here; a closed peer wakes the poll by itself, so a second suffices.
    ::poll(&fds, 1, static_cast<int>(std::min<long long>(left, 1000)));
  }
  return {};
}

base::Result<Frame> Connection::read(std::chrono::milliseconds limit, const std::stop_token& stop) {
  auto deadline = Steady::now() + limit;
  unsigned char raw[wire::kHeaderSize];
  base::Result<void> got = receive(reinterpret_cast<char*>(raw), sizeof raw, deadline, stop);
  if (!got) return got.error();
  wire::Header header = wire::get_header(raw);
  if (header.protocol != wire::kProtocol) return base::invalid("another protocol");
  if (header.length > wire::kMaxPayload) return base::invalid("frame too large");
  Frame out{header.type, std::string(header.length, '\0')};
  got = receive(out.payload.data(), out.payload.size(), deadline, stop);
  if (!got) return got.error();
  return out;
}

base::Result<void> Connection::write(wire::Type type, std::string_view payload) {
  if (payload.size() > wire::kMaxPayload) return base::invalid("frame too large");
  std::string bytes = frame(type, payload);
  std::string_view rest = bytes;
  auto deadline = Steady::now() + kSendLimit;
  std::lock_guard lock(write_mutex_);
  while (!rest.empty()) {
    ssize_t sent = ::send(fd_.get(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      rest.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return base::io_error("send to gomacc", errno);
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Steady::now()).count();
    if (left <= 0) return base::Error{base::ErrorKind::transient, "gomacc does not read"};
    pollfd fds{fd_.get(), POLLOUT, 0};
    ::poll(&fds, 1, static_cast<int>(left));
  }
  return {};
}

void Connection::send_waiting() {
  std::unique_lock lock(write_mutex_, std::try_to_lock);
  if (!lock) return;
  std::string bytes = frame(wire::Type::waiting, {});
  // Eight bytes go whole or not at all as long as the buffer has room; without room gomacc has enough to
  // read.
  (void)::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

base::Result<task::RunReport> Connection::run(const task::RunOrder& order, const std::stop_token& stop) {
  if (stop.stop_requested()) return base::cancelled();
  base::Result<void> sent = write(wire::Type::run, encode(order));
  if (!sent) return sent.error();
  // Ends the command at once, from the thread that asks for it. A gomacc that has gone gets nothing.
  std::stop_callback on_stop(stop, [this] { (void)write(wire::Type::stop, {}).ok(); });
  // A compile may take hours; gomacc's end of the connection closes with gomacc, so the wait is bounded by
  // the life of the client, who answers a stop within seconds. The frame must be read whole either way.
  base::Result<Frame> answer = read(std::chrono::hours(24 * 7), {});
  if (!answer) return answer.error();
  if (answer->type == wire::Type::stopped) return base::cancelled();
  if (answer->type != wire::Type::finished) return base::invalid("unexpected frame after run");
  return decode_report(answer->payload);
}

bool Connection::gone() {
  pollfd fds{fd_.get(), POLLRDHUP, 0};
  return ::poll(&fds, 1, 0) > 0;
}

base::Result<task::Request> decode_request(std::string_view payload, std::string& version) {
  wire::Reader in(payload);
  wire::CompileHead head = wire::get_compile_head(in);
  task::Request request;
  version = head.version;
  request.purpose = head.purpose;
  request.streams = head.streams;
  request.umask = head.umask & 0777;
  request.directory = head.directory;
  request.compiler = head.compiler;
  request.argv = texts(in);
  request.env = texts(in);
  bool good = in.complete() && !request.argv.empty() && request.directory.starts_with('/') &&
              request.compiler.starts_with('/') && head.purpose <= wire::Purpose::print_inputs;
  if (!good) return base::invalid("malformed request");
  return request;
}

}  // namespace serve
