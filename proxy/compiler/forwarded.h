// Options that the driver hands on: -Wp, and -Xpreprocessor to the preprocessor, -Wa, and -Xassembler to the
// assembler, -Xclang to clang's own compiler, -mllvm to LLVM. What is not understood is refused.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "compiler/draft.h"

namespace compiler {

// The words between the commas of "-Wp,A,B".
std::vector<std::string> split_commas(std::string_view list);

// -D, -U, directories, forced includes and depfile options for the preprocessor.
base::Result<void> apply_preprocessor_words(Draft& draft);

// What clang's -cc1 gets.
base::Result<void> apply_clang_words(Draft& draft);

// `words` of one -Wa, or -Xassembler option.
base::Result<void> apply_assembler_words(Draft& draft, const std::vector<std::string>& words);

// One -mllvm value.
base::Result<void> apply_llvm_word(Draft& draft, std::string_view word);

// True when a word could name a file, or hold a list of values.
bool has_value_characters(std::string_view word);

}  // namespace compiler
