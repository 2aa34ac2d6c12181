#include "remote/confirm.h"

#include <algorithm>
#include <random>

#include "cache/outcome_codec.h"
#include "compiler/text.h"
#include "remote/platform.h"
#include "remote/tree.h"
#include "wire/reapi.pb.h"

namespace remote {
namespace {

namespace reapi = build::bazel::remote::execution::v2;

// A fleet may get another image while we run; an answer is believed for so long.
constexpr base::Nanoseconds kBelieved = std::chrono::hours(1);
// A worker that could not be asked is not asked again for so long.
constexpr base::Nanoseconds kLeftAlone = std::chrono::seconds(10);
// Lines in one probe: some 2 MB of input, and a second or so of work for a compiler's libraries.
constexpr std::size_t kBatch = 20'000;
constexpr std::int64_t kProbeSeconds = 120;

constexpr std::string_view kScript =
    "LC_ALL=C; export LC_ALL\n"
    "sha256sum -c files 2>/dev/null\n"
    "while IFS= read -r path; do\n"
    "  if [ -e \"$path\" ] || [ -L \"$path\" ]; then :; else echo \"absent: $path\"; fi\n"
    "done <absent\n"
    "echo end of probe\n";

// What the script's tools would spell in another way.
bool is_plain_line(std::string_view path) {
  return path.find('\n') == std::string_view::npos && path.find('\\') == std::string_view::npos &&
         path.find('\r') == std::string_view::npos;
}

Source source_of(std::string bytes) {
  base::Digest digest = base::digest_of(bytes);
  return {digest, std::move(bytes), {}};
}

std::string nonce() {
  std::random_device device;
  std::string out;
  for (int i = 0; i < 4; ++i) out += std::to_string(device());
  return out;
}

}  // namespace

Job probe_job(const OutsideFiles& batch, const KeySettings& settings, std::string_view nonce) {
  std::string files;
  for (const KeyFile& file : batch.files) files += file.digest.hex() + "  " + file.path + "\n";
  std::string absent;
  for (const std::string& path : batch.absent) absent += path + "\n";

  Job job;
  Tree tree;
  for (auto& [name, text] : {std::pair<std::string, std::string>{"absent", absent},
                             {"files", files},
                             {"probe.sh", std::string(kScript)}}) {
    job.sources.push_back(source_of(text));
    tree.add_file(name, job.sources.back().digest, false);
  }
  reapi::Command command;
  command.add_arguments("/bin/sh");
  command.add_arguments("probe.sh");
  reapi::Command::EnvironmentVariable& variable = *command.add_environment_variables();
  variable.set_name("PATH");
  variable.set_value("/usr/local/bin:/usr/bin:/bin");
  set_platform(settings, *command.mutable_platform());
  job.sources.push_back(source_of(command.SerializeAsString()));
  reapi::Action action;
  cache::set_digest(job.sources.back().digest, *action.mutable_command_digest());
  for (Blob& blob : tree.finish()) {
    cache::set_digest(blob.digest, *action.mutable_input_root_digest());
    job.sources.push_back({blob.digest, std::move(blob.bytes), {}});
  }
  action.mutable_timeout()->set_seconds(kProbeSeconds);
  // Yesterday's answer is not wanted, nor another's.
  action.set_do_not_cache(true);
  action.set_salt(std::string(nonce));
  set_platform(settings, *action.mutable_platform());
  job.sources.push_back(source_of(action.SerializeAsString()));
  job.action = job.sources.back().digest;
  job.skip_cache = true;
  return job;
}

std::optional<std::unordered_set<std::string>> read_probe_output(std::string_view output) {
  constexpr std::string_view kGood = ": OK";
  constexpr std::string_view kAbsent = "absent: ";
  std::unordered_set<std::string> good;
  bool whole = false;
  for (std::string_view line : compiler::split(output, '\n')) {
    if (line == "end of probe") {
      whole = true;
    } else if (line.starts_with(kAbsent)) {
      good.emplace(line.substr(kAbsent.size()));
    } else if (line.ends_with(kGood)) {
      good.emplace(line.substr(0, line.size() - kGood.size()));
    }
  }
  if (!whole) return std::nullopt;
  return good;
}

Confirmer::Confirmer(KeySettings settings, base::Gate& calls, base::Clock& clock)
    : settings_(std::move(settings)), calls_(calls), clock_(clock) {}

OutsideFiles Confirmer::unknown_of(const OutsideFiles& wanted, std::string& refused) {
  OutsideFiles unknown;
  std::lock_guard lock(mutex_);
  if (clock_.uptime() - since_ > kBelieved) {
    files_.clear();
    absent_.clear();
    refused_.clear();
    since_ = clock_.uptime();
  }
  auto is_unknown = [&](const std::string& path, const base::Digest& digest) {
    auto found = refused_.find(path);
    if (found != refused_.end() && found->second.wanted == digest) {
      refused = found->second.why;
    } else if (!is_plain_line(path)) {
      refused = path + " has a name that cannot be asked for";
    } else {
      return true;
    }
    return false;
  };
  for (const KeyFile& file : wanted.files) {
    auto known = files_.find(file.path);
    if (known != files_.end() && known->second == file.digest) continue;
    if (is_unknown(file.path, file.digest)) unknown.files.push_back(file);
  }
  for (const std::string& path : wanted.absent) {
    if (absent_.count(path) == 0 && is_unknown(path, {})) unknown.absent.push_back(path);
  }
  return unknown;
}

Remote<void> Confirmer::probe(Backend& backend, const Call& call, const OutsideFiles& batch) {
  base::Result<base::Pass> pass = calls_.enter(ending_.get_token());
  if (!pass) return Failure{Cause::cancelled, "cancelled"};
  Call probe_call = call;
  probe_call.target_id = "probe of the worker's compiler and headers";
  probe_call.mnemonic = "Probe";
  Job job = probe_job(batch, settings_, nonce());
  probe_call.action_id = job.action.hex();
  Remote<Answer> answer = backend.execute(
      probe_call, job, [](Stage) {}, ending_.get_token());
  if (!answer) return answer.error();
  std::optional<std::unordered_set<std::string>> good = read_probe_output(answer->outcome.out);
  if (!good) {
    return Failure{Cause::unplaceable,
                   "the worker could not be asked for its files: " + answer->outcome.err.substr(0, 200)};
  }
  std::lock_guard lock(mutex_);
  auto refuse = [this](const std::string& path, const base::Digest& digest, const char* difference) {
    refused_.insert_or_assign(path, Refusal{digest, path + difference});
  };
  for (const KeyFile& file : batch.files) {
    if (good->count(file.path) > 0) {
      files_.insert_or_assign(file.path, file.digest);
    } else {
      refuse(file.path, file.digest, " is missing on the worker or differs from the one here");
    }
  }
  for (const std::string& path : batch.absent) {
    if (good->count(path) > 0) {
      absent_.insert(path);
    } else {
      refuse(path, {}, " is on the worker and not here");
    }
  }
  return {};
}

std::optional<Failure> Confirmer::recent_failure() const {
  std::lock_guard lock(mutex_);
  if (!failure_ || clock_.uptime() - failed_ > kLeftAlone) return std::nullopt;
  return failure_;
}

// Requires: a pass of `one_`.
Remote<void> Confirmer::ask(Backend& backend, const Call& call, const OutsideFiles& wanted,
                            std::string& refused) {
  // Whoever was before us may have asked already.
  OutsideFiles unknown = unknown_of(wanted, refused);
  while (refused.empty() && (!unknown.files.empty() || !unknown.absent.empty())) {
    if (std::optional<Failure> failure = recent_failure()) return *failure;
    unknown.files.resize(std::min(unknown.files.size(), kBatch));
    unknown.absent.resize(std::min(unknown.absent.size(), kBatch));
    Remote<void> asked = probe(backend, call, unknown);
    if (!asked) {
      std::lock_guard lock(mutex_);
      failure_ = asked.error();
      failed_ = clock_.uptime();
      return asked;
    }
    unknown = unknown_of(wanted, refused);
  }
  return {};
}

Remote<void> Confirmer::confirm(Backend& backend, const Call& call, const OutsideFiles& wanted,
                                const std::stop_token& stop) {
  std::string refused;
  OutsideFiles unknown = unknown_of(wanted, refused);
  if (refused.empty() && (!unknown.files.empty() || !unknown.absent.empty())) {
    base::Result<base::Pass> pass = one_.enter(stop);
    if (!pass) return Failure{Cause::cancelled, "cancelled"};
    if (Remote<void> asked = ask(backend, call, wanted, refused); !asked) return asked;
  }
  if (!refused.empty()) return Failure{Cause::unplaceable, refused};
  return {};
}

bool Confirmer::knows(const OutsideFiles& wanted) {
  std::string refused;
  OutsideFiles unknown = unknown_of(wanted, refused);
  return refused.empty() && unknown.files.empty() && unknown.absent.empty();
}

std::size_t Confirmer::size() const {
  std::lock_guard lock(mutex_);
  return files_.size() + absent_.size();
}

}  // namespace remote
