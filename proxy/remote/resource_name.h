// The names under which ByteStream knows blobs, and digests as messages hold them. Pure.
#pragma once

#include <string>

#include "base/digest.h"
#include "base/result.h"

namespace build::bazel::remote::execution::v2 {
class Digest;
}

namespace remote {

// "[instance/]blobs/HASH/SIZE", or "[instance/]compressed-blobs/zstd/HASH/SIZE" with the size of the content.
// SHA-256 is not named in it.
std::string read_name(const std::string& instance, const base::Digest& digest, bool zstd);

// "[instance/]uploads/UUID/..." likewise; each upload has a UUID of its own.
std::string write_name(const std::string& instance, const std::string& uuid, const base::Digest& digest,
                       bool zstd);

// A random one, version 4, in lower case.
std::string new_uuid();

void set_digest(const base::Digest& digest, build::bazel::remote::execution::v2::Digest& message);
base::Result<base::Digest> digest_from(const build::bazel::remote::execution::v2::Digest& message);

}  // namespace remote
