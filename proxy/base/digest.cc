#include "base/digest.h"

#include <openssl/evp.h>

#include <cstdlib>

namespace base {
namespace {

// Fetching the algorithm by name costs more than hashing a small file, so it is fetched once.
const EVP_MD* sha256() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return algorithm;
}

// OpenSSL fails here only when memory is exhausted or the library is broken; a wrong digest would be worse
// than an end.
void require(int status) {
  if (status != 1) std::abort();
}

int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::string Digest::hex() const {
  std::string text;
  append_hex(text);
  return text;
}

void Digest::append_hex(std::string& text) const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::array<char, 64> digits;
  std::size_t at = 0;
  for (std::uint8_t byte : hash) {
    digits[at++] = kDigits[byte >> 4];
    digits[at++] = kDigits[byte & 15];
  }
  text.append(digits.data(), digits.size());
}

Digest digest_of(std::string_view bytes) {
  Digest digest;
  digest.size = static_cast<std::int64_t>(bytes.size());
  require(EVP_Digest(bytes.data(), bytes.size(), digest.hash.data(), nullptr, sha256(), nullptr));
  return digest;
}

Result<Digest> parse_digest(std::string_view hex, std::int64_t size) {
  if (hex.size() != 64 || size < 0) return invalid("not a digest: " + std::string(hex.substr(0, 80)));
  Digest digest;
  digest.size = size;
  for (std::size_t i = 0; i < 32; ++i) {
    int high = nibble(hex[2 * i]);
    int low = nibble(hex[2 * i + 1]);
    if (high < 0 || low < 0) return invalid("not a digest: " + std::string(hex));
    digest.hash[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return digest;
}

Hasher::Hasher() : context_(EVP_MD_CTX_new()) {
  require(EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_), sha256(), nullptr));
}

Hasher::~Hasher() { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_)); }

void Hasher::update(std::string_view bytes) {
  require(EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), bytes.data(), bytes.size()));
  size_ += static_cast<std::int64_t>(bytes.size());
}

Digest Hasher::finish() {
  Digest digest;
  digest.size = size_;
  require(EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_), digest.hash.data(), nullptr));
  return digest;
}

}  // namespace base
