// What credential helpers print, and how long a token is good for. Pure: bytes from outside are judged here.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "remote/credential_source.h"

namespace remote {

// The answer of a helper of either protocol, told apart by its shape:
//   {"token": "T", "expiry": "Mon Jan _2 15:04:05 MST 2006", "headers": {"k": "v"}}
//   {"headers": {"Authorization": ["Bearer T"]}, "expires": "2006-01-02T15:04:05Z"}
// `invalid` when it is no such answer or has nothing to send; the message quotes nothing of it.
base::Result<Grant> parse_helper_answer(std::string_view text);

// Seconds since the epoch of a time in either form; 0 when it cannot be read or its zone is not known.
std::int64_t parse_expiry(std::string_view text);

// The time at which a JSON web token expires ("Bearer " may stand before it); 0 for anything else.
std::int64_t token_expiry(std::string_view token);

// True for a value that may go into a header: not empty, one line, no control characters, at most 16 KiB.
bool is_header_value(std::string_view value);
// True for a header's name in lower case.
bool is_header_name(std::string_view name);

}  // namespace remote
