#include "task/compile.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/path.h"
#include "compiler/environment.h"
#include "remote/roots.h"
#include "task/cached.h"
#include "task/explain.h"
#include "task/outputs.h"
#include "task/prepare.h"
#include "task/race.h"
#include "task/run_local.h"

namespace task {
namespace {

// A word as a POSIX shell would need it.
std::string shell_word(const std::string& word) {
  constexpr const char* kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%^";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string out = "'";
  for (char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

bool looks_like_source(std::string_view word) {
  constexpr std::string_view kExtensions[] = {".c",  ".cc", ".cpp", ".cxx", ".C", ".c++", ".m",
                                              ".mm", ".i",  ".ii",  ".s",   ".S", ".sx"};
  std::string_view extension = base::extension(word);
  return !word.starts_with('-') &&
         std::find(std::begin(kExtensions), std::end(kExtensions), extension) != std::end(kExtensions);
}

// A first guess for the page, in case the command is refused before it is understood.
void guess_names(const std::vector<std::string>& argv, Record& record) {
  for (std::size_t i = 1; i < argv.size(); ++i) {
    if (argv[i - 1] == "-o") {
      record.output = argv[i];
    } else if (record.source.empty() && looks_like_source(argv[i])) {
      record.source = argv[i];
    }
  }
}

Record describe(const Request& request) {
  Record record;
  record.pid = request.pid;
  record.start_ms = request.arrival.count() / 1'000'000;
  record.directory = request.directory;
  for (const std::string& argument : request.argv) {
    if (!record.command.empty()) record.command += ' ';
    record.command += shell_word(argument);
  }
  guess_names(request.argv, record);
  return record;
}

bool in_comma_list(std::string_view list, std::string_view item) {
  while (!list.empty()) {
    std::size_t comma = list.find(',');
    if (list.substr(0, comma) == item) return true;
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  }
  return false;
}

// Why the user wants this command run locally; empty if she does not.
std::string asked_locally(const Request& request) {
  std::string_view forced = compiler::variable(request.env, "GOMA_FALLBACK_INPUT_FILES").value_or("");
  bool conftest = compiler::variable(request.env, "GOMA_FALLBACK_CONFTEST").value_or("true").starts_with('f');
  for (std::size_t i = 1; i < request.argv.size(); ++i) {
    const std::string& word = request.argv[i];
    if (!word.starts_with('-') && in_comma_list(forced, word)) return "requested_by_user: " + word;
    // The probes of configure scripts are never seen again.
    if (!conftest && base::base_name(word).starts_with("conftest.")) return "conftest: " + word;
  }
  return {};
}

// What of the environment the key depends on, and PWD, which names the working directory in debug
// information.
base::Result<std::vector<std::string>> key_environment(const Request& request) {
  base::Result<std::vector<std::string>> kept = compiler::key_environment(request.env);
  std::optional<std::string_view> pwd = compiler::variable(request.env, "PWD");
  // Such names lead elsewhere for us than for the compiler.
  bool unknown =
      pwd && *pwd != remote::kOwnDirectory && (pwd->starts_with("/proc/") || pwd->starts_with("/dev/fd/"));
  if (unknown) return base::unsupported("environment: PWD");
  if (kept && pwd) kept->push_back("PWD=" + std::string(*pwd));
  return kept;
}

std::vector<std::string> output_paths(const Request& request, const Unit& unit) {
  std::vector<std::string> paths;
  for (const Destination& item : unit.destinations) {
    if (item.kind != Destination::Kind::private_only) paths.push_back(absolute_path(request, item.path));
  }
  return paths;
}

void describe_unit(Task& task, const Unit& unit) {
  task.record.source = unit.source;
  task.record.output = unit.output;
  task.record.inputs = unit.inputs;
  task.record.action = unit.action.hex();
}

std::optional<Reply> try_cache(Task& task, const Unit& unit) {
  if (compiler::is_on(task.request.env, "GOMA_STORE_ONLY")) return std::nullopt;
  return answer_from_cache(task, unit);
}

// A result that turned out to name its checkout was kept under the absolute form. The form is taken on only
// when that result is a hit.
std::optional<Reply> try_absolute_form(Task& task, Prepared& prepared) {
  if (compiler::is_on(task.request.env, "GOMA_STORE_ONLY")) return std::nullopt;
  if (!task.services.store.lookup(absolute_mark(prepared.action.digest))) return std::nullopt;
  Prepared other = prepared;
  if (!use_absolute_form(task, other)) return std::nullopt;
  std::optional<Reply> reply = answer_from_cache(task, *other.unit);
  if (reply) prepared.unit = std::move(other.unit);
  return reply;
}

Reply compile(Task& task) {
  const Services& services = task.services;
  if (!services.enabled) return run_uncached(task, "disabled: by the setting goma");
  if (std::string reason = asked_locally(task.request); !reason.empty()) return run_uncached(task, reason);
  base::Result<std::vector<std::string>> key_env = key_environment(task.request);
  if (!key_env) return run_uncached(task, key_env.error().message);

  // From here on everything that happened to the file system before the request is known.
  refresh_index(task);
  base::Digest asked = fingerprint(task.request, *key_env);
  if (std::shared_ptr<const Unit> unit = services.memo.find(asked);
      unit && unit->valid(services.index, services.files)) {
    describe_unit(task, *unit);
    if (unwritable(output_paths(task.request, *unit)).empty()) {
      if (std::optional<Reply> reply = try_cache(task, *unit)) return *reply;
    }
  }
  base::Result<Prepared> prepared = prepare(task, *key_env);
  if (!prepared) {
    if (prepared.error().kind == base::ErrorKind::cancelled) task.record.reason = "cancelled";
    return run_uncached(task, prepared.error().message);
  }

  // From here on the command is known to be cacheable, and its key is known.
  describe_unit(task, *prepared->unit);
  if (std::string bad = unwritable(output_paths(task.request, *prepared->unit)); !bad.empty()) {
    return run_uncached(task, "output_not_regular: " + bad);
  }
  services.memo.put(asked, prepared->unit);
  if (std::optional<Reply> reply = try_cache(task, *prepared->unit)) return *reply;
  if (prepared->action.portable) {
    if (std::optional<Reply> reply = try_absolute_form(task, *prepared)) {
      services.memo.put(asked, prepared->unit);
      return *reply;
    }
  }

  // From here on nothing on this machine but the compiler itself can answer.
  Reply reply = services.remote != nullptr ? race(task, *prepared) : run_local(task, *prepared);
  // A result that names its checkout has changed the form.
  if (task.record.result == Result::local_exec) services.memo.put(asked, prepared->unit);
  return reply;
}

Reply answer(Task& task) {
  if (task.request.purpose == wire::Purpose::compile) return compile(task);
  base::Result<std::vector<std::string>> key_env = key_environment(task.request);
  return task.request.purpose == wire::Purpose::explain ? explain(task, key_env)
                                                        : print_inputs(task, key_env);
}

}  // namespace

Reply serve(const Services& services, const Request& request, Client& client, const std::stop_token& stop) {
  Task task{services, request, client, stop, describe(request), 0};
  bool counted = request.purpose == wire::Purpose::compile;
  base::Nanoseconds start = services.clock.uptime();
  if (counted) task.record.id = services.history.begin(task.record);
  Reply reply = answer(task);
  task.record.total_us = static_cast<std::uint64_t>((services.clock.uptime() - start).count() / 1000);
  if (counted) services.history.end(task.record);
  return reply;
}

}  // namespace task
