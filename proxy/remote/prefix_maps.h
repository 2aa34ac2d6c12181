// The user's own -f{debug,macro,file,...}-prefix-map options: what they make of R, and how they read when R
// is spelled U. Pure.
//
// To both compilers a map is a plain prefix of bytes, not of path components. gcc and newer clangs try the
// last one given first; clang 14 tries them in the order of a hash table, so there no two may fit one path.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compiler/command.h"
#include "remote/action.h"

namespace remote {

struct PrefixMap {
  bool debug = false;  // changes debug information
  bool macro = false;  // changes __FILE__
  std::string old_prefix;
  std::string new_prefix;
};

class PrefixMaps {
 public:
  PrefixMaps(const compiler::Command& command, const Roots& roots);

  // The word of the map `arg` with R spelled U in its OLD; the same word when R is nothing to it.
  std::string rewritten(const compiler::Arg& arg) const;

  // True when maps of that kind cover all of R.
  bool debug_covers() const { return debug_covers_ > 0; }
  bool macro_covers() const { return macro_covers_ > 0; }

  // The OLDs that rewritten() changes, as typed.
  std::vector<std::string> changed_olds() const;

  // `directory` as the debug maps leave it.
  std::string mapped(std::string directory) const;

  // Why the maps rule out the portable form, in words; empty when they do not. `unordered` where the compiler
  // gives no order to maps; `adds_map` when one from U to R will stand beside them.
  std::string absolute_because(const std::string& directory, bool unordered, bool adds_map) const;

 private:
  bool covers(const PrefixMap& map) const;
  bool lies_below(const PrefixMap& map) const;

  const Roots& roots_;
  std::vector<PrefixMap> maps_;
  int debug_covers_ = 0;
  int macro_covers_ = 0;
};

}  // namespace remote
