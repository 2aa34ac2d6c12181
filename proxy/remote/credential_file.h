// Credentials from small files that people and other programs exchange while the daemon runs: a file with one
// authorization.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/files.h"
#include "base/result.h"
#include "remote/credential_source.h"

namespace remote {

// The text of a file, read again whenever its stamps, its inode or its size differ. Any thread.
class WatchedText {
 public:
  WatchedText(std::string path, base::Files& files) : path_(std::move(path)), files_(files) {}

  struct Version {
    std::string text;
    bool there = false;
    std::uint64_t number = 0;  // another one for each content seen
  };
  // `io` when it cannot be read, `invalid` when it is larger than any credential. An absent file is a value.
  base::Result<Version> get();

  const std::string& path() const { return path_; }

 private:
  const std::string path_;
  base::Files& files_;
  std::mutex mutex_;
  base::FileStat stat_;  // guarded by mutex_
  Version version_;      // guarded by mutex_
};

// The value of an authorization header from the text of a file: "Bearer T", "Basic B", or a token alone; the
// name of the header may stand before it. `invalid` without quoting it.
base::Result<std::string> authorization_of(std::string_view text);

// A file that holds one authorization. An absent or empty file is an error. `files` outlives it.
std::unique_ptr<CredentialSource> make_credential_file(std::string path, base::Files& files);

}  // namespace remote
