// The door for gomacc: a unix socket of mode 0600 in a folder of ours, one daemon per socket, peers of our
// own user in our own mount namespace only.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>

#include "base/fd.h"
#include "base/result.h"
#include "base/thread.h"
#include "serve/connection.h"
#include "serve/hangup.h"
#include "task/request.h"

namespace serve {

struct ListenerOptions {
  std::string folder;       // made if it is not there; must be ours and 0700
  std::string socket_name;  // within the folder, or an absolute path
  std::string lock_name;
  std::string version;
  std::size_t max_tasks = 1024;
  // Called from accept_until_stopped() after the folder was made anew, which may have held more than the
  // socket.
  std::function<void()> bound_again{};
};

// What the listener does with a request. Called on a thread of its own for each; the stop is requested when
// gomacc hangs up.
using Serve = std::function<task::Reply(const task::Request&, task::Client&, const std::stop_token&)>;

// Which files a process sees under a name: its mount namespace and its root, each as device and inode;
// nothing where that cannot be seen.
struct FileView {
  std::optional<std::pair<dev_t, ino_t>> mounts;
  std::optional<std::pair<dev_t, ino_t>> root;
  bool operator==(const FileView&) const = default;
};

class Listener {
 public:
  Listener(ListenerOptions options, Serve serve, std::function<int()> http_port);
  ~Listener();

  // Takes the lock and binds. `rejected` when another daemon holds this socket; `io` when the folder cannot
  // be used, in words for the user.
  base::Result<void> open();

  // Accepts until stop() or until nobody has asked for anything for `idle_limit`. Call once, from the main
  // thread.
  void accept_until_stopped(std::chrono::seconds idle_limit);

  // Ends accepting: new connections find no socket, so that a new daemon can take it. Any thread, and from a
  // signal handler.
  void stop();

  // Waits for running tasks, at most `limit`.
  void drain(std::chrono::seconds limit);

  std::string socket_path() const;
  int active() const { return active_.load(); }

 private:
  base::Result<void> take_lock();
  bool lock_is_ours() const;
  base::Result<void> bind_socket();
  bool socket_is_ours() const;
  void accept_one();
  // What a peer that may be served wants to have compiled.
  struct Opening {
    std::string payload;
    int pid = 0;
  };
  // Reads what the peer wants. Nothing when it has got its answer, or gets none.
  std::optional<Opening> greet(Connection& connection);
  void accept_in_crowd(const std::shared_ptr<Connection>& connection);
  // Nothing when the peer may be served, else why not.
  std::string refusal(int fd, int& pid) const;
  void answer_query(Connection& connection, std::string_view payload);
  void answer_compile(const std::shared_ptr<Connection>& connection, const Opening& opening);

  const ListenerOptions options_;
  const Serve serve_;
  const std::function<int()> http_port_;
  const FileView view_;  // of this process, which does not change
  base::Fd lock_;
  base::Fd socket_;
  base::Fd folder_watch_;  // tells when the socket vanishes, so that idle costs nothing
  base::Fd wake_;
  std::pair<std::uint64_t, std::uint64_t> bound_{0, 0};  // (dev, ino) of the socket
  std::atomic<bool> stopping_{false};
  std::atomic<int> active_{0};
  Hangup hangup_;
  base::ThreadPool pool_;      // its threads use the rest
  base::ThreadPool greeters_;  // last: its threads use that too
};

}  // namespace serve
