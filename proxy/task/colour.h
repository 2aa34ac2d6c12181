// Colour in messages. The compiler is always asked for colour, the coloured text is kept, and it is stripped
// on the way to a user who would not have seen colour: one cache entry serves terminals and pipes.
#pragma once

#include <string>
#include <vector>

#include "compiler/command.h"
#include "task/request.h"
#include "task/unit.h"

namespace task {

// What the command line says about colour; the last word counts. `untouched` for commands whose messages are
// not text or that record their own flags: these run as typed.
Colour colour_of(const compiler::Command& command);

// The streams to strip (wire::kStrip*) for the user behind the request.
std::uint8_t strip_for(Colour colour, compiler::Family family, const Request& request);

// The flag that makes the compiler colour its messages.
const char* colour_flag(compiler::Family family);

}  // namespace task
