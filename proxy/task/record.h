// What is remembered of one task for the page, the statistics and the log: a value without behaviour.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace task {

// `remote` is the wait for a cluster or a cache endpoint; of it, `queue` passed before a worker was free and
// `worker` on the worker.
enum class Phase : std::uint8_t {
  accept,
  slot_wait,
  compiler,
  scan,
  digest,
  lookup,
  execute,
  store,
  write,
  remote,
  queue,
  worker,
};
inline constexpr std::size_t kPhases = 12;
const char* to_string(Phase phase);

// One word each, the same in JSON, log and page.
enum class Result : std::uint8_t {
  running,
  local_hit,    // answered from the embedded cache
  remote_hit,   // answered from a cache endpoint
  remote_exec,  // ran on the cluster
  local_exec,   // compiled here and (unless `reason` says otherwise) kept
  passthrough,  // not cacheable: ran here uncached, `reason` says why
  failed,       // the compiler reported an error
  cancelled,    // gomacc went away
};
const char* to_string(Result result);

struct Record {
  std::uint64_t id = 0;  // counts from 1 in this daemon
  Result result = Result::running;
  int exit_code = 0;
  int pid = 0;                // gomacc's
  std::int64_t start_ms = 0;  // since the epoch
  std::array<std::uint64_t, kPhases> phase_us{};
  std::uint64_t total_us = 0;
  std::uint64_t compile_us = 0;  // processor time of the compile; on a hit, of the one it spares
  std::uint32_t inputs = 0;
  std::string source;
  std::string output;
  std::string directory;
  std::string command;  // the command line, words quoted for a shell
  std::string reason;   // "label: detail", why not cached or not kept; empty otherwise
  std::string action;   // hex digest of the Action, if there is one
};

}  // namespace task
