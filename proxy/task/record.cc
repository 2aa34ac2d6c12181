#include "task/record.h"

namespace task {

const char* to_string(Phase phase) {
  switch (phase) {
    case Phase::accept:
      return "accept";
    case Phase::slot_wait:
      return "slot_wait";
    case Phase::compiler:
      return "compiler";
    case Phase::scan:
      return "scan";
    case Phase::digest:
      return "digest";
    case Phase::lookup:
      return "lookup";
    case Phase::execute:
      return "execute";
    case Phase::store:
      return "store";
    case Phase::write:
      return "write";
    case Phase::remote:
      return "remote";
    case Phase::queue:
      return "queue";
    case Phase::worker:
      return "worker";
  }
  return "unknown";
}

const char* to_string(Result result) {
  switch (result) {
    case Result::running:
      return "running";
    case Result::local_hit:
      return "local_hit";
    case Result::remote_hit:
      return "remote_hit";
    case Result::remote_exec:
      return "remote_exec";
    case Result::local_exec:
      return "local_exec";
    case Result::passthrough:
      return "passthrough";
    case Result::failed:
      return "failed";
    case Result::cancelled:
      return "cancelled";
  }
  return "unknown";
}

}  // namespace task
