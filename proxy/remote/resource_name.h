// The names under which ByteStream knows blobs.
#pragma once

#include <string>

#include "base/digest.h"

namespace remote {

// "[instance/]blobs/HASH/SIZE", or "[instance/]compressed-blobs/zstd/HASH/SIZE" with the size of the content.
// SHA-256 is not named in it.
std::string read_name(const std::string& instance, const base::Digest& digest, bool zstd);

// "[instance/]uploads/UUID/..." likewise; each upload has a UUID of its own.
std::string write_name(const std::string& instance, const std::string& uuid, const base::Digest& digest,
                       bool zstd);

// A random one, version 4, in lower case.
std::string new_uuid();

}  // namespace remote
