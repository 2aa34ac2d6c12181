#include "task/keep.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/fd.h"
#include "base/path.h"
#include "remote/depfile_text.h"
#include "task/cached.h"
#include "task/depfile_check.h"

namespace task {
namespace {

// A descriptor of an output that is still the file gomacc saw when the compiler ended.
base::Result<base::Fd> open_output(const std::string& path, const wire::OutputIdentity& identity,
                                   bool& executable) {
  base::Result<base::Fd> fd = base::open_file(path, O_RDONLY | O_NOFOLLOW);
  if (!fd) return fd.error();
  struct stat status;
  if (::fstat(fd->get(), &status) != 0) return base::io_error("stat " + path, errno);
  bool same = S_ISREG(status.st_mode) && status.st_dev == identity.dev && status.st_ino == identity.ino &&
              static_cast<std::uint64_t>(status.st_size) == identity.size;
  if (!same) return base::unsupported("output_changed: " + path);
  executable = (status.st_mode & S_IXUSR) != 0;
  return fd;
}

// Inputs that changed while the compiler ran may or may not be what it read.
base::Result<void> check_inputs(Task& task, const Prepared& prepared) {
  inputs::FileIndex& index = task.services.index;
  index.refresh();
  if (!prepared.unit->valid(index, task.services.files))
    return base::unsupported("input_changed: while it compiled");
  inputs::NodeId touched = index.touched_since(prepared.closure.trail, task.request.arrival);
  if (touched != inputs::kNoNode) return base::unsupported("input_too_new: " + index.path(touched));
  return {};
}

std::vector<std::string> own_outputs(const Task& task, const Prepared& prepared) {
  std::vector<std::string> paths;
  for (const compiler::Output& output : prepared.command.outputs) {
    paths.push_back(absolute_path(task.request, output.path));
  }
  return paths;
}

bool continues_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.';
}

// True when `path` stands in `bytes`, not as the beginning of a longer name. What precedes it does not
// matter: an option or a length may be glued to it.
bool names_path(std::string_view bytes, std::string_view path) {
  for (std::size_t at = bytes.find(path); at != std::string_view::npos; at = bytes.find(path, at + 1)) {
    std::size_t end = at + path.size();
    if (end == bytes.size() || !continues_name(bytes[end])) return true;
  }
  return false;
}

// True when bytes that are to be shared between checkouts name this one.
bool names_root(std::string_view bytes, const Task& task, const remote::Roots& roots) {
  return names_path(bytes, roots.root) || names_path(bytes, task.request.directory);
}

class Keeper {
 public:
  Keeper(Task& task, Prepared& prepared, const LocalRun& run) : task_(task), prepared_(prepared), run_(run) {}

  base::Result<void> keep() {
    base::Result<void> done = open_all();
    if (done) done = check_inputs(task_, prepared_);
    if (done) done = check_neighbours();
    if (done && prepared_.unit->portable && (!comes_back() || (prepared_.unit->shared && holds_root()))) {
      done = use_absolute_form(task_, prepared_);
      // It took the digests of the inputs anew, and some time has passed.
      if (done) done = check_inputs(task_, prepared_);
    }
    if (done) done = add_all();
    if (!done) return done;
    // A gomacc that no longer waits has let the next build step at the outputs while they were copied.
    if (task_.client.gone()) return base::unsupported("cancelled: gomacc did not wait");
    outcome_.out = messages(run_.report.out);
    outcome_.err = messages(run_.report.err);
    outcome_.compile_us = run_.report.user_us + run_.report.system_us;
    std::sort(outcome_.files.begin(), outcome_.files.end(),
              [](const cache::OutputFile& a, const cache::OutputFile& b) { return a.path < b.path; });
    cache::Store& store = task_.services.store;
    done = store.keep(prepared_.action.digest, outcome_);
    bool changed_form = before_->portable && !prepared_.unit->portable;
    return done && changed_form ? store.keep(absolute_mark(before_->action), {}) : done;
  }

 private:
  struct Opened {
    const Destination* destination;
    std::string path;
    bool executable = false;
    base::Fd fd;
    std::string text;  // of depfiles
  };

  // Opens every output before anything slow is done, and compares the depfile.
  base::Result<void> open_all() {
    const std::vector<compiler::Output>& outputs = prepared_.command.outputs;
    if (run_.report.truncated) return base::unsupported("messages_too_large");
    if (run_.report.outputs.size() != outputs.size()) return base::invalid("report does not fit its order");
    bool compared = false;
    for (const Destination& destination : prepared_.unit->destinations) {
      Opened item{&destination, {}, false, {}, {}};
      base::Result<bool> there = open_one(item, outputs);
      if (!there) return there.error();
      if (!*there) continue;
      if (destination.kind != Destination::Kind::file) {
        base::Result<void> same = check_depfile(task_, prepared_, item.text, false, Agreement::known);
        if (!same) return same;
        compared = true;
      }
      opened_.push_back(std::move(item));
    }
    bool comparable = !compiler::is_preprocessed(prepared_.command.language);
    if (comparable && !compared) return base::unsupported("no_depfile: the inputs could not be compared");
    return {};
  }

  // False when an optional output is not there.
  base::Result<bool> open_one(Opened& item, const std::vector<compiler::Output>& outputs) {
    const Destination& destination = *item.destination;
    bool is_private = destination.kind == Destination::Kind::private_only ||
                      destination.kind == Destination::Kind::user_headers;
    if (is_private) {
      if (run_.private_depfile.empty()) return false;
      base::Result<std::string> text = base::read_file(run_.private_depfile, 64 << 20);
      if (!text) return text.error();
      item.text = std::move(*text);
      return true;
    }
    auto output = std::find_if(outputs.begin(), outputs.end(),
                               [&](const compiler::Output& o) { return o.path == destination.path; });
    const wire::OutputIdentity& identity =
        run_.report.outputs[static_cast<std::size_t>(output - outputs.begin())];
    if (!identity.exists) {
      if (destination.required) return base::unsupported("missing_output: " + destination.path);
      return false;
    }
    item.path = absolute_path(task_.request, destination.path);
    base::Result<base::Fd> fd = open_output(item.path, identity, item.executable);
    if (!fd) return fd.error();
    item.fd = std::move(*fd);
    if (destination.kind == Destination::Kind::depfile) {
      base::Result<std::string> text = base::read_all(item.fd.get(), 64 << 20);
      if (!text) return text.error();
      item.text = std::move(*text);
    }
    return true;
  }

  base::Result<void> check_neighbours() {
    std::string stranger =
        task_.services.neighbours.unexpected(run_.neighbours, own_outputs(task_, prepared_));
    if (!stranger.empty()) return base::unsupported("unknown_output: " + stranger);
    return {};
  }

  // Texts that hold the alias already, or a depfile laid out in a way we do not know, would come back
  // changed.
  bool comes_back() const {
    const remote::Roots& roots = prepared_.unit->roots;
    auto same = [&](const std::string& text) {
      return remote::from_alias(remote::to_alias(text, roots), roots) == text;
    };
    if (!same(run_.report.out) || !same(run_.report.err)) return false;
    for (const Opened& item : opened_) {
      if (item.destination->kind != Destination::Kind::depfile) continue;
      base::Result<remote::DepfileText> rule = remote::parse_depfile(item.text);
      if (!rule || remote::make_depfile(*rule, prepared_.unit->family) != item.text) return false;
      for (const std::string& path : rule->dependencies) {
        if (!same(path)) return false;
      }
      for (const std::string& target : rule->targets) {
        if (!same(target)) return false;
      }
    }
    return true;
  }

  bool holds_root() {
    if (may_compress(prepared_.command)) return true;
    const remote::Roots& roots = prepared_.unit->roots;
    for (Opened& item : opened_) {
      if (item.destination->kind != Destination::Kind::file) continue;
      base::Result<std::string> bytes = base::read_all(item.fd.get());
      if (!bytes || names_root(*bytes, task_, roots)) return true;
      ::lseek(item.fd.get(), 0, SEEK_SET);
    }
    return names_root(messages(run_.report.out), task_, roots) ||
           names_root(messages(run_.report.err), task_, roots);
  }

  // Depfiles and messages of a portable result are kept with the root spelled as its alias.
  std::string messages(const std::string& text) const {
    return prepared_.unit->portable ? remote::to_alias(text, prepared_.unit->roots) : text;
  }

  base::Result<void> add_all() {
    // The form may have changed since the outputs were opened; the order of destinations has not.
    for (Opened& item : opened_) {
      const std::string path = current_action_path(item);
      base::Result<base::Digest> digest = item.destination->kind == Destination::Kind::file
                                              ? task_.services.store.add(item.fd.get())
                                              : task_.services.store.add(stored_depfile(item.text));
      if (!digest) return digest.error();
      outcome_.files.push_back({path, *digest, item.executable});
    }
    return {};
  }

  std::string current_action_path(const Opened& item) const {
    std::size_t place = static_cast<std::size_t>(item.destination - before_->destinations.data());
    return prepared_.unit->destinations[place].action_path;
  }

  std::string stored_depfile(const std::string& text) const {
    if (!prepared_.unit->portable) return text;
    base::Result<remote::DepfileText> rule = remote::parse_depfile(text);
    if (!rule) return text;
    for (std::string& path : rule->dependencies) path = remote::to_alias(path, prepared_.unit->roots);
    for (std::string& target : rule->targets) target = remote::to_alias(target, prepared_.unit->roots);
    return remote::make_depfile(*rule, prepared_.unit->family);
  }

  Task& task_;
  Prepared& prepared_;
  const LocalRun& run_;
  const std::shared_ptr<Unit> before_ = prepared_.unit;  // keeps the destinations that `opened_` points to
  std::vector<Opened> opened_;
  cache::Outcome outcome_;
};

}  // namespace

bool may_compress(const compiler::Command& command) {
  return std::any_of(command.args.begin(), command.args.end(), [](const compiler::Arg& arg) {
    return arg.text.starts_with("-gz") || arg.text.find("compress-debug-sections") != std::string::npos;
  });
}

base::Result<void> keep(Task& task, Prepared& prepared, const LocalRun& run) {
  PhaseTimer timer(task, Phase::store);
  return Keeper(task, prepared, run).keep();
}

}  // namespace task
