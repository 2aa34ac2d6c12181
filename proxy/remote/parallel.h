// The same done for several things at a time, on the caller's thread and on idle ones of a pool.
#pragma once

#include <cstddef>
#include <functional>

#include "base/thread.h"

namespace remote {

// Calls `body` once for each index below `count`, at most `width` at a time, and returns when all are done. A
// pool that is busy delays nothing: the caller does what nobody else has begun. `body` may run on any thread.
void for_each(base::ThreadPool& pool, std::size_t count, std::size_t width,
              const std::function<void(std::size_t)>& body);

}  // namespace remote
