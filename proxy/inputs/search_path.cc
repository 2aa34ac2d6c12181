#include "inputs/search_path.h"

#include <algorithm>
#include <utility>

#include "compiler/environment.h"

namespace inputs {
namespace {

using Kind = compiler::SearchDir::Kind;
using Chain = std::vector<SearchDirectory>;

struct Chains {
  Chain quote, angle, system, after;
};

bool contains(const Chain& chain, NodeId node) {
  return std::any_of(chain.begin(), chain.end(), [&](const SearchDirectory& d) { return d.node == node; });
}

// Of equal directories within a chain gcc keeps the first. One that is also in `stronger` goes, and so does
// the last one if the next chain begins with it.
Chain gcc_unique(const Chain& chain, const Chain& stronger, const Chain& next) {
  Chain out;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const SearchDirectory& dir = chain[i];
    bool joins = i + 1 == chain.size() && !next.empty() && next.front().node == dir.node;
    if (!contains(stronger, dir.node) && !contains(out, dir.node) && !joins) out.push_back(dir);
  }
  return out;
}

SearchPath gcc_path(const Chains& chains) {
  Chain all_system = chains.system;
  all_system.insert(all_system.end(), chains.after.begin(), chains.after.end());
  const Chain system = gcc_unique(all_system, {}, {});
  Chain angle = gcc_unique(chains.angle, system, system);
  angle.insert(angle.end(), system.begin(), system.end());
  SearchPath path;
  path.directories = gcc_unique(chains.quote, system, angle);
  path.angle_begin = path.directories.size();
  path.directories.insert(path.directories.end(), angle.begin(), angle.end());
  return path;
}

// clang keeps the first too, but of a user's directory and an equal system one later it keeps the latter.
void clang_unique(Chain& chain, std::size_t first) {
  for (std::size_t i = first; i < chain.size(); ++i) {
    std::size_t before = first;
    while (before < i && chain[before].node != chain[i].node) ++before;
    if (before == i) continue;
    const std::size_t drop = chain[i].system && !chain[before].system ? before : i;
    chain.erase(chain.begin() + static_cast<std::ptrdiff_t>(drop));
    --i;
  }
}

SearchPath clang_path(const Chains& chains) {
  SearchPath path;
  Chain& list = path.directories;
  list = chains.quote;
  clang_unique(list, 0);
  path.angle_begin = list.size();
  for (const Chain* chain : {&chains.angle, &chains.system, &chains.after}) {
    list.insert(list.end(), chain->begin(), chain->end());
  }
  clang_unique(list, path.angle_begin);
  return path;
}

// The entries of a list like CPATH; an empty one is the working directory.
std::vector<std::string> list_entries(std::string_view list) {
  std::vector<std::string> out;
  while (true) {
    std::size_t colon = list.find(':');
    std::string_view one = list.substr(0, colon);
    out.emplace_back(one.empty() ? "." : one);
    if (colon == std::string_view::npos) return out;
    list.remove_prefix(colon + 1);
  }
}

class Maker {
 public:
  Maker(const compiler::Command& command, FileIndex& index, NodeId cwd, Trail& trail)
      : command_(command), index_(index), cwd_(cwd), trail_(trail) {}

  base::Result<void> add(std::string name, bool system, bool by_flag, Chain& chain) {
    const Found found = index_.find_in(cwd_, name, trail_);
    if (found.broken) return base::unsupported("search_directory: " + name);
    const bool clang = command_.family == compiler::Family::clang;
    if (found.type == base::FileType::regular && clang) return base::unsupported("header_map: " + name);
    if (found.type != base::FileType::directory) return {};
    if (clang && name.size() > 1 && name.back() == '/') name.pop_back();
    chain.push_back({std::move(name), found.node, system, by_flag});
    touched.push_back(chain.back());
    return {};
  }

  std::vector<SearchDirectory> touched;

 private:
  const compiler::Command& command_;
  FileIndex& index_;
  NodeId cwd_;
  Trail& trail_;
};

}  // namespace

base::Result<SearchPath> make_search_path(const compiler::Command& command, const compiler::Dialect& dialect,
                                          const std::vector<std::string>& env, FileIndex& index, NodeId cwd,
                                          Trail& trail) {
  Chains chains;
  Maker maker(command, index, cwd, trail);
  // In clang's order of first touch: -I, -idirafter, -iquote, -isystem, built in.
  constexpr Kind kOrder[] = {Kind::angle, Kind::after, Kind::quote, Kind::system};
  for (Kind kind : kOrder) {
    for (const compiler::SearchDir& dir : command.search) {
      if (dir.kind == Kind::framework) return base::unsupported("frameworks: " + dir.path);
      if (dir.kind != kind) continue;
      Chain& chain = kind == Kind::angle   ? chains.angle
                     : kind == Kind::after ? chains.after
                     : kind == Kind::quote ? chains.quote
                                           : chains.system;
      const bool system = kind == Kind::after || kind == Kind::system;
      if (auto added = maker.add(dir.path, system, system, chain); !added) return added.error();
    }
  }
  std::vector<std::string> cpath;
  if (auto value = compiler::variable(env, "CPATH"); value && !value->empty()) cpath = list_entries(*value);
  bool user = !cpath.empty();  // those from CPATH come first and are like -I
  for (const compiler::BuiltinDir& dir : dialect.directories) {
    // Frameworks stand last: a header that is found elsewhere does not need them, another one is missing.
    if (dir.framework) continue;
    user = user && std::find(cpath.begin(), cpath.end(), dir.path) != cpath.end();
    if (auto added = maker.add(dir.path, !user, false, user ? chains.angle : chains.system); !added) {
      return added.error();
    }
  }
  SearchPath path = command.family == compiler::Family::gcc ? gcc_path(chains) : clang_path(chains);
  path.touched = std::move(maker.touched);
  return path;
}

}  // namespace inputs
