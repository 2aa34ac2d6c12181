#include "inputs/resolver.h"

#include <atomic>
#include <utility>

namespace inputs {
namespace {

constexpr std::size_t kMaxAnswers = 100'000;

std::atomic<std::uint32_t> last_number{0};

}  // namespace

// Names hold no zero byte, which stands before and after each.
std::string SearchConfig::key() const {
  std::string key = std::to_string(cwd);
  key += family == compiler::Family::gcc ? 'g' : 'c';
  key += canonical_system_headers ? '1' : '0';
  key += std::to_string(path.angle_begin);
  for (const auto* list : {&path.directories, &path.touched}) {
    key += '\n';
    for (const SearchDirectory& directory : *list) {
      key += '\0';
      key += directory.name;
      key += '\0';
      key += directory.system ? 's' : '-';
      key += directory.by_flag ? 'f' : '-';
      key += std::to_string(directory.node);
    }
  }
  return key;
}

std::string parent_name_of(std::string_view path, compiler::Family family) {
  const std::size_t slash = path.rfind('/');
  if (family == compiler::Family::gcc) {
    return slash == std::string_view::npos ? std::string() : std::string(path.substr(0, slash + 1));
  }
  if (slash == std::string_view::npos) return ".";
  std::size_t end = slash;
  while (end > 0 && path[end - 1] == '/') --end;
  return end == 0 ? "/" : std::string(path.substr(0, end));
}

std::string_view depfile_spelling(std::string_view path) {
  while (path.size() > 2 && path[0] == '.' && path[1] == '/') {
    path.remove_prefix(2);
    while (!path.empty() && path[0] == '/') path.remove_prefix(1);
  }
  return path;
}

Resolver::Resolver(FileIndex& index, const Identifiers& headers, SearchConfig config)
    : index_(index), headers_(headers), config_(std::move(config)), number_(++last_number) {}

void Resolver::begin(std::uint64_t scan) {
  last_scan_ = scan;
  if (answers() <= kMaxAnswers) return;
  answers_.clear();
  retired_.clear();
  number_ = ++last_number;
}

const IncluderDirectory* Resolver::includer_directory(std::string_view prefix, NodeId node, bool canonical) {
  std::string key(prefix);
  key += canonical ? '\1' : '\2';
  key += std::to_string(node);
  std::unique_ptr<IncluderDirectory>& slot = includers_[key];
  if (!slot) {
    slot = std::make_unique<IncluderDirectory>();
    slot->id = static_cast<std::uint32_t>(includers_.size());
    slot->prefix = prefix;
    slot->node = node;
    slot->canonical = canonical;
  }
  return slot.get();
}

const IncluderDirectory* Resolver::directory_of(const Resolved& file, bool canonical) {
  // Neither the answer's names nor the directories that were made go away before the resolver does.
  const IncluderDirectory*& known = file.includer[canonical ? 1 : 0];
  if (known == nullptr) known = includer_directory(file.parent_name, file.parent, canonical);
  return known;
}

const Resolved& Resolver::resolve(Id name, Start start, const IncluderDirectory* includer,
                                  std::uint64_t since) {
  // 24 bits of name, 24 of includer, 2 of kind, 14 of directory.
  const std::uint64_t key = (std::uint64_t{name} << 40) |
                            (std::uint64_t{start.kind == StartKind::includer ? includer->id : 0} << 16) |
                            (static_cast<std::uint64_t>(start.kind) << 14) | start.after;
  std::unique_ptr<Resolved>& slot = answers_[key];
  if (slot && index_.valid(slot->snapshot)) return *slot;
  // The old object may be in use by the scan under way, and be known to subtrees.
  if (slot) retired_.push_back(std::move(slot));
  slot = std::make_unique<Resolved>();
  look_up(name, start, includer, *slot);
  slot->snapshot = index_.snapshot(slot->trail, since);
  return *slot;
}

std::uint16_t Resolver::first_directory(Start start) const {
  switch (start.kind) {
    case StartKind::angle:
      return static_cast<std::uint16_t>(config_.path.angle_begin);
    case StartKind::after:
      return static_cast<std::uint16_t>(start.after + 1);
    default:
      return 0;
  }
}

void Resolver::look_up(Id name, Start start, const IncluderDirectory* includer, Resolved& out) {
  const std::string_view text = headers_.name(name);
  if (text.empty()) return;
  if (text[0] == '/') {
    const Found place = index_.find(text, out.trail);
    out.broken = place.broken || place.type == base::FileType::other;
    if (place.type != base::FileType::regular) return;
    out.by = FoundBy::absolute_path;
    out.identity = (std::uint64_t{name} << 32) | 0xffffffff;
    const Found directory = index_.find(text.substr(0, text.rfind('/') + 1), out.trail);
    out.directories.emplace_back(directory.node, parent_name_of(text, config_.family));
    return found(place, std::string(text), directory.node, false, out);
  }
  if (start.kind == StartKind::includer) {
    if (probe({&includer->prefix, includer->node, includer->canonical, true}, text, out)) {
      if (!out.broken) out.by = FoundBy::includer;
      out.identity = (std::uint64_t{name} << 32) | 0x80000000 | includer->id;
      return;
    }
  }
  const std::vector<SearchDirectory>& directories = config_.path.directories;
  for (std::size_t i = first_directory(start); i < directories.size(); ++i) {
    const bool canonical = config_.canonical_system_headers && directories[i].system;
    if (!probe({&directories[i].name, directories[i].node, canonical, false}, text, out)) continue;
    if (!out.broken) out.by = FoundBy::search_path;
    out.directory = static_cast<std::uint16_t>(i);
    // gcc keeps one record for what is found from either head of the chain, and one for each other start.
    out.identity =
        (std::uint64_t{name} << 32) | (start.kind == StartKind::after ? (start.after + 1u) << 12 : 0u) | i;
    return;
  }
}

std::string Resolver::path_in(const std::string& prefix, std::string_view name, bool of_includer) const {
  std::string path = prefix;
  // clang puts a slash behind an includer's directory in any case.
  const bool always = of_includer && config_.family == compiler::Family::clang;
  if (!path.empty() && (always || path.back() != '/')) path += '/';
  path += name;
  return path;
}

bool Resolver::probe(const Candidate& where, std::string_view name, Resolved& out) {
  const Found place = index_.find_in(where.node, name, out.trail);
  std::string path = path_in(*where.prefix, name, where.of_includer);
  if (place.broken || place.type == base::FileType::other) {
    out.broken = true;
    return true;
  }
  const bool hit = place.type == base::FileType::regular;
  NodeId parent = where.node;
  const std::size_t slash = name.rfind('/');
  if (slash != std::string_view::npos && (hit || config_.family == compiler::Family::clang)) {
    const Found directory = index_.find_in(where.node, name.substr(0, slash), out.trail);
    parent = directory.node;
    if (directory.type == base::FileType::directory) {
      out.directories.emplace_back(parent, parent_name_of(path, config_.family));
    }
  }
  if (!hit) return false;
  found(place, std::move(path), parent, where.canonical, out);
  return true;
}

void Resolver::found(const Found& place, std::string path, NodeId parent, bool canonical, Resolved& out) {
  out.node = place.node;
  out.parent = parent;
  if (canonical) {
    std::string real = index_.path(place.node);
    if (real.size() < path.size()) {
      path = std::move(real);
      out.parent = index_.find(path.substr(0, path.rfind('/') + 1), out.trail).node;
    }
  }
  out.path = std::move(path);
  out.depfile_name = depfile_spelling(out.path);
  out.parent_name = parent_name_of(out.path, config_.family);
}

bool Resolver::meets_precompiled(Id name, Start start, const IncluderDirectory* includer, Trail& trail) {
  std::string text(headers_.name(name));
  if (text.empty()) return false;
  const std::string pch = text + ".gch";
  if (text[0] == '/') return index_.find(pch, trail).type != base::FileType::absent;
  auto meets = [&](NodeId node, bool& stop) {
    if (index_.find_in(node, pch, trail).type != base::FileType::absent) return true;
    stop = index_.find_in(node, text, trail).type == base::FileType::regular;
    return false;
  };
  bool stop = false;
  if (start.kind == StartKind::includer && meets(includer->node, stop)) return true;
  const std::vector<SearchDirectory>& directories = config_.path.directories;
  for (std::uint16_t i = first_directory(start); i < directories.size() && !stop; ++i) {
    if (meets(directories[i].node, stop)) return true;
  }
  return false;
}

}  // namespace inputs
