// Which files a compile will read, found without running the compiler: our own preprocessor with true macro
// evaluation over per-file lists of directives that all tasks share. It answers exactly or refuses.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "compiler/command.h"
#include "compiler/dialect.h"
#include "compiler/identity.h"
#include "inputs/file_index.h"

namespace inputs {

// One file that the compile reads.
struct Input {
  NodeId node;
  std::string spelled;      // as the compiler names it in its depfile, before escaping
  bool system = false;      // a system header by the compiler's rules: not in a -MMD depfile
  bool in_depfile = false;  // the compiler's -MD names it; false for probed files, lists, .incbin, PCH, ...
  bool by_system_dir = false;  // found through -isystem or -idirafter (not a built-in directory)
};

// What the sources do that decides whether and in which form a result may be kept.
struct SourceFacts {
  bool time_macro = false;  // __DATE__, __TIME__ or __TIMESTAMP__ is really expanded
  // Includes, .incbin and embeds spelled by an absolute path, or through __FILE__ or a -D value.
  std::vector<std::string> absolute_includes;
  // Absolute file names given by #line or linemarkers.
  std::vector<std::string> absolute_lines;
};

struct Closure {
  // In order of first use; the source first. A file that the compiler meets under two names is there twice.
  std::vector<Input> inputs;
  std::vector<NodeId> links;        // symbolic links walked, in no order
  std::vector<NodeId> directories;  // that must exist: stepped through by `..`, named by search flags
  SourceFacts facts;
  std::vector<compiler::Stamp> stamps;  // what the search path rests on beside the trail
  Trail trail;                          // everything the answer depends on, absent files included
};

// Any thread; scans of one FileIndex share its lists.
class Scanner {
 public:
  Scanner(FileIndex& index, compiler::Dialects& dialects);
  ~Scanner();

  // `unsupported` with a stable label when the files cannot be told for sure ("missing_include: x.h",
  // "modules", "incbin", ...). Call index.refresh() first. Requires: no Pass of a gate other than `cpu` held.
  base::Result<Closure> scan(const compiler::Command& command, const compiler::Compiler& compiler,
                             const std::vector<std::string>& env, const std::stop_token& stop);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace inputs
