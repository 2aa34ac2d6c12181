#include "remote/prefix_maps.h"

#include <algorithm>

#include "base/path.h"

namespace remote {
namespace {

PrefixMap parse(const compiler::Arg& arg) {
  std::string_view flag = std::string_view(arg.text).substr(0, arg.value_at);
  std::string_view value = std::string_view(arg.text).substr(arg.value_at);
  PrefixMap map;
  map.debug = flag == "-fdebug-prefix-map=" || flag == "-ffile-prefix-map=";
  map.macro = flag == "-fmacro-prefix-map=" || flag == "-ffile-prefix-map=";
  std::size_t equals = std::min(value.find('='), value.size());
  map.old_prefix = value.substr(0, equals);
  map.new_prefix = value.substr(std::min(equals + 1, value.size()));
  return map;
}

}  // namespace

PrefixMaps::PrefixMaps(const compiler::Command& command, const Roots& roots) : roots_(roots) {
  for (const compiler::Arg& arg : command.args) {
    if (arg.role != compiler::ArgRole::prefix_map) continue;
    maps_.push_back(parse(arg));
    if (!covers(maps_.back())) continue;
    debug_covers_ += maps_.back().debug ? 1 : 0;
    macro_covers_ += maps_.back().macro ? 1 : 0;
  }
}

// R itself, R with a slash, or any bytes that R begins with.
bool PrefixMaps::covers(const PrefixMap& map) const {
  return roots_.root.starts_with(map.old_prefix) || map.old_prefix == roots_.root + "/";
}

bool PrefixMaps::lies_below(const PrefixMap& map) const {
  return base::is_below(map.old_prefix, roots_.root);
}

std::string PrefixMaps::rewritten(const compiler::Arg& arg) const {
  PrefixMap map = parse(arg);
  std::string flag = arg.text.substr(0, arg.value_at);
  if (lies_below(map)) {
    return flag + roots_.alias + map.old_prefix.substr(roots_.root.size()) + "=" + map.new_prefix;
  }
  if (covers(map)) {
    return flag + roots_.alias + "=" + map.new_prefix + roots_.root.substr(map.old_prefix.size());
  }
  return arg.text;
}

std::vector<std::string> PrefixMaps::changed_olds() const {
  std::vector<std::string> olds;
  for (const PrefixMap& map : maps_) {
    if (covers(map) || lies_below(map)) olds.push_back(map.old_prefix);
  }
  return olds;
}

std::string PrefixMaps::mapped(std::string directory) const {
  for (auto map = maps_.rbegin(); map != maps_.rend(); ++map) {
    if (map->debug && directory.starts_with(map->old_prefix)) {
      return map->new_prefix + directory.substr(map->old_prefix.size());
    }
  }
  return directory;
}

std::string PrefixMaps::absolute_because(const std::string& directory, bool unordered, bool adds_map) const {
  if (debug_covers_ > 1 || macro_covers_ > 1) return "two prefix maps cover the root";
  std::string final_name = mapped(directory);
  int fits = 0;
  std::vector<std::string> debug_olds;
  for (const PrefixMap& map : maps_) {
    if (!map.debug) continue;
    fits += directory.starts_with(map.old_prefix) ? 1 : 0;
    debug_olds.push_back(map.old_prefix);
    // clang maps the name it is given once more.
    if (final_name != directory && final_name.starts_with(map.old_prefix)) {
      return "a prefix map fits its own result";
    }
  }
  if (fits > 1) return "two prefix maps fit the working directory";
  if (!unordered) return "";
  if (adds_map && !debug_covers()) debug_olds.push_back(roots_.root);
  std::sort(debug_olds.begin(), debug_olds.end());
  // In sorted order a prefix stands before what it is a prefix of, with only such in between.
  for (std::size_t i = 1; i < debug_olds.size(); ++i) {
    if (debug_olds[i].starts_with(debug_olds[i - 1])) return "this compiler gives no order to prefix maps";
  }
  return "";
}

}  // namespace remote
