// The value of an #if.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "inputs/expander.h"

namespace inputs {

// What the language decides about an #if.
struct ExpressionRules {
  bool named_operators = false;  // `and`, `not`, ...: C++
  bool true_is_one = false;      // C++, C23
  bool unsigned_char = false;    // plain char is unsigned

  bool operator==(const ExpressionRules&) const = default;
};

// Evaluates what the expander yields, up to its end. The label of the reason when the compiler would report
// an error or when the value is not known.
base::Result<bool> evaluate(Expander& expander, const ExpressionRules& rules);

// The value of one integer or character constant; nothing when it is neither.
struct Number {
  std::uint64_t value;
  bool is_unsigned;
};
std::optional<Number> parse_integer(std::string_view text);
std::optional<Number> parse_character(std::string_view text, bool unsigned_char);

}  // namespace inputs
