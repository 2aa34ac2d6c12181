// What the value of a setting may look like, and how it is shown: pure checks of text. Error messages never
// repeat a value that may hold a secret.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

struct SettingInfo;

using SettingPairs = std::vector<std::pair<std::string, std::string>>;

// The value as it is kept: sizes in bytes, "~/" as it came. `invalid` with the name of the setting, what is
// wrong and, where that helps, what would be right. The empty text is valid for every type.
base::Result<std::string> checked_value(const SettingInfo& info, const std::string& value);

// "a=1,b=2" as pairs sorted by name, a name given twice keeping its order. A backslash before a comma or a
// backslash makes it part of the value. `invalid` for a part without `=` or name.
base::Result<SettingPairs> parse_pairs(std::string_view text);

// The reverse.
std::string print_pairs(const SettingPairs& pairs);

// The value as people may see it: without user and password in addresses, without the values of headers,
// and without the arguments of a helper program.
std::string shown_value(const SettingInfo& info, const std::string& value);
