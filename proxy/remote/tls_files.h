// The PEM files of a TLS connection, read and checked here, because the library says no more of a bad one
// than that the connection failed. Keys never reach a message.
#pragma once

#include <array>
#include <string>

#include "base/files.h"
#include "base/result.h"

namespace remote {

struct TlsFiles;

// The texts of the files; empty for those that are not configured.
struct TlsTexts {
  std::string ca;
  std::string certificate;
  std::string key;
};

// Tells one version of the files from another.
using TlsStamp = std::array<base::FileStat, 3>;
TlsStamp stamp_of(const TlsFiles& files, base::Files& disk);

// `io` or `invalid`, naming the file and what is wrong with it: unreadable, no PEM, a key that does not
// belong to the certificate, one without the other.
base::Result<TlsTexts> read_tls(const TlsFiles& files, base::Files& disk);

}  // namespace remote
