// Credentials from a helper program, of either of the two protocols that build tools have: one that is run as
// it is configured and prints a token, one that is run with the word `get` and reads the address on standard
// input. Which one it is shows in what it answers to.
//
// What it printed is kept until shortly before it expires; then it is asked again, by one thread while the
// old answer is still served. A helper that fails, or whose answer the other side refuses, is asked again
// only after a pause that grows.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/spawn.h"
#include "remote/credential_source.h"

namespace remote {

struct HelperOptions {
  std::vector<std::string> argv;  // argv[0] is the program's absolute path
  std::vector<std::string> env;   // "NAME=VALUE"
  std::string uri;                // of the endpoint: "https://host/"
};

// `spawner` and `clock` outlive it. Its destructor stops a run that is under way.
std::unique_ptr<CredentialSource> make_credential_helper(HelperOptions options, base::Spawner& spawner,
                                                         base::Clock& clock);

}  // namespace remote
