#include "serve/listener.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "base/clock.h"
#include "base/log.h"
#include "base/path.h"

namespace serve {
namespace {

using Steady = std::chrono::steady_clock;

// A client connects and sends its request at once; one that dawdles holds a thread.
constexpr std::chrono::seconds kRequestLimit{10};
// As deep as the kernel allows: a burst of `ninja -j1000` must find room while threads start.
constexpr int kBacklog = 4096;

// Each answers in well under a millisecond.
constexpr std::size_t kGreeters = 4;

// The address of a socket path. Paths past sun_path's 107 bytes go through a descriptor of their folder.
struct Address {
  sockaddr_un raw{};
  base::Fd folder;
};

base::Result<Address> address_of(const std::string& path) {
  Address address;
  address.raw.sun_family = AF_UNIX;
  std::string text = path;
  if (text.size() >= sizeof address.raw.sun_path) {
    base::Result<base::Fd> folder =
        base::open_file(std::string(base::directory_name(path)), O_PATH | O_DIRECTORY);
    if (!folder) return folder.error();
    text = "/proc/self/fd/" + std::to_string(folder->get()) + "/" + std::string(base::base_name(path));
    address.folder = std::move(*folder);
  }
  if (text.size() >= sizeof address.raw.sun_path) return base::invalid("socket name too long: " + path);
  text.copy(address.raw.sun_path, sizeof address.raw.sun_path - 1);
  return address;
}

// Makes the folder if need be; it must be a real folder of ours that nobody else may enter.
base::Result<void> own_folder(const std::string& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return base::io_error("mkdir " + folder, errno);
  struct stat status;
  if (::lstat(folder.c_str(), &status) != 0) return base::io_error("stat " + folder, errno);
  if (!S_ISDIR(status.st_mode)) return base::invalid(folder + " is not a folder");
  if (status.st_uid != ::geteuid()) return base::invalid(folder + " belongs to another user");
  if ((status.st_mode & 077) != 0)
    return base::invalid(folder + " is open to others; run: chmod 700 " + folder);
  return {};
}

// Device and inode; nothing when it cannot be seen.
std::optional<std::pair<dev_t, ino_t>> place_of(const std::string& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return std::pair(status.st_dev, status.st_ino);
}

// `process` is a number or "self".
FileView view_of(const std::string& process) {
  return {place_of("/proc/" + process + "/ns/mnt"), place_of("/proc/" + process + "/root/")};
}

// -1, 0 or 1 by the leading numbers "1.2.3" of two versions.
int compare_versions(const std::string& a, const std::string& b) {
  std::array<int, 3> x{};
  std::array<int, 3> y{};
  std::sscanf(a.c_str(), "%d.%d.%d", &x[0], &x[1], &x[2]);
  std::sscanf(b.c_str(), "%d.%d.%d", &y[0], &y[1], &y[2]);
  return x < y ? -1 : x > y ? 1 : 0;
}

std::string refuse_payload(bool again, std::string_view reason) {
  std::string payload;
  wire::Writer<std::string> out(payload);
  wire::put_refuse(out, {again, reason});
  return payload;
}

std::string done_payload(const task::Reply& reply) {
  std::string payload;
  wire::Writer<std::string> out(payload);
  // Engines may report what no process can end with: a failure it is all the same.
  bool possible = reply.exit_code >= 0 && reply.exit_code <= 255;
  auto exit_code = static_cast<std::uint8_t>(possible ? reply.exit_code : 1);
  wire::put_done(out, {exit_code, reply.strip, reply.out, reply.err});
  return payload;
}

}  // namespace

Listener::Listener(ListenerOptions options, Serve serve, std::function<int()> http_port)
    : options_(std::move(options)),
      serve_(std::move(serve)),
      http_port_(std::move(http_port)),
      view_(view_of("self")),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      pool_("task", options_.max_tasks),
      greeters_("greet", kGreeters) {}

Listener::~Listener() { stop(); }

std::string Listener::socket_path() const { return base::join(options_.folder, options_.socket_name); }

base::Result<void> Listener::open() {
  base::Result<void> folder = own_folder(options_.folder);
  if (!folder) return folder;
  base::Result<void> locked = take_lock();
  return locked ? bind_socket() : locked;
}

bool Listener::lock_is_ours() const {
  struct stat held;
  struct stat there;
  std::string path = base::join(options_.folder, options_.lock_name);
  return ::fstat(lock_.get(), &held) == 0 && ::stat(path.c_str(), &there) == 0 &&
         held.st_dev == there.st_dev && held.st_ino == there.st_ino;
}

base::Result<void> Listener::take_lock() {
  std::string lock_path = base::join(options_.folder, options_.lock_name);
  base::Result<base::Fd> lock = base::open_file(lock_path, O_RDWR | O_CREAT, 0600);
  if (!lock) return lock.error();
  if (::flock(lock->get(), LOCK_EX | LOCK_NB) != 0) {
    return base::Error{base::ErrorKind::rejected, "another compiler_proxy serves " + socket_path()};
  }
  lock_ = std::move(*lock);
  // For whoever has to find the process without asking it.
  std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(lock_.get(), 0) == 0) (void)base::write_all(lock_.get(), pid).ok();
  return {};
}

base::Result<void> Listener::bind_socket() {
  std::string path = socket_path();
  base::Result<Address> address = address_of(path);
  if (!address) return address.error();
  ::unlink(path.c_str());
  base::Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return base::io_error("socket", errno);
  // The folder's mode keeps others out between bind and chmod.
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address->raw), sizeof address->raw) != 0) {
    return base::io_error("bind " + path, errno);
  }
  ::chmod(path.c_str(), 0600);
  if (::listen(socket.get(), kBacklog) != 0) return base::io_error("listen " + path, errno);
  struct stat status;
  if (::stat(path.c_str(), &status) == 0) bound_ = {status.st_dev, status.st_ino};
  socket_ = std::move(socket);

  folder_watch_.reset(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  std::string folder(base::directory_name(path));
  ::inotify_add_watch(folder_watch_.get(), folder.c_str(),
                      IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF);
  return {};
}

bool Listener::socket_is_ours() const {
  struct stat status;
  return ::stat(socket_path().c_str(), &status) == 0 && status.st_dev == bound_.first &&
         status.st_ino == bound_.second;
}

void Listener::accept_until_stopped(std::chrono::seconds idle_limit) {
  auto last_active = Steady::now();
  while (!stopping_) {
    pollfd fds[3] = {{socket_.get(), POLLIN, 0}, {folder_watch_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
    auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(idle_limit - (Steady::now() - last_active))
            .count();
    int ready = ::poll(fds, 3, static_cast<int>(std::max<long long>(left, 0)));
    if (stopping_) break;
    if (ready == 0) {
      if (active_ == 0) break;
      last_active = Steady::now();
    }
    if ((fds[1].revents & POLLIN) != 0) {
      char events[4096];
      while (::read(folder_watch_.get(), events, sizeof events) > 0) {
      }
      if (!socket_is_ours()) {
        base::log(base::LogLevel::warning, "the socket vanished; binding again");
        base::Result<void> bound = own_folder(options_.folder);
        // A lock file that was cleared away lets another daemon in; then this one makes room.
        if (bound && !lock_is_ours()) bound = take_lock();
        if (bound) bound = bind_socket();
        // Nobody can reach a daemon without a socket, and a new one could be started meanwhile.
        if (!bound) break;
        if (options_.bound_again) options_.bound_again();
      }
      continue;
    }
    if ((fds[0].revents & POLLIN) != 0) {
      last_active = Steady::now();
      accept_one();
    }
  }
  // The socket goes before the lock: whoever then takes the lock makes its own.
  if (socket_ && socket_is_ours()) ::unlink(socket_path().c_str());
  socket_.reset();
  lock_.reset();
}

void Listener::accept_one() {
  base::Fd fd(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!fd) {
    // Out of descriptors: let running tasks give some back instead of spinning.
    if (errno == EMFILE || errno == ENFILE) {
      pollfd wake{wake_.get(), POLLIN, 0};
      ::poll(&wake, 1, 20);
    }
    return;
  }
  ++active_;
  auto connection = std::make_shared<Connection>(std::move(fd));
  // It may have to wait for a thread, and must not take us for dead meanwhile.
  hangup_.add(
      connection->fd(), [] {}, [connection] { connection->send_waiting(); });
  if (pool_.is_crowded()) return accept_in_crowd(connection);
  pool_.run([this, connection] {
    hangup_.remove(connection->fd());
    if (std::optional<Opening> opening = greet(*connection)) answer_compile(connection, *opening);
    --active_;
  });
}

// All threads work on tasks. A question, of whether we are there at all, must not wait for one to end.
void Listener::accept_in_crowd(const std::shared_ptr<Connection>& connection) {
  greeters_.run([this, connection] {
    hangup_.remove(connection->fd());
    std::optional<Opening> opening = greet(*connection);
    if (!opening) {
      --active_;
      return;
    }
    hangup_.add(
        connection->fd(), [] {}, [connection] { connection->send_waiting(); });
    pool_.run([this, connection, opening = std::move(*opening)] {
      hangup_.remove(connection->fd());
      answer_compile(connection, opening);
      --active_;
    });
  });
}

void Listener::stop() {
  stopping_ = true;
  ::eventfd_write(wake_.get(), 1);
}

void Listener::drain(std::chrono::seconds limit) {
  auto deadline = Steady::now() + limit;
  while (active_ > 0 && Steady::now() < deadline) ::poll(nullptr, 0, 20);
}

std::string Listener::refusal(int fd, int& pid) const {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return "unknown_peer";
  pid = peer.pid;
  if (peer.uid != ::geteuid()) return "other_user";
  // Another mount namespace or root sees other files under the same names.
  FileView theirs = view_of(std::to_string(peer.pid));
  bool known = theirs.mounts && theirs.root;
  return known && theirs == view_ ? "" : "other_namespace";
}

std::optional<Listener::Opening> Listener::greet(Connection& connection) {
  Opening opening;
  std::string refused = refusal(connection.fd(), opening.pid);
  if (!refused.empty()) {
    (void)connection.write(wire::Type::refuse, refuse_payload(false, refused)).ok();
    return std::nullopt;
  }
  base::Result<Frame> frame = connection.read(kRequestLimit, {});
  if (!frame) return std::nullopt;
  if (frame->type == wire::Type::compile) {
    opening.payload = std::move(frame->payload);
    return opening;
  }
  if (frame->type == wire::Type::query) {
    answer_query(connection, frame->payload);
  } else {
    (void)connection.write(wire::Type::refuse, refuse_payload(false, "unexpected_frame")).ok();
  }
  return std::nullopt;
}

void Listener::answer_query(Connection& connection, std::string_view payload) {
  wire::Reader in(payload);
  auto what = static_cast<wire::Query>(in.integer(1));
  task::Reply reply;
  int port = http_port_();
  if (!in.complete() || what != wire::Query::port || port == 0) {
    reply.exit_code = 1;
    reply.err = "no HTTP port";
  } else {
    reply.out = std::to_string(port);
  }
  (void)connection.write(wire::Type::done, done_payload(reply)).ok();
}

void Listener::answer_compile(const std::shared_ptr<Connection>& connection, const Opening& opening) {
  std::string version;
  base::Result<task::Request> request = decode_request(opening.payload, version);
  std::string refused;
  bool again = false;
  if (!request) {
    refused = request.error().message;
  } else if (int order = compare_versions(version, options_.version); order != 0) {
    // A newer gomacc has a newer daemon beside it: make room. An older one compiles by itself.
    refused = "other_version";
    again = order > 0;
    if (again) stop();
  }
  if (!refused.empty()) {
    (void)connection->write(wire::Type::refuse, refuse_payload(again, refused)).ok();
    return;
  }
  request->pid = opening.pid;
  request->arrival = base::real_clock().wall();

  std::stop_source stop;
  hangup_.add(
      connection->fd(), [&stop] { stop.request_stop(); }, [&connection] { connection->send_waiting(); });
  task::Reply reply = serve_(*request, *connection, stop.get_token());
  hangup_.remove(connection->fd());
  if (reply.lost) return;
  if (reply.ran) {
    (void)connection->write(wire::Type::stored, {}).ok();
  } else {
    (void)connection->write(wire::Type::done, done_payload(reply)).ok();
  }
}

}  // namespace serve
