#include "inputs/source_reader.h"

#include <array>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace inputs {
namespace {

constexpr std::array<bool, 256> interesting_table() {
  std::array<bool, 256> table{};
  for (unsigned char c : {'"', '\'', '/', '\\', '\n', '\r'}) table[c] = true;
  return table;
}
constexpr std::array<bool, 256> kInteresting = interesting_table();

// The first byte that may change what the text after it is.
const char* find_interesting(const char* at, const char* end) {
#ifdef __SSE2__
  const __m128i quote = _mm_set1_epi8('"'), apostrophe = _mm_set1_epi8('\''), slash = _mm_set1_epi8('/');
  const __m128i backslash = _mm_set1_epi8('\\'), newline = _mm_set1_epi8('\n'), cr = _mm_set1_epi8('\r');
  for (; end - at >= 16; at += 16) {
    const __m128i chunk = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    __m128i hit = _mm_or_si128(_mm_cmpeq_epi8(chunk, quote), _mm_cmpeq_epi8(chunk, apostrophe));
    hit = _mm_or_si128(hit, _mm_cmpeq_epi8(chunk, slash));
    hit = _mm_or_si128(hit, _mm_cmpeq_epi8(chunk, backslash));
    hit = _mm_or_si128(hit, _mm_cmpeq_epi8(chunk, newline));
    hit = _mm_or_si128(hit, _mm_cmpeq_epi8(chunk, cr));
    int mask = _mm_movemask_epi8(hit);
    if (mask != 0) return at + __builtin_ctz(static_cast<unsigned>(mask));
  }
#endif
  while (at < end && !kInteresting[static_cast<unsigned char>(*at)]) ++at;
  return at;
}

bool is_newline(char c) { return c == '\n' || c == '\r'; }

// The directives whose argument is a header's name, in which nothing is a comment.
bool takes_header(std::string_view name) {
  return name == "include" || name == "include_next" || name == "import" || name == "embed" ||
         name == "__include_macros";
}

}  // namespace

std::size_t SourceReader::newline_size(const char* place) const {
  if (place >= end_) return 0;
  if (*place == '\n') return 1;
  if (*place == '\r') return place + 1 < end_ && place[1] == '\n' ? 2 : 1;
  return 0;
}

std::size_t SourceReader::splice_size(const char* place) const {
  if (place >= end_ || *place != '\\') return 0;
  const char* after = place + 1;
  while (after < end_ && is_blank(*after)) ++after;
  std::size_t newline = newline_size(after);
  return newline == 0 ? 0 : static_cast<std::size_t>(after - place) + newline;
}

bool SourceReader::skip_splices() {
  bool any = false;
  while (std::size_t size = splice_size(at_)) {
    at_ += size;
    ++line_number_;
    any = true;
  }
  return any;
}

void SourceReader::note(SourceRange::Kind kind, const char* from) {
  if (!keep_ranges_) return;
  ranges_.push_back({kind, static_cast<std::size_t>(from - begin_), static_cast<std::size_t>(at_ - begin_)});
}

void SourceReader::run() {
  while (at_ < end_) {
    line_start();
    text();
  }
}

// From the first byte of a line to the first that is neither blank nor comment.
void SourceReader::line_start() {
  while (at_ < end_) {
    if (is_blank(*at_)) {
      ++at_;
    } else if (std::size_t newline = newline_size(at_)) {
      at_ += newline;
      ++line_number_;
    } else if (!skip_splices() && !(*at_ == '/' && comment())) {
      break;
    }
  }
  if (at_ >= end_) return;
  if (*at_ == '#') return directive();
  if (*at_ == '%' && mode_.digraphs && at_ + 1 < end_ && at_[1] == ':') return directive();
  if (!is_name_start(*at_)) return;
  const char* name = at_;
  const char* rest = name;
  while (rest < end_ && is_name_char(*rest)) ++rest;
  const char* stop = rest;
  while (stop < end_ && !is_newline(*stop)) ++stop;
  visitor_.text_line({name, static_cast<std::size_t>(rest - name)},
                     {rest, static_cast<std::size_t>(stop - rest)}, line_number_);
}

// To the end of the line, newline included.
void SourceReader::text() {
  while (true) {
    at_ = find_interesting(at_, end_);
    if (at_ >= end_) return;
    switch (*at_) {
      case '\n':
      case '\r':
        at_ += newline_size(at_);
        ++line_number_;
        return;
      case '/':
        if (!comment()) ++at_;
        break;
      case '\\':
        if (!skip_splices()) ++at_;
        break;
      case '"':
        if (!raw_string()) literal('"');
        break;
      default:
        if (in_number()) {
          ++at_;
        } else {
          literal('\'');
        }
    }
  }
}

// At a slash. False when no comment begins here.
bool SourceReader::comment() {
  const char* from = at_;
  const char* second = at_ + 1;
  while (std::size_t size = splice_size(second)) second += size;
  if (second >= end_ || (*second != '*' && *second != '/')) return false;
  for (const char* p = at_; p < second; ++p) line_number_ += *p == '\n';
  bool block = *second == '*';
  at_ = second + 1;
  if (block) {
    block_comment();
  } else {
    line_comment();
  }
  note(SourceRange::Kind::comment, from);
  return true;
}

void SourceReader::block_comment() {
  while (at_ < end_) {
    const char* star = static_cast<const char*>(std::memchr(at_, '*', static_cast<std::size_t>(end_ - at_)));
    if (star == nullptr) star = end_;
    for (const char* p = at_; p < star; ++p) line_number_ += *p == '\n';
    at_ = star;
    if (at_ >= end_) return;
    ++at_;
    const char* close = at_;
    while (std::size_t size = splice_size(close)) close += size;
    if (close < end_ && *close == '/') {
      for (const char* p = at_; p < close; ++p) line_number_ += *p == '\n';
      at_ = close + 1;
      return;
    }
  }
}

// Up to the newline, which stays.
void SourceReader::line_comment() {
  if (mode_.strict_c89 && (in_directive_ || (at_ < end_ && *at_ == '*'))) slashes_in_question_ = true;
  const char* from = at_;
  while (at_ < end_ && !is_newline(*at_)) {
    if (*at_ == '\\' && skip_splices()) continue;
    ++at_;
  }
  if (mode_.strict_c89 &&
      std::string_view(from, static_cast<std::size_t>(at_ - from)).find("/*") != std::string_view::npos) {
    slashes_in_question_ = true;
  }
}

// A string or character constant; one that is not closed ends with its line.
void SourceReader::literal(char quote) {
  ++at_;
  while (at_ < end_) {
    const char c = *at_;
    if (c == quote) {
      ++at_;
      return;
    }
    if (is_newline(c)) return;
    if (c == '\\') {
      if (skip_splices()) continue;
      ++at_;
      // The escaped character may stand behind a splice.
      skip_splices();
      if (at_ >= end_ || is_newline(*at_)) return;
    }
    ++at_;
  }
}

// At a quote. False when no raw string begins here.
bool SourceReader::raw_string() {
  if (!mode_.raw_strings || at_ == begin_ || at_[-1] != 'R') return false;
  const char* word = at_;
  while (word > begin_ && is_name_char(word[-1])) --word;
  std::string_view prefix(word, static_cast<std::size_t>(at_ - word));
  if (prefix != "R" && prefix != "LR" && prefix != "uR" && prefix != "UR" && prefix != "u8R") return false;
  const char* open = at_ + 1;
  while (open < end_ && open - at_ <= 17 && *open != '(' && *open != '"' && *open != '\\' && *open != ')' &&
         !is_blank(*open) && !is_newline(*open)) {
    ++open;
  }
  if (open >= end_ || *open != '(') return false;
  std::string close(1, ')');
  close.append(at_ + 1, open);
  close += '"';
  std::string_view rest(open, static_cast<std::size_t>(end_ - open));
  std::size_t found = rest.find(close);
  const char* stop = found == std::string_view::npos ? end_ : open + found + close.size();
  for (const char* p = at_; p < stop; ++p) line_number_ += *p == '\n';
  saw_raw_string_ = true;
  if (in_directive_) {
    std::string_view whole(at_, static_cast<std::size_t>(stop - at_));
    if (whole.find_first_of("\n\r") != std::string_view::npos) odd_raw_string_ = true;
    line_.append(whole);
  }
  at_ = stop;
  return true;
}

// At an apostrophe: whether it separates digits of a number.
bool SourceReader::in_number() const {
  if (!mode_.digit_separators || at_ == begin_) return false;
  const char* from = in_directive_ ? line_.data() : begin_;
  const char* stop = in_directive_ ? line_.data() + line_.size() : at_;
  const char* word = stop;
  while (word > from &&
         (is_name_char(word[-1]) || word[-1] == '.' || (word[-1] == '\'' && word - 1 > from))) {
    --word;
  }
  // The word may begin with other apostrophes' leftovers; a number begins with a digit.
  while (word < stop && *word == '\'') ++word;
  if (word == stop) return false;
  bool digit = is_digit(*word) || (*word == '.' && word + 1 < stop && is_digit(word[1]));
  return digit && at_ + 1 < end_ && is_name_char(at_[1]);
}

void SourceReader::directive() {
  const char* from = at_;
  const std::uint32_t number = line_number_;
  at_ += *at_ == '#' ? 1 : 2;
  line_.clear();
  in_directive_ = true;
  bool name_known = false;
  bool header_next = false;  // what comes next but blanks and comments is a header's name
  while (at_ < end_ && !is_newline(*at_)) {
    const char c = *at_;
    if (c == '\\' && skip_splices()) continue;
    if (!name_known && !is_name_char(c)) {
      std::size_t begin = line_.find_first_not_of(" \t\f\v");
      name_known = begin != std::string::npos;
      header_next = name_known && takes_header(std::string_view(line_).substr(begin));
    }
    if (c == '/' && comment()) {
      line_ += ' ';
      continue;
    }
    if (header_next && !is_blank(c)) {
      header_next = false;
      if ((c == '<' || c == '"') && directive_literal()) continue;
    }
    if (c == '<' && ends_with_has_include(line_) && directive_literal()) continue;
    if (c == '"' || (c == '\'' && !in_number())) {
      if (c == '"' && raw_string()) continue;
      const char* start = at_;
      literal(c);
      // Splices inside of a literal are rare; they are taken out when the copy is made.
      for (const char* p = start; p < at_; ++p) {
        if (std::size_t size = splice_size(p)) {
          p += size - 1;
        } else {
          line_ += *p;
        }
      }
      continue;
    }
    line_ += c;
    ++at_;
  }
  in_directive_ = false;
  note(SourceRange::Kind::directive, from);
  visitor_.directive(line_, number);
}

// Copies `<...>` or "..." of a header as it stands. False when it is not closed in its line.
bool SourceReader::directive_literal() {
  const char close = *at_ == '<' ? '>' : '"';
  std::size_t size_before = line_.size();
  const char* start = at_;
  std::uint32_t number = line_number_;
  line_ += *at_++;
  while (at_ < end_ && !is_newline(*at_)) {
    if (*at_ == '\\' && skip_splices()) continue;
    line_ += *at_;
    if (*at_++ == close) return true;
  }
  line_.resize(size_before);
  at_ = start;
  line_number_ = number;
  return false;
}

}  // namespace inputs
