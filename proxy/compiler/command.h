// What a command line means: the immutable value that everything after parsing works from. Pure data; made
// by parse() in compiler/parse.h, which looks at nothing but the arguments, the working directory, the
// filtered environment and the response files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace compiler {

enum class Family : std::uint8_t { gcc, clang };

// What the compiler takes the source for, from -x or the extension.
enum class Language : std::uint8_t {
  c,
  cxx,
  objc,
  objcxx,
  assembler_cpp,  // .S, .sx: assembler that is preprocessed
  assembler,      // .s: not preprocessed
  c_preprocessed,
  cxx_preprocessed,
  objc_preprocessed,
  objcxx_preprocessed,
};

// The name that -x takes: "c++", "assembler-with-cpp", "cpp-output".
const char* x_name(Language language);
bool is_cxx(Language language);           // cxx, objcxx and their preprocessed forms
bool is_preprocessed(Language language);  // no macro, no include left to find (.s included)

enum class Mode : std::uint8_t { object, assembly, syntax_only };  // -c, -S, -fsyntax-only

// What an argument is to the key. `value_at` of Arg tells where in the text the value begins.
enum class ArgRole : std::uint8_t {
  plain,       // taken as it is
  path,        // text.substr(value_at) is a path as typed (source, -I, -include, list=FILE, ...)
  output,      // the same, of an output
  prefix_map,  // text.substr(value_at) is OLD=NEW of -f{debug,macro,file,...}-prefix-map
  colour,      // only colours messages: dropped from the key, asked for when run
  depfile,     // -M*, also as -Wp,: kept, or replaced by a private depfile
};

// One word of the command line, response files expanded. "-o x.o" is two words: the first is plain, the
// second has role output and value_at 0.
struct Arg {
  std::string text;
  ArgRole role = ArgRole::plain;
  std::uint16_t value_at = 0;

  bool operator==(const Arg&) const = default;
};

// -D and -U in the order typed. `text` is what follows the flag.
struct MacroFlag {
  bool undefine;
  std::string text;
};

// -include and -imacros in the order typed. The compilers handle all imacros first.
struct ForcedInclude {
  std::string name;
  bool macros_only;
};

// One directory of the search path as typed; the order within a kind is the order typed.
struct SearchDir {
  enum class Kind : std::uint8_t { quote, angle, system, after, framework } kind;
  std::string path;  // as the compiler would print it: a sysroot put before "=..." is applied
};

struct Depfile {
  enum class Kind : std::uint8_t { none, all, user_headers } kind = Kind::none;  // -MD, -MMD
  std::string path;                  // the user's file, as typed or derived from the output's name
  std::vector<std::string> targets;  // what stands before the colon, quoted as it is printed
  bool phony = false;                // -MP
};

// A file that the compiler writes. `required` ones are missing only when the compile failed.
struct Output {
  std::string path;  // as the compiler opens it: relative to the working directory, or absolute
  bool required;
  std::string kind;  // "object", "assembly", "depfile", "dwo", "gcno", "su", ... : a word for people
};

// A file that a flag names and that is read whole; a response file, too.
struct SideInput {
  std::string path;      // as typed
  bool required = true;  // else it is read where it is there
  bool operator==(const SideInput&) const = default;
};

// Facts that decide which form of the Action a command may use (see remote/action.h).
struct Traits {
  bool debug_info = false;            // an output can hold the working directory: -g*, -Wa,-g*
  bool records_command_line = false;  // the output holds the arguments: run verbatim, absolute form
  bool portable = true;               // every option is known to give the same bytes in any folder
  std::string not_portable_because;   // the option, when not
  bool native_cpu = false;            // -march=native and friends: the driver's own expansion is in the key
  bool wants_system_headers = false;  // the user's depfile has no private twin to compare with
};

struct Command {
  std::string compiler;   // absolute path of the program, its last symlink not resolved
  std::string directory;  // physical working directory
  Family family = Family::gcc;
  Language language = Language::c;
  Mode mode = Mode::object;
  std::string source;     // as typed
  std::vector<Arg> args;  // argv[1..]
  std::vector<MacroFlag> macros;
  std::vector<ForcedInclude> forced;
  std::vector<SearchDir> search;
  Depfile depfile;
  std::vector<Output> outputs;  // sorted by path; the first required one is not special
  std::vector<SideInput> side_inputs;
  std::vector<std::string> dialect_args;  // those that may change predefined macros or built-in directories
  Traits traits;
};

}  // namespace compiler
