#include "inputs/directive.h"

#include <algorithm>
#include <array>
#include <utility>

#include "inputs/line_text.h"
#include "inputs/source_reader.h"
#include "inputs/text_facts.h"

namespace inputs {
namespace {

// The text between the first pair of quotes in `("X")`.
std::string_view quoted_argument(std::string_view rest) {
  std::size_t open = rest.find('"');
  std::size_t close = open == std::string_view::npos ? open : rest.find('"', open + 1);
  if (close == std::string_view::npos) return {};
  return rest.substr(open + 1, close - open - 1);
}

std::string replace_trigraphs(std::string_view content) {
  constexpr std::string_view kFrom = "=/'()!<>-";
  constexpr std::string_view kTo = "#\\^[]|{}~";
  std::string out;
  out.reserve(content.size());
  for (std::size_t i = 0; i < content.size(); ++i) {
    std::size_t which = std::string_view::npos;
    if (content[i] == '?' && content.substr(i, 2) == "??" && i + 2 < content.size()) {
      which = kFrom.find(content[i + 2]);
    }
    if (which == std::string_view::npos) {
      out += content[i];
    } else {
      out += kTo[which];
      i += 2;
    }
  }
  return out;
}

bool has_trigraph(std::string_view content) {
  for (std::size_t at = content.find("??"); at != std::string_view::npos; at = content.find("??", at + 1)) {
    if (at + 2 < content.size() &&
        std::string_view("=/'()!<>-").find(content[at + 2]) != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

bool has_trigraph_splice(std::string_view content) {
  constexpr std::string_view kBackslash = "?\?/";
  std::size_t at = content.find(kBackslash);
  for (; at != std::string_view::npos; at = content.find(kBackslash, at + 1)) {
    std::size_t next = at + 3;
    while (next < content.size() && is_blank(content[next])) ++next;
    if (next < content.size() && (content[next] == '\n' || content[next] == '\r')) return true;
  }
  return false;
}

// Gathers the list while a SourceReader walks.
class ListMaker : public SourceVisitor {
 public:
  ListMaker(DirectiveList& list, const LexMode& mode, Vocabulary& vocabulary)
      : list_(list), mode_(mode), vocabulary_(vocabulary) {}

  void directive(std::string_view line, std::uint32_t line_number) override {
    std::string_view rest = line;
    std::string_view name = take_word(rest);
    rest = trim(rest);
    item_ = Directive{};
    item_.line_number = line_number;
    if (name.empty()) return;
    if (is_digit(name[0])) return line_marker(rest);
    if (rest.find("__has_include") != std::string_view::npos ||
        rest.find("__has_embed") != std::string_view::npos) {
      list_.facts |= kAsksForFiles;
    }
    if (conditional(name, rest) || macro(name, rest) || inclusion(name, rest)) return;
    if (name == "pragma") return pragma(rest);
    if (name == "line") return line_directive(rest);
    if (name == "error") return add(DirectiveKind::error);
    if (name == "assert" || name == "unassert") return refuse("assert_directive");
  }

  void text_line(std::string_view name, std::string_view rest, std::uint32_t line_number) override {
    if (name == "import" || name == "module" || name == "export") module_line(name, rest, line_number);
    if (trim(rest).empty() && name.find("_MACRO") != std::string_view::npos) {
      item_ = Directive{};
      item_.line_number = line_number;
      item_.id = vocabulary_.names.intern(name);
      add(DirectiveKind::macro_in_text);
    }
  }

  void finish() {
    if (!open_.empty()) list_.facts |= kUnbalanced;
    find_guard();
    list_.items.shrink_to_fit();
    list_.tokens.shrink_to_fit();
  }

 private:
  void add(DirectiveKind kind) {
    item_.kind = kind;
    list_.items.push_back(item_);
  }

  void refuse(std::string_view label) {
    item_.text = label;
    add(DirectiveKind::refuse);
  }

  void keep_tokens(std::string_view text) {
    item_.first_token = static_cast<std::uint32_t>(list_.tokens.size());
    tokenize(list_.arena.keep(text), mode_, vocabulary_.names, list_.tokens);
    std::size_t count = list_.tokens.size() - item_.first_token;
    if (count > 0xffff) {
      list_.tokens.resize(item_.first_token);
      return refuse("long_directive");
    }
    item_.token_count = static_cast<std::uint16_t>(count);
  }

  // Tokens are made of the text in the way that the mode says, and of nothing else.
  void number_condition(std::string_view text) {
    static_assert(sizeof(LexMode) == 7, "a switch more: it must go into the key");
    std::string key;
    for (const bool on : {mode_.raw_strings, mode_.trigraphs, mode_.strict_c89, mode_.digit_separators,
                          mode_.assembler, mode_.digraphs, mode_.elifdef}) {
      key += on ? '1' : '0';
    }
    key += text;
    item_.id = vocabulary_.conditions.intern(key);
  }

  void name_argument(std::string_view rest) {
    std::string_view name = take_word(rest);
    item_.id = name.empty() || is_digit(name[0]) ? kNoName : vocabulary_.names.intern(name);
  }

  // ----- #if and its kin -----

  bool conditional(std::string_view name, std::string_view rest) {
    if (name == "if" || name == "ifdef" || name == "ifndef") {
      if (name == "if") {
        if_expression(rest);
      } else {
        name_argument(rest);
        add(name == "ifdef" ? DirectiveKind::ifdef : DirectiveKind::ifndef);
      }
      open_.push_back(last());
      return true;
    }
    if (name == "elif") {
      keep_tokens(rest);
      number_condition(rest);
      continue_group(DirectiveKind::elif);
    } else if (name == "elifdef" || name == "elifndef") {
      list_.facts |= kElifdef;
      if (!mode_.elifdef) return true;
      name_argument(rest);
      continue_group(name == "elifdef" ? DirectiveKind::elifdef : DirectiveKind::elifndef);
    } else if (name == "else") {
      continue_group(DirectiveKind::else_);
    } else if (name == "endif") {
      continue_group(DirectiveKind::endif);
      if (!open_.empty()) open_.pop_back();
    } else {
      return false;
    }
    return true;
  }

  std::uint32_t last() const { return static_cast<std::uint32_t>(list_.items.size() - 1); }

  // `#if defined(X)` and `#if !defined(X)` become #ifdef and #ifndef.
  void if_expression(std::string_view rest) {
    keep_tokens(rest);
    const Token* token = list_.tokens.data() + item_.first_token;
    std::size_t count = item_.token_count;
    DirectiveKind kind = DirectiveKind::ifdef;
    if (count > 0 && token->is(Op::logical_not)) {
      kind = DirectiveKind::ifndef;
      ++token, --count;
    }
    bool plain = count == 2 && token[0].id == kNameDefined && token[1].id != kNoName;
    bool bracketed = count == 4 && token[0].id == kNameDefined && token[1].is(Op::open) &&
                     token[2].id != kNoName && token[3].is(Op::close);
    if (!plain && !bracketed) {
      number_condition(rest);
      return add(DirectiveKind::if_);
    }
    item_.id = token[plain ? 1 : 2].id;
    list_.tokens.resize(item_.first_token);
    item_.token_count = 0;
    add(kind);
  }

  void continue_group(DirectiveKind kind) {
    add(kind);
    if (open_.empty()) {
      list_.facts |= kUnbalanced;
      return;
    }
    list_.items[open_.back()].next = last();
    open_.back() = last();
  }

  // ----- #define, #undef -----

  bool macro(std::string_view name, std::string_view rest) {
    if (name == "define") {
      item_.macro = vocabulary_.macros.define(rest, mode_, false, vocabulary_.names);
      if (item_.macro == nullptr) return true;  // an error, which the compiler will tell
      item_.id = item_.macro->name;
      if (item_.macro->mentions_time) list_.facts |= kTimeMacro;
      if (item_.macro->mentions_counter) list_.facts |= kTextCounter;
      if (item_.macro->mentions_pragma) list_.facts |= kMacroPragma;
      add(DirectiveKind::define);
      return true;
    }
    if (name != "undef") return false;
    name_argument(rest);
    if (item_.id != kNoName) add(DirectiveKind::undef);
    return true;
  }

  // ----- #include and its kin -----

  bool inclusion(std::string_view name, std::string_view rest) {
    DirectiveKind kind;
    if (name == "include") {
      kind = DirectiveKind::include;
    } else if (name == "include_next") {
      kind = DirectiveKind::include_next;
    } else if (name == "import") {
      kind = DirectiveKind::import;
    } else if (name == "__include_macros") {
      kind = DirectiveKind::include_macros;
    } else if (name == "embed") {
      kind = DirectiveKind::embed;
    } else {
      return false;
    }
    std::size_t size = header_name_length(rest);
    if (size > 2) {
      item_.angled = rest[0] == '<';
      item_.id = vocabulary_.headers.intern(rest.substr(1, size - 2));
      item_.text = vocabulary_.headers.name(item_.id);
    } else {
      std::size_t before = list_.items.size();
      keep_tokens(rest);
      if (list_.items.size() > before) return true;
    }
    add(kind);
    return true;
  }

  // ----- #pragma, #line -----

  void pragma(std::string_view rest) {
    std::string_view name = take_word(rest);
    if (name == "once") return add(DirectiveKind::pragma_once);
    if (name == "push_macro" || name == "pop_macro") {
      std::string_view argument = quoted_argument(rest);
      if (argument.empty()) return;
      item_.id = vocabulary_.names.intern(argument);
      return add(name == "push_macro" ? DirectiveKind::pragma_push_macro : DirectiveKind::pragma_pop_macro);
    }
    if (name == "include_alias") return refuse("include_alias");
    if (name == "omp" && has_word(rest, "target")) list_.facts |= kTextOmpTarget;
    if (name != "GCC" && name != "clang") return;
    std::string_view vendor = name;
    name = take_word(rest);
    if (name == "system_header") return add(DirectiveKind::pragma_system_header);
    if (name == "push_macro" || name == "pop_macro" || name == "once") return refuse("pragma_macro");
    if (vendor == "clang" && name == "module") return refuse("modules");
    if (vendor == "GCC" && std::ranges::find(kTargetPragmas, name) != std::end(kTargetPragmas)) {
      list_.facts |= kTargetPragma;
    }
    if (vendor == "GCC" && name == "pch_preprocess") return refuse("pch");
    if (vendor == "GCC" && name == "dependency") {
      rest = trim(rest);
      std::size_t size = header_name_length(rest);
      if (size <= 2) return refuse("pragma_dependency");
      item_.angled = rest[0] == '<';
      item_.id = vocabulary_.headers.intern(rest.substr(1, size - 2));
      item_.text = vocabulary_.headers.name(item_.id);
      add(DirectiveKind::pragma_dependency);
    }
  }

  void line_directive(std::string_view rest) {
    list_.facts |= kLineDirective;
    // A file name made by a macro may be absolute, so it counts as one.
    if (rest.find('"') == std::string_view::npos && !rest.empty() && is_name_start(rest[0])) {
      item_.text = "/";
      return add(DirectiveKind::line);
    }
    line_marker(rest);
  }

  void line_marker(std::string_view rest) {
    list_.facts |= kLineDirective;
    std::string_view file = quoted_argument(rest);
    if (file.empty() || file[0] != '/') return;
    item_.text = list_.arena.keep(file);
    add(DirectiveKind::line);
  }

  // ----- text -----

  void module_line(std::string_view name, std::string_view rest, std::uint32_t line_number) {
    rest = trim(rest);
    if (name == "export") {
      name = take_word(rest);
      if (name != "import" && name != "module") return;
      rest = trim(rest);
    }
    if (rest.empty() || is_name_start(rest[0]) || rest[0] == '<' || rest[0] == '"' || rest[0] == ';' ||
        rest[0] == ':') {
      list_.facts |= kTextModule;
      item_ = Directive{};
      item_.line_number = line_number;
      add(DirectiveKind::module_line);
    }
  }

  // ----- the whole -----

  void find_guard() {
    const std::vector<Directive>& items = list_.items;
    if (items.size() < 2 || items[0].kind != DirectiveKind::ifndef) return;
    // The first group ends with its #endif, without #else, and nothing comes after.
    if (items[0].next != items.size() - 1 || items.back().kind != DirectiveKind::endif) return;
    list_.guard = items[0].id;
  }

  DirectiveList& list_;
  const LexMode& mode_;
  Vocabulary& vocabulary_;
  Directive item_{};
  std::vector<std::uint32_t> open_;  // per open group, its last conditional so far
};

bool looks_wide(std::string_view content) {
  if (content.size() < 2) return false;
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(content[i]); };
  return (byte(0) == 0xff && byte(1) == 0xfe) || (byte(0) == 0xfe && byte(1) == 0xff);
}

std::string_view without_mark(std::string_view content) {
  return content.starts_with("\xef\xbb\xbf") ? content.substr(3) : content;
}

}  // namespace

std::shared_ptr<const DirectiveList> read_directives(std::string_view content, const LexMode& mode,
                                                     Vocabulary& vocabulary) {
  auto list = std::make_shared<DirectiveList>();
  list->size = content.size();
  if (looks_wide(content)) list->facts |= kWideText;
  std::string translated;
  std::string_view text = without_mark(content);
  if (has_trigraph(text)) {
    list->facts |= kTrigraph | (has_trigraph_splice(text) ? kTrigraphSplice : 0u);
    if (mode.trigraphs) {
      translated = replace_trigraphs(text);
      text = translated;
    }
  }
  const TextFacts facts(text);
  ListMaker maker(*list, mode, vocabulary);
  SourceReader reader(text, mode, maker);
  if (facts.any()) reader.keep_ranges();
  reader.run();
  maker.finish();
  if (reader.slashes_in_question()) list->facts |= kStrictSlashes;
  // In a raw string trigraphs are none, but they were all replaced before.
  const bool mixed = reader.saw_raw_string() && !translated.empty();
  if (reader.odd_raw_string() || mixed) list->facts |= kOddRawString;
  if (facts.any()) facts.judge(reader.ranges(), mode, *list);
  return list;
}

namespace {

class NothingNoted : public SourceVisitor {
 public:
  void directive(std::string_view, std::uint32_t) override {}
  void text_line(std::string_view, std::string_view, std::uint32_t) override {}
};

void add_names(std::string_view text, std::vector<std::string>& names) {
  for (std::size_t at = 0; at < text.size();) {
    if (!is_name_char(text[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && is_name_char(text[end])) ++end;
    if (is_name_start(text[at])) names.emplace_back(text.substr(at, end - at));
    at = end;
  }
}

}  // namespace

std::shared_ptr<const std::vector<std::string>> read_text_names(std::string_view content,
                                                                const LexMode& mode) {
  NothingNoted visitor;
  std::string translated;
  if (mode.trigraphs && has_trigraph(content)) {
    translated = replace_trigraphs(content);
    content = translated;
  }
  SourceReader reader(content, mode, visitor);
  reader.keep_ranges();
  reader.run();
  std::vector<SourceRange> ranges = reader.ranges();
  std::sort(ranges.begin(), ranges.end(),
            [](const SourceRange& a, const SourceRange& b) { return a.begin < b.begin; });
  auto names = std::make_shared<std::vector<std::string>>();
  std::size_t at = 0;
  for (const SourceRange& range : ranges) {
    bool text = range.kind == SourceRange::Kind::directive && shows_words(content.substr(range.begin));
    if (text) continue;
    if (range.begin > at) add_names(content.substr(at, range.begin - at), *names);
    at = std::max(at, range.end);
  }
  if (at < content.size()) add_names(content.substr(at), *names);
  std::sort(names->begin(), names->end());
  names->erase(std::unique(names->begin(), names->end()), names->end());
  return names;
}

}  // namespace inputs
