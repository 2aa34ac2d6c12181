#include "inputs/text_facts.h"

#include <algorithm>
#include <array>
#include <utility>

#include "inputs/line_text.h"

namespace inputs {
namespace {

struct Needle {
  std::string_view word;
  std::uint32_t fact;
};
constexpr std::array<Needle, 8> kNeedles = {{
    {"__DATE__", kTextTime},
    {"__TIME__", kTextTime},
    {"__TIMESTAMP__", kTextTimestamp},
    {"__COUNTER__", kTextCounter},
    {"@import", kTextObjcImport},
    {"push_macro", kTextPragma},
    {"pop_macro", kTextPragma},
    {"_Pragma", kTextPragma},
}};

constexpr std::string_view kIncbin = "incbin";
constexpr std::string_view kInclude = "include";

// Where the assembler's directive `name` (in lower case) stands with its dot, in any case: the dot's place.
std::size_t find_dotted(std::string_view text, std::string_view name, std::size_t from) {
  auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + ('a' - 'A') : a) == b; };
  for (std::size_t at = text.find('.', from); at != std::string_view::npos; at = text.find('.', at + 1)) {
    std::string_view word = text.substr(at + 1, name.size());
    if (std::equal(word.begin(), word.end(), name.begin(), name.end(), same)) return at;
  }
  return std::string_view::npos;
}

// Of the directive that begins at the start of `text`.
std::string_view directive_name(std::string_view text) {
  text.remove_prefix(text.starts_with("%:") ? 2 : 1);
  std::string_view rest = text.substr(0, 64);
  return take_word(rest);
}

bool is_shown(std::string_view directive) {
  return directive == "pragma" || directive == "ident" || directive == "sccs";
}

// Where needles stand decides what they mean, so this runs when the ranges are known.
class Judge {
 public:
  Judge(std::string_view content, const std::vector<SourceRange>& ranges, const LexMode& mode,
        DirectiveList& list)
      : content_(content), ranges_(ranges), mode_(mode), list_(list) {
    std::sort(ranges_.begin(), ranges_.end(),
              [](const SourceRange& a, const SourceRange& b) { return a.begin < b.begin; });
  }

  void find(const Needle& needle) {
    for (std::size_t at = content_.find(needle.word); at != std::string_view::npos;
         at = content_.find(needle.word, at + 1)) {
      if (within(at, SourceRange::Kind::comment) != nullptr) continue;
      judge(needle, at, directive_at(at));
    }
  }

  void find_assembler_files() {
    for (std::string_view name : {kInclude, kIncbin}) {
      for (std::size_t at = find_dotted(content_, name, 0); at != std::string_view::npos;
           at = find_dotted(content_, name, at + 1)) {
        assembler_word(name, at, true);
      }
    }
    // Without the dot it may be made a directive elsewhere; in capitals it is a word for people.
    for (std::size_t at = content_.find(kIncbin); at != std::string_view::npos;
         at = content_.find(kIncbin, at + 1)) {
      if (at == 0 || content_[at - 1] != '.') assembler_word(kIncbin, at, false);
    }
  }

 private:
  // The name of the directive around a place, or a word for one without; empty outside of directives.
  std::string_view directive_at(std::size_t at) const {
    const SourceRange* range = within(at, SourceRange::Kind::directive);
    if (range == nullptr) return {};
    std::string_view name = directive_name(content_.substr(range->begin));
    return name.empty() ? "#" : name;
  }

  const SourceRange* within(std::size_t at, SourceRange::Kind kind) const {
    // A comment may lie within a directive, so ranges nest by one.
    auto after =
        std::upper_bound(ranges_.begin(), ranges_.end(), at,
                         [](std::size_t place, const SourceRange& range) { return place < range.begin; });
    for (int back = 0; after != ranges_.begin() && back < 64; ++back) {
      --after;
      if (after->kind == kind && at < after->end) return &*after;
    }
    return nullptr;
  }

  bool whole_word(std::size_t at, std::size_t size) const {
    bool begins = at == 0 || !is_name_char(content_[at - 1]);
    return begins && (at + size >= content_.size() || !is_name_char(content_[at + size]));
  }

  // At a directive's name, or the dot before it.
  void assembler_word(std::string_view name, std::size_t at, bool dotted) {
    std::string_view directive = directive_at(at);
    bool comment = within(at, SourceRange::Kind::comment) != nullptr;
    if (mode_.assembler && (comment || !directive.empty())) list_.facts |= kHiddenIncbin;
    if (comment) return;
    std::size_t end = at + name.size() + (dotted ? 1 : 0);
    if (mode_.assembler && directive.empty()) {
      list_.assembler_files.push_back(assembler_file(name, end, dotted));
    } else if (name == kIncbin || may_be_include(end, directive)) {
      list_.facts |= kTextIncbin;
    }
  }

  // In C, only what may stand in an asm string, or is made a part of one: `.include` is a member's name, too.
  bool may_be_include(std::size_t end, std::string_view directive) const {
    bool ends = end >= content_.size() ||
                std::string_view(" \t\\\"\n\r/").find(content_[end]) != std::string_view::npos;
    bool names_header = directive == "include" || directive == "include_next" || directive == "import";
    return ends && !names_header && directive != "error" && directive != "warning";
  }

  void judge(const Needle& needle, std::size_t at, std::string_view directive) {
    switch (needle.fact) {
      case kTextTime:
      case kTextTimestamp:
      case kTextCounter:
        if ((directive.empty() || is_shown(directive)) && whole_word(at, needle.word.size())) {
          list_.facts |= needle.fact;
        }
        return;
      case kTextPragma:
        if (directive.empty()) pragma_text(needle, at);
        return;
      default:
        if (directive.empty()) list_.facts |= needle.fact;
    }
  }

  void pragma_text(const Needle& needle, std::size_t at) {
    if (needle.word != "_Pragma") {
      list_.facts |= kTextPragma;
      return;
    }
    std::string_view after = content_.substr(at, 160);
    after = after.substr(0, after.find(')'));
    if (has_word(after, "once") || has_word(after, "include_alias")) list_.facts |= kTextPragma;
    if (has_word(after, "omp") && has_word(after, "target")) list_.facts |= kTextOmpTarget;
    if (has_word(after, "GCC") &&
        std::ranges::any_of(kTargetPragmas, [&](std::string_view word) { return has_word(after, word); })) {
      list_.facts |= kTargetPragma;
    }
  }

  // Without a name when what follows is not one literal; the bare word may be an argument of a macro.
  AssemblerFile assembler_file(std::string_view name, std::size_t end, bool dotted) const {
    AssemblerFile file;
    file.source = name == kInclude;
    std::string_view rest = trim(content_.substr(end, 4200));
    if (!dotted || rest.empty() || rest[0] != '"') return file;
    std::size_t close = rest.find('"', 1);
    std::string_view path = close == std::string_view::npos ? "" : rest.substr(1, close - 1);
    if (path.find_first_of("\\\n\r") == std::string_view::npos) file.name = path;
    return file;
  }

  std::string_view content_;
  std::vector<SourceRange> ranges_;
  const LexMode& mode_;
  DirectiveList& list_;
};

}  // namespace

bool names_assembler_file(std::string_view text) {
  return text.find(kIncbin) != std::string_view::npos ||
         find_dotted(text, kIncbin, 0) != std::string_view::npos ||
         find_dotted(text, kInclude, 0) != std::string_view::npos;
}

bool shows_words(std::string_view text) { return is_shown(directive_name(text)); }

TextFacts::TextFacts(std::string_view text) : text_(text), assembles_(names_assembler_file(text)) {
  for (std::size_t i = 0; i < kNeedles.size(); ++i) {
    if (text.find(kNeedles[i].word) != std::string_view::npos) present_ |= 1u << i;
  }
}

void TextFacts::judge(const std::vector<SourceRange>& ranges, const LexMode& mode,
                      DirectiveList& list) const {
  Judge judge(text_, ranges, mode, list);
  for (std::size_t i = 0; i < kNeedles.size(); ++i) {
    if ((present_ & 1u << i) != 0) judge.find(kNeedles[i]);
  }
  if (assembles_) judge.find_assembler_files();
}

}  // namespace inputs
