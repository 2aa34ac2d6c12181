// ~/.netrc: users and passwords by host, as curl and ftp read them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/files.h"
#include "remote/credential_source.h"

namespace remote {

struct Login {
  std::string user;
  std::string password;
};

// The entry for `host`, else the default one. Macros are skipped, words may be quoted, `#` begins a comment.
// Pure.
std::optional<Login> find_login(std::string_view text, std::string_view host);

// The value of an authorization header.
std::string basic_authorization(std::string_view user_and_password);

// Without a file, or an entry for `host`, it has nothing; that is no error. `files` outlives it.
std::unique_ptr<CredentialSource> make_netrc(std::string path, std::string host, base::Files& files);

}  // namespace remote
