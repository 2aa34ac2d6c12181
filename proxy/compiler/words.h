// The first pass over a command line: each word is looked up in the table of options, and what it means is
// noted.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "compiler/draft.h"

namespace compiler {

// Reads `words`, response files already expanded, into `draft`, whose family is set. `unsupported` as parse()
// says. Any thread.
base::Result<void> read_words(Draft& draft, const std::vector<std::string>& words);

}  // namespace compiler
