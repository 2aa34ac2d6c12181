// One compile from request to reply: the table of contents of the program.
#pragma once

#include <stop_token>

#include "task/request.h"
#include "task/services.h"

namespace task {

// Answers a request of any purpose. Exactly one reply, whatever happens; when nothing else can be done the
// reply is that of the compiler run as typed. Any thread; blocks until the end.
Reply serve(const Services& services, const Request& request, Client& client, const std::stop_token& stop);

}  // namespace task
