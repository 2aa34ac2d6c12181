// Answers that compile nothing: which files a command reads, and what would be done with it.
#pragma once

#include <string>
#include <vector>

#include "task/task.h"

namespace task {

// The files, one physical path a line, sorted; or exit code 3 and the reason.
Reply print_inputs(Task& task, const base::Result<std::vector<std::string>>& key_env);

// The decision in words: cacheable or not and why, the key and what it is made of, which tier would answer.
Reply explain(Task& task, const base::Result<std::vector<std::string>>& key_env);

}  // namespace task
