#include "child.h"

#include "family.h"

namespace gomacc {
namespace {

constexpr int kEnding[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
// How long streams that stay open after the compiler has ended may be quiet: some process that it left
// behind holds them.
constexpr int kQuietMs = 1000;

// The signals that we hear through a descriptor while the command runs, and the way back.
class Signals {
 public:
  Signals() : child_(sys::disposition(SIGCHLD)) {
    sys::SignalSet set = sys::just(SIGCHLD);
    // One that our parent told us to ignore stays ignored.
    for (int signal : kEnding) {
      if (sys::disposition(signal) == sys::Disposition::standard) set |= sys::just(signal);
    }
    // If it were ignored, the kernel would reap our children and keep their status from us.
    sys::set_disposition(SIGCHLD, sys::Disposition::standard);
    before_ = sys::block(set);
    source_ = sys::signal_source(set);
  }
  ~Signals() {
    sys::close(source_);
    sys::set_mask(before_);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  int source() const { return source_; }
  // In the child: as gomacc itself found things.
  void restore() const {
    sys::set_disposition(SIGCHLD, child_);
    sys::set_mask(before_);
  }

 private:
  sys::Disposition child_;
  sys::SignalSet before_ = 0;
  int source_ = -1;
};

// While it lives a reader that left shows as an error of the write, not as our death.
class PipeSignal {
 public:
  PipeSignal() : before_(sys::disposition(SIGPIPE)) {
    sys::set_disposition(SIGPIPE, sys::Disposition::ignored);
  }
  ~PipeSignal() { restore(); }
  PipeSignal(const PipeSignal&) = delete;
  PipeSignal& operator=(const PipeSignal&) = delete;

  void restore() const { sys::set_disposition(SIGPIPE, before_); }

 private:
  sys::Disposition before_;
};

// The outputs as they were before the command ran, to tell what it touched.
class Outputs {
 public:
  explicit Outputs(const std::vector<const char*>& names) : names_(names) {
    for (const char* name : names_) before_.push_back(look(name));
  }
  void remove_touched() const {
    for (std::size_t i = 0; i < names_.size(); ++i) {
      sys::FileInfo now = look(names_[i]);
      if (S_ISREG(now.mode) && !same(now, before_[i])) sys::unlink(names_[i]);
    }
  }

 private:
  static sys::FileInfo look(const char* name) {
    sys::FileInfo info{};
    if (sys::lstat(name, &info) != 0) info = {};
    return info;
  }
  static bool same(const sys::FileInfo& a, const sys::FileInfo& b) {
    return a.dev == b.dev && a.ino == b.ino && a.size == b.size && a.modified_s == b.modified_s &&
           a.modified_ns == b.modified_ns && a.changed_s == b.changed_s && a.changed_ns == b.changed_ns;
  }

  const std::vector<const char*>& names_;
  std::vector<sys::FileInfo> before_;
};

[[noreturn]] void be_child(const Plan& plan, const Signals& signals, const PipeSignal& pipe_signal,
                           int parent, const int* out, const int* err) {
  if (plan.capture) {
    sys::replace(out[1], 1);
    sys::replace(err[1], 2);
  } else if (plan.silent) {
    int nowhere = sys::open("/dev/null", O_WRONLY);
    sys::replace(nowhere, 1);
    sys::replace(nowhere, 2);
  }
  // Whoever kills gomacc outright means the compile.
  sys::die_with_parent(SIGTERM);
  if (sys::parent_id() != parent) sys::exit(125);
  pipe_signal.restore();
  signals.restore();
  sys::exit(become(plan.program, plan.argv, plan.env));
}

// The time while the command runs.
class Watch {
 public:
  Watch(const Plan& plan, Family& family, const Signals& signals, End& end)
      : plan_(plan), family_(family), signals_(signals), end_(end) {}

  // Returns when the command has ended or must end; the signal in the second case, if that is why.
  int until_end() {
    for (;;) {
      family_.reap();
      if (family_.driver_ended() && (!plan_.capture || (end_.out->at_end() && end_.err->at_end()))) return 0;
      pollfd fds[4] = {{signals_.source(), POLLIN, 0}, {-1, POLLIN, 0}, {-1, 0, 0}, {-1, 0, 0}};
      if (plan_.daemon != nullptr && plan_.daemon->is_open()) fds[1].fd = plan_.daemon->fd();
      if (plan_.capture) {
        fds[2] = end_.out->interest();
        fds[3] = end_.err->interest();
      }
      int ready = sys::poll(fds, 4, family_.driver_ended() && !waits_for_reader(fds) ? kQuietMs : -1);
      if (ready == 0) {
        end_.truncated = true;
        return 0;
      }
      if (fds[2].revents != 0 && end_.out != nullptr) end_.out->proceed(room_);
      if (fds[3].revents != 0 && end_.err != nullptr) end_.err->proceed(room_);
      if (fds[1].revents != 0 && plan_.daemon != nullptr && hear_stop(*plan_.daemon)) return 0;
      if (fds[0].revents == 0) continue;
      while (int signal = sys::take_signal(signals_.source())) {
        if (signal != SIGCHLD) return signal;
      }
    }
  }

 private:
  static bool waits_for_reader(const pollfd* fds) {
    return (fds[2].fd >= 0 && fds[2].events == POLLOUT) || (fds[3].fd >= 0 && fds[3].events == POLLOUT);
  }

  bool hear_stop(Connection& daemon) {
    Frame frame;
    for (;;) {
      Connection::Got got = daemon.receive_arrived(frame);
      if (got != Connection::Got::frame) return false;
      if (frame.type == wire::Type::waiting) continue;
      if (frame.type == wire::Type::stop) {
        end_.stopped = true;
        return true;
      }
      daemon.close();
      return false;
    }
  }

  const Plan& plan_;
  Family& family_;
  const Signals& signals_;
  End& end_;
  std::size_t room_ = kMaxKept;
};

std::string_view kept(const Relay* relay) { return relay == nullptr ? std::string_view() : relay->kept(); }

}  // namespace

End run(const Plan& plan) {
  End end;
  Outputs outputs(plan.outputs);
  int out[2] = {-1, -1};
  int err[2] = {-1, -1};
  if (plan.capture && (sys::make_pipe(out) < 0 || sys::make_pipe(err) < 0)) {
    complain({"too many open files"});
    sys::exit(125);
  }
  PipeSignal pipe_signal;
  int deadly = 0;
  {
    Signals signals;
    Family family(signals.source());
    int self = sys::process_id();
    int pid = sys::fork();
    if (pid == 0) be_child(plan, signals, pipe_signal, self, out, err);
    if (pid < 0) {
      complain({"cannot start another process"});
      sys::exit(125);
    }
    family.begin(pid);
    if (plan.capture) {
      sys::close(out[1]);
      sys::close(err[1]);
      end.out = new Relay(out[0], 1, (plan.strip & wire::kStripStdout) != 0,
                          kept(plan.before == nullptr ? nullptr : plan.before->out));
      end.err = new Relay(err[0], 2, (plan.strip & wire::kStripStderr) != 0,
                          kept(plan.before == nullptr ? nullptr : plan.before->err));
    }
    deadly = Watch(plan, family, signals, end).until_end();
    if (deadly != 0 || end.stopped) family.end();
    if (deadly != 0 || end.stopped || WIFSIGNALED(family.wait_status())) outputs.remove_touched();
    end.wait_status = family.wait_status();
    end.user_us = family.user_us();
    end.system_us = family.system_us();
    end.max_rss_kib = family.max_rss_kib();
    if (family.anyone_left()) end.truncated = true;
  }
  if (deadly != 0) sys::die_by(deadly);
  if (plan.capture) {
    end.out->finish();
    end.err->finish();
    end.lost_reader = end.out->lost_reader() || end.err->lost_reader();
    if (end.out->truncated() || end.err->truncated()) end.truncated = true;
  }
  return end;
}

int become(const char* program, const char* const* argv, const char* const* env) {
  int error = sys::execute(program, argv, env);
  if (error == -ENOEXEC) {
    // A script without an interpreter line, which every shell runs.
    std::vector<const char*> script = {"/bin/sh", program};
    for (std::size_t i = 1; argv[0] != nullptr && argv[i] != nullptr; ++i) script.push_back(argv[i]);
    script.push_back(nullptr);
    error = sys::execute("/bin/sh", script.data(), env);
  }
  complain({"cannot run ", program, ": ",
            error == -ENOENT   ? "no such file, or its interpreter is missing"
            : error == -E2BIG  ? "argument list too long"
            : error == -EACCES ? "permission denied"
                               : join({"error ", decimal(static_cast<unsigned>(-error))})});
  return error == -ENOENT ? 127 : 126;
}

void end_like(const End& end) {
  if (WIFSIGNALED(end.wait_status)) sys::die_by(WTERMSIG(end.wait_status));
  int code = WEXITSTATUS(end.wait_status);
  // A compiler that had written to the closed stream itself would not have succeeded.
  if (code == 0 && end.lost_reader && sys::disposition(SIGPIPE) == sys::Disposition::standard) {
    sys::die_by(SIGPIPE);
  }
  sys::exit(code);
}

}  // namespace gomacc
