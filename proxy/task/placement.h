// Whether a compile can be executed on a worker, and what the worker must hold for it.
#pragma once

#include <string>

#include "remote/confirm.h"
#include "task/prepare.h"
#include "task/remote_side.h"

namespace task {

// Why the prepared compile cannot be executed on a worker ("label: detail"); empty when it can.
std::string bound_here(const Prepared& prepared, const RemoteSide& side);

// What does not travel and must be the same there. Takes it out of the Action, since the lists are long.
remote::OutsideFiles take_needs(remote::Action& action, remote::Toolchain toolchain);

}  // namespace task
