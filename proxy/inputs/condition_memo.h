// The values that #if and #elif had, with the macros that decided them. Most conditions of a header come out
// in the next compile as they did in the last, and to see that the same macros are defined the same way is
// much cheaper than to expand and to parse.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "inputs/expander.h"
#include "inputs/expression.h"
#include "inputs/identifiers.h"
#include "inputs/macro.h"

namespace inputs {

// One thread. Exact: a condition's number stands for its text and for the way in which it is read, and a
// definition is never changed nor freed while its store lives, so that equal pointers are equal definitions.
// Holds at most kSlots values and kMaxLooks macros, which is 1 MB or less.
class ConditionMemo {
 public:
  enum class Value : std::uint8_t { unknown, fails, holds };

  // What the condition with this number comes out as with the macros of `table`, if that is known.
  Value find(Id condition, const ExpressionRules& rules, MacroTable& table) const;

  // Requires: `expander` has evaluated the condition without failure, and repeatable() holds.
  void keep(Id condition, const ExpressionRules& rules, const Expander& expander, bool holds);

 private:
  static constexpr std::size_t kSlots = 16384;
  static constexpr std::size_t kMaxLooks = 32768;

  struct Entry {
    Id condition = kNoName;
    std::uint32_t first = 0;  // in looks_
    std::uint8_t count = 0;
    bool holds = false;
    ExpressionRules rules;
  };
  static_assert(Expander::kMaxLooks <= 0xff);

  std::vector<Entry> entries_;  // by the condition's number modulo kSlots
  std::vector<MacroLook> looks_;
};

}  // namespace inputs
