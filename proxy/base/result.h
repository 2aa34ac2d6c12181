// Errors are values. A function that can fail returns a Result<T>: the value, or an Error whose kind tells
// the caller what it may do next. Nothing of ours throws.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace base {

enum class ErrorKind {
  transient,    // may work if tried again
  unsupported,  // cannot be cached or sent away; run it here
  rejected,     // refused by the other side; do not try again
  invalid,      // bad bytes from outside (user, socket, network, disk)
  io,           // the operating system refused
  cancelled,    // a stop was requested
};

// The word for the kind, as logs and JSON print it.
constexpr const char* to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::transient:
      return "transient";
    case ErrorKind::unsupported:
      return "unsupported";
    case ErrorKind::rejected:
      return "rejected";
    case ErrorKind::invalid:
      return "invalid";
    case ErrorKind::io:
      return "io";
    case ErrorKind::cancelled:
      return "cancelled";
  }
  return "unknown";
}

// The message is for people. An `unsupported` message begins with a stable label of [a-z_] that names the
// reason ("unknown_flag: -foo=bar"); statistics count by that label.
struct Error {
  ErrorKind kind;
  std::string message;

  // The stable label: what stands before the first colon.
  std::string label() const { return message.substr(0, message.find(':')); }
};

// An Error built from errno. `what` names the operation and its object ("open /x").
Error io_error(const std::string& what, int errno_value);

inline Error unsupported(std::string message) { return {ErrorKind::unsupported, std::move(message)}; }
inline Error invalid(std::string message) { return {ErrorKind::invalid, std::move(message)}; }
inline Error cancelled() { return {ErrorKind::cancelled, "cancelled"}; }

// `E` is Error but for modules whose callers must know more of what went wrong.
template <class T, class E = Error>
class [[nodiscard]] Result {
 public:
  // Implicit, so that a function returns a value or an error as it stands.
  Result(T value) : state_(std::move(value)) {}
  Result(E error) : state_(std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // Requires: ok().
  T& value() & {
    assert(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    assert(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    assert(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // Requires: !ok().
  const E& error() const {
    assert(!ok());
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, E> state_;
};

template <class E>
class [[nodiscard]] Result<void, E> {
 public:
  Result() = default;
  Result(E error) : error_(std::move(error)) {}

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const E& error() const {
    assert(!ok());
    return *error_;
  }

 private:
  std::optional<E> error_;
};

}  // namespace base
