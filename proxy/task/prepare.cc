#include "task/prepare.h"

#include <algorithm>

#include "base/path.h"
#include "compiler/environment.h"
#include "compiler/parse.h"
#include "remote/roots.h"
#include "task/colour.h"

namespace task {
namespace {

void feed(base::Hasher& hasher, std::string_view text) {
  hasher.update(text);
  hasher.update(std::string_view("\0", 1));
}

std::vector<Destination> destinations(const compiler::Command& command, const remote::Action& action) {
  std::vector<Destination> out;
  bool user_headers = command.depfile.kind == compiler::Depfile::Kind::user_headers;
  for (const compiler::Output& output : command.outputs) {
    // The user's -MMD depfile is made from the private one.
    if (output.kind == "depfile" && user_headers) continue;
    Destination item;
    item.action_path = remote::action_path(command, action, output.path);
    item.path = output.path;
    item.kind = output.kind == "depfile" ? Destination::Kind::depfile : Destination::Kind::file;
    item.required = output.required;
    out.push_back(std::move(item));
  }
  if (std::string path = remote::private_depfile(command, action); !path.empty()) {
    Destination item;
    item.action_path = path;
    item.path = user_headers ? command.depfile.path : "";
    item.kind = user_headers ? Destination::Kind::user_headers : Destination::Kind::private_only;
    item.required = user_headers;
    out.push_back(std::move(item));
  }
  return out;
}

std::shared_ptr<Unit> make_unit(Task& task, const Prepared& prepared) {
  auto unit = std::make_shared<Unit>();
  const compiler::Command& command = prepared.command;
  unit->action = prepared.action.digest;
  unit->portable = prepared.action.portable;
  unit->shared = prepared.action.shared;
  unit->roots = prepared.action.roots;
  unit->family = command.family;
  unit->depfile = command.depfile;
  unit->colour = colour_of(command);
  unit->destinations = destinations(command, prepared.action);
  if (command.depfile.kind == compiler::Depfile::Kind::user_headers) {
    for (const inputs::Input& input : prepared.closure.inputs) {
      if (input.system) unit->system_names.push_back(input.spelled);
    }
    std::sort(unit->system_names.begin(), unit->system_names.end());
  }
  unit->stamps = prepared.untold;
  unit->source = command.source;
  for (const compiler::Output& output : command.outputs) {
    if (output.kind == "object" || output.kind == "assembly") unit->output = output.path;
  }
  unit->inputs = static_cast<std::uint32_t>(prepared.closure.inputs.size());
  std::lock_guard lock(unit->mutex);
  unit->snapshot = task.services.index.snapshot(prepared.closure.trail, task.epoch);
  return unit;
}

}  // namespace

base::Digest fingerprint(const Request& request, const std::vector<std::string>& key_env) {
  base::Hasher hasher;
  feed(hasher, request.compiler);
  feed(hasher, request.directory);
  for (const std::string& argument : request.argv) feed(hasher, argument);
  feed(hasher, "");
  for (const std::string& entry : key_env) feed(hasher, entry);
  // g++ finds its assembler there.
  feed(hasher, compiler::variable(request.env, "PATH").value_or(""));
  return hasher.finish();
}

base::Result<Found> find_inputs(Task& task) {
  const Services& services = task.services;
  const Request& request = task.request;
  Found found;
  {
    PhaseTimer timer(task, Phase::compiler);
    base::Result<compiler::Command> command =
        compiler::parse({request.compiler, request.argv, request.directory, request.env}, services.files);
    if (!command) return command.error();
    found.command = std::move(*command);
    auto unchanged = [&](const compiler::Compiler& known) {
      return services.compiler_watch.unchanged(known, services.index);
    };
    base::Result<std::shared_ptr<const compiler::Compiler>> compiler =
        services.identifier.identify(found.command, request.env, task.stop, unchanged);
    if (!compiler) return compiler.error();
    found.compiler = std::move(*compiler);
    // The name promised one family and the program turned out to be of the other: its flags mean other
    // things.
    if (found.command.family != found.compiler->family)
      return base::unsupported("wrapper: " + request.compiler);
  }
  base::Result<base::Pass> pass = services.gates.cpu.enter(task.stop);
  if (!pass) return pass.error();
  found.pass = std::move(*pass);
  PhaseTimer timer(task, Phase::scan);
  base::Result<inputs::Closure> closure =
      services.scanner.scan(found.command, *found.compiler, request.env, task.stop);
  if (!closure) return closure.error();
  found.closure = std::move(*closure);
  return found;
}

base::Result<Prepared> prepare(Task& task, const std::vector<std::string>& key_env) {
  base::Result<Found> found = find_inputs(task);
  if (!found) return found.error();
  if (found->closure.facts.time_macro)
    return base::unsupported("time_macro: __DATE__ or __TIME__ is expanded");

  PhaseTimer timer(task, Phase::digest);
  Prepared prepared{
      std::move(found->command), std::move(found->compiler), std::move(found->closure), {}, {}, key_env, {}};
  inputs::Trail trail;
  inputs::FileIndex& index = task.services.index;
  base::Result<void> watched =
      task.services.compiler_watch.watch(prepared.compiler, index, task.epoch, trail, prepared.untold);
  if (watched) watched = watch_stamps(prepared.closure.stamps, index, trail, prepared.untold);
  if (!watched) return watched.error();
  // The name by which the program was found, links and all.
  index.find(prepared.command.compiler, trail);
  // What PWD leads to decides whether the compiler believes it.
  std::string_view pwd = compiler::variable(key_env, "PWD").value_or("");
  if (base::is_absolute(pwd) && pwd != remote::kOwnDirectory) index.find(pwd, trail);
  base::Result<remote::Action> action = remote::make_action(
      prepared.command, *prepared.compiler, prepared.closure, key_env, task.services.key, index);
  if (!action) return action.error();
  prepared.action = std::move(*action);
  // Only now: the Action lists for the worker which names the scan, and not the driver, looked for in vain.
  prepared.closure.trail.insert(prepared.closure.trail.end(), trail.begin(), trail.end());
  prepared.unit = make_unit(task, prepared);
  return prepared;
}

base::Result<void> use_absolute_form(Task& task, Prepared& prepared) {
  remote::KeySettings settings = task.services.key;
  settings.absolute_only = true;
  base::Result<remote::Action> action =
      remote::make_action(prepared.command, *prepared.compiler, prepared.closure, prepared.key_env, settings,
                          task.services.index, prepared.action.salt);
  if (!action) return action.error();
  prepared.action = std::move(*action);
  prepared.unit = make_unit(task, prepared);
  return {};
}

base::Digest absolute_mark(const base::Digest& portable_action) {
  return base::digest_of("kept under the absolute form: " + portable_action.hex());
}

}  // namespace task
