// The compiler's own list of files against ours. A file that we did not foresee would be missing from the
// key.
#pragma once

#include <string_view>

#include "base/result.h"
#include "task/prepare.h"
#include "task/task.h"

namespace task {

// How much of the list must agree: a compile here sees the files that we saw, so it is enough that it read
// none that we do not know; elsewhere another file may have been found in place of one, so the lists must be
// equal.
enum class Agreement { known, equal };

// `text` is a depfile, with the root spelled as in `prepared`'s Action when `aliased`. `unsupported` with the
// label `depfile_unreadable`, `input_not_foreseen` or `input_not_read`; the latter two are counted.
base::Result<void> check_depfile(Task& task, const Prepared& prepared, std::string_view text, bool aliased,
                                 Agreement agreement);

}  // namespace task
