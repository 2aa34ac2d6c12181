// The text of a make depfile: read, and laid out again byte for byte as the compilers lay it out. Both wrap
// lines by length, each by its own rule, so a path of another length moves the line ends.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "compiler/command.h"

namespace remote {

struct DepfileText {
  std::vector<std::string> targets;       // as they are printed, quoted
  std::vector<std::string> dependencies;  // unquoted, in order
  bool phony = false;                     // -MP: an empty rule for each dependency but the source
  std::size_t main = 0;                   // the source's place in `dependencies`
  bool spaced = false;                    // an empty line before each phony rule, as clang 14 prints them
};

// The dependencies of a depfile's first rule, unquoted, one after another and without copying what is not
// quoted. One thread.
class DependencyReader {
 public:
  // Requires: `text` outlives it.
  explicit DependencyReader(std::string_view text);

  // False when the text does not begin with a rule; then there is no dependency either.
  bool is_rule() const { return is_rule_; }
  // The rule's targets as they are printed, quoted.
  const std::vector<std::string_view>& targets() const { return targets_; }
  // Good until the next call; nothing at the rule's end.
  std::optional<std::string_view> next();
  // What follows the rule's last line; good once there is no next dependency.
  std::string_view rest() const;

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  bool is_rule_ = false;
  std::vector<std::string_view> targets_;
  std::string name_;  // one that was quoted
};

// `invalid` when the text is no depfile of one rule (and its phony ones).
base::Result<DepfileText> parse_depfile(std::string_view text);

// The text as a compiler of this family prints it. Differs from what was parsed only for compilers whose
// layout is not known, and where a -MT of several words stands at the end of a line.
std::string make_depfile(const DepfileText& depfile, compiler::Family family);

}  // namespace remote
