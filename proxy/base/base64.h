// Base64 as HTTP's Basic scheme and JSON web tokens use it. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace base {

// With padding, in the standard alphabet.
std::string to_base64(std::string_view bytes);

// Takes both alphabets (`+/` and `-_`), with or without padding; `invalid` for anything else.
Result<std::string> from_base64(std::string_view text);

}  // namespace base
