#include "remote/resource_name.h"

#include <sys/random.h>

#include <array>
#include <cstdint>
#include <cstdlib>

namespace remote {
namespace {

std::string blob_name(const base::Digest& digest, bool zstd) {
  return (zstd ? "compressed-blobs/zstd/" : "blobs/") + digest.hex() + "/" + std::to_string(digest.size);
}

std::string prefix(const std::string& instance) { return instance.empty() ? "" : instance + "/"; }

}  // namespace

std::string read_name(const std::string& instance, const base::Digest& digest, bool zstd) {
  return prefix(instance) + blob_name(digest, zstd);
}

std::string write_name(const std::string& instance, const std::string& uuid, const base::Digest& digest,
                       bool zstd) {
  return prefix(instance) + "uploads/" + uuid + "/" + blob_name(digest, zstd);
}

std::string new_uuid() {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::array<std::uint8_t, 16> bytes;
  // So few bytes come whole and at once; two uploads of the same name would spoil each other.
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) std::abort();
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
  std::string uuid;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) uuid += '-';
    uuid += kDigits[bytes[i] >> 4];
    uuid += kDigits[bytes[i] & 15];
  }
  return uuid;
}

}  // namespace remote
