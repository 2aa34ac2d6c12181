// Response files: `@file` stands for the words in that file. Both compiler families quote alike: blanks
// separate, '...' and "..." hold blanks, a backslash takes the next character as it is, everywhere. A `@file`
// inside a file is expanded too, relative to the working directory; one that cannot be read stays a word.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/result.h"

namespace compiler {

struct ExpandedWords {
  std::vector<std::string> words;
  std::vector<std::string> files;  // the response files read, as typed, in the order of their first use
};

// The words in the text of a response file.
std::vector<std::string> split_response(std::string_view text);

// `unsupported` with label `response_file` when a file exists but cannot be used: not regular, with a
// byte-order mark or a NUL byte, or files that name each other without end. Any thread.
base::Result<ExpandedWords> expand_response_files(const std::vector<std::string>& words,
                                                  const std::string& directory, base::Files& files);

}  // namespace compiler
