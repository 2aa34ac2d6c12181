#include "inputs/mounts.h"

#include <doctest/doctest.h>

TEST_CASE("local file systems tell of every change, network and overlay ones do not") {
  CHECK(inputs::kind_is_reliable(0xef53));       // ext4
  CHECK(inputs::kind_is_reliable(0x01021994));   // tmpfs
  CHECK(inputs::kind_is_reliable(0x9123683e));   // btrfs
  CHECK(!inputs::kind_is_reliable(0x6969));      // NFS
  CHECK(!inputs::kind_is_reliable(0x65735546));  // FUSE, virtiofs
  CHECK(!inputs::kind_is_reliable(0x01021997));  // 9p
  CHECK(!inputs::kind_is_reliable(0x794c7630));  // overlay
  CHECK(!inputs::kind_is_reliable(0xff534d42));  // CIFS
  CHECK(!inputs::kind_is_reliable(0x4d44));      // FAT, where names ignore case
  CHECK(!inputs::kind_is_reliable(0x12345678));  // unknown
}

TEST_CASE("signed types of 32 bits are the same types") {
  CHECK(inputs::kind_is_reliable(0xffffffff9123683eULL));
}

TEST_CASE("the answer is remembered by device until forgotten") {
  inputs::Mounts mounts;
  CHECK(!mounts.reliable("/no/such/directory", 7));
#ifdef __linux__
  CHECK(!mounts.reliable("/proc", 8));
  const bool here = mounts.reliable("/", 9);
  CHECK(mounts.reliable("/proc", 9) == here);  // the device is known, so the path is not looked at
  CHECK(!mounts.reliable("/", 8));
  mounts.forget();
  CHECK(!mounts.reliable("/proc", 9));
#endif
}
