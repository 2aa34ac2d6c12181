// Which file systems tell of every change by notices.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace inputs {

// Whether a file system of this kind (statfs f_type) notices every change and compares names byte by byte.
// Network, FUSE and overlay file systems change behind the kernel's back; where names ignore case, a notice
// may spell the name otherwise than the look-up did. Unknown kinds are not trusted.
bool kind_is_reliable(std::uint64_t f_type);

// Remembers the answer by device. Any thread; no lock is held during the system call.
class Mounts {
 public:
  bool reliable(const std::string& directory, std::uint64_t dev);
  // Device numbers are reused: call when the mount table has changed.
  void forget();

 private:
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, bool> by_device_;  // guarded by mutex_
  std::uint64_t generation_ = 0;                       // guarded by mutex_
};

}  // namespace inputs
