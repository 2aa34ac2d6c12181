#include "task/accept.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "task/cached.h"
#include "task/depfile_check.h"
#include "task/keep.h"

namespace task {
namespace {

// The name of the worker's folder in a portable result, once the root has its own name again.
constexpr std::string_view kWorkersFolder = "/proc/self/cwd";

const cache::OutputFile* find_file(const cache::Outcome& outcome, const std::string& path) {
  auto found = std::find_if(outcome.files.begin(), outcome.files.end(),
                            [&](const cache::OutputFile& file) { return file.path == path; });
  return found == outcome.files.end() ? nullptr : &*found;
}

class Acceptance {
 public:
  Acceptance(Task& task, const Prepared& prepared, const remote::Answer& answer)
      : task_(task), prepared_(prepared), unit_(*prepared.unit), answer_(answer) {}

  base::Result<Reply> accept() {
    {
      base::Result<base::Pass> pass = task_.services.gates.cpu.enter(task_.stop);
      if (!pass) return pass.error();
      base::Result<void> good = check();
      if (!good) return good.error();
      keep();
    }
    // Without the pass: the user's disk may be slow, and the tasks of other builds would wait for it.
    return answer_with(task_, unit_, answer_.outcome,
                       [this](const base::Digest& digest) { return read(digest); });
  }

 private:
  base::Result<void> check() {
    if (answer_.outcome.exit_code != 0)
      return base::unsupported("remote_failed: the compiler reported an error");
    // A search for the worker's folder would not see into them.
    if (unit_.portable && may_compress(prepared_.command))
      return base::unsupported("compressed_sections: they cannot be searched");
    base::Result<void> good = check_outputs();
    return good ? check_messages() : good;
  }

  base::Result<std::string> read(const base::Digest& digest) const {
    if (auto found = answer_.contents.find(digest); found != answer_.contents.end()) return found->second;
    return task_.services.store.read(digest);
  }

  base::Result<void> check_outputs() {
    bool compared = false;
    for (const Destination& destination : unit_.destinations) {
      const cache::OutputFile* file = find_file(answer_.outcome, destination.action_path);
      if (file == nullptr) {
        if (destination.required) return base::unsupported("missing_output: " + destination.action_path);
        continue;
      }
      if (file->digest.size == 0 && destination.required) {
        return base::unsupported("empty_output: " + destination.action_path);
      }
      base::Result<std::string> bytes = read(file->digest);
      if (!bytes) return bytes.error();
      if (destination.kind != Destination::Kind::file) {
        base::Result<void> same = check_depfile(task_, prepared_, *bytes, unit_.portable, Agreement::equal);
        if (!same) return same;
        compared = true;
      } else if (unit_.portable && bytes->find(kWorkersFolder) != std::string::npos) {
        return base::unsupported("workers_folder: in " + destination.action_path);
      }
    }
    bool comparable = !compiler::is_preprocessed(prepared_.command.language);
    if (comparable && !compared) return base::unsupported("no_depfile: the inputs could not be compared");
    return {};
  }

  base::Result<void> check_messages() const {
    if (!unit_.portable) return {};
    for (const std::string* text : {&answer_.outcome.out, &answer_.outcome.err}) {
      if (remote::from_alias(*text, unit_.roots).find(kWorkersFolder) != std::string::npos) {
        return base::unsupported("workers_folder: in the messages");
      }
    }
    return {};
  }

  // Best effort: a full disk costs the next build a look-up.
  void keep() {
    PhaseTimer timer(task_, Phase::store);
    for (const cache::OutputFile& file : answer_.outcome.files) {
      auto found = answer_.contents.find(file.digest);
      if (found != answer_.contents.end() && !task_.services.store.add(found->second).ok()) return;
    }
    (void)task_.services.store.keep(unit_.action, answer_.outcome).ok();
  }

  Task& task_;
  const Prepared& prepared_;
  const Unit& unit_;
  const remote::Answer& answer_;
};

}  // namespace

base::Result<Reply> accept(Task& task, const Prepared& prepared, const remote::Answer& answer) {
  return Acceptance(task, prepared, answer).accept();
}

}  // namespace task
