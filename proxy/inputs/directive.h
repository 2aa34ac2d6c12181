// What a scan needs of one file: its preprocessor lines in order, and a few facts of the text between them.
// Made once per content and way of reading, shared by all tasks, never changed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "inputs/identifiers.h"
#include "inputs/macro.h"
#include "inputs/token.h"

namespace inputs {

enum class DirectiveKind : std::uint8_t {
  if_,
  ifdef,
  ifndef,
  elif,
  elifdef,
  elifndef,
  else_,
  endif,
  define,
  undef,
  include,
  include_next,
  import,
  include_macros,  // __include_macros, which is how clang spells -imacros
  embed,
  pragma_once,
  pragma_push_macro,
  pragma_pop_macro,
  pragma_system_header,
  pragma_dependency,
  line,           // #line or a line marker that names a file
  error,          // #error
  refuse,         // what makes a scan impossible when it is reached; `text` is the label
  module_line,    // import, module or export of a module, where the language has modules
  macro_in_text,  // a line of text that is one macro's name, which may be a _Pragma in disguise
};

struct Directive {
  DirectiveKind kind;
  bool angled = false;            // of an include with a literal name
  std::uint16_t token_count = 0;  // of #if, and of a computed include
  std::uint32_t first_token = 0;
  std::uint32_t next = 0;  // of a conditional: the next one of its group
  std::uint32_t line_number = 0;
  // The macro's name; of an include the number of the literal name, if it has one; of #if and #elif that of
  // the condition.
  Id id = kNoName;
  const Macro* macro = nullptr;  // of #define
  std::string_view text;         // the header's name without delimiters, a label, a file name
};

// Facts of the text outside of comments.
enum TextFact : std::uint32_t {
  kTextTime = 1 << 0,         // __DATE__ or __TIME__ in text, or in a directive that may show its words
  kTextCounter = 1 << 1,      // __COUNTER__ anywhere
  kTextIncbin = 1 << 2,       // .incbin or .include, in text or a macro's body
  kTextModule = 1 << 3,       // a line that begins with import, module or export
  kTextObjcImport = 1 << 4,   // @import
  kTextOmpTarget = 1 << 5,    // #pragma omp ... target, or the like in a _Pragma
  kTextPragma = 1 << 6,       // push_macro, pop_macro or once in a _Pragma outside of directives
  kMacroPragma = 1 << 7,      // a macro whose body holds such a _Pragma
  kUnbalanced = 1 << 8,       // #if without #endif, or the reverse
  kStrictSlashes = 1 << 9,    // `//` where -std=c89 may see no comment
  kOddRawString = 1 << 10,    // a raw string that spans lines of a directive, or next to trigraphs
  kLineDirective = 1 << 11,   // there is a #line, so that __LINE__ is not the line's number
  kTrigraph = 1 << 12,        // a trigraph, read as one or not
  kElifdef = 1 << 13,         // #elifdef or #elifndef
  kWideText = 1 << 14,        // UTF-16 or UTF-32
  kTimeMacro = 1 << 15,       // a macro whose body mentions the time
  kTrigraphSplice = 1 << 18,  // `??/` at the end of a line
  kTextTimestamp = 1 << 17,   // __TIMESTAMP__, likewise
  kHiddenIncbin = 1 << 16,    // .incbin or .include where a preprocessor sees a comment or a directive
  kTargetPragma = 1 << 19,    // #pragma GCC target, optimize or the like, which predefine other macros
  kAsksForFiles = 1 << 20,    // __has_include or __has_embed in a directive
};

// The words after #pragma GCC that make a kTargetPragma.
inline constexpr std::string_view kTargetPragmas[] = {"target", "optimize", "push_options", "pop_options",
                                                      "reset_options"};

// One use of .incbin or .include in assembler source.
struct AssemblerFile {
  std::string name;     // as written; empty when it is not one literal string
  bool source = false;  // .include
};

struct DirectiveList {
  std::vector<Directive> items;
  std::vector<Token> tokens;
  Id guard = kNoName;                          // everything is inside of #ifndef guard
  std::uint32_t facts = 0;                     // TextFact
  std::uint64_t size = 0;                      // of the file, in bytes
  std::vector<AssemblerFile> assembler_files;  // in text, assembler mode alone
  Arena arena;
};

// What lists are made with: shared numbers and definitions. The names of headers have numbers of their own,
// so that these can be an index. So do the conditions of #if and #elif, equal ones for equal tokens: a text
// that is read in another mode has another number.
struct Vocabulary {
  Identifiers names;
  Identifiers headers;
  Identifiers conditions;
  MacroStore macros;
};

// Reads a file. Never fails: what cannot be understood becomes a fact or a `refuse` directive.
std::shared_ptr<const DirectiveList> read_directives(std::string_view content, const LexMode& mode,
                                                     Vocabulary& vocabulary);

// The names that occur in the text outside of comments and of directives whose words are not expanded,
// sorted, without repeats.
std::shared_ptr<const std::vector<std::string>> read_text_names(std::string_view content,
                                                                const LexMode& mode);

}  // namespace inputs
