#include "serve/token.h"

#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/fd.h"

namespace serve {

base::Result<std::string> make_token(const std::string& path) {
  std::array<unsigned char, 16> random{};
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
    return base::io_error("getrandom", errno);
  }
  std::string token;
  for (unsigned char byte : random) {
    static constexpr char kDigits[] = "0123456789abcdef";
    token += kDigits[byte >> 4];
    token += kDigits[byte & 15];
  }
  base::Result<void> written = write_token(path, token);
  if (!written) return written.error();
  return token;
}

base::Result<void> write_token(const std::string& path, const std::string& token) {
  return base::write_file_atomic(path, token + "\n", 0600);
}

}  // namespace serve
