// What helpers, netrc, token files, logins and settings may hold: whatever it is, what is made of it may go
// into a header, and a complaint shows no long run of the input.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "remote/credential_answer.h"
#include "remote/credential_file.h"
#include "remote/credential_login.h"
#include "remote/credentials_chain.h"
#include "remote/netrc.h"
#include "remote/secrets.h"

namespace {

void demand(bool condition) {
  if (!condition) std::abort();
}

void check_headers(const remote::Headers& headers) {
  for (const auto& [name, value] : headers) {
    demand(remote::is_header_name(name));
    demand(remote::is_header_value(value));
    demand(value.find('\n') == std::string::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  base::Result<remote::Grant> grant = remote::parse_helper_answer(text);
  if (grant) {
    check_headers(grant->headers);
    demand(!grant->headers.empty() && grant->expires_s >= 0);
  }
  base::Result<remote::Headers> list = remote::parse_header_list(text);
  if (list) check_headers(*list);
  base::Result<std::string> value = remote::authorization_of(text);
  if (value) demand(remote::is_header_value(*value));
  base::Result<remote::LoginFile> login = remote::parse_login(text);
  if (login && !login->token.empty()) demand(remote::is_header_value(login->token));
  demand(remote::parse_expiry(text) <= 253'402'387'200);  // the year 9999 and a day
  demand(remote::token_expiry(text) >= 0);
  remote::find_login(text, "a");
  remote::words_of(text);
  std::string safe = remote::without_secrets(text, 100);
  demand(safe.size() <= 100);
  demand(std::none_of(safe.begin(), safe.end(), [](char c) { return c == '\n' || c == '\x1b'; }));
  return 0;
}
