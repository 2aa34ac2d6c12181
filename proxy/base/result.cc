#include "base/result.h"

#include <cerrno>
#include <system_error>

namespace base {

Error io_error(const std::string& what, int errno_value) {
  ErrorKind kind = errno_value == EAGAIN || errno_value == EINTR ? ErrorKind::transient : ErrorKind::io;
  return {kind, what + ": " + std::generic_category().message(errno_value)};
}

}  // namespace base
