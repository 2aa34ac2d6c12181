// Bytes that no compressor makes smaller, the same in every run.
#pragma once

#include <cstddef>
#include <random>
#include <string>

namespace fake {

inline std::string noise(std::size_t size, unsigned seed = 7) {
  std::mt19937 random(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

}  // namespace fake
