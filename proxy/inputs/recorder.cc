#include "inputs/recorder.h"

#include <algorithm>
#include <utility>

#include "inputs/preprocessor.h"

namespace inputs {

Input* Recorder::find(NodeId node, std::string_view name) {
  auto [first, last] = by_node_.equal_range(node);
  for (; first != last; ++first) {
    Input& input = closure_.inputs[first->second];
    if (input.node == node && input.spelled == name) return &input;
  }
  return nullptr;
}

void Recorder::listed(NodeId node, std::string_view name, bool system, bool by_flag) {
  Input* same = find(node, name);
  if (same != nullptr && same->in_depfile) {
    same->system = same->system && system;
    return;
  }
  // The depfile has it here, not where it was first asked about.
  if (same != nullptr) same->node = kNoNode;
  by_node_.emplace(node, static_cast<std::uint32_t>(closure_.inputs.size()));
  closure_.inputs.push_back({node, std::string(name), system, true, by_flag});
}

void Recorder::unlisted(NodeId node, std::string_view name, bool system, bool by_flag) {
  if (find(node, name) != nullptr) return;
  by_node_.emplace(node, static_cast<std::uint32_t>(closure_.inputs.size()));
  closure_.inputs.push_back({node, std::string(name), system, false, by_flag});
}

void Recorder::depends_on(const Trail& trail) {
  for (NodeId node : trail) depends_on(node);
}

void Recorder::depends_on(NodeId node) {
  if (node == kNoNode) return;
  std::vector<std::uint64_t>& marks = scratch_.trail_marks;
  if (node >= marks.size()) marks.resize(node + 4096);
  if (marks[node] == scratch_.scan) return;
  marks[node] = scratch_.scan;
  closure_.trail.push_back(node);
}

Closure Recorder::finish() {
  depends_on(loose_);
  std::erase_if(closure_.inputs, [](const Input& input) { return input.node == kNoNode; });
  for (const Input& input : closure_.inputs) depends_on(input.node);
  for (NodeId node : closure_.trail) {
    const base::FileType type = index_.type(node);
    if (type == base::FileType::symlink) closure_.links.push_back(node);
    if (type == base::FileType::directory) closure_.directories.push_back(node);
  }
  return std::move(closure_);
}

}  // namespace inputs
