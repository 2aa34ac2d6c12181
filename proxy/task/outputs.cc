#include "task/outputs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "base/fd.h"
#include "base/path.h"

namespace task {
namespace {

// A name that begins with a dot and no stem, so that neither make's wildcards nor the net under the table of
// outputs take it for an output.
std::string temporary_name(const std::string& path) {
  static std::atomic<unsigned> counter{0};
  std::string name = ".goma-" + std::to_string(::getpid()) + "-" + std::to_string(counter++) + ".tmp";
  return base::join(base::directory_name(path), name);
}

base::Result<void> write_temporary(const OutputText& file, const std::string& temporary,
                                   std::uint32_t umask) {
  base::Result<base::Fd> fd = base::open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (!fd) return fd.error();
  base::Result<void> written = base::write_all(fd->get(), file.bytes);
  mode_t mode = (file.executable ? 0777u : 0666u) & ~umask;
  if (written && ::fchmod(fd->get(), mode) != 0) written = base::io_error("chmod " + file.path, errno);
  return written;
}

}  // namespace

std::string unwritable(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    struct stat status;
    if (::lstat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) return path;
  }
  return {};
}

base::Result<void> commit(const std::vector<OutputText>& files, std::uint32_t umask) {
  std::vector<std::string> temporaries;
  base::Result<void> done;
  for (const OutputText& file : files) {
    temporaries.push_back(temporary_name(file.path));
    done = write_temporary(file, temporaries.back(), umask);
    if (!done) break;
  }
  for (std::size_t i = 0; done && i < files.size(); ++i) {
    // Renaming over an existing file makes ext4 write the new one out at once, which costs five times the
    // rest; an unlinked name is free.
    ::unlink(files[i].path.c_str());
    if (::rename(temporaries[i].c_str(), files[i].path.c_str()) != 0) {
      done = base::io_error("rename to " + files[i].path, errno);
    }
  }
  if (!done) {
    for (const std::string& temporary : temporaries) ::unlink(temporary.c_str());
  }
  return done;
}

}  // namespace task
