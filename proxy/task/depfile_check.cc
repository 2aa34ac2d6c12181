#include "task/depfile_check.h"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/path.h"
#include "remote/depfile_text.h"

namespace task {
namespace {

// What we know of one file of the closure.
struct Known {
  const inputs::Input* input;
  bool seen = false;
};

bool is_named(std::string_view dependency, const inputs::Input& input, const remote::Roots& roots,
              bool aliased) {
  if (!aliased || dependency.find(roots.alias) == std::string_view::npos) return dependency == input.spelled;
  return remote::from_alias(std::string(dependency), roots) == input.spelled;
}

// As a rule the compiler and the scan name the same files in the same order, and nothing need be looked up.
bool is_same_list(const Prepared& prepared, std::string_view text, bool aliased) {
  remote::DependencyReader rule(text);
  for (const inputs::Input& input : prepared.closure.inputs) {
    if (!input.in_depfile) continue;
    std::optional<std::string_view> name = rule.next();
    if (!name || !is_named(*name, input, prepared.action.roots, aliased)) return false;
  }
  return rule.is_rule() && !rule.next() && rule.rest().empty();
}

}  // namespace

base::Result<void> check_depfile(Task& task, const Prepared& prepared, std::string_view text, bool aliased,
                                 Agreement agreement) {
  if (is_same_list(prepared, text, aliased)) return {};
  base::Result<remote::DepfileText> rule = remote::parse_depfile(text);
  if (!rule) return base::unsupported("depfile_unreadable: " + rule.error().message);
  std::unordered_map<inputs::NodeId, Known> by_node;
  std::unordered_map<std::string_view, inputs::NodeId> by_name;
  for (const inputs::Input& input : prepared.closure.inputs) {
    Known& known = by_node.try_emplace(input.node, Known{&input}).first->second;
    // A file that the compiler meets under two names is one that it has read.
    if (input.in_depfile) known.input = &input;
    by_name.emplace(input.spelled, input.node);
  }
  for (const std::string& dependency : rule->dependencies) {
    std::string name = aliased ? remote::from_alias(dependency, prepared.action.roots) : dependency;
    inputs::NodeId node = inputs::kNoNode;
    if (auto found = by_name.find(name); found != by_name.end()) {
      node = found->second;
    } else {
      inputs::Trail trail;
      node = task.services.index.find(base::join(task.request.directory, name), trail).node;
    }
    auto known = by_node.find(node);
    if (known == by_node.end()) {
      task.services.history.count_mismatch();
      return base::unsupported("input_not_foreseen: " + name);
    }
    known->second.seen = true;
  }
  if (agreement == Agreement::known) return {};
  for (const auto& [node, known] : by_node) {
    if (known.seen || !known.input->in_depfile) continue;
    task.services.history.count_mismatch();
    return base::unsupported("input_not_read: " + known.input->spelled);
  }
  return {};
}

}  // namespace task
