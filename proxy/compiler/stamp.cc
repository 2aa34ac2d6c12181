#include "compiler/stamp.h"

#include <cerrno>

#include "base/path.h"

namespace compiler {

base::Result<Stamp> stamp_of(base::Files& files, const std::string& path) {
  base::Result<base::FileStat> stat = files.stat(path);
  if (!stat) return stat.error();
  return Stamp{path, *stat};
}

bool still_valid(base::Files& files, const std::vector<Stamp>& stamps) {
  for (const Stamp& stamp : stamps) {
    base::Result<base::FileStat> now = files.stat(stamp.path);
    if (!now || !(*now == stamp.stat)) return false;
  }
  return true;
}

base::Result<std::string> real_path(base::Files& files, const std::string& path) {
  constexpr int kMaxLinks = 40;  // as the kernel
  std::string real;
  std::string rest = path;
  int links = 0;
  while (!rest.empty()) {
    std::size_t slash = rest.find('/');
    std::string name = rest.substr(0, slash);
    rest = slash == std::string::npos ? "" : rest.substr(slash + 1);
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      std::size_t last = real.rfind('/');
      real.resize(last == std::string::npos ? 0 : last);
      continue;
    }
    std::string next = real + "/" + name;
    base::Result<base::FileStat> stat = files.lstat(next);
    if (!stat) return stat.error();
    if (stat->type != base::FileType::symlink) {
      real = std::move(next);
      continue;
    }
    if (++links > kMaxLinks) return base::io_error("resolve " + path, ELOOP);
    base::Result<std::string> target = files.read_link(next);
    if (!target) return target.error();
    if (base::is_absolute(*target)) real.clear();
    rest = rest.empty() ? *target : *target + "/" + rest;
  }
  return real.empty() ? std::string("/") : real;
}

}  // namespace compiler
