// The compilers' files in the trails of units, so that a replaced library makes every unit of its compiler
// invalid, and so that nobody needs a stat of each of them to know that a compiler is the same.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "compiler/identity.h"
#include "compiler/stamp.h"
#include "inputs/file_index.h"

namespace task {

// Adds what the stamps name to `trail`. `unsupported` with label `compiler_changed` when one is no longer as
// stamped; those of which the index cannot tell are appended to `untold`.
base::Result<void> watch_stamps(const std::vector<compiler::Stamp>& stamps, inputs::FileIndex& index,
                                inputs::Trail& trail, std::vector<compiler::Stamp>& untold);

// Any thread.
class CompilerWatch {
 public:
  // Adds the compiler's files, and all that lies beside them, to `trail`. Their digests were taken by
  // identify(); they are compared here, once per version, with what the trail records, which closes the gap
  // between that moment and the version in the trail. `unsupported` with label `compiler_changed` when one
  // differs. `since` is the epoch of the index before the first look of the task. Appends to `untold` as
  // watch_stamps() does.
  base::Result<void> watch(const std::shared_ptr<const compiler::Compiler>& compiler,
                           inputs::FileIndex& index, std::uint64_t since, inputs::Trail& trail,
                           std::vector<compiler::Stamp>& untold);

  // Whether it was watched, the index can tell of everything, and nothing has changed since.
  bool unchanged(const compiler::Compiler& compiler, inputs::FileIndex& index);

 private:
  // What was found for one compiler, good as long as nothing of it changed: some sixty paths need not be
  // walked for every unit.
  struct Watched {
    std::shared_ptr<const compiler::Compiler> compiler;  // kept, so that its address means it alone
    inputs::Trail trail;
    inputs::Snapshot snapshot;
    std::vector<compiler::Stamp> untold;
  };
  // Null when there is none, or something of it has changed.
  std::shared_ptr<const Watched> valid_one(const compiler::Compiler& compiler, inputs::FileIndex& index);

  // A machine has a few compilers; one that is rebuilt all the time would leave an entry each time.
  static constexpr std::size_t kMost = 64;

  std::mutex mutex_;
  std::unordered_map<const compiler::Compiler*, std::shared_ptr<const Watched>>
      watched_;  // guarded by mutex_
};

}  // namespace task
