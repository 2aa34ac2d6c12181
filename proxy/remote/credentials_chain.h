// The Credentials of an endpoint from everything that is configured: fixed headers, and one authorization
// from the first place that has one: the URL's user, a file, a helper, the login of goma_auth.py, netrc.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/result.h"
#include "base/spawn.h"
#include "remote/credentials.h"

namespace remote {

struct CredentialOptions {
  std::string host;     // of the endpoint: for netrc, helpers and messages
  bool secure = false;  // TLS, loopback or a unix socket; else nothing is ever sent
  std::string authorization_file{};
  std::string headers{};     // "name=value, name=value"
  std::string user{};        // "user:password" of the URL
  std::string helper{};      // a command; its first word is a path, or is looked for in PATH of `env`
  std::string login_path{};  // goma_auth.py's file
  std::string netrc_path{};
  std::vector<std::string> env{};  // for helpers
};

// Never fails: what cannot be used is the `problem` of its state. The last three outlive it.
std::unique_ptr<Credentials> make_credentials(const CredentialOptions& options, base::Spawner& spawner,
                                              base::Files& files, base::Clock& clock);

// "name=value, name=value": a comma inside a value is part of it unless a name and `=` follow. `invalid` with
// the name, never with the value.
base::Result<Headers> parse_header_list(std::string_view text);

// The words of a command, in quotes or with `\` as in a shell; no variables, no patterns.
std::vector<std::string> words_of(std::string_view command);

}  // namespace remote
