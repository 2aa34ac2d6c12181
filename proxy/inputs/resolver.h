// Turns the name in an #include into a file, and remembers it. A compile asks some hundreds of such
// questions and the next one asks nearly the same, so answers are kept as long as the places they depend on
// stand; to use one again is a look into a table, without a string and without a system call.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "compiler/command.h"
#include "inputs/directive.h"
#include "inputs/file_index.h"
#include "inputs/search_path.h"

namespace inputs {

// The directory of a file that includes another, as far as it matters to `#include "..."`.
struct IncluderDirectory {
  std::uint32_t id = 0;  // distinct for distinct (prefix, node, canonical)
  std::string prefix;    // what precedes the header's name in the path that results
  NodeId node = kNoNode;
  bool canonical = false;  // gcc: of a system header, whose path may be made canonical
};

// Where to begin.
enum class StartKind : std::uint8_t {
  includer,  // "..." : the includer's directory, then all of the search path
  quote,     // all of the search path
  angle,     // the part for <...>
  after,     // behind a directory of the search path (#include_next)
};
struct Start {
  StartKind kind;
  std::uint16_t after = 0;
};

// How a file was found.
enum class FoundBy : std::uint8_t { nothing, includer, search_path, absolute_path };

struct Resolved {
  FoundBy by = FoundBy::nothing;
  bool broken = false;          // the look-up itself failed: the compilers stop, so the scan must
  std::uint16_t directory = 0;  // in the search path, if by == search_path
  NodeId node = kNoNode;        // physical
  NodeId parent = kNoNode;      // the directory that `path` names
  std::string path;             // as the compiler names it
  std::string depfile_name;     // the same without a leading "./"
  std::uint64_t identity = 0;   // gcc: equal for what it takes for one file without looking
  std::string parent_name;      // of `path`, as the compiler takes it for later includes
  std::vector<std::pair<NodeId, std::string>> directories;  // those of names with a slash, touched on the way
  Trail trail;
  mutable Snapshot snapshot;          // of the trail
  mutable std::uint64_t used_in = 0;  // the scan that has last used this answer
  mutable std::uint64_t held_in = 0;  // the scan that has last found it valid without asking again
  // The directory as an includer's, plain and canonical; null until it is asked for.
  mutable std::array<const IncluderDirectory*, 2> includer{};
};

// Everything that distinguishes one search from another but the name.
struct SearchConfig {
  compiler::Family family;
  bool canonical_system_headers;  // gcc
  NodeId cwd;
  SearchPath path;

  // Equal for equal configurations only.
  std::string key() const;
};

// One thread.
class Resolver {
 public:
  Resolver(FileIndex& index, const Identifiers& headers, SearchConfig config);

  const SearchConfig& config() const { return config_; }
  // Of the answers there are. Another one when they were dropped; no other resolver of this process has or
  // had it.
  std::uint32_t number() const { return number_; }

  // `since`: the index's epoch at the start of the scan. The answer stays where it is as long as number() is
  // the same, and stays true until the next scan. Requires: `name` from the headers' numbers; `includer` from
  // includer_directory() for StartKind::includer.
  const Resolved& resolve(Id name, Start start, const IncluderDirectory* includer, std::uint64_t since);

  // The directory with this prefix; made if it is new.
  const IncluderDirectory* includer_directory(std::string_view prefix, NodeId node, bool canonical);

  // The directory of `file`, which need not be an answer of resolve().
  const IncluderDirectory* directory_of(const Resolved& file, bool canonical);

  // gcc: whether a precompiled header for `name` lies where the search would come across it.
  bool meets_precompiled(Id name, Start start, const IncluderDirectory* includer, Trail& trail);

  // A new scan, with this number, begins. Drops all answers when there are too many of them.
  void begin(std::uint64_t scan);
  std::uint64_t last_scan() const { return last_scan_; }

  // How many are remembered, void ones too.
  std::size_t answers() const { return answers_.size() + retired_.size(); }

 private:
  struct Candidate {
    const std::string* prefix;
    NodeId node;
    bool canonical;
    bool of_includer;
  };

  void look_up(Id name, Start start, const IncluderDirectory* includer, Resolved& out);
  bool probe(const Candidate& where, std::string_view name, Resolved& out);
  void found(const Found& place, std::string path, NodeId parent, bool canonical, Resolved& out);
  std::string path_in(const std::string& prefix, std::string_view name, bool of_includer) const;
  std::uint16_t first_directory(Start start) const;

  FileIndex& index_;
  const Identifiers& headers_;
  const SearchConfig config_;
  std::uint32_t number_;
  std::uint64_t last_scan_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<Resolved>> answers_;
  std::vector<std::unique_ptr<Resolved>> retired_;  // answers that became void
  std::unordered_map<std::string, std::unique_ptr<IncluderDirectory>> includers_;
};

// What `#include "..."` in a file at `path` puts before the name: gcc keeps the slash of the path, clang the
// directory's name alone.
std::string parent_name_of(std::string_view path, compiler::Family family);

// `path` without what the compilers leave out in a depfile: a leading "./", repeated.
std::string_view depfile_spelling(std::string_view path);

}  // namespace inputs
