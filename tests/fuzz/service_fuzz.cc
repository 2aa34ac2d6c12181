// A status page may answer with anything: one of four states comes of it, and one short line.
#include <cstdlib>
#include <string>

#include "serve/service_feed.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  base::HttpAnswer answer;
  answer.status = size % 8 == 7 ? 503 : 200;
  answer.body.assign(reinterpret_cast<const char*>(data), size);
  serve::ServiceState state = serve::read_service(answer);
  bool known =
      state.state == "up" || state.state == "degraded" || state.state == "down" || state.state == "unknown";
  if (!known || state.text.size() > 200) std::abort();
  return 0;
}
