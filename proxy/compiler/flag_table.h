// The one table of compiler options, gcc's and clang's: how each is spelled, where its value stands, and what
// it means to us. An option that has no row is unknown: parse() refuses it when it could name a file, else
// keeps it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "compiler/command.h"

namespace compiler {

// Where an option's value stands.
enum class Attach : std::uint8_t {
  none,      // the whole word is the option
  joined,    // -fname=VALUE, -WVALUE: the rest of the word
  separate,  // -o VALUE: the next word
  either,    // -IDIR or -I DIR
};

// What an option does, as far as we have to know. Everything else is `nothing`: it is in the key as typed.
enum class Does : std::uint8_t {
  nothing,
  refuse,  // run locally, not cached; `detail` is the label
  compile,
  assembly,
  syntax_only,
  output,
  language,
  define,
  undefine,
  include,
  imacros,
  quote_dir,
  angle_dir,
  system_dir,
  after_dir,
  framework_dir,
  sysroot,                // --sysroot
  header_sysroot,         // -isysroot
  dep_all,                // -MD
  dep_user,               // -MMD
  dep_file,               // -MF
  dep_target,             // -MT
  dep_quoted_target,      // -MQ
  dep_phony,              // -MP
  prefix_map,             // the value is OLD=NEW
  path,                   // the value is a path that is not read: -L
  side_input,             // the value is a file that is read whole
  extra_output,           // the value is a file that is written; `detail` is its kind
  aux_output,             // writes a file named after the output; `detail` is its suffix
  coverage,               // --coverage, -ftest-coverage: .gcno
  split_dwarf,            // -gsplit-dwarf[=...]
  debug,                  // -g...
  time_trace,             // clang's -ftime-trace[=PATH]
  optimization_record,    // -fsave-optimization-record
  save_temps,             // -save-temps[=cwd|obj]
  save_stats,             // clang's -save-stats[=cwd|obj]
  lto,                    // -flto[=...]
  emit_llvm,              // clang's -emit-llvm
  records_command,        // the object holds the arguments
  cpu,                    // the value may be `native`
  target,                 // clang's; some have rules of their own for finding files
  exec_charset,           // a character set, perhaps with words for iconv
  verbose_assembly,       // -fverbose-asm
  for_preprocessor_list,  // -Wp,A,B
  for_preprocessor,       // -Xpreprocessor A
  for_assembler_list,     // -Wa,A,B
  for_assembler,          // -Xassembler A
  for_clang,              // -Xclang A
  for_llvm,               // -mllvm A
};

// Facts of a row that several rows share.
inline constexpr std::uint8_t kGcc = 1;       // gcc has it
inline constexpr std::uint8_t kClang = 2;     // clang has it
inline constexpr std::uint8_t kPortable = 4;  // the same bytes in any folder
inline constexpr std::uint8_t kDialect =
    8;  // may change predefined macros, built-in directories, __has_* answers
inline constexpr std::uint8_t kSelects = 16;    // may choose other tools or another target
inline constexpr std::uint8_t kNegatable = 32;  // -fno-X, -mno-X too; then it does `nothing`

struct Flag {
  std::string_view name;
  Attach attach = Attach::none;
  Does does = Does::nothing;
  std::uint8_t bits = 0;
  std::string_view detail = "";

  bool has(std::uint8_t bit) const { return (bits & bit) != 0; }
};

struct Match {
  const Flag* flag;
  bool negated;            // matched as -fno-X
  std::uint16_t value_at;  // where a joined value begins in the word
  bool value_is_next;      // the value is the next word
};

// The row of `word` for a compiler of this family; the longest name wins. Nothing when there is none.
std::optional<Match> find_flag(std::string_view word, Family family);

}  // namespace compiler
