#include "task/explain.h"

#include <set>

#include "task/cached.h"
#include "task/placement.h"
#include "task/prepare.h"

namespace task {
namespace {

// As gomacc's users know it: 3 means "would run locally".
constexpr int kLocally = 3;

Reply refusal(const base::Error& error) {
  Reply reply;
  reply.exit_code = kLocally;
  reply.err = "gomacc: " + error.message + "\n";
  return reply;
}

// What would happen to a compile that the embedded cache does not answer.
std::string decision_on_miss(const Task& task, const Prepared& prepared) {
  RemoteSide* side = task.services.remote;
  if (side == nullptr) return "compiled locally, then kept";
  switch (side->tier.mode()) {
    case remote::Mode::cluster:
      return bound_here(prepared, *side).empty() ? "looked up in the cluster's cache, else executed there"
                                                 : "looked up in the cluster's cache, else compiled locally";
    case remote::Mode::cache_only:
      return "looked up in the cache endpoint, else compiled locally";
    case remote::Mode::local:
    case remote::Mode::none:
      break;
  }
  return "compiled locally, then kept";
}

void line(std::string& text, const std::string& name, const std::string& value) {
  text += name + std::string(name.size() < 12 ? 12 - name.size() : 1, ' ') + value + "\n";
}

}  // namespace

Reply print_inputs(Task& task, const base::Result<std::vector<std::string>>& key_env) {
  if (!key_env) return refusal(key_env.error());
  refresh_index(task);
  base::Result<Found> found = find_inputs(task);
  if (!found) return refusal(found.error());
  std::set<std::string> paths;
  for (const inputs::Input& input : found->closure.inputs) paths.insert(task.services.index.path(input.node));
  Reply reply;
  for (const std::string& path : paths) reply.out += path + "\n";
  return reply;
}

Reply explain(Task& task, const base::Result<std::vector<std::string>>& key_env) {
  Reply reply;
  refresh_index(task);
  base::Result<Prepared> prepared =
      key_env ? prepare(task, *key_env) : base::Result<Prepared>(key_env.error());
  if (!prepared) {
    line(reply.out, "decision", "runs locally, not cached");
    line(reply.out, "because", prepared.error().message);
    return reply;
  }
  const remote::Action& action = prepared->action;
  bool hit = task.services.store.lookup(action.digest).has_value();
  line(reply.out, "decision", hit ? "answered from the embedded cache" : decision_on_miss(task, *prepared));
  line(reply.out, "compiler", prepared->compiler->version + " (" + prepared->compiler->driver + ")");
  line(reply.out, "source", prepared->command.source);
  for (const compiler::Output& output : prepared->command.outputs) line(reply.out, "output", output.path);
  line(reply.out, "inputs", std::to_string(prepared->closure.inputs.size()) + " files");
  line(reply.out, "key", action.digest.hex());
  line(reply.out, "form",
       action.portable ? action.shared ? "portable, shared between checkouts" : "portable"
                       : "absolute: " + action.absolute_because);
  if (!action.roots.root.empty()) line(reply.out, "exec root", action.roots.root);
  if (RemoteSide* side = task.services.remote) {
    line(reply.out, "mode", remote::to_string(side->tier.mode()));
    if (std::string bound = bound_here(*prepared, *side); !bound.empty())
      line(reply.out, "bound here", bound);
  }
  for (const std::string& entry : prepared->key_env) line(reply.out, "environment", entry);
  return reply;
}

}  // namespace task
