#include "inputs/condition_memo.h"

#include <algorithm>

namespace inputs {

ConditionMemo::Value ConditionMemo::find(Id condition, const ExpressionRules& rules,
                                         MacroTable& table) const {
  const std::size_t slot = condition % kSlots;
  if (slot >= entries_.size()) return Value::unknown;
  const Entry& entry = entries_[slot];
  if (entry.condition != condition || condition == kNoName || !(entry.rules == rules)) return Value::unknown;
  const MacroLook* look = looks_.data() + entry.first;
  for (const MacroLook* end = look + entry.count; look != end; ++look) {
    if (table.find(look->name) != look->macro) return Value::unknown;
  }
  return entry.holds ? Value::holds : Value::fails;
}

void ConditionMemo::keep(Id condition, const ExpressionRules& rules, const Expander& expander, bool holds) {
  if (condition == kNoName) return;
  const std::vector<MacroLook>& looks = expander.looks();
  if (looks_.size() + looks.size() > kMaxLooks) {
    entries_.clear();
    looks_.clear();
  }
  const std::size_t slot = condition % kSlots;
  if (slot >= entries_.size()) entries_.resize(std::min(slot + 256, kSlots));
  Entry& entry = entries_[slot];
  // What the slot referred to before is lost until all is dropped, unless its place is large enough.
  if (looks.size() > entry.count) {
    entry.first = static_cast<std::uint32_t>(looks_.size());
    looks_.resize(looks_.size() + looks.size());
  }
  std::copy(looks.begin(), looks.end(), looks_.begin() + entry.first);
  entry.condition = condition;
  entry.count = static_cast<std::uint8_t>(looks.size());
  entry.holds = holds;
  entry.rules = rules;
}

}  // namespace inputs
