// Which build a compile belongs to, as servers are told so that they can group and schedule fairly.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"

namespace remote {

// Any thread.
class BuildIds {
 public:
  // `files` (read at /proc) outlives it.
  explicit BuildIds(base::Files& files);

  // What the build tool says in the environment of the compile, else a name made of the process of the
  // nearest ninja, make or their like above `pid`, else one of this daemon. `pid` is gomacc's. make within
  // make is one build. The made ones look like UUIDs.
  std::string of(const std::vector<std::string>& env, int pid) const;

 private:
  base::Files& files_;
  std::string boot_;  // tells the same process number after a restart of the machine apart
  std::string own_;   // for compiles without a build tool
};

}  // namespace remote
