// The one cache key: the digest of a canonical Remote Execution API Action. Local results, the HTTP cache and
// a cluster all answer to it.
//
// Two forms. The absolute form is exact and never shared between folders: input root "/", arguments as typed.
// The portable form spells every path below the exec root R through U = /proc/self/cwd/.. (one `..` per level
// from the working directory up to R), so that any checkout in any folder can share it. Messages and depfiles
// of a portable result are stored with U in place of R.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "compiler/command.h"
#include "compiler/identity.h"
#include "inputs/file_index.h"
#include "inputs/scanner.h"

namespace remote {

// What the configuration adds to every key.
struct KeySettings {
  std::string exec_root;  // empty: found by markers
  std::string silo;       // first line of the salt, when set
  std::vector<std::pair<std::string, std::string>>
      platform;                // sorted; empty: OSFamily and ISA of this machine
  bool absolute_only = false;  // use the absolute form even where the portable one is allowed
  // Compiler, libraries and headers are part of the input root, under their absolute paths: for workers whose
  // root it is. Always the absolute form.
  bool chroot = false;
  bool list_outside = false;  // Action::outside and its like are wanted
};

// The exec root of one command, and how it is spelled.
struct Roots {
  std::string root;   // R: physical, no trailing slash; empty when there is none
  std::string alias;  // U
};

// R and U for a command: the configured root, else the nearest folder above the working directory and the
// source that holds .goma.json, .gn, .git, .hg or .jj, else their nearest common folder. Empty where none is
// allowed ("/", one that holds /usr, the compiler's own folder).
Roots find_roots(const compiler::Command& command, const KeySettings& settings, inputs::FileIndex& index,
                 inputs::Trail& trail);

struct Blob {
  base::Digest digest;
  std::string bytes;
};

// A file that is part of the key.
struct KeyFile {
  base::Digest digest;
  std::string path;  // where it lies on this machine
};

struct Action {
  base::Digest digest;  // the key
  bool portable = false;
  std::string absolute_because;  // why the absolute form was used, in words; empty when portable
  bool shared = false;           // portable, and free of R: a result must not hold R
  Roots roots;
  std::string salt;    // Action.salt, which is the same in both forms
  std::string action;  // the serialised messages
  std::string command;
  std::vector<Blob> directories;  // children before parents; the root last
  std::vector<KeyFile> files;     // in the input root; no digest twice

  // What must be the same where the Action runs, because it does not travel; only with list_outside.
  std::vector<KeyFile> outside;
  std::vector<KeyFile> outside_parts;       // of the compiler
  std::vector<std::string> outside_absent;  // names that must lead nowhere; some may come twice
  // Why it can run on no other machine ("label: detail"); empty when it can.
  std::string bound;
};

// Pure but for what the index remembers (digests of the inputs). An error only when an input cannot be read.
// `salt`: that of the other form, where it was made before; it is not made again then, nor is what lies
// outside listed.
base::Result<Action> make_action(const compiler::Command& command, const compiler::Compiler& compiler,
                                 const inputs::Closure& closure, const std::vector<std::string>& key_env,
                                 const KeySettings& settings, inputs::FileIndex& index,
                                 const std::string& salt = {});

// How the Action names an output that the command opens as `path` (typed or derived): relative to the working
// directory, as in output_paths and in an Outcome.
std::string action_path(const compiler::Command& command, const Action& action, std::string_view path);

// The private depfile of the Action, as in output_paths; empty when it has none.
std::string private_depfile(const compiler::Command& command, const Action& action);

// `text` (messages or a depfile) with R spelled U, and back. Only whole path prefixes are replaced.
std::string to_alias(std::string_view text, const Roots& roots);
std::string from_alias(std::string_view text, const Roots& roots);

}  // namespace remote
