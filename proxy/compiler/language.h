// Which language a source is in: from -x or from its extension.
#pragma once

#include <string_view>

#include "base/result.h"
#include "compiler/command.h"

namespace compiler {

// The language that -x names. `unsupported` with label `pch_creation` for headers, `unsupported_language` for
// languages that are not C's family.
base::Result<Language> language_of_x(std::string_view name);

// The language of a file by its name's extension, for a driver of this family; a C++ driver takes C for C++.
// Errors as above.
base::Result<Language> language_of_source(std::string_view source, Family family, bool cxx_driver);

}  // namespace compiler
