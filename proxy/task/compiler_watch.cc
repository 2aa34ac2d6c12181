#include "task/compiler_watch.h"

#include <string>
#include <utility>

namespace task {
namespace {

base::Result<void> look_at_parts(const compiler::Compiler& compiler, inputs::FileIndex& index,
                                 inputs::Trail& trail) {
  for (const compiler::Part& part : compiler.parts) {
    inputs::Found found = index.find(part.path, trail);
    if (found.type != base::FileType::regular) return base::unsupported("compiler_changed: " + part.path);
    base::Result<base::Digest> digest = index.digest(found.node);
    if (!digest) return digest.error();
    if (*digest != part.digest) return base::unsupported("compiler_changed: " + part.path);
  }
  return {};
}

}  // namespace

base::Result<void> watch_stamps(const std::vector<compiler::Stamp>& stamps, inputs::FileIndex& index,
                                inputs::Trail& trail, std::vector<compiler::Stamp>& untold) {
  for (const compiler::Stamp& stamp : stamps) {
    inputs::Found found = index.find(stamp.path, trail);
    // Of a directory the index knows too little to compare, and what was unreadable could be anything.
    bool told = !found.broken && found.node != inputs::kNoNode && found.type != base::FileType::directory;
    if (!told) {
      untold.push_back(stamp);
    } else if (!(index.stat(found.node) == stamp.stat)) {
      return base::unsupported("compiler_changed: " + stamp.path);
    }
  }
  return {};
}

std::shared_ptr<const CompilerWatch::Watched> CompilerWatch::valid_one(const compiler::Compiler& compiler,
                                                                       inputs::FileIndex& index) {
  std::shared_ptr<const Watched> known;
  {
    std::lock_guard lock(mutex_);
    if (auto found = watched_.find(&compiler); found != watched_.end()) known = found->second;
  }
  if (!known) return nullptr;
  // Outside of the lock, on a copy: where changes are not told, each node needs a look at the file system.
  inputs::Snapshot snapshot = known->snapshot;
  return index.valid(snapshot) ? known : nullptr;
}

bool CompilerWatch::unchanged(const compiler::Compiler& compiler, inputs::FileIndex& index) {
  std::shared_ptr<const Watched> known = valid_one(compiler, index);
  return known && known->untold.empty();
}

base::Result<void> CompilerWatch::watch(const std::shared_ptr<const compiler::Compiler>& compiler,
                                        inputs::FileIndex& index, std::uint64_t since, inputs::Trail& trail,
                                        std::vector<compiler::Stamp>& untold) {
  std::shared_ptr<const Watched> known = valid_one(*compiler, index);
  if (!known) {
    auto made = std::make_shared<Watched>();
    made->compiler = compiler;
    base::Result<void> looked = look_at_parts(*compiler, index, made->trail);
    if (looked) looked = watch_stamps(compiler->beside, index, made->trail, made->untold);
    if (!looked) return looked;
    made->snapshot = index.snapshot(made->trail, since);
    known = std::move(made);
    std::lock_guard lock(mutex_);
    if (watched_.size() >= kMost) watched_.clear();
    watched_.insert_or_assign(compiler.get(), known);
  }
  trail.insert(trail.end(), known->trail.begin(), known->trail.end());
  untold.insert(untold.end(), known->untold.begin(), known->untold.end());
  return {};
}

}  // namespace task
