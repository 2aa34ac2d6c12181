#include "task/compiler_watch.h"

#include <string>
#include <utility>

namespace task {
namespace {

base::Result<void> look(const compiler::Compiler& compiler, inputs::FileIndex& index, inputs::Trail& trail) {
  for (const compiler::Part& part : compiler.parts) {
    inputs::Found found = index.find(part.path, trail);
    if (found.type != base::FileType::regular) return base::unsupported("compiler_changed: " + part.path);
    base::Result<base::Digest> digest = index.digest(found.node);
    if (!digest) return digest.error();
    if (*digest != part.digest) return base::unsupported("compiler_changed: " + part.path);
  }
  for (const std::string& path : compiler.absent) {
    if (index.find(path, trail).type != base::FileType::absent) {
      return base::unsupported("compiler_changed: " + path);
    }
  }
  return {};
}

}  // namespace

base::Result<void> CompilerWatch::watch(const std::shared_ptr<const compiler::Compiler>& compiler,
                                        inputs::FileIndex& index, std::uint64_t since, inputs::Trail& trail) {
  {
    std::lock_guard lock(mutex_);
    auto found = watched_.find(compiler.get());
    if (found != watched_.end() && index.valid(found->second.snapshot)) {
      trail.insert(trail.end(), found->second.trail.begin(), found->second.trail.end());
      return {};
    }
  }
  Watched watched{compiler, {}, {}};
  base::Result<void> looked = look(*compiler, index, watched.trail);
  if (!looked) return looked;
  watched.snapshot = index.snapshot(watched.trail, since);
  trail.insert(trail.end(), watched.trail.begin(), watched.trail.end());
  std::lock_guard lock(mutex_);
  if (watched_.size() >= kMost) watched_.clear();
  watched_.insert_or_assign(compiler.get(), std::move(watched));
  return {};
}

}  // namespace task
