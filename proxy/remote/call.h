// What a call to an endpoint is made for.
#pragma once

#include <string>

namespace remote {

// Sent as RequestMetadata with each call, so that servers can group and schedule fairly.
struct Call {
  std::string build_id;   // one per build
  std::string action_id;  // hex digest of the Action
  std::string target_id;  // the output's path
  std::string mnemonic = "CppCompile";
};

}  // namespace remote
