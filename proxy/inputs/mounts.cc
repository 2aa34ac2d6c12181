#include "inputs/mounts.h"

#ifdef __linux__
#include <sys/vfs.h>
#endif

namespace inputs {

bool kind_is_reliable(std::uint64_t f_type) {
  switch (static_cast<std::uint32_t>(f_type)) {
    case 0x0000ef53:  // ext2, ext3, ext4
    case 0x58465342:  // xfs
    case 0x9123683e:  // btrfs
    case 0x01021994:  // tmpfs
    case 0x858458f6:  // ramfs
    case 0xf2f52010:  // f2fs
    case 0x2fc12fc1:  // zfs
    case 0xca451a4e:  // bcachefs
    case 0x00003434:  // nilfs2
    case 0x3153464a:  // jfs
    case 0x52654973:  // reiserfs
    case 0x73717368:  // squashfs
    case 0xe0f5e1e2:  // erofs
      return true;
    default:
      return false;
  }
}

bool Mounts::reliable(const std::string& directory, std::uint64_t dev) {
  std::uint64_t generation;
  {
    std::lock_guard lock(mutex_);
    if (auto found = by_device_.find(dev); found != by_device_.end()) return found->second;
    generation = generation_;
  }
  bool answer = false;
#ifdef __linux__
  struct statfs raw;
  if (::statfs(directory.c_str(), &raw) != 0) return false;
  answer = kind_is_reliable(static_cast<std::uint64_t>(raw.f_type));
#else
  (void)directory;
#endif
  std::lock_guard lock(mutex_);
  if (generation == generation_) by_device_[dev] = answer;
  return answer;
}

void Mounts::forget() {
  std::lock_guard lock(mutex_);
  by_device_.clear();
  ++generation_;
}

}  // namespace inputs
