// What the walk through an included file and all below it came to: which macros it asked for, which it left
// behind, and which files it met. In a later compile that includes the file under the same circumstances it
// takes the place of the walk, since nothing else has a say in what that does. Most compiles of a build
// include the same headers with the same macros, so that their scans come down to the lists of what was met.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "inputs/directive.h"
#include "inputs/file_index.h"
#include "inputs/macro_log.h"
#include "inputs/prelude.h"
#include "inputs/resolver.h"

namespace inputs {

// What happened to one file during a walk, in so far as it has an effect beyond the file's own directives.
struct FileEvent {
  enum class Kind : std::uint8_t {
    passed,   // included, but not read: once-only, or closed by its guard
    entered,  // included and read
    once,     // #pragma once was reached in it
    asked,    // __has_include
  };
  Kind kind = Kind::passed;
  bool system : 1 = false;
  bool by_flag : 1 = false;
  bool was_once : 1 = false;  // whether the file counted as once-only before
  bool first : 1 = false;     // of a subtree's events: the first that depends on it
  NodeId node = kNoNode;
  const Resolved* file = nullptr;  // the answer that led to it; null for `once`
};

// Everything that a file's walk depends on but macros, the state of files and the file system.
struct SubtreePlace {
  const Prelude* prelude = nullptr;
  const DirectiveList* list = nullptr;
  std::uint32_t resolver = 0;   // Resolver::number()
  std::uint32_t directory = 0;  // the id of the file's directory as an includer's
  std::int32_t search_index = 0;
  bool system = false;
  bool by_flag = false;

  bool operator==(const SubtreePlace&) const = default;
};

// Never changed once made, but for the order of `reads`.
struct Subtree {
  SubtreePlace place;
  std::vector<MacroLook> reads;
  std::vector<MacroLook> writes;
  std::vector<FileEvent> events;
  std::shared_ptr<const DirectiveList> list;  // which `place` names
  std::uint32_t depth = 0;                    // how many files were within each other, itself one of them
  std::uint32_t steps = 0;                    // directives that the walk followed

  // In memory, about.
  std::size_t bytes() const;
  // Steps that it saves, less what it costs to compare and to repeat.
  std::int64_t gain() const;
};

struct SubtreeLimits {
  std::int64_t least_gain = 64;  // that one must have to be kept
  // Of what one scratch keeps, and of what all do, of which there are as many as scans at once. A project of
  // 300 large files needs 20 MB. When there is more, a scratch drops all that it has.
  std::size_t bytes = 32 << 20;
  std::size_t bytes_of_all = 128 << 20;
};

// The subtrees of one file. One thread.
class SubtreeSet {
 public:
  // More are seldom of use, and each has to be compared in vain before a walk.
  static constexpr std::size_t kMost = 8;

  // The one that holds by `agrees`, which is asked for each with this place, the last used first.
  template <typename Agrees>
  Subtree* find(const SubtreePlace& place, const Agrees& agrees) {
    for (std::size_t i = 0; i < known_.size(); ++i) {
      if (known_[i]->place == place && agrees(*known_[i])) return use(i);
    }
    return nullptr;
  }

  // Whether a walk that is about to begin, as nothing was found, is worth its record. Not the first: many
  // files are read once only. And seldom where records have been of no use.
  bool worth_recording();
  // What was made of another version of the file goes, as it will hardly come back; of many, the one that was
  // of no use for longest. Their size is returned.
  std::size_t keep(std::unique_ptr<Subtree> subtree);
  bool empty() const { return known_.empty(); }
  void clear() { known_.clear(); }
  // Instead of keep(), for a record that is of no use.
  void decline() { ++in_vain_; }

 private:
  Subtree* use(std::size_t which);

  std::vector<std::unique_ptr<Subtree>> known_;
  std::uint32_t walks_ = 0;
  std::uint32_t in_vain_ = 0;  // records since the last use of one
};

}  // namespace inputs
