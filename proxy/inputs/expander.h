// Macro expansion of one directive at a time, exactly as the compilers do it: arguments expanded before they
// are substituted, `#`, `##`, __VA_OPT__, a macro's own name not expanded again, and a function-like name at
// the end of an expansion taking its arguments from what follows.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "inputs/directive.h"
#include "inputs/macro.h"
#include "inputs/token.h"

namespace inputs {

class Expander;

// Answers for the macros that have no body.
class BuiltinHost {
 public:
  virtual ~BuiltinHost() = default;
  // The token that `name`, a builtin macro, expands to. May take more tokens from the expander (arguments).
  virtual Token expand_builtin(const Macro& macro, const Token& name, Expander& expander) = 0;
};

// One thread; reused for directive after directive.
class Expander {
 public:
  // More looks than this are not noted: such an expansion is rare, and not cheap to compare.
  static constexpr std::size_t kMaxLooks = 24;

  Expander(MacroTable& table, Vocabulary& vocabulary, BuiltinHost& host)
      : table_(table), vocabulary_(vocabulary), host_(host) {}

  // Begins with the tokens of a directive, which must stay where they are until the next begin().
  // `mode`: how macros' bodies are read.
  void begin(const Token* tokens, std::size_t count, const LexMode& mode);

  // The next token, macros expanded; false at the end.
  bool next(Token& out);
  // The next token as it stands.
  bool next_raw(Token& out);
  // The macro of this name. Every look at the table during an expansion goes through here.
  const Macro* look(Id name);
  // Gives one token back.
  void put_back(const Token& token);
  // All of `in`, expanded, without touching what is being read.
  void expand_apart(const std::vector<Token>& in, std::vector<Token>& out);

  // Text that lives until the next begin().
  std::string_view keep(std::string_view text) { return scratch_.keep(text); }
  Token make_number(std::int64_t value, const Token& in_place_of);

  // Why the expansion cannot be trusted: an error that the compiler would report, or a limit of ours. Empty
  // when all is well.
  const char* failure() const { return failure_; }
  void fail(const char* label) {
    if (failure_ == nullptr) failure_ = label;
  }
  // What took part in the expansion since begin().
  bool used_file_macro() const { return used_.file; }
  bool used_command_macro() const { return used_.command; }
  void note_file_macro() { used_.file = true; }
  // Whether the same tokens expand to the same again while each of looks(), without repeats, still holds. It
  // does not when a builtin macro took part, since its host looks at other things than macros.
  bool repeatable() const { return used_.macros_only; }
  const std::vector<MacroLook>& looks() const { return looks_; }

 private:
  struct Context {
    const Token* at;
    const Token* end;
    const Macro* macro;      // not expanded again while this context is open
    std::uint8_t space = 0;  // kSpaceBefore: for the first token, inherited from the macro's name
  };
  struct Argument {
    std::vector<Token> raw;
    std::vector<Token> expanded;
    bool is_expanded = false;
  };
  struct Used {
    bool file = false;        // __FILE__ or the like
    bool command = false;     // a -D
    bool macros_only = true;  // and all of these are in looks_
  };
  using Tokens = std::vector<Token>;

  bool take(Token& out);
  bool disabled(const Macro* macro) const;
  bool enter(const Macro& macro, const Token& name);
  bool take_opening();
  bool collect(const Macro& macro, std::vector<Argument>& arguments);
  bool check_count(const Macro& macro, std::vector<Argument>& arguments);
  void expand_argument(Argument& argument);
  void substitute(const Macro& macro, std::vector<Argument>& arguments, Tokens& out);
  void substitute_parameter(const Macro& macro, const Token& token, Argument& argument, bool after_paste,
                            Tokens& out);
  void paste_all(Tokens& tokens);
  bool paste(Token& left, const Token& right);
  Token stringify(const Token& parameter, const Argument& argument);
  Tokens& fresh_tokens();

  MacroTable& table_;
  Vocabulary& vocabulary_;
  BuiltinHost& host_;
  LexMode mode_;
  std::vector<Context> contexts_;
  std::size_t floor_ = 0;  // contexts below belong to an outer expansion
  std::vector<std::unique_ptr<Tokens>> pool_;
  std::size_t pool_used_ = 0;
  std::size_t tokens_made_ = 0;
  int depth_ = 0;
  Arena scratch_;
  bool scratch_used_ = false;
  const char* failure_ = nullptr;
  Used used_;
  std::vector<MacroLook> looks_;
};

}  // namespace inputs
