// Content that means nothing, the same in every run.
#pragma once

#include <cstddef>
#include <random>
#include <string>

#include "base/digest.h"

namespace fake {

// Bytes that no compressor makes smaller.
inline std::string noise(std::size_t size, unsigned seed = 7) {
  std::mt19937 random(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

// The digests of as many blobs as a test wants.
inline base::Digest numbered_digest(int number) { return base::digest_of("blob " + std::to_string(number)); }

}  // namespace fake
