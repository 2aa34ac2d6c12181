#include "inputs/token.h"

#include <cstring>

namespace inputs {
namespace {

// Longest first: the first that fits is the token.
constexpr std::string_view kPunctuators[] = {
    "%:%:", "<<=", ">>=", "...", "->*", "<=>", "##", "<<", ">>", "<=", ">=",
    "==",   "!=",  "&&",  "||",  "->",  "++",  "--", "+=", "-=", "*=", "/=",
    "%=",   "&=",  "|=",  "^=",  "::",  ".*",  "<:", ":>", "<%", "%>", "%:",
};

struct Spelling {
  std::string_view text;
  Op op;
};
constexpr Spelling kOperators[] = {
    {"(", Op::open},        {")", Op::close},        {"?", Op::query},       {":", Op::colon},
    {",", Op::comma},       {"||", Op::or_or},       {"&&", Op::and_and},    {"|", Op::bit_or},
    {"^", Op::bit_xor},     {"&", Op::bit_and},      {"==", Op::equal},      {"!=", Op::not_equal},
    {"<", Op::less},        {">", Op::greater},      {"<=", Op::less_equal}, {">=", Op::greater_equal},
    {"<<", Op::shift_left}, {">>", Op::shift_right}, {"+", Op::plus},        {"-", Op::minus},
    {"*", Op::times},       {"/", Op::divide},       {"%", Op::modulo},      {"!", Op::logical_not},
    {"~", Op::complement},
};

Op operator_of(std::string_view text) {
  for (const Spelling& spelling : kOperators) {
    if (spelling.text == text) return spelling.op;
  }
  return Op::none;
}

bool is_literal_prefix(std::string_view text) {
  return text == "L" || text == "u" || text == "U" || text == "u8";
}

bool is_raw_prefix(std::string_view text) {
  return !text.empty() && text.back() == 'R' &&
         (text.size() == 1 || is_literal_prefix(text.substr(0, text.size() - 1)));
}

// One pass over one line.
class Tokenizer {
 public:
  Tokenizer(std::string_view line, const LexMode& mode, Identifiers& names, std::vector<Token>& out)
      : line_(line), mode_(mode), names_(names), out_(out) {}

  void run() {
    while (true) {
      std::size_t begin = at_;
      while (at_ < line_.size() && (is_blank(line_[at_]) || line_[at_] == '\n' || line_[at_] == '\r')) ++at_;
      if (at_ >= line_.size()) return;
      space_ = at_ > begin || begin == 0;
      one();
    }
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < line_.size() ? line_[at_ + ahead] : '\n'; }

  void one() {
    const std::size_t begin = at_;
    const char c = line_[at_];
    if (is_name_start(c)) return name(begin);
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number(begin);
    if (c == '"' || c == '\'') return literal(begin, c);
    if (c == '<' && after_has_include()) {
      std::size_t size = header_name_length(line_.substr(at_));
      if (size > 0) {
        at_ += size;
        return add(TokenKind::header, begin);
      }
    }
    for (std::string_view punctuator : kPunctuators) {
      if (line_.substr(at_, punctuator.size()) != punctuator) continue;
      if (!mode_.digraphs && (punctuator[0] == '%' || punctuator[0] == '<' || punctuator[0] == ':') &&
          (punctuator == "%:%:" || punctuator == "%:" || punctuator == "<:" || punctuator == ":>" ||
           punctuator == "<%" || punctuator == "%>")) {
        continue;
      }
      at_ += punctuator.size();
      add(TokenKind::punctuator, begin);
      if (punctuator == "%:") out_.back().text = "#";
      if (punctuator == "%:%:") out_.back().text = "##";
      return;
    }
    ++at_;
    add(std::strchr("@`\\", c) != nullptr ? TokenKind::other : TokenKind::punctuator, begin);
  }

  void name(std::size_t begin) {
    while (is_name_char(peek())) ++at_;
    std::string_view text = line_.substr(begin, at_ - begin);
    if (mode_.raw_strings && peek() == '"' && is_raw_prefix(text)) {
      if (raw_string(begin)) return;
    }
    if ((peek() == '"' || peek() == '\'') && is_literal_prefix(text)) return literal(begin, peek());
    add(TokenKind::identifier, begin);
    out_.back().id = names_.intern(text);
    out_.back().text = names_.name(out_.back().id);
  }

  void number(std::size_t begin) {
    ++at_;
    while (true) {
      char c = peek();
      char before = line_[at_ - 1];
      if ((c == '+' || c == '-') && std::strchr("eEpP", before) != nullptr) {
        ++at_;
      } else if (is_name_char(c) || c == '.') {
        ++at_;
      } else if (c == '\'' && mode_.digit_separators && is_name_char(peek(1))) {
        at_ += 2;
      } else {
        break;
      }
    }
    add(TokenKind::number, begin);
  }

  // A string or character constant; one that does not end takes the rest of the line.
  void literal(std::size_t begin, char quote) {
    ++at_;
    while (at_ < line_.size() && line_[at_] != quote) at_ += line_[at_] == '\\' ? 2 : 1;
    bool ended = at_ < line_.size();
    at_ = ended ? at_ + 1 : line_.size();
    TokenKind kind = quote == '"' ? TokenKind::string : TokenKind::character;
    add(ended ? kind : TokenKind::other, begin);
  }

  bool raw_string(std::size_t begin) {
    std::size_t open = line_.find('(', at_);
    if (open == std::string_view::npos || open - at_ > 17) return false;
    std::string close(1, ')');
    close += line_.substr(at_ + 1, open - at_ - 1);
    close += '"';
    std::size_t end = line_.find(close, open);
    if (end == std::string_view::npos) return false;
    at_ = end + close.size();
    add(TokenKind::string, begin);
    return true;
  }

  bool after_has_include() const {
    if (out_.size() < 2 || !out_.back().is(Op::open)) return false;
    Id id = out_[out_.size() - 2].id;
    return id == kNameHasInclude || id == kNameHasIncludeNext || id == kNameHasEmbed;
  }

  void add(TokenKind kind, std::size_t begin) {
    Token token;
    token.kind = kind;
    token.flags = space_ ? (kSpaceBefore | kSpaceInText) : 0;
    token.text = line_.substr(begin, at_ - begin);
    if (kind == TokenKind::punctuator) token.op = operator_of(token.text);
    out_.push_back(token);
  }

  std::string_view line_;
  const LexMode& mode_;
  Identifiers& names_;
  std::vector<Token>& out_;
  std::size_t at_ = 0;
  bool space_ = false;
};

}  // namespace

std::string_view Arena::keep(std::string_view text) {
  if (text.empty()) return "";  // there may be no block yet to copy nothing into
  if (text.size() > left_) {
    std::size_t size = text.size() > kBlock ? text.size() : kBlock;
    blocks_.push_back(std::make_unique<char[]>(size));
    next_ = blocks_.back().get();
    left_ = size;
  }
  char* place = next_;
  std::memcpy(place, text.data(), text.size());
  next_ += text.size();
  left_ -= text.size();
  return {place, text.size()};
}

void Arena::clear() {
  blocks_.clear();
  next_ = nullptr;
  left_ = 0;
}

void tokenize(std::string_view line, const LexMode& mode, Identifiers& names, std::vector<Token>& out) {
  Tokenizer(line, mode, names, out).run();
}

std::size_t header_name_length(std::string_view text) {
  if (text.empty() || (text[0] != '<' && text[0] != '"')) return 0;
  const char close = text[0] == '<' ? '>' : '"';
  std::size_t end = text.find(close, 1);
  return end == std::string_view::npos ? 0 : end + 1;
}

bool ends_with_has_include(std::string_view before) {
  auto trim = [&] {
    while (!before.empty() && is_blank(before.back())) before.remove_suffix(1);
  };
  trim();
  if (before.empty() || before.back() != '(') return false;
  before.remove_suffix(1);
  trim();
  return before.ends_with("__has_include") || before.ends_with("__has_include_next") ||
         before.ends_with("__has_embed");
}

}  // namespace inputs
