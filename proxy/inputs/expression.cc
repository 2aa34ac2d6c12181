#include "inputs/expression.h"

#include <array>
#include <string>

namespace inputs {
namespace {

// Of `?`, `:` and `,` the order is settled in reduce().
int priority(Op op) {
  switch (op) {
    case Op::end:
    case Op::close:
      return 0;
    case Op::open:
      return 1;
    case Op::query:
      return 3;
    case Op::colon:
    case Op::comma:
      return 4;
    case Op::or_or:
      return 5;
    case Op::and_and:
      return 6;
    case Op::bit_or:
      return 7;
    case Op::bit_xor:
      return 8;
    case Op::bit_and:
      return 9;
    case Op::equal:
    case Op::not_equal:
      return 11;
    case Op::less:
    case Op::greater:
    case Op::less_equal:
    case Op::greater_equal:
      return 12;
    case Op::shift_left:
    case Op::shift_right:
      return 13;
    case Op::plus:
    case Op::minus:
      return 14;
    case Op::times:
    case Op::divide:
    case Op::modulo:
      return 15;
    default:
      return 16;
  }
}

bool left_associative(Op op) { return op != Op::query && priority(op) >= 4 && priority(op) < 16; }
bool is_unary(Op op) { return priority(op) == 16 || op == Op::open; }

Op named_operator(Id id) {
  switch (id) {
    case kNameAnd:
      return Op::and_and;
    case kNameOr:
      return Op::or_or;
    case kNameNot:
      return Op::logical_not;
    case kNameXor:
      return Op::bit_xor;
    case kNameBitand:
      return Op::bit_and;
    case kNameBitor:
      return Op::bit_or;
    case kNameCompl:
      return Op::complement;
    case kNameNotEq:
      return Op::not_equal;
    default:
      return Op::none;
  }
}

// An operator-precedence parser with a stack of its own.
class Evaluator {
 public:
  Evaluator(Expander& expander, const ExpressionRules& rules) : expander_(expander), rules_(rules) {}

  base::Result<bool> run() {
    push(Op::end);
    bool want_value = true;
    Token token;
    while (expander_.next(token)) {
      Number number{};
      const Op op = operator_of(token);
      if (op == Op::none) {
        if (!want_value || !operand(token, number)) return error();
        top().value = number;
        want_value = false;
        continue;
      }
      if (!apply(op, want_value)) return error();
    }
    if (expander_.failure() != nullptr) return base::unsupported(expander_.failure());
    if (want_value || !reduce(Op::end) || depth_ != 1) return error();
    return stack_[0].value.value != 0;
  }

 private:
  struct Level {
    Op op;
    Number value;
  };
  // Operators that wait for their right operand at one time; far more than any #if has.
  static constexpr std::size_t kMaxLevels = 256;

  Level& top() { return stack_[depth_ - 1]; }
  void push(Op op) {
    if (depth_ == kMaxLevels) {
      expander_.fail("if_expression");
      return;
    }
    stack_[depth_++] = {op, {}};
  }

  base::Error error() const {
    return base::unsupported(expander_.failure() != nullptr ? expander_.failure() : "if_expression");
  }

  Op operator_of(const Token& token) const {
    if (token.kind == TokenKind::identifier && rules_.named_operators) return named_operator(token.id);
    return token.op;
  }

  bool operand(const Token& token, Number& out) {
    std::optional<Number> number;
    switch (token.kind) {
      case TokenKind::number:
        number = parse_integer(token.text);
        break;
      case TokenKind::character:
        number = parse_character(token.text, rules_.unsigned_char);
        break;
      case TokenKind::identifier:
        if (token.id == kNameDefined) return defined(out);
        out = {rules_.true_is_one && token.id == kNameTrue ? 1u : 0u, false};
        return true;
      default:
        return false;
    }
    if (number) out = *number;
    return number.has_value();
  }

  bool defined(Number& out) {
    Token token;
    if (!expander_.next_raw(token)) return false;
    const bool bracket = token.is(Op::open);
    if (bracket && !expander_.next_raw(token)) return false;
    if (token.id == kNoName) return false;
    out = {expander_.look(token.id) != nullptr ? 1u : 0u, false};
    return !bracket || (expander_.next_raw(token) && token.is(Op::close));
  }

  bool apply(Op op, bool& want_value) {
    if (want_value && op == Op::plus) op = Op::unary_plus;
    if (want_value && op == Op::minus) op = Op::unary_minus;
    if (is_unary(op) != want_value) return false;
    if (!is_unary(op) && !reduce(op)) return false;
    if (op == Op::close) return true;
    const bool value = top().value.value != 0;
    switch (op) {
      case Op::or_or:
        skip_ += value;
        break;
      case Op::and_and:
      case Op::query:
        skip_ += !value;
        break;
      case Op::colon:
        // The value on the stack is that between `?` and `:`; the condition lies below.
        if (depth_ < 2 || top().op != Op::query) return false;
        skip_ += stack_[depth_ - 2].value.value != 0 ? 1 : -1;
        break;
      default:
        break;
    }
    push(op);
    want_value = true;
    return true;
  }

  // Carries out what binds more tightly than `op`.
  bool reduce(Op op) {
    const int limit = priority(op) - (left_associative(op) ? 1 : 0);
    while (limit < priority(top().op)) {
      const Level last = top();
      if (last.op == Op::open) {
        if (op != Op::close) return false;
        --depth_;
        top().value = last.value;
        return true;
      }
      if (last.op == Op::query) {
        if (op == Op::colon) return true;
        return false;
      }
      --depth_;
      if (last.op == Op::colon) {
        const Level middle = top();
        --depth_;
        if (middle.op != Op::query) return false;
        Number& condition = top().value;
        const bool chosen = condition.value != 0;
        if (chosen) --skip_;
        condition.value = chosen ? middle.value.value : last.value.value;
        condition.is_unsigned = middle.value.is_unsigned || last.value.is_unsigned;
      } else if (is_unary(last.op)) {
        top().value = unary(last.op, last.value);
      } else if (!binary(last.op, top().value, last.value)) {
        return false;
      }
    }
    return op != Op::close;
  }

  static Number unary(Op op, Number value) {
    switch (op) {
      case Op::logical_not:
        return {value.value == 0 ? 1u : 0u, false};
      case Op::complement:
        return {~value.value, value.is_unsigned};
      case Op::unary_minus:
        return {0 - value.value, value.is_unsigned};
      default:
        return value;
    }
  }

  bool binary(Op op, Number& left, const Number& right) {
    const bool is_unsigned = left.is_unsigned || right.is_unsigned;
    const auto a = static_cast<std::int64_t>(left.value);
    const auto b = static_cast<std::int64_t>(right.value);
    switch (op) {
      case Op::or_or:
        if (left.value != 0) --skip_;
        left = {left.value != 0 || right.value != 0 ? 1u : 0u, false};
        return true;
      case Op::and_and:
        if (left.value == 0) --skip_;
        left = {left.value != 0 && right.value != 0 ? 1u : 0u, false};
        return true;
      case Op::comma:
        left = right;
        return true;
      case Op::shift_left:
      case Op::shift_right:
        left = shift(left, right, op == Op::shift_left);
        return true;
      case Op::divide:
      case Op::modulo:
        return divide(op, left, right, is_unsigned);
      case Op::equal:
        left = {left.value == right.value ? 1u : 0u, false};
        return true;
      case Op::not_equal:
        left = {left.value != right.value ? 1u : 0u, false};
        return true;
      case Op::less:
        left = {(is_unsigned ? left.value < right.value : a < b) ? 1u : 0u, false};
        return true;
      case Op::greater:
        left = {(is_unsigned ? left.value > right.value : a > b) ? 1u : 0u, false};
        return true;
      case Op::less_equal:
        left = {(is_unsigned ? left.value <= right.value : a <= b) ? 1u : 0u, false};
        return true;
      case Op::greater_equal:
        left = {(is_unsigned ? left.value >= right.value : a >= b) ? 1u : 0u, false};
        return true;
      case Op::bit_or:
        left = {left.value | right.value, is_unsigned};
        return true;
      case Op::bit_xor:
        left = {left.value ^ right.value, is_unsigned};
        return true;
      case Op::bit_and:
        left = {left.value & right.value, is_unsigned};
        return true;
      case Op::plus:
        left = {left.value + right.value, is_unsigned};
        return true;
      case Op::minus:
        left = {left.value - right.value, is_unsigned};
        return true;
      case Op::times:
        left = {left.value * right.value, is_unsigned};
        return true;
      default:
        return false;
    }
  }

  // A negative count shifts the other way.
  static Number shift(Number value, Number count, bool to_left) {
    std::uint64_t by = count.value;
    if (!count.is_unsigned && static_cast<std::int64_t>(by) < 0) {
      by = 0 - by;
      to_left = !to_left;
    }
    if (to_left) return {by >= 64 ? 0 : value.value << by, value.is_unsigned};
    if (value.is_unsigned) return {by >= 64 ? 0 : value.value >> by, true};
    return {static_cast<std::uint64_t>(static_cast<std::int64_t>(value.value) >> (by >= 64 ? 63 : by)),
            false};
  }

  bool divide(Op op, Number& left, const Number& right, bool is_unsigned) {
    if (right.value == 0) return skip_ > 0;  // an error only where it is evaluated
    if (is_unsigned) {
      left.value = op == Op::divide ? left.value / right.value : left.value % right.value;
    } else if (right.value == ~std::uint64_t{0}) {
      left.value = op == Op::divide ? 0 - left.value : 0;  // the least integer by -1 would trap
    } else {
      const auto a = static_cast<std::int64_t>(left.value);
      const auto b = static_cast<std::int64_t>(right.value);
      left.value = static_cast<std::uint64_t>(op == Op::divide ? a / b : a % b);
    }
    left.is_unsigned = is_unsigned;
    return true;
  }

  Expander& expander_;
  const ExpressionRules& rules_;
  std::array<Level, kMaxLevels> stack_;  // not initialised: an #if is often shorter than that would take
  std::size_t depth_ = 0;
  int skip_ = 0;  // more than 0: inside of an operand that is not evaluated
};

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 99;
}

bool integer_suffix(std::string_view suffix, bool& is_unsigned) {
  int longs = 0;
  for (std::size_t i = 0; i < suffix.size(); ++i) {
    char c = suffix[i];
    if (c == 'u' || c == 'U') {
      if (is_unsigned) return false;
      is_unsigned = true;
    } else if (c == 'l' || c == 'L') {
      if (longs > 0 && (longs > 1 || suffix[i - 1] != c)) return false;
      ++longs;
    } else if (c == 'z' || c == 'Z') {
      longs += 3;
    } else {
      return false;
    }
  }
  return longs <= 3;
}

// One character of a constant; escapes are resolved.
bool take_character(std::string_view& rest, std::uint64_t& value) {
  char c = rest[0];
  rest.remove_prefix(1);
  if ((c & 0x80) != 0) return false;
  value = static_cast<unsigned char>(c);
  if (c != '\\') return true;
  if (rest.empty()) return false;
  c = rest[0];
  rest.remove_prefix(1);
  constexpr std::string_view kLetters = "ntabfrve\\'\"?";
  constexpr std::string_view kValues = "\n\t\a\b\f\r\v\033\\'\"?";
  std::size_t letter = kLetters.find(c);
  if (letter != std::string_view::npos) {
    value = static_cast<unsigned char>(kValues[letter]);
    return true;
  }
  const bool hex = c == 'x';
  if (!hex && (c < '0' || c > '7')) return false;
  value = hex ? 0 : static_cast<std::uint64_t>(c - '0');
  for (int count = 1; !rest.empty() && digit_value(rest[0]) < (hex ? 16 : 8) && (hex || count < 3); ++count) {
    value = value * (hex ? 16 : 8) + static_cast<std::uint64_t>(digit_value(rest[0]));
    rest.remove_prefix(1);
  }
  return true;
}

}  // namespace

std::optional<Number> parse_integer(std::string_view text) {
  unsigned base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char second = text[1];
    base = second == 'x' || second == 'X' ? 16 : second == 'b' || second == 'B' ? 2 : 8;
    text.remove_prefix(base == 8 ? 1 : 2);
    if (base != 8 && text.empty()) return std::nullopt;
  }
  Number number{};
  std::size_t at = 0;
  while (at < text.size() && (digit_value(text[at]) < static_cast<int>(base) || text[at] == '\'')) {
    const char c = text[at++];
    if (c == '\'') continue;
    if (__builtin_mul_overflow(number.value, std::uint64_t{base}, &number.value) ||
        __builtin_add_overflow(number.value, static_cast<std::uint64_t>(digit_value(c)), &number.value)) {
      return std::nullopt;
    }
  }
  if (!integer_suffix(text.substr(at), number.is_unsigned)) return std::nullopt;
  if (static_cast<std::int64_t>(number.value) < 0) number.is_unsigned = true;
  return number;
}

std::optional<Number> parse_character(std::string_view text, bool unsigned_char) {
  std::string_view prefix = text.substr(0, text.find('\''));
  text.remove_prefix(prefix.size() + 1);
  if (text.empty() || text.back() != '\'') return std::nullopt;
  text.remove_suffix(1);
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  int count = 0;
  while (!text.empty()) {
    std::uint64_t one = 0;
    if (!take_character(text, one)) return std::nullopt;
    if (prefix.empty() && one > 0xff) return std::nullopt;
    value = prefix.empty() ? (value << 8) | one : one;
    ++count;
  }
  if (count > 4 || (count > 1 && !prefix.empty())) return std::nullopt;
  if (prefix.empty()) {
    if (count == 1 && !unsigned_char && value > 0x7f) value |= ~std::uint64_t{0xff};
    if (count > 1)
      value = static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::int32_t>(value)));
    return Number{value, false};
  }
  if (value > 0x7fffffff) return std::nullopt;
  // clang and gcc agree on the value of these, and below 2^31 their signs do not matter but in mixed
  // arithmetic, for which u, U and u8 are unsigned.
  return Number{value, prefix != "L"};
}

base::Result<bool> evaluate(Expander& expander, const ExpressionRules& rules) {
  return Evaluator(expander, rules).run();
}

}  // namespace inputs
