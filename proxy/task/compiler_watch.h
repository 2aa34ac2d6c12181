// The compilers' files in the trails of units, so that a replaced library makes every unit of its compiler
// invalid.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "base/result.h"
#include "compiler/identity.h"
#include "inputs/file_index.h"

namespace task {

// Any thread.
class CompilerWatch {
 public:
  // Adds the compiler's files, and the names that it looked for in vain, to `trail`. Their digests were taken
  // by identify(); they are compared here, once per version, with what the trail records, which closes the
  // gap between that moment and the version in the trail. `unsupported` with label `compiler_changed` when
  // one differs. `since` is the epoch of the index before the first look of the task.
  base::Result<void> watch(const std::shared_ptr<const compiler::Compiler>& compiler,
                           inputs::FileIndex& index, std::uint64_t since, inputs::Trail& trail);

 private:
  // What was found for one compiler, good as long as nothing of it changed: some sixty paths need not be
  // walked for every unit.
  struct Watched {
    std::shared_ptr<const compiler::Compiler> compiler;  // kept, so that its address means it alone
    inputs::Trail trail;
    inputs::Snapshot snapshot;
  };
  // A machine has a few compilers; one that is rebuilt all the time would leave an entry each time.
  static constexpr std::size_t kMost = 64;

  std::mutex mutex_;
  std::unordered_map<const compiler::Compiler*, std::shared_ptr<const Watched>>
      watched_;  // guarded by mutex_
};

}  // namespace task
