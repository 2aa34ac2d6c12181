// The net under the table of outputs. After a local compile, a new or changed file whose name begins with the
// stem of the command's output or source, and that neither this command nor another one under way is known to
// write, means that the table is incomplete: the result is then not kept.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/files.h"

namespace task {

// What lay beside a command's outputs before it ran.
struct NeighbourList {
  std::vector<std::string> directories;
  std::vector<std::string> stems;  // names that begin with one of these and a '.' or '-' are looked at
  std::map<std::string, base::FileStat> files;  // by absolute path
};

// Any thread.
class Neighbours {
 public:
  explicit Neighbours(base::Files& files) : files_(files) {}

  // Lists the files near the outputs. `paths` are the absolute paths of the command's outputs and source,
  // `directory` its working directory.
  NeighbourList before(const std::string& directory, const std::vector<std::string>& paths);

  // The first file that should not be there; empty if there is none. `expected` are the absolute paths of the
  // command's own outputs.
  std::string unexpected(const NeighbourList& before, const std::vector<std::string>& expected);

  // While it lives, other tasks know that these files are somebody's outputs.
  class Claim {
   public:
    Claim(Neighbours& owner, std::vector<std::string> paths);
    ~Claim();
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;

   private:
    Neighbours& owner_;
    const std::vector<std::string> paths_;
  };

 private:
  bool claimed(const std::string& path) const;
  void list(NeighbourList& into) const;

  base::Files& files_;
  mutable std::mutex mutex_;
  std::multiset<std::string> claims_;  // guarded by mutex_
  // Claims that ended lately: a listing made before the claim ended may be compared after it.
  std::vector<std::string> ended_;  // guarded by mutex_; a ring
  std::size_t next_ended_ = 0;      // guarded by mutex_
};

}  // namespace task
