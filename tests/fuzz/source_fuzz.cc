// A source file, read in any language mode. What is found must lie within the file and within the list, and
// in order, because the preprocessor follows these numbers blindly.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

#include "inputs/directive.h"
#include "inputs/source_reader.h"

namespace {

struct Lines : inputs::SourceVisitor {
  bool broken = false;
  void directive(std::string_view line, std::uint32_t) override {
    broken = broken || line.find('\n') != std::string_view::npos;
  }
  void text_line(std::string_view name, std::string_view, std::uint32_t) override {
    if (name.empty()) std::abort();
  }
};

void check_ranges(std::string_view content, const inputs::LexMode& mode) {
  Lines lines;
  inputs::SourceReader reader(content, mode, lines);
  reader.keep_ranges();
  reader.run();
  if (lines.broken && !reader.odd_raw_string()) std::abort();
  for (const inputs::SourceRange& range : reader.ranges()) {
    if (range.begin > range.end || range.end > content.size()) std::abort();
  }
}

void check_list(std::string_view content, const inputs::LexMode& mode) {
  inputs::Vocabulary vocabulary;
  auto list = inputs::read_directives(content, mode, vocabulary);
  if (list->size != content.size()) std::abort();
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const inputs::Directive& item = list->items[i];
    if (item.first_token + item.token_count > list->tokens.size()) std::abort();
    if (item.next != 0 && (item.next <= i || item.next >= list->items.size())) std::abort();
    if (item.kind == inputs::DirectiveKind::define && item.macro != nullptr) {
      item.macro->body(mode, vocabulary.names);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  auto bit = [&](int n) { return (data[0] >> n & 1) != 0; };
  inputs::LexMode mode{bit(0), bit(1), bit(2), bit(3), bit(4), bit(5), bit(6)};
  std::string content(reinterpret_cast<const char*>(data) + 1, size - 1);
  check_ranges(content, mode);
  check_list(content, mode);
  auto names = inputs::read_text_names(content, mode);
  if (std::adjacent_find(names->begin(), names->end(), std::greater_equal<>()) != names->end()) std::abort();
  return 0;
}
