#include "inputs/side_inputs.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace inputs {
namespace {

// A list that clang reads of itself when a sanitizer is on and the list is there.
struct OwnList {
  std::string_view sanitizer;  // or what its names begin with
  std::string_view file;
};
// The undefined behaviours that UBSan knows have two dozen names of their own, each of which brings its list.
constexpr OwnList kOwnLists[] = {
    {"address", "asan_"}, {"hwaddress", "hwasan_"}, {"memtag", "memtag_"},  {"memory", "msan_"},
    {"thread", "tsan_"},  {"cfi", "cfi_"},          {"dataflow", "dfsan_"}, {"", "ubsan_"},
};
constexpr std::string_view kUserLists[] = {
    "-fsanitize-ignorelist=", "-fsanitize-blacklist=",     "-fprofile-list=",
    "-fxray-attr-list=",      "-fxray-always-instrument=", "-fxray-never-instrument=",
};

bool enables(std::string_view names, std::string_view sanitizer) {
  while (!names.empty()) {
    const std::string_view one = names.substr(0, names.find(','));
    if (one.starts_with(sanitizer)) return true;
    names.remove_prefix(std::min(names.size(), one.size() + 1));
  }
  return false;
}

// Whether the last word on this sanitizer was to turn it on.
bool sanitizes(const compiler::Command& command, std::string_view sanitizer) {
  constexpr std::string_view kOn = "-fsanitize=";
  constexpr std::string_view kOff = "-fno-sanitize=";
  bool on = false;
  for (const compiler::Arg& arg : command.args) {
    const std::string_view text = arg.text;
    if (text.starts_with(kOn) && enables(text.substr(kOn.size()), sanitizer)) on = true;
    if (text.starts_with(kOff)) {
      const std::string_view names = text.substr(kOff.size());
      if (names == sanitizer || names == "all") on = false;
    }
    if (text == "-fno-sanitize-ignorelist" || text == "-fno-sanitize-blacklist") return false;
  }
  return on;
}

}  // namespace

base::Result<void> add_clang_lists(const compiler::Command& command, const std::string& resource_include,
                                   FileIndex& index, NodeId cwd, Recorder& recorder) {
  if (command.family != compiler::Family::clang) return {};
  for (const compiler::Arg& arg : command.args) {
    for (std::string_view flag : kUserLists) {
      if (!arg.text.starts_with(flag)) continue;
      const std::string path = arg.text.substr(flag.size());
      const Found found = index.find_in(cwd, path, recorder.scratch_trail());
      if (found.type == base::FileType::regular) recorder.listed(found.node, path, false, false);
    }
  }
  for (const OwnList& list : kOwnLists) {
    if (!sanitizes(command, list.sanitizer)) continue;
    if (resource_include.empty()) return base::unsupported("sanitizer_list");
    for (const char* ending : {"ignorelist.txt", "blacklist.txt", "abilist.txt"}) {
      std::string path = resource_include.substr(0, resource_include.rfind('/')) + "/share/";
      path.append(list.file).append(ending);
      const Found found = index.find_in(cwd, path, recorder.scratch_trail());
      if (found.type == base::FileType::regular) recorder.listed(found.node, path, false, false);
    }
  }
  return {};
}

std::string clang_resource_include(const compiler::Dialect& dialect) {
  for (const compiler::BuiltinDir& dir : dialect.directories) {
    if (dir.path.find("/lib/clang/") != std::string::npos && dir.path.ends_with("/include")) return dir.path;
  }
  return "";
}

base::Result<void> add_side_inputs(const compiler::Command& command, FileIndex& index, NodeId cwd,
                                   Recorder& recorder) {
  for (const compiler::SideInput& input : command.side_inputs) {
    const Found found = index.find_in(cwd, input.path, recorder.scratch_trail());
    if (found.broken) return base::unsupported("lookup: " + input.path);
    if (found.type == base::FileType::absent && !input.required) continue;
    // One that is not there for us may be there for the compiler: below /proc/self, say.
    if (found.type != base::FileType::regular) return base::unsupported("side_input: " + input.path);
    recorder.unlisted(found.node, input.path, false, false);
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
      if (((*included)->facts & (kTextIncbin | kHiddenIncbin)) != 0) return base::unsupported("incbin");
      open.push_back(included->get());
      kept.push_back(std::move(included).value());
    }
  }
  return {};
}

}  // namespace inputs
