// Every file that a compile writes, from the options that were seen: names as the compilers derive them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "compiler/command.h"

namespace compiler {

enum class Place : std::uint8_t { none, working_directory, beside_output };

// What the options ask for beside the object.
struct OutputOptions {
  std::optional<std::string> output;       // -o
  std::vector<std::string_view> suffixes;  // ".su", ".ci": files named after the output
  std::vector<Output> named;               // files whose path the option gives
  bool debug = false;                      // -g, not undone
  bool split_dwarf = false;                // a .dwo of its own
  bool coverage = false;                   // .gcno
  bool time_trace = false;
  bool optimization_record = false;
  bool lto = false;  // code is generated when linking
  bool emit_llvm = false;
  Place temporaries = Place::none;  // -save-temps
  Place statistics = Place::none;   // -save-stats
};

// The main output's path: -o, else derived from the source. Empty for -fsyntax-only.
std::string main_output(const Command& command, const OutputOptions& options);

// All outputs but the depfile, sorted by path. `unsupported` with label `outputs` for combinations whose
// names are not known. Any thread.
base::Result<std::vector<Output>> derive_outputs(const Command& command, const OutputOptions& options);

}  // namespace compiler
