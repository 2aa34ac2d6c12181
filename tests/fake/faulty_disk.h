// The real file system with one fault: from a chosen changing call on, the call fails, or its effect is lost
// as in a crash (the file is empty, half there, or full of zeros), and after it every call fails, because the
// process is dead. The test then opens the folder again with the real disk and checks the invariants.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <random>
#include <string>
#include <vector>

#include "cache/disk.h"

namespace fake {

class FaultyDisk : public cache::Disk {
 public:
  enum class Fault {
    fails,          // the call fails once, as a full disk does
    keeps_failing,  // and so do all later ones
    forgets,        // the call seems to work, but what it wrote is torn; then the process dies
  };

  FaultyDisk(Fault fault, unsigned at, unsigned seed) : fault_(fault), at_(at), random_(seed) {}

  unsigned calls() const { return calls_; }

  base::Result<cache::Content> read(const std::string& path) override { return real_.read(path); }
  base::Result<std::string> read_end(const std::string& path, std::size_t count) override {
    return real_.read_end(path, count);
  }
  bool exists(const std::string& path) override { return real_.exists(path); }
  base::Result<std::vector<cache::Listed>> list(const std::string& path) override { return real_.list(path); }

  base::Result<void> create(const std::string& path, std::string_view bytes) override {
    if (fault_now()) return failure("create");
    base::Result<void> done = real_.create(path, bytes);
    if (done && torn_now()) tear(path);
    return done;
  }
  base::Result<base::Fd> create_copy(const std::string& path, int from, base::Hasher& hasher) override {
    if (fault_now()) return failure("copy");
    base::Result<base::Fd> fd = real_.create_copy(path, from, hasher);
    if (fd && torn_now()) tear(path);
    return fd;
  }
  base::Result<void> append(int fd, std::string_view bytes) override {
    if (fault_now()) return failure("append");
    if (torn_now()) bytes = bytes.substr(0, random_() % (bytes.size() + 1));
    return real_.append(fd, bytes);
  }
  base::Result<void> rename(const std::string& from, const std::string& to) override {
    if (fault_now()) return failure("rename");
    if (torn_now()) {
      // The name reached the disk before the bytes did.
      base::Result<void> done = real_.rename(from, to);
      tear(to);
      return done;
    }
    return real_.rename(from, to);
  }
  base::Result<void> remove(const std::string& path) override {
    if (fault_now()) return failure("remove");
    if (torn_now()) return {};
    return real_.remove(path);
  }
  base::Result<void> remove_directory(const std::string& path) override {
    if (fault_now()) return failure("remove_directory");
    if (torn_now()) return {};
    return real_.remove_directory(path);
  }
  base::Result<void> make_directory(const std::string& path) override {
    if (fault_now()) return failure("make_directory");
    if (torn_now()) return {};
    return real_.make_directory(path);
  }
  base::Result<void> touch(const std::string& path, std::int64_t mtime_ns) override {
    if (fault_now()) return failure("touch");
    return real_.touch(path, mtime_ns);
  }

 private:
  bool fault_now() {
    ++calls_;
    if (dead_) return true;
    if (fault_ == Fault::forgets) return false;
    return fault_ == Fault::fails ? calls_ == at_ : calls_ >= at_;
  }
  bool torn_now() {
    if (fault_ != Fault::forgets || calls_ != at_) return false;
    dead_ = true;
    return true;
  }
  static base::Error failure(const char* what) { return base::io_error(what, 28); }

  void tear(const std::string& path) {
    struct stat status;
    if (::stat(path.c_str(), &status) != 0) return;
    (void)::chmod(path.c_str(), 0600);
    off_t keep = static_cast<off_t>(random_() % static_cast<unsigned>(status.st_size + 1));
    if (::truncate(path.c_str(), keep) != 0) return;
    if (random_() % 2 == 0) (void)!::truncate(path.c_str(), status.st_size);  // zeros to the old size
  }

  cache::Disk& real_ = cache::real_disk();
  Fault fault_;
  unsigned at_;
  std::mt19937 random_;
  unsigned calls_ = 0;
  bool dead_ = false;
};

}  // namespace fake
