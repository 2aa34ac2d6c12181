// What a preprocessor is given and prints when it is asked about itself. Text only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/dialect.h"

namespace compiler {

// Source text that tells which of the names that -dM hides are defined.
std::string hidden_names_source();

// The output of `-E -dD` for that source.
struct ProbedText {
  std::string predefined;                  // "#define NAME BODY" lines
  std::vector<std::string> builtin_names;  // hidden names that are defined
  bool saw_stdc_predef = false;
  bool complete = false;  // the source's end was reached
};
ProbedText read_probe(std::string_view output);

// What -v prints about the search path.
struct ProbedPath {
  std::vector<BuiltinDir> directories;
  std::vector<std::string> nonexistent;    // looked for and not there
  std::vector<std::string> installations;  // folders whose content decides: clang looks for gcc in them
  bool complete = false;
};
ProbedPath read_search_path(std::string_view messages);

// Whether a question stays within its line: one that does not would swallow those after it.
bool is_well_formed(std::string_view question);

// Source text that asks `questions`, all well formed, and the answers in the output of -E, kNoAnswer where
// there is none.
std::string questions_source(const std::vector<Question>& questions);
std::vector<std::int64_t> read_answers(std::string_view output, std::size_t count);

}  // namespace compiler
