// Walks over the bytes of a source file once, knowing just enough of the language to tell comments, strings
// and directives apart. This file knows nothing of what directives mean.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "inputs/token.h"

namespace inputs {

// Where in the file something is that is not plain text.
struct SourceRange {
  enum class Kind : std::uint8_t { comment, directive } kind;
  std::size_t begin;
  std::size_t end;
};

// Who is told of what is found.
class SourceVisitor {
 public:
  virtual ~SourceVisitor() = default;
  // A directive: what follows `#`, with comments as one blank and without line splices. The view is good
  // during the call only.
  virtual void directive(std::string_view line, std::uint32_t line_number) = 0;
  // A line of text that begins with this name; `rest` is what follows in the same physical line.
  virtual void text_line(std::string_view name, std::string_view rest, std::uint32_t line_number) = 0;
};

// One pass over one file. Requires: `content` outlives it.
class SourceReader {
 public:
  SourceReader(std::string_view content, const LexMode& mode, SourceVisitor& visitor)
      : begin_(content.data()), at_(begin_), end_(begin_ + content.size()), mode_(mode), visitor_(visitor) {}

  // Also keeps the ranges of comments and directives.
  void keep_ranges() { keep_ranges_ = true; }
  const std::vector<SourceRange>& ranges() const { return ranges_; }

  void run();

  bool slashes_in_question() const { return slashes_in_question_; }
  bool saw_raw_string() const { return saw_raw_string_; }
  // One that spans lines of a directive.
  bool odd_raw_string() const { return odd_raw_string_; }

 private:
  void line_start();
  void text();
  void directive();
  bool directive_literal();
  bool comment();
  void block_comment();
  void line_comment();
  void literal(char quote);
  bool raw_string();
  bool in_number() const;
  // The size of a line splice at `place` (backslash, blanks, newline), 0 if there is none.
  std::size_t splice_size(const char* place) const;
  std::size_t newline_size(const char* place) const;
  bool skip_splices();
  void note(SourceRange::Kind kind, const char* from);

  const char* begin_;
  const char* at_;
  const char* end_;
  const LexMode& mode_;
  SourceVisitor& visitor_;
  std::string line_;  // the directive being gathered
  std::uint32_t line_number_ = 1;
  bool in_directive_ = false;
  bool keep_ranges_ = false;
  bool slashes_in_question_ = false;
  bool saw_raw_string_ = false;
  bool odd_raw_string_ = false;
  std::vector<SourceRange> ranges_;
};

}  // namespace inputs
