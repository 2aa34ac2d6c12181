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
constexpr std::array<std::string_view, 2> kAssemblerWords = {kIncbin, ".include"};

// The assembler takes its directives in any case. In capitals and without the dot the word is one for people,
// as in the name of a macro that is made of the directive elsewhere.
std::size_t find_assembler_word(std::string_view text, std::string_view word, std::size_t from) {
  auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + ('a' - 'A') : a) == b; };
  for (; from <= text.size(); ++from) {
    auto found = std::search(text.begin() + static_cast<std::ptrdiff_t>(from), text.end(), word.begin(),
                             word.end(), same);
    if (found == text.end()) break;
    from = static_cast<std::size_t>(found - text.begin());
    bool dotted = from > 0 && text[from - 1] == '.';
    if (word != kIncbin || dotted || text.substr(from, word.size()) == word) return from;
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

  void find_assembler_file(std::string_view word) {
    for (std::size_t at = find_assembler_word(content_, word, 0); at != std::string_view::npos;
         at = find_assembler_word(content_, word, at + 1)) {
      std::string_view directive = directive_at(at);
      bool comment = within(at, SourceRange::Kind::comment) != nullptr;
      if (mode_.assembler && (comment || !directive.empty())) list_.facts |= kHiddenIncbin;
      if (comment) continue;
      if (mode_.assembler && directive.empty()) {
        assembler_file(word, at);
      } else if (may_be_assembler(word, at, directive)) {
        list_.facts |= kTextIncbin;
      }
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

  // In C, only what may stand in an asm string, or is made a part of one: `.include` is a member's name, too.
  bool may_be_assembler(std::string_view word, std::size_t at, std::string_view directive) const {
    if (word != ".include") return true;
    std::size_t end = at + word.size();
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
  }

  void assembler_file(std::string_view word, std::size_t at) {
    AssemblerFile file;
    file.source = word == ".include";
    if (!file.source && (at == 0 || content_[at - 1] != '.')) {
      // The bare word may be an argument of a macro: not understood.
      list_.assembler_files.push_back(file);
      return;
    }
    std::string_view rest = trim(content_.substr(at + word.size(), 4200));
    if (!rest.empty() && rest[0] == '"') {
      std::size_t close = rest.find('"', 1);
      std::string_view name = close == std::string_view::npos ? "" : rest.substr(1, close - 1);
      if (name.find_first_of("\\\n\r") == std::string_view::npos) file.name = name;
    }
    list_.assembler_files.push_back(std::move(file));
  }

  std::string_view content_;
  std::vector<SourceRange> ranges_;
  const LexMode& mode_;
  DirectiveList& list_;
};

}  // namespace

bool names_assembler_file(std::string_view text) {
  return std::any_of(kAssemblerWords.begin(), kAssemblerWords.end(), [&](std::string_view word) {
    return find_assembler_word(text, word, 0) != std::string_view::npos;
  });
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
  if (!assembles_) return;
  for (std::string_view word : kAssemblerWords) judge.find_assembler_file(word);
}

}  // namespace inputs
