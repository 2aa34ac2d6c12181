// The part of the key that does not travel: what the compile reads outside the exec root, and the compiler.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "compiler/command.h"
#include "compiler/identity.h"
#include "remote/action.h"

namespace remote {

// Lines of `path NUL digest LF`, sorted, after the silo's. One thread.
class Salt {
 public:
  explicit Salt(const KeySettings& settings) : silo_(settings.silo) {}

  // Makes room for so many lines of usual length.
  void expect(std::size_t lines);

  void add(std::string_view path, const base::Digest& digest);
  // Something that counts by being there (a directory) or by not being there, as the name tells.
  void add_name(std::string_view name);

  // The compiler's parts and absent files, except those that travel. `unsupported` when the command depends
  // on this machine's processor and nobody says how.
  base::Result<void> add_compiler(const compiler::Command& command, const compiler::Compiler& compiler,
                                  const std::function<bool(const std::string&)>& travels);

  // The 32 bytes of Action.salt; empty when there is no line.
  std::string finish();

 private:
  void end_line(std::size_t begin);

  struct Line {
    std::size_t begin;
    std::size_t size;
  };
  std::string silo_;
  std::string text_;  // all lines as they came: a translation unit has hundreds, so no allocation for each
  std::vector<Line> lines_;
};

}  // namespace remote
