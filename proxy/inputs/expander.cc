#include "inputs/expander.h"

#include <utility>

namespace inputs {
namespace {

// Expansion of arguments within arguments uses the thread's stack; programs stay far below this.
constexpr int kMaxDepth = 100;
// No directive that a person wrote comes near.
constexpr std::size_t kMaxTokens = 4'000'000;
constexpr std::size_t kMaxContexts = 10'000;

constexpr std::uint8_t without(std::uint8_t flags, std::uint8_t drop) {
  return static_cast<std::uint8_t>(flags & static_cast<std::uint8_t>(~drop));
}

}  // namespace

void Expander::begin(const Token* tokens, std::size_t count, const LexMode& mode) {
  mode_ = mode;
  contexts_.clear();
  floor_ = 0;
  pool_used_ = 0;
  tokens_made_ = 0;
  depth_ = 0;
  if (scratch_used_) scratch_.clear();
  scratch_used_ = true;
  failure_ = nullptr;
  used_ = {};
  looks_.clear();
  contexts_.push_back({tokens, tokens + count, nullptr, 0});
}

Expander::Tokens& Expander::fresh_tokens() {
  if (pool_used_ == pool_.size()) pool_.push_back(std::make_unique<Tokens>());
  Tokens& tokens = *pool_[pool_used_++];
  tokens.clear();
  return tokens;
}

bool Expander::take(Token& out) {
  while (contexts_.size() > floor_) {
    Context& top = contexts_.back();
    if (top.at != top.end) {
      out = *top.at++;
      out.flags |= top.space;
      top.space = 0;
      return true;
    }
    contexts_.pop_back();
  }
  return false;
}

bool Expander::disabled(const Macro* macro) const {
  for (const Context& context : contexts_) {
    if (context.macro == macro) return true;
  }
  return false;
}

const Macro* Expander::look(Id name) {
  const Macro* macro = table_.find(name);
  if (!used_.macros_only) return macro;
  for (const MacroLook& earlier : looks_) {
    if (earlier.name == name) return macro;
  }
  if (looks_.size() == kMaxLooks) {
    used_.macros_only = false;
  } else {
    looks_.push_back({name, macro});
  }
  return macro;
}

bool Expander::next_raw(Token& out) {
  if (!take(out)) return false;
  // A name met while its macro is open stays unexpanded for good.
  if (out.id != kNoName && contexts_.size() > 1) {
    const Macro* macro = look(out.id);
    if (macro != nullptr && disabled(macro)) out.flags |= kNoExpand;
  }
  return true;
}

void Expander::put_back(const Token& token) {
  Tokens& one = fresh_tokens();
  one.push_back(token);
  contexts_.push_back({one.data(), one.data() + 1, nullptr, 0});
}

bool Expander::next(Token& out) {
  while (failure_ == nullptr && take(out)) {
    if (out.id == kNoName || (out.flags & kNoExpand) != 0) return true;
    const Macro* macro = look(out.id);
    if (macro == nullptr) return true;
    if (macro->builtin != Builtin::none) {
      used_.macros_only = false;
      out = host_.expand_builtin(*macro, out, *this);
      return failure_ == nullptr;
    }
    if (disabled(macro)) {
      out.flags |= kNoExpand;
      return true;
    }
    if (macro->function_like && !take_opening()) return true;
    if (!enter(*macro, out)) return false;
  }
  return false;
}

// Takes the parenthesis that must follow a function-like name, or nothing.
bool Expander::take_opening() {
  Token token;
  if (!next_raw(token)) return false;
  if (token.is(Op::open)) return true;
  put_back(token);
  return false;
}

bool Expander::enter(const Macro& macro, const Token& name) {
  if (macro.from_command) used_.command = true;
  const std::uint8_t space = name.flags & kSpaceBefore;
  if (contexts_.size() > kMaxContexts) {
    fail("macro_size");
    return false;
  }
  const MacroBody& body = macro.body(mode_, vocabulary_.names);
  if (!macro.function_like && !body.pastes) {
    const Token* first = body.tokens.data();
    contexts_.push_back({first, first + body.tokens.size(), &macro, space});
    return true;
  }
  Tokens& result = fresh_tokens();
  if (macro.function_like) {
    std::vector<Argument> arguments;
    if (!collect(macro, arguments)) return false;
    substitute(macro, arguments, result);
  } else {
    result = body.tokens;
  }
  if (body.pastes) paste_all(result);
  if (failure_ != nullptr) return false;
  tokens_made_ += result.size();
  if (tokens_made_ > kMaxTokens) {
    fail("macro_size");
    return false;
  }
  if (!result.empty()) result[0].flags = without(result[0].flags, kSpaceBefore);
  contexts_.push_back({result.data(), result.data() + result.size(), &macro, space});
  return true;
}

bool Expander::collect(const Macro& macro, std::vector<Argument>& arguments) {
  arguments.emplace_back();
  int parentheses = 0;
  Token token;
  while (next_raw(token)) {
    if (token.is(Op::open)) {
      ++parentheses;
    } else if (token.is(Op::close)) {
      if (parentheses-- == 0) return check_count(macro, arguments);
    } else if (token.is(Op::comma) && parentheses == 0) {
      bool rest = macro.variadic && arguments.size() == macro.parameters.size();
      if (!rest) {
        arguments.emplace_back();
        continue;
      }
    }
    arguments.back().raw.push_back(token);
    if (++tokens_made_ > kMaxTokens) {
      fail("macro_size");
      return false;
    }
  }
  fail("macro_arguments");
  return false;
}

bool Expander::check_count(const Macro& macro, std::vector<Argument>& arguments) {
  const std::size_t wanted = macro.parameters.size();
  if (arguments.size() == wanted) return true;
  if (wanted == 0 && arguments.size() == 1 && arguments[0].raw.empty()) return true;
  if (macro.variadic && arguments.size() + 1 == wanted) {
    arguments.emplace_back();
    return true;
  }
  fail("macro_arguments");
  return false;
}

void Expander::expand_argument(Argument& argument) {
  if (argument.is_expanded) return;
  argument.is_expanded = true;
  expand_apart(argument.raw, argument.expanded);
}

void Expander::expand_apart(const std::vector<Token>& in, std::vector<Token>& out) {
  if (++depth_ > kMaxDepth) {
    fail("macro_depth");
    return;
  }
  const std::size_t outer_floor = floor_;
  floor_ = contexts_.size();
  contexts_.push_back({in.data(), in.data() + in.size(), nullptr, 0});
  Token token;
  while (next(token)) out.push_back(token);
  contexts_.resize(floor_);
  floor_ = outer_floor;
  --depth_;
}

void Expander::substitute(const Macro& macro, std::vector<Argument>& arguments, Tokens& out) {
  const Tokens& body = macro.body(mode_, vocabulary_.names).tokens;
  int option_depth = 0;  // open parentheses within __VA_OPT__(
  std::size_t option_begin = 0;
  std::uint8_t option_space = 0;
  bool after_paste = false;
  for (std::size_t i = 0; i < body.size() && failure_ == nullptr; ++i) {
    const Token& token = body[i];
    const bool pastes = (token.flags & kPasteLeft) != 0;
    if (token.id == kNameVaOpt && macro.variadic && i + 1 < body.size() && body[i + 1].is(Op::open)) {
      expand_argument(arguments.back());
      ++i;
      if (!arguments.back().expanded.empty()) {
        option_depth = 1;
        option_begin = out.size();
        option_space = token.flags & kSpaceBefore;
        continue;
      }
      int open = 1;
      while (open > 0 && ++i < body.size()) open += body[i].is(Op::open) ? 1 : body[i].is(Op::close) ? -1 : 0;
      Token nothing;
      nothing.kind = TokenKind::placemarker;
      if (i < body.size()) nothing.flags = body[i].flags & kPasteLeft;
      out.push_back(nothing);
      after_paste = (nothing.flags & kPasteLeft) != 0;
      continue;
    }
    if (option_depth > 0) {
      option_depth += token.is(Op::open) ? 1 : token.is(Op::close) ? -1 : 0;
      if (option_depth == 0) {
        if (option_begin < out.size()) out[option_begin].flags |= option_space;
        if (pastes && !out.empty()) out.back().flags |= kPasteLeft;
        after_paste = pastes;
        continue;
      }
    }
    if (token.parameter != 0) {
      substitute_parameter(macro, token, arguments[token.parameter - 1u], after_paste, out);
    } else {
      out.push_back(token);
    }
    after_paste = pastes;
  }
}

void Expander::substitute_parameter(const Macro& macro, const Token& token, Argument& argument,
                                    bool after_paste, Tokens& out) {
  const bool pastes = (token.flags & kPasteLeft) != 0;
  if ((token.flags & kStringify) != 0) {
    out.push_back(stringify(token, argument));
    return;
  }
  const Tokens* replacement = &argument.raw;
  if (!pastes && !after_paste) {
    expand_argument(argument);
    replacement = &argument.expanded;
  }
  const bool last_variadic = macro.variadic && token.parameter == macro.parameters.size();
  if (after_paste && last_variadic && !out.empty() && out.back().is(Op::comma)) {
    // GNU: the comma goes away with an empty rest, and is not pasted otherwise.
    if (replacement->empty()) {
      out.pop_back();
    } else {
      out.back().flags = without(out.back().flags, kPasteLeft);
    }
  }
  if (replacement->empty()) {
    if (!pastes && !after_paste) return;
    Token nothing;
    nothing.kind = TokenKind::placemarker;
    nothing.flags = token.flags & kPasteLeft;
    out.push_back(nothing);
    return;
  }
  const std::size_t first = out.size();
  out.insert(out.end(), replacement->begin(), replacement->end());
  if (!after_paste) {
    out[first].flags = without(out[first].flags, kSpaceBefore);
    out[first].flags |= token.flags & kSpaceBefore;
  }
  if (pastes) out.back().flags |= kPasteLeft;
}

// Carries out the `##` operators.
void Expander::paste_all(Tokens& tokens) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    Token left = tokens[i];
    while ((left.flags & kPasteLeft) != 0 && i + 1 < tokens.size()) {
      if (!paste(left, tokens[i + 1])) break;
      ++i;
    }
    left.flags = without(left.flags, kPasteLeft);
    if (left.kind != TokenKind::placemarker) tokens[kept++] = left;
  }
  tokens.resize(kept);
}

bool Expander::paste(Token& left, const Token& right) {
  const std::uint8_t more = right.flags & kPasteLeft;
  const std::uint8_t spaces = left.flags & (kSpaceBefore | kSpaceInText);
  if (right.kind == TokenKind::placemarker) {
    left.flags = without(left.flags, kPasteLeft) | more;
    return true;
  }
  if (left.kind == TokenKind::placemarker) {
    left = right;
    left.flags = without(left.flags, kSpaceBefore | kSpaceInText) | spaces;
    return true;
  }
  std::string text(left.text);
  text += right.text;
  Tokens made;
  tokenize(scratch_.keep(text), mode_, vocabulary_.names, made);
  if (made.size() != 1) {
    // An error but in assembler, where both tokens stay.
    if (!mode_.assembler) fail("macro_paste");
    left.flags = without(left.flags, kPasteLeft);
    return false;
  }
  left = made[0];
  left.flags = static_cast<std::uint8_t>(spaces | more);
  return true;
}

Token Expander::stringify(const Token& parameter, const Argument& argument) {
  std::string text(1, '"');
  for (const Token& token : argument.raw) {
    if ((token.flags & kSpaceBefore) != 0 && text.size() > 1) text += ' ';
    const bool escape = token.kind == TokenKind::string || token.kind == TokenKind::character;
    for (char c : token.text) {
      if (escape && (c == '"' || c == '\\')) text += '\\';
      text += c;
    }
  }
  text += '"';
  Token out;
  out.kind = TokenKind::string;
  out.flags = parameter.flags & (kPasteLeft | kSpaceBefore | kSpaceInText);
  out.text = scratch_.keep(text);
  return out;
}

Token Expander::make_number(std::int64_t value, const Token& in_place_of) {
  Token out;
  out.kind = TokenKind::number;
  out.flags = in_place_of.flags & (kSpaceBefore | kSpaceInText);
  out.text = scratch_.keep(std::to_string(value));
  return out;
}

}  // namespace inputs
