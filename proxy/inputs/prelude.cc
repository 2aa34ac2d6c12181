#include "inputs/prelude.h"

#include <algorithm>
#include <string_view>

namespace inputs {
namespace {

// The body of `name` in "#define NAME BODY" lines; null data when it is not defined.
std::string_view predefined_value(std::string_view text, std::string_view name) {
  const std::string line = "#define " + std::string(name) + " ";
  std::size_t at = text.starts_with(line) ? 0 : text.find("\n" + line);
  if (at == std::string_view::npos) return {};
  if (text[at] == '\n') ++at;
  std::string_view rest = text.substr(at + line.size());
  return rest.substr(0, rest.find('\n'));
}

std::int64_t predefined_number(std::string_view text, std::string_view name) {
  auto number = parse_integer(predefined_value(text, name));
  return number ? static_cast<std::int64_t>(number->value) : 0;
}

bool is_predefined(std::string_view text, std::string_view name) {
  return predefined_value(text, name).data() != nullptr;
}

LanguageFacts language_facts(const compiler::Command& command, std::string_view predefined) {
  LanguageFacts facts;
  facts.cplusplus = predefined_number(predefined, "__cplusplus");
  facts.cxx = facts.cplusplus != 0;
  facts.stdc_version = predefined_number(predefined, "__STDC_VERSION__");
  facts.strict = is_predefined(predefined, "__STRICT_ANSI__");
  facts.openmp = is_predefined(predefined, "_OPENMP");
  facts.objc = command.language == compiler::Language::objc || command.language == compiler::Language::objcxx;
  facts.unsigned_char = is_predefined(predefined, "__CHAR_UNSIGNED__");
  const int major = static_cast<int>(predefined_number(predefined, "__clang_major__"));
  if (command.family == compiler::Family::clang) {
    facts.clang_major = major;
  } else {
    facts.gcc_major = static_cast<int>(predefined_number(predefined, "__GNUC__"));
  }
  return facts;
}

LexMode lex_mode(const compiler::Command& command, const LanguageFacts& language) {
  const bool gcc = command.family == compiler::Family::gcc;
  LexMode mode;
  mode.assembler = command.language == compiler::Language::assembler_cpp ||
                   command.language == compiler::Language::assembler;
  const bool c = !language.cxx && !mode.assembler;
  const bool cxx11 = language.cplusplus >= 201103 || (language.cxx && !gcc && language.cplusplus > 199711);
  const bool gnu_c99 = c && !language.strict && language.stdc_version >= 199901;
  mode.raw_strings = cxx11 || (gnu_c99 && (gcc || language.clang_major >= 20));
  mode.trigraphs = language.strict && language.cplusplus < 201703 && !mode.assembler;
  mode.strict_c89 = c && language.strict && language.stdc_version < 199901;
  mode.digit_separators = language.cplusplus >= 201402 || (language.c23() && !mode.assembler);
  mode.digraphs = !(mode.strict_c89 && language.stdc_version < 199409) && !(mode.assembler && gcc);
  // gcc knows it in its own dialects at any standard; in a strict older one it is no directive.
  mode.elifdef = !gcc || !language.strict || language.cplusplus > 202002 || language.c23();
  for (const compiler::Arg& arg : command.args) {
    if (arg.text == "-trigraphs" || arg.text == "--trigraphs" || arg.text == "-ftrigraphs") {
      mode.trigraphs = true;
    } else if (arg.text == "-fno-trigraphs") {
      mode.trigraphs = false;
    }
  }
  return mode;
}

Builtin builtin_kind(std::string_view name) {
  if (name == "__FILE__") return Builtin::file;
  if (name == "__FILE_NAME__") return Builtin::file_name;
  if (name == "__BASE_FILE__") return Builtin::base_file;
  if (name == "__LINE__") return Builtin::line;
  if (name == "__COUNTER__") return Builtin::counter;
  if (name == "__INCLUDE_LEVEL__") return Builtin::include_level;
  if (name == "__DATE__" || name == "__TIME__" || name == "__TIMESTAMP__") return Builtin::time;
  if (name == "__has_include" || name == "__has_include_next" || name == "__has_embed") {
    return Builtin::has_include;
  }
  // Those that answer a question, and the odd ones of which the question is the name alone.
  return Builtin::oracle;
}

}  // namespace

std::shared_ptr<const Prelude> make_prelude(const compiler::Command& command,
                                            const compiler::Dialect& dialect, Vocabulary& vocabulary) {
  auto prelude = std::make_shared<Prelude>();
  prelude->language = language_facts(command, dialect.predefined);
  prelude->mode = lex_mode(command, prelude->language);
  const LanguageFacts& language = prelude->language;
  const bool operators = std::none_of(command.args.begin(), command.args.end(), [](const compiler::Arg& arg) {
    return arg.text == "-fno-operator-names";
  });
  prelude->rules.named_operators = language.cxx && operators;
  prelude->rules.true_is_one =
      language.cxx || (language.c23() && (language.gcc_major >= 13 || language.clang_major >= 15));
  prelude->rules.unsigned_char = language.unsigned_char;
  auto builtin = [&](std::string_view name) {
    prelude->macros.push_back(vocabulary.macros.builtin(vocabulary.names.intern(name), builtin_kind(name)));
  };
  for (const char* name : {"__FILE__", "__BASE_FILE__", "__LINE__", "__COUNTER__", "__INCLUDE_LEVEL__",
                           "__DATE__", "__TIME__", "__TIMESTAMP__"}) {
    builtin(name);
  }
  for (const std::string& name : dialect.builtin_names) {
    if (name != "_Pragma") builtin(name);
  }
  const auto list = read_directives(dialect.predefined, prelude->mode, vocabulary);
  for (const Directive& item : list->items) {
    if (item.kind == DirectiveKind::define) prelude->macros.push_back(item.macro);
  }
  return prelude;
}

}  // namespace inputs
