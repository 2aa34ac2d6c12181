// Which compiler this is: every file that takes part in a compile, by content. Found by asking the driver
// (a few short runs), kept in memory and on disk, checked before each use.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/files.h"
#include "base/result.h"
#include "base/spawn.h"
#include "compiler/command.h"
#include "compiler/stamp.h"

namespace compiler {

// A file the compiler consists of: driver, cc1plus, as, every shared library and loader these load.
struct Part {
  std::string path;  // absolute, as found by the loader or the driver
  base::Digest digest;
};

struct Compiler {
  std::string driver;  // the driver's real path
  Family family;
  std::string version;              // the first line of --version
  std::string target;               // "x86_64-linux-gnu"
  std::vector<Part> parts;          // sorted by path
  std::vector<std::string> absent;  // configuration files that were looked for and are not there; sorted
  // What else the choice of these parts rests on: places looked at in vain, the loader's tables.
  std::vector<Stamp> beside;
  base::Digest fingerprint;  // over all of the above
  // What -march=native and its like mean on this machine: the driver's own expansion of them. Set only for
  // commands that use them; such a command without it has no key.
  std::string native;
};

// Any thread. Concurrent questions about one compiler run its probes once.
class Identifier {
 public:
  // Whether somebody who watches them knows that the parts and all that lies beside them are as they were.
  using Unchanged = std::function<bool(const Compiler&)>;

  // `state_directory` holds what is kept between runs; empty keeps nothing on disk.
  Identifier(base::Files& files, base::Spawner& spawner, const std::string& state_directory);
  ~Identifier();

  // The compiler that `command` would run with `env`: the request's own, unfiltered, because gcc finds its
  // assembler by PATH. Only PATH, COMPILER_PATH and GCC_EXEC_PREFIX are looked at. `unsupported` with label
  // `wrapper` when it is not itself the gcc or clang driver (a script, ccache, distcc, icecc), `config_file`
  // when it reads a configuration file, `compiler` when a part of it is missing. A compiler that is known and
  // not `unchanged` is checked by a stat of everything.
  base::Result<std::shared_ptr<const Compiler>> identify(const Command& command,
                                                         const std::vector<std::string>& env,
                                                         const std::stop_token& stop,
                                                         const Unchanged& unchanged = nullptr);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace compiler
