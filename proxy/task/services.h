// The parts a task works with: built once by main, handed to every task by reference. Each is safe for any
// thread.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/files.h"
#include "base/gate.h"
#include "cache/store.h"
#include "compiler/identity.h"
#include "inputs/file_index.h"
#include "inputs/scanner.h"
#include "remote/action.h"
#include "task/compiler_watch.h"
#include "task/history.h"
#include "task/neighbours.h"
#include "task/remote_side.h"
#include "task/runners.h"
#include "task/unit.h"

namespace task {

// All bounds on what may run at once, each with its reason.
struct Gates {
  base::Gate cpu;    // scanning, hashing, compressing: more than the cores only adds switching
  base::Gate local;  // local compiles: `ninja -j200` with a cold cache must not start 200 compilers
  int local_slots;   // the configured size of `local`, which memory pressure lowers for a time
  Runners runners{};
};

struct Services {
  base::Files& files;
  base::Clock& clock;
  inputs::FileIndex& index;
  compiler::Identifier& identifier;
  inputs::Scanner& scanner;
  cache::Store& store;
  History& history;
  Gates& gates;
  UnitMemo& memo;
  CompilerWatch& compiler_watch;
  Neighbours& neighbours;
  remote::KeySettings key;
  std::string private_folder;    // for private depfiles: in the daemon's own folder
  bool enabled = true;           // false (mode `none`): every compile runs as typed
  RemoteSide* remote = nullptr;  // null (mode `local`): nothing is asked from afar
};

}  // namespace task
