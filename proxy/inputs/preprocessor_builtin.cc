#include "inputs/preprocessor.h"

// The part of Preprocessor that gives the macros without a body their values.

namespace inputs {
namespace {

// Names that clang's __has_builtin and its kin take as they stand, without macro expansion.
bool takes_raw_names(std::string_view question) {
  return question == "__has_builtin" || question == "__has_feature" || question == "__has_extension" ||
         question == "__has_constexpr_builtin" || question == "__is_identifier" ||
         question == "__building_module" || question.starts_with("__is_target");
}

std::string spell(const std::vector<Token>& tokens) {
  std::string text;
  for (const Token& token : tokens) {
    if (!text.empty() && is_name_char(text.back()) && is_name_char(token.text[0])) text += ' ';
    text += token.text;
  }
  return text;
}

}  // namespace

Token Preprocessor::string_token(std::string_view text, const Token& name) {
  std::string quoted(1, '"');
  for (char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  quoted += '"';
  Token token;
  token.kind = TokenKind::string;
  token.flags = name.flags & (kSpaceBefore | kSpaceInText);
  token.text = expander_.keep(quoted);
  return token;
}

// A path as __FILE__ gives it, after the command's -fmacro-prefix-map.
std::string Preprocessor::mapped(std::string_view path) {
  std::string out(path);
  bool seen = false;
  for (const compiler::Arg& arg : task_.command.args) {
    if (arg.role != compiler::ArgRole::prefix_map) continue;
    if (!arg.text.starts_with("-fmacro-prefix-map") && !arg.text.starts_with("-ffile-prefix-map")) continue;
    // Which of several wins differs between the compilers.
    if (seen) expander_.fail("file_macro_map");
    seen = true;
    const std::string_view map = std::string_view(arg.text).substr(arg.value_at);
    const std::size_t equals = map.rfind('=');
    if (equals == std::string_view::npos || map.find('=') != equals) {
      expander_.fail("file_macro_map");
      continue;
    }
    if (path.starts_with(map.substr(0, equals))) {
      out = std::string(map.substr(equals + 1)) + std::string(path.substr(equals));
    }
  }
  return out;
}

Token Preprocessor::expand_builtin(const Macro& macro, const Token& name, Expander& expander) {
  const Frame& frame = frames_.back();
  if (macro.builtin != Builtin::has_include && macro.builtin != Builtin::oracle &&
      macro.builtin != Builtin::line) {
    spoil();
  }
  switch (macro.builtin) {
    case Builtin::file:
    case Builtin::base_file: {
      expander.note_file_macro();
      return string_token(mapped(macro.builtin == Builtin::file ? frame.path : frames_.front().path), name);
    }
    case Builtin::file_name:
      return string_token(frame.path.substr(frame.path.rfind('/') + 1), name);
    case Builtin::line:
      if ((frame.list->facts & kLineDirective) != 0) expander.fail("line_macro");
      return expander.make_number(line_, name);
    case Builtin::counter:
      if (counter_.in_text) expander.fail("counter_macro");
      return expander.make_number(counter_.value++, name);
    case Builtin::include_level:
      return expander.make_number(static_cast<std::int64_t>(frames_.size()) - 1, name);
    case Builtin::has_include:
      return has_include(name, expander);
    case Builtin::oracle:
      return oracle(name, expander);
    default:
      return string_token("", name);
  }
}

// Takes `( header )`. `spelled` is the header with its delimiters.
bool Preprocessor::header_operand(Expander& expander, std::string& spelled) {
  Token token;
  if (!expander.next(token) || !token.is(Op::open) || !expander.next(token)) return false;
  if (token.kind == TokenKind::header || (token.kind == TokenKind::string && token.text[0] == '"')) {
    spelled = token.text;
  } else if (token.is(Op::less)) {
    const std::uint8_t space = gcc() ? kSpaceInText : kSpaceBefore;
    spelled = "<";
    while (true) {
      if (!expander.next(token)) return false;
      if ((token.flags & space) != 0 && !token.is(Op::greater)) spelled += ' ';
      spelled += token.text;
      if (token.is(Op::greater)) break;
    }
  } else {
    return false;
  }
  return spelled.size() > 2;
}

Token Preprocessor::has_include(const Token& name, Expander& expander) {
  std::string spelled;
  Token token;
  if (!header_operand(expander, spelled)) {
    expander.fail("has_include");
    return name;
  }
  if (name.id == kNameHasEmbed) return has_embed(name, spelled, expander);
  if (!expander.next(token) || !token.is(Op::close)) {
    expander.fail("has_include");
    return name;
  }
  Request request;
  request.angled = spelled[0] == '<';
  request.next = name.id == kNameHasIncludeNext;
  request.name =
      task_.lists.vocabulary().headers.intern(std::string_view(spelled).substr(1, spelled.size() - 2));
  const Frame& frame = frames_.back();
  const Resolved& file = resolve(request, frame);
  if (file.broken) expander.fail("lookup");
  if (gcc() && first_include_) {
    first_include_ = false;
    if (resolver_.meets_precompiled(request.name, start_of(request, frame), frame.directory,
                                    recorder_.scratch_trail())) {
      expander.fail("precompiled_header");
    }
  }
  const std::vector<SearchDirectory>& directories = resolver_.config().path.directories;
  const bool searched = file.by == FoundBy::search_path;
  FileEvent event;
  event.kind = FileEvent::Kind::asked;
  event.system = searched ? directories[file.directory].system : frame.system;
  event.by_flag = searched ? directories[file.directory].by_flag : frame.by_flag;
  event.node = file.node;
  event.file = &file;
  if (file.by == FoundBy::absolute_path) recorder_.facts().absolute_includes.push_back(file.path);
  note(event);
  asked(event);
  return expander.make_number(file.by == FoundBy::nothing ? 0 : 1, name);
}

void Preprocessor::asked(const FileEvent& event) {
  const Resolved& file = *event.file;
  if (file.by == FoundBy::nothing) return;
  if (gcc()) {
    recorder_.unlisted(file.node, file.depfile_name, event.system, event.by_flag);
  } else {
    recorder_.listed(file.node, file.depfile_name, event.system, event.by_flag);
  }
}

// 0: there is none, 1: there is and it is not empty, 2: it is empty.
Token Preprocessor::has_embed(const Token& name, const std::string& spelled, Expander& expander) {
  spoil();
  Token token;
  if (gcc() || spelled[0] != '"' || !expander.next(token) || !token.is(Op::close)) {
    expander.fail("embed");
    return name;
  }
  Request request;
  request.name =
      task_.lists.vocabulary().headers.intern(std::string_view(spelled).substr(1, spelled.size() - 2));
  const Resolved& file = resolve(request, frames_.back());
  const bool there = file.by == FoundBy::includer || file.by == FoundBy::absolute_path;
  if (file.broken || file.by == FoundBy::search_path) expander.fail("embed");
  if (!there) return expander.make_number(0, name);
  recorder_.listed(file.node, file.depfile_name, false, false);
  return expander.make_number(task_.index.stat(file.node).size == 0 ? 2 : 1, name);
}

// What only the compiler knows. While the answer is not there, 0 is taken and the question noted: the scan
// goes on so as to find the other questions too, and is then done again.
Token Preprocessor::oracle(const Token& name, Expander& expander) {
  std::string question(name.text);
  if (name.text.starts_with("__has_") || name.text.starts_with("__is_") || name.text == "__building_module") {
    std::vector<Token> operand;
    Token token;
    int open = 0;
    while (true) {
      if (!expander.next_raw(token)) {
        expander.fail("oracle_question");
        return name;
      }
      open += token.is(Op::open) ? 1 : token.is(Op::close) ? -1 : 0;
      operand.push_back(token);
      if (open <= 0) break;
    }
    if (!gcc() && takes_raw_names(name.text)) {
      question += spell(operand);
    } else {
      std::vector<Token> expanded;
      expander.expand_apart(operand, expanded);
      question += spell(expanded);
    }
  }
  if (std::optional<std::int64_t> answer = task_.answers.known(task_.dialect, question)) {
    if (*answer == compiler::kNoAnswer) expander.fail("oracle_question");
    return expander.make_number(*answer, name);
  }
  later_.questions.push_back(std::move(question));
  return expander.make_number(0, name);
}

}  // namespace inputs
