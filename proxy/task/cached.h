// Answering a task with a result that is known already: from the embedded cache, or from afar.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "cache/outcome.h"
#include "task/outputs.h"
#include "task/task.h"
#include "task/unit.h"

namespace task {

// The whole reply, outputs written; nothing on a miss. An entry with a hole is a miss.
std::optional<Reply> answer_from_cache(Task& task, const Unit& unit);

// The same with an outcome at hand, whose blobs `read` gives. An error when it lacks something or cannot be
// written; then nothing was.
using ReadBlob = std::function<base::Result<std::string>(const base::Digest&)>;
base::Result<Reply> answer_with(Task& task, const Unit& unit, const cache::Outcome& outcome,
                                const ReadBlob& read);

// The user's -MMD depfile out of the private one: the same rule without the system headers.
base::Result<std::string> user_depfile(const Unit& unit, std::string_view private_depfile);

// The absolute path of an output that is spelled relative to the request's working directory.
std::string absolute_path(const Request& request, const std::string& path);

}  // namespace task
