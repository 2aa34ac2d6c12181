// The login that goma_auth.py keeps: a JSON file with a token, or the name of a file with one, or a helper.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/spawn.h"
#include "remote/credential_source.h"

namespace remote {

struct LoginFile {
  std::string token;                // at most one of the three is set
  std::string token_file;           // an absolute path
  std::vector<std::string> helper;  // its first word is an absolute path
  std::int64_t expires_s = 0;       // of `token`; since the epoch, 0 if unknown
};

// `invalid` when it is no such file; the message quotes nothing of it. Pure.
base::Result<LoginFile> parse_login(std::string_view text);

struct LoginOptions {
  std::string path;
  std::vector<std::string> env;  // for a helper
  std::string uri;               // of the endpoint, for a helper
};

// Without the file it has nothing; that is no error. The last three outlive it.
std::unique_ptr<CredentialSource> make_login(LoginOptions options, base::Spawner& spawner, base::Files& files,
                                             base::Clock& clock);

}  // namespace remote
