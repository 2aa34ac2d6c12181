// Hides what looks like a secret in text that people see: command lines, reasons, settings.
#pragma once

#include <string>
#include <string_view>

namespace serve {

// True when a variable, macro or setting of this name probably holds a secret ("API_TOKEN", "authorization").
bool names_secret(std::string_view name);

// The command line, words quoted for a shell, with the values of secret names ("-DAPI_TOKEN=x", "--password
// x") and the passwords in URLs replaced by "[hidden]".
std::string redact(std::string_view command);

}  // namespace serve
