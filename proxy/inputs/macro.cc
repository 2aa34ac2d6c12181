#include "inputs/macro.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "inputs/line_text.h"

namespace inputs {
namespace {

std::string_view take_name(std::string_view& rest) {
  std::size_t size = 0;
  if (!rest.empty() && is_name_start(rest[0])) {
    while (size < rest.size() && is_name_char(rest[size])) ++size;
  }
  std::string_view name = rest.substr(0, size);
  rest.remove_prefix(size);
  return name;
}

// Reads "(a, b, ...)" off `rest`. False when it is no parameter list.
bool take_parameters(std::string_view& rest, Macro& macro, Identifiers& names) {
  std::size_t close = rest.find(')');
  if (close == std::string_view::npos) return false;
  std::string_view list = trim(rest.substr(1, close - 1));
  rest.remove_prefix(close + 1);
  while (!list.empty()) {
    if (macro.variadic) return false;
    std::string_view one = trim(list.substr(0, list.find(',')));
    bool more = list.find(',') != std::string_view::npos;
    list = more ? list.substr(list.find(',') + 1) : std::string_view();
    if (more && trim(list).empty()) return false;
    if (one == "...") {
      macro.variadic = true;
      macro.parameters.push_back(kNameVaArgs);
      continue;
    }
    if (one.ends_with("...")) {
      macro.variadic = true;
      one = trim(one.substr(0, one.size() - 3));
    }
    std::string_view left = one;
    std::string_view name = take_name(left);
    if (name.empty() || !left.empty()) return false;
    macro.parameters.push_back(names.intern(name));
  }
  return true;
}

void note_mentions(Macro& macro) {
  std::string_view body = macro.replacement;
  if (body.find("__") != std::string_view::npos) {
    macro.mentions_time =
        has_word(body, "__DATE__") || has_word(body, "__TIME__") || has_word(body, "__TIMESTAMP__");
    macro.mentions_counter = has_word(body, "__COUNTER__");
  }
  if (body.find("ragma") != std::string_view::npos) {
    macro.mentions_pragma = body.find("_macro") != std::string_view::npos ||
                            body.find("once") != std::string_view::npos ||
                            body.find("include_alias") != std::string_view::npos;
  }
}

// Turns `#` and `##` into flags of their operands and marks the parameters.
void apply_operators(std::vector<Token>& tokens, const Macro& macro) {
  std::vector<Token> out;
  out.reserve(tokens.size());
  bool stringify = false;
  bool hash_space = false;
  for (Token& token : tokens) {
    if (token.is("##") && !out.empty() && !stringify) {
      out.back().flags |= kPasteLeft;
      continue;
    }
    if (token.is("#") && macro.function_like && !stringify) {
      stringify = true;
      hash_space = (token.flags & kSpaceBefore) != 0;
      continue;
    }
    if (token.kind == TokenKind::identifier) {
      auto found = std::find(macro.parameters.begin(), macro.parameters.end(), token.id);
      if (found != macro.parameters.end()) {
        token.parameter = static_cast<std::uint8_t>(found - macro.parameters.begin() + 1);
      }
    }
    if (stringify) {
      token.flags |= kStringify;
      token.flags &= static_cast<std::uint8_t>(~(kSpaceBefore | kSpaceInText));
      if (hash_space) token.flags |= kSpaceBefore | kSpaceInText;
      stringify = false;
    }
    out.push_back(token);
  }
  if (!out.empty()) out.back().flags &= static_cast<std::uint8_t>(~kPasteLeft);
  tokens = std::move(out);
}

}  // namespace

bool has_word(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    bool begins = at == 0 || !is_name_char(text[at - 1]);
    std::size_t end = at + word.size();
    if (begins && (end == text.size() || !is_name_char(text[end]))) return true;
  }
  return false;
}

const MacroBody& Macro::body(const LexMode& mode, Identifiers& names) const {
  MacroBody* made = body_.load(std::memory_order_acquire);
  if (made != nullptr) return *made;
  auto fresh = std::make_unique<MacroBody>();
  tokenize(replacement, mode, names, fresh->tokens);
  if (!fresh->tokens.empty()) fresh->tokens[0].flags = 0;
  apply_operators(fresh->tokens, *this);
  for (const Token& token : fresh->tokens) {
    fresh->pastes = fresh->pastes || (token.flags & kPasteLeft) != 0 || token.id == kNameVaOpt;
  }
  if (!body_.compare_exchange_strong(made, fresh.get())) return *made;
  return *fresh.release();
}

const Macro* MacroStore::define(std::string_view text, const LexMode& mode, bool from_command,
                                Identifiers& names) {
  std::string key(1, static_cast<char>(1 + (from_command ? 1 : 0) + (mode.raw_strings ? 2 : 0) +
                                       (mode.digit_separators ? 4 : 0) + (mode.digraphs ? 8 : 0)));
  key += trim(text);
  Shard& shard = shards_[std::hash<std::string>()(key) % kShards];
  std::lock_guard lock(shard.mutex);
  auto found = shard.macros.find(key);
  if (found != shard.macros.end()) return found->second.get();
  auto macro = std::make_unique<Macro>();
  macro->text_ = trim(text);
  macro->from_command = from_command;
  std::string_view rest = macro->text_;
  std::string_view name = take_name(rest);
  if (name.empty()) return nullptr;
  macro->name = names.intern(name);
  if (!rest.empty() && rest[0] == '(') {
    macro->function_like = true;
    if (!take_parameters(rest, *macro, names)) return nullptr;
  }
  if (macro->parameters.size() > 250) return nullptr;
  macro->replacement = trim(rest);
  note_mentions(*macro);
  return shard.macros.emplace(std::move(key), std::move(macro)).first->second.get();
}

const Macro* MacroStore::builtin(Id name, Builtin kind) {
  std::string key = "\x20" + std::to_string(name);
  Shard& shard = shards_[0];
  std::lock_guard lock(shard.mutex);
  std::unique_ptr<Macro>& slot = shard.macros[key];
  if (!slot) {
    slot = std::make_unique<Macro>();
    slot->name = name;
    slot->builtin = kind;
  }
  return slot.get();
}

}  // namespace inputs
