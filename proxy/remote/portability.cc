#include "remote/portability.h"

#include <charconv>
#include <string_view>

#include "base/path.h"
#include "remote/roots.h"

namespace remote {
namespace {

// The major version in "g++ (Debian 12.2.0-14) 12.2.0" (the last word) or "Debian clang version 14.0.6".
int major_version(const compiler::Compiler& compiler) {
  std::string_view text = compiler.version;
  std::size_t at = compiler.family == compiler::Family::clang ? text.find("version ") : text.rfind(' ');
  if (at == std::string_view::npos) return 0;
  text.remove_prefix(at + (compiler.family == compiler::Family::clang ? 8 : 1));
  int major = 0;
  std::from_chars(text.data(), text.data() + text.size(), major);
  return major;
}

// The compilers of which it was measured that the rewritten command gives the same bytes.
bool measured(const compiler::Compiler& compiler) {
  if (!compiler.target.starts_with("x86_64-")) return false;
  int major = major_version(compiler);
  return compiler.family == compiler::Family::gcc ? major == 12 : major == 14 || major == 19;
}

bool is_precompiled(std::string_view path) {
  return path.ends_with(".gch") || path.ends_with(".pch") || path.ends_with(".pcm");
}

class SourceJudge {
 public:
  SourceJudge(const compiler::Command& command, const Roots& roots, const PortableArguments& arguments,
              inputs::FileIndex& index)
      : command_(command), roots_(roots), arguments_(arguments), index_(index) {}

  std::string judge(const inputs::Closure& closure) {
    for (const std::string& include : closure.facts.absolute_includes) {
      bool outside =
          base::is_absolute(include) && place_of(include, command_, roots_, index_) == Place::outside;
      if (!outside) return "an include by an absolute path: " + include;
    }
    if (!closure.facts.absolute_lines.empty() && arguments_.maps_root) {
      return "#line names an absolute path: " + closure.facts.absolute_lines.front();
    }
    for (const inputs::Input& input : closure.inputs) {
      if (std::string because = judge(input); !because.empty()) return because;
    }
    for (inputs::NodeId node : closure.links) {
      if (std::string because = judge_link(node); !because.empty()) return because;
    }
    return judge_outputs();
  }

 private:
  std::string judge(const inputs::Input& input) {
    std::string_view path = index_.path(input.node, buffer_);
    if (is_precompiled(path)) return "a precompiled header: " + std::string(path);
    if (!base::is_below(path, roots_.root)) {
      for (const std::string& old_prefix : arguments_.mapped_olds) {
        if (input.spelled.starts_with(old_prefix)) return "a prefix map also fits " + input.spelled;
      }
      return "";
    }
    // gcc writes the real path of a system header where that is shorter than the name it was found by.
    bool gcc = command_.family == compiler::Family::gcc;
    if (gcc && input.by_system_dir && path.size() < input.spelled.size()) {
      return "a system header whose real path is shorter: " + input.spelled;
    }
    return "";
  }

  // A link is part of the input root, so it must lead to the same place in any folder.
  std::string judge_link(inputs::NodeId node) {
    std::string path = index_.path(node);
    if (!base::is_below(path, roots_.root)) return "";
    std::string target = index_.link_target(node);
    std::string folder(base::directory_name(path));
    bool stays = !target.empty() && !base::is_absolute(target);
    int depth = 0;
    for (std::size_t i = roots_.root.size(); i < folder.size(); ++i) depth += folder[i] == '/' ? 1 : 0;
    for (std::size_t begin = 0; stays && begin < target.size();) {
      std::size_t end = std::min(target.find('/', begin), target.size());
      std::string_view part = std::string_view(target).substr(begin, end - begin);
      if (part == "..") --depth;
      if (part != ".." && part != "." && !part.empty()) ++depth;
      stays = depth >= 0;
      begin = end + 1;
    }
    return stays ? "" : "a symbolic link that leaves the root: " + path;
  }

  std::string judge_outputs() {
    for (const compiler::Output& output : command_.outputs) {
      Place place = place_of(output.path, command_, roots_, index_);
      inputs::Trail trail;
      std::string folder = base::join(command_.directory, base::directory_name(output.path));
      inputs::Found found = index_.find(folder, trail);
      bool lands_inside =
          found.node != inputs::kNoNode && base::is_below(index_.path(found.node), roots_.root);
      if ((place != Place::inside && place != Place::below) || !lands_inside) {
        return "an output outside the root: " + output.path;
      }
    }
    return "";
  }

  const compiler::Command& command_;
  const Roots& roots_;
  const PortableArguments& arguments_;
  inputs::FileIndex& index_;
  std::string buffer_;
};

}  // namespace

std::string roots_forbid(const compiler::Command& command, const compiler::Compiler& compiler,
                         const Roots& roots, const KeySettings& settings) {
  if (settings.absolute_only) return "it was asked for";
  if (roots.root.empty()) return "there is no exec root";
  if (roots.alias.empty()) return "the working directory lies outside the exec root " + roots.root;
  if (!is_plain(roots.root)) return "the exec root's name needs quoting: " + roots.root;
  if (command.traits.records_command_line) return "the output holds the command line";
  if (!command.traits.portable) return "option " + command.traits.not_portable_because;
  if (!measured(compiler)) return "not measured with this compiler: " + compiler.version;
  return "";
}

std::string variables_forbid(const std::vector<std::string>& key_env, const Roots& roots) {
  for (const std::string& entry : key_env) {
    if (entry.starts_with("PWD=") && entry.substr(4) == kOwnDirectory) {
      return "the working directory is called " + entry.substr(4);
    }
    // The name of the working directory has rules of its own.
    bool holds = entry.find(roots.root) != std::string::npos && !entry.starts_with("PWD=");
    if (holds) return "the root stands in variable " + entry.substr(0, entry.find('='));
  }
  return "";
}

std::string sources_forbid(const compiler::Command& command, const inputs::Closure& closure,
                           const Roots& roots, const PortableArguments& arguments, inputs::FileIndex& index) {
  return SourceJudge(command, roots, arguments, index).judge(closure);
}

}  // namespace remote
