// SHA-256 digests, written as the Remote Execution API writes them: lower-case hex and the size in bytes.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace base {

// A value: the SHA-256 of some bytes, and how many bytes these are.
struct Digest {
  std::array<std::uint8_t, 32> hash{};
  std::int64_t size = 0;

  auto operator<=>(const Digest&) const = default;

  // 64 lower-case hex digits.
  std::string hex() const;
  // The same, at the end of `text`.
  void append_hex(std::string& text) const;
};

// The digest of `bytes`. Any thread.
Digest digest_of(std::string_view bytes);

// Reads what Digest::hex() wrote; `invalid` for anything else (upper case included).
Result<Digest> parse_digest(std::string_view hex, std::int64_t size);

// A digest made piece by piece. One thread at a time.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  void update(std::string_view bytes);
  // Ends the digest. Requires: called once.
  Digest finish();

 private:
  void* context_;
  std::int64_t size_ = 0;
};

}  // namespace base

template <>
struct std::hash<base::Digest> {
  std::size_t operator()(const base::Digest& digest) const noexcept {
    std::size_t first;
    std::memcpy(&first, digest.hash.data(), sizeof first);
    return first;
  }
};
