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
  std::shared_ptr<const Watched> known;
  {
    std::lock_guard lock(mutex_);
    if (auto found = watched_.find(compiler.get()); found != watched_.end()) known = found->second;
  }
  // Outside of the lock, on a copy: where changes are not told, each node needs a look at the file system.
  if (known) {
    inputs::Snapshot snapshot = known->snapshot;
    if (!index.valid(snapshot)) known = nullptr;
  }
  if (!known) {
    auto made = std::make_shared<Watched>();
    made->compiler = compiler;
    base::Result<void> looked = look(*compiler, index, made->trail);
    if (!looked) return looked;
    made->snapshot = index.snapshot(made->trail, since);
    known = std::move(made);
    std::lock_guard lock(mutex_);
    if (watched_.size() >= kMost) watched_.clear();
    watched_.insert_or_assign(compiler.get(), known);
  }
  trail.insert(trail.end(), known->trail.begin(), known->trail.end());
  return {};
}

}  // namespace task
