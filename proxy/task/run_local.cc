#include "task/run_local.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <atomic>

#include "base/fd.h"
#include "base/log.h"
#include "base/machine.h"
#include "base/path.h"
#include "task/cached.h"
#include "task/colour.h"
#include "task/keep.h"
#include "task/outputs.h"

namespace task {
namespace {

// How often a waiting task looks whether slots are held by stopped builds. A waiter that goes round joins the
// end of the queue, so it is long against the time between two free slots.
constexpr std::chrono::seconds kSlotRound{5};

Reply ran_reply() {
  Reply reply;
  reply.ran = true;
  return reply;
}

Reply cancelled_reply(Task& task) {
  task.record.result = Result::cancelled;
  // If gomacc is still there after all, it goes on alone.
  Reply reply;
  reply.lost = true;
  return reply;
}

base::Result<base::Pass> wait_for_slot(Task& task) {
  PhaseTimer timer(task, Phase::slot_wait);
  Gates& gates = task.services.gates;
  while (true) {
    // Looked at when a compile is about to start, so that an idle daemon does nothing.
    int slots = base::slots_under_memory_pressure(gates.local_slots);
    gates.local.set_limit(slots + gates.runners.stopped());
    base::Result<base::Pass> pass = gates.local.enter_within(kSlotRound, task.stop);
    if (pass || pass.error().kind != base::ErrorKind::transient) return pass;
  }
}

base::Result<RunReport> run_in_slot(Task& task, const RunOrder& order) {
  // What takes long is shown while it lasts.
  task.services.history.update(task.record);
  base::Result<base::Pass> pass = wait_for_slot(task);
  if (!pass) return pass.error();
  task.services.history.update(task.record);
  Runners::Running running(task.services.gates.runners, task.request.pid);
  PhaseTimer timer(task, Phase::execute);
  return task.client.run(order, task.stop);
}

int exit_code_of(int wait_status) {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

// A file in the daemon's own folder that goes when the run is over.
class PrivateFile {
 public:
  explicit PrivateFile(const std::string& folder) {
    static std::atomic<unsigned> counter{0};
    struct statvfs disk;
    // A compiler that cannot write its depfile fails; better no private depfile than a failed build.
    constexpr unsigned long kRoom = 4u << 20;
    ::mkdir(folder.c_str(), 0700);  // who cleared the folder of the socket away took this one along
    if (::statvfs(folder.c_str(), &disk) != 0 || disk.f_bavail * disk.f_frsize < kRoom) return;
    std::string path =
        base::join(folder, std::to_string(::getpid()) + "-" + std::to_string(counter++) + ".d");
    if (base::open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600).ok()) path_ = path;
  }
  ~PrivateFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  PrivateFile(const PrivateFile&) = delete;
  PrivateFile& operator=(const PrivateFile&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The user's depfile, which the command that ran did not write.
base::Result<void> pay_depfile(Task& task, const Prepared& prepared, const std::string& private_depfile) {
  base::Result<std::string> text = base::read_file(private_depfile, 64 << 20);
  if (!text) return text.error();
  Unit typed;  // the private depfile of a local run spells paths as typed
  typed.family = prepared.unit->family;
  typed.system_names = prepared.unit->system_names;
  base::Result<std::string> user = user_depfile(typed, *text);
  if (!user) return user.error();
  std::string path = absolute_path(task.request, prepared.command.depfile.path);
  return commit({{path, std::move(*user), false}}, task.request.umask);
}

// A depfile that cannot be written is for the compiler to complain about.
bool can_write_beside(const Task& task, const compiler::Command& command) {
  std::string folder(base::directory_name(absolute_path(task.request, command.depfile.path)));
  return ::access(folder.c_str(), W_OK | X_OK) == 0;
}

void finish_record(Task& task, const RunReport& report) {
  task.record.exit_code = exit_code_of(report.wait_status);
  task.record.compile_us = report.user_us + report.system_us;
}

}  // namespace

Reply run_uncached(Task& task, const std::string& reason) {
  task.record.result = Result::passthrough;
  task.record.reason = reason;
  RunOrder order;
  order.capture = false;
  order.argv = typed_argv(task.request);
  base::Result<RunReport> report = run_in_slot(task, order);
  if (!report) return cancelled_reply(task);
  finish_record(task, *report);
  if (!report->succeeded()) task.record.result = Result::failed;
  return ran_reply();
}

Reply run_local(Task& task, Prepared& prepared) {
  const compiler::Command& command = prepared.command;
  if (command.depfile.kind == compiler::Depfile::Kind::user_headers && !can_write_beside(task, command)) {
    return run_uncached(task, "depfile_folder: " + command.depfile.path);
  }
  PrivateFile depfile(task.services.private_folder);
  RunArgv argv = make_run_argv(task.request, command, prepared.unit->colour, depfile.path());
  RunOrder order;
  order.argv = argv.argv;
  order.strip = strip_for(prepared.unit->colour, command.family, task.request);
  order.again_if_lost = argv.owes_depfile;
  std::vector<std::string> paths;
  for (const compiler::Output& output : command.outputs) {
    order.outputs.push_back(output.path);
    paths.push_back(absolute_path(task.request, output.path));
  }
  Neighbours::Claim claim(task.services.neighbours, paths);
  std::vector<std::string> near = paths;
  near.push_back(absolute_path(task.request, command.source));
  NeighbourList before = task.services.neighbours.before(task.request.directory, near);

  base::Result<RunReport> report = run_in_slot(task, order);
  if (!report) return cancelled_reply(task);
  finish_record(task, *report);
  task.record.result = report->succeeded() ? Result::local_exec : Result::failed;
  if (!report->succeeded()) return ran_reply();

  // From here on the user has the compiler's outputs and messages; the rest is for the next time.
  std::string written = argv.private_depfile ? depfile.path() : "";
  LocalRun run{*report, argv, written, std::move(before)};
  base::Result<void> kept = keep(task, prepared, run);
  if (!kept) task.record.reason = kept.error().message;
  if (argv.owes_depfile) {
    base::Result<void> paid = pay_depfile(task, prepared, written);
    if (!paid) {
      // Without our word gomacc runs the command as typed, and the compiler says what is wrong.
      base::log(base::LogLevel::error, "depfile of " + command.source + ": " + paid.error().message);
      Reply reply;
      reply.lost = true;
      return reply;
    }
  }
  return ran_reply();
}

}  // namespace task
