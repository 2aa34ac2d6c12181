// What the user asks of gomacc, read off its command line alone.
#pragma once

#include <string_view>
#include <vector>

namespace gomacc {

enum class Wish { compile, explain, print_inputs, port, tmp_dir, version, help, usage };

struct Invocation {
  Wish wish = Wish::usage;
  // The compiler as it was named, its arguments, and a null. Empty for the wishes that need no compiler.
  std::vector<const char*> words;
};

Invocation read_invocation(int argc, char** argv);

// Whether the command may be one that the daemon can answer: a compile, and none that writes to standard
// output what it is asked for. The daemon judges the rest.
bool may_be_compile(const std::vector<const char*>& words);

// Whether the command says itself that it compiles, without a response file that might say so.
bool says_compile(const std::vector<const char*>& words);

}  // namespace gomacc
