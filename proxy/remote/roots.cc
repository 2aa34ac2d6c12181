#include "remote/roots.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/path.h"
#include "compiler/environment.h"

namespace remote {
namespace {

constexpr std::string_view kMarkers[] = {".goma.json", ".gn", ".git", ".hg", ".jj"};

std::vector<std::string_view> components(std::string_view path) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin < path.size();) {
    std::size_t end = std::min(path.find('/', begin), path.size());
    std::string_view part = path.substr(begin, end - begin);
    if (!part.empty() && part != ".") parts.push_back(part);
    begin = end + 1;
  }
  return parts;
}

// True when `..` of `path` climbs more than `depth` levels above where it starts.
bool climbs_above(std::string_view path, int depth) {
  for (std::string_view part : components(path)) {
    depth += part == ".." ? -1 : 1;
    if (depth < 0) return true;
  }
  return false;
}

int depth_of(std::string_view directory, std::string_view root) {
  return static_cast<int>(components(directory.substr(root.size())).size());
}

std::string physical(std::string_view path, const compiler::Command& command, inputs::FileIndex& index) {
  inputs::Trail trail;
  inputs::Found found = index.find(base::join(command.directory, path), trail);
  return found.node == inputs::kNoNode ? std::string() : index.path(found.node);
}

// No root is "/" or holds /usr: then nearly everything would be inside.
bool allowed(std::string_view root) { return root.size() > 1 && !base::is_below("/usr", root); }

std::string common_folder(std::string_view a, std::string_view b) {
  std::string common = "/";
  std::vector<std::string_view> left = components(a);
  std::vector<std::string_view> right = components(b);
  for (std::size_t i = 0; i < std::min(left.size(), right.size()) && left[i] == right[i]; ++i) {
    common = base::join(common, left[i]);
  }
  return common;
}

// The nearest folder at or above `start` with a marker; empty when there is none.
std::string marked_folder(std::string_view start, inputs::FileIndex& index, inputs::Trail& trail) {
  for (std::string folder(start); folder.size() > 1; folder = base::directory_name(folder)) {
    inputs::Found place = index.find(folder, trail);
    if (place.type != base::FileType::directory) continue;
    for (std::string_view marker : kMarkers) {
      inputs::Found found = index.find_in(place.node, marker, trail);
      if (found.type != base::FileType::absent && !found.broken) return folder;
    }
  }
  return "";
}

// Where nobody marked a root, the compiler must not lie below the folder taken for one.
bool holds_compiler(const std::string& folder, const compiler::Command& command, inputs::FileIndex& index) {
  return base::is_below(command.compiler, folder) ||
         base::is_below(physical(command.compiler, command, index), folder);
}

std::string alias_of(const std::string& directory, const std::string& root) {
  std::string alias = "/proc/self/cwd";
  for (int level = depth_of(directory, root); level > 0; --level) alias += "/..";
  return alias;
}

}  // namespace

Roots find_roots(const compiler::Command& command, const KeySettings& settings, inputs::FileIndex& index,
                 inputs::Trail& trail) {
  Roots roots;
  inputs::Found source = index.find(base::join(command.directory, command.source), trail);
  std::string source_folder;
  if (source.node != inputs::kNoNode) source_folder = base::directory_name(index.path(source.node));
  if (!settings.exec_root.empty()) {
    inputs::Found configured = index.find(settings.exec_root, trail);
    bool folder = configured.type == base::FileType::directory;
    if (folder) roots.root = index.path(configured.node);
  } else if (!source_folder.empty()) {
    std::string common = common_folder(command.directory, source_folder);
    roots.root = marked_folder(common, index, trail);
    if (!allowed(roots.root)) roots.root = holds_compiler(common, command, index) ? "" : common;
  }
  if (!allowed(roots.root)) return {};
  if (base::is_below(command.directory, roots.root)) roots.alias = alias_of(command.directory, roots.root);
  return roots;
}

Place place_of(std::string_view path, const compiler::Command& command, const Roots& roots,
               inputs::FileIndex& index) {
  if (base::is_absolute(path)) {
    if (base::is_below(path, roots.root)) {
      return climbs_above(path.substr(roots.root.size()), 0) ? Place::strays : Place::below;
    }
  } else if (!climbs_above(path, depth_of(command.directory, roots.root))) {
    return Place::inside;
  }
  std::string place = physical(path, command, index);
  bool touches = place.empty() || base::is_below(place, roots.root) || base::is_below(roots.root, place);
  return touches ? Place::strays : Place::outside;
}

std::string aliased(std::string_view path, const Roots& roots) {
  return roots.alias + std::string(path.substr(roots.root.size()));
}

bool is_plain(std::string_view path) {
  return std::all_of(path.begin(), path.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("_./+@~-").find(c) != std::string_view::npos;
  });
}

std::string relative_to_directory(std::string_view path, const compiler::Command& command) {
  std::vector<std::string_view> target = components(path);
  std::string relative;
  std::size_t common = 0;
  if (base::is_absolute(path)) {
    std::vector<std::string_view> from = components(command.directory);
    while (common < std::min(from.size(), target.size()) && from[common] == target[common]) ++common;
    for (std::size_t i = common; i < from.size(); ++i) relative += "../";
  }
  for (std::size_t i = common; i < target.size(); ++i) {
    relative += target[i];
    relative += '/';
  }
  if (!relative.empty()) relative.pop_back();
  return relative;
}

std::string directory_name_of(const compiler::Command& command, const std::vector<std::string>& env,
                              inputs::FileIndex& index) {
  std::optional<std::string_view> typed = compiler::variable(env, "PWD");
  if (!typed || !base::is_absolute(*typed)) return command.directory;
  // For the compiler this is its own folder, and for us it would be ours.
  if (*typed == kOwnDirectory) return std::string(*typed);
  // The compilers believe a name of the same folder, by whichever way it leads there.
  inputs::Trail trail;
  inputs::Found named = index.find(*typed, trail);
  inputs::Found real = index.find(command.directory, trail);
  if (named.type != base::FileType::directory) return command.directory;
  if (named.node == real.node) return std::string(*typed);
  base::FileStat a = index.stat(named.node);
  base::FileStat b = index.stat(real.node);
  return a.dev == b.dev && a.ino == b.ino ? std::string(*typed) : command.directory;
}

}  // namespace remote
