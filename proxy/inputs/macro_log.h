// The looks at a table of macros and the changes of it, while somebody wants to know what a part of a scan
// asked for and what it left behind. Parts lie within each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "inputs/identifiers.h"

namespace inputs {

struct Macro;

// A name, and how it is defined; null when it is not.
struct MacroLook {
  Id name;
  const Macro* macro;
};

// One thread.
class MacroLog {
 public:
  // A part begins. To be given to close().
  using Position = std::uint64_t;
  Position open();

  // The innermost part ends. `reads`: what was asked for in it before it was changed in it; `writes`: what
  // was changed, and how it ended up. In the order in which the names were met first.
  void close(Position part, std::vector<MacroLook>& reads, std::vector<MacroLook>& writes);

  // Ends all parts.
  void reset();

  bool is_open() const { return !starts_.empty(); }

  // Requires: is_open().
  void looked(Id name, const Macro* macro) { touch(name, macro, false); }
  void changed(Id name, const Macro* macro) { touch(name, macro, true); }

 private:
  struct Touch {
    Id name;
    bool changed;
    const Macro* macro;
  };
  // Of one name during close().
  struct Met {
    std::uint64_t close = 0;  // the call that met it
    std::uint32_t write = 0;  // one more than its place in `writes`
  };

  void touch(Id name, const Macro* macro, bool changed);

  std::vector<Touch> touches_;    // since the outermost open()
  Position base_ = 0;             // the position of the first of them; positions are never used again
  std::vector<Position> starts_;  // of the open parts
  std::vector<Position> last_;    // by name: one more than the position of its last touch
  std::vector<Met> met_;          // by name
  std::uint64_t closes_ = 0;
};

}  // namespace inputs
