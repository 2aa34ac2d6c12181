#include "inputs/side_inputs.h"

#include <unordered_set>
#include <utility>

namespace inputs {

base::Result<void> add_side_inputs(const compiler::Command& command, FileIndex& index, NodeId cwd,
                                   Recorder& recorder) {
  for (const std::string& path : command.side_inputs) {
    const Found found = index.find_in(cwd, path, recorder.scratch_trail());
    if (found.broken) return base::unsupported("lookup: " + path);
    if (found.type == base::FileType::absent) continue;
    if (found.type != base::FileType::regular) return base::unsupported("side_input: " + path);
    recorder.unlisted(found.node, path, false, false);
  }
  return {};
}

base::Result<void> check_clang_precompiled(const compiler::Command& command, FileIndex& index, NodeId cwd,
                                           Recorder& recorder) {
  if (command.family != compiler::Family::clang) return {};
  for (const compiler::ForcedInclude& forced : command.forced) {
    if (forced.macros_only) continue;
    for (const char* extension : {".pch", ".gch"}) {
      const std::string path = forced.name + extension;
      if (index.find_in(cwd, path, recorder.scratch_trail()).type != base::FileType::absent) {
        return base::unsupported("precompiled_header: " + path);
      }
    }
  }
  return {};
}

base::Result<void> add_assembler_files(const DirectiveList& list, Lists& lists, FileIndex& index, NodeId cwd,
                                       Recorder& recorder) {
  LexMode mode;
  mode.assembler = true;
  std::vector<std::shared_ptr<const DirectiveList>> kept;
  std::vector<const DirectiveList*> open{&list};
  std::unordered_set<NodeId> seen;
  while (!open.empty()) {
    const DirectiveList* one = open.back();
    open.pop_back();
    for (const AssemblerFile& file : one->assembler_files) {
      if (file.name.empty()) return base::unsupported("incbin");
      const Found found = index.find_in(cwd, file.name, recorder.scratch_trail());
      if (found.type != base::FileType::regular) return base::unsupported("incbin: " + file.name);
      if (file.name[0] == '/') recorder.facts().absolute_includes.push_back(file.name);
      recorder.unlisted(found.node, file.name, false, false);
      if (!file.source || !seen.insert(found.node).second) continue;
      auto included = lists.of(found.node, mode);
      if (!included) return base::unsupported("unreadable_input: " + file.name);
      open.push_back(included->get());
      kept.push_back(std::move(included).value());
    }
  }
  return {};
}

}  // namespace inputs
