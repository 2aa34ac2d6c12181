#include "inputs/preprocessor.h"

#include <algorithm>

#include "inputs/expression.h"
#include "inputs/text_facts.h"

namespace inputs {
namespace {

// The compilers stop at 200 files within each other.
constexpr std::size_t kMaxFrames = 190;

}  // namespace

Preprocessor::Preprocessor(const ScanTask& task, Scratch& scratch, Resolver& resolver, Recorder& recorder)
    : task_(task),
      scratch_(scratch),
      resolver_(resolver),
      recorder_(recorder),
      expander_(scratch.macros, task.lists.vocabulary(), *this) {
  // Frames are referred to while others are pushed, so they must not move.
  frames_.reserve(kMaxFrames + 8);
}

base::Result<void> Preprocessor::run(NodeId source, NodeId source_directory) {
  const compiler::Command& command = task_.command;
  if (clang_names_directories_once()) {
    for (const SearchDirectory& dir : resolver_.config().path.touched) {
      directory_names_.try_emplace(dir.node, dir.name);
    }
  }
  scratch_.macros.begin(task_.lists.vocabulary().names);
  if (auto defined = define_first_macros(); !defined) return defined;

  base::Result<FileState*> state = state_of(source);
  if (!state) return state.error();
  if (auto checked = check_facts(*(*state)->list, false); !checked) return checked;
  recorder_.listed(source, depfile_spelling(command.source), false, false);
  Resolved main;
  main.node = source;
  main.parent = source_directory;
  main.path = command.source;
  main.parent_name = parent_name_of(command.source, command.family);
  ++(*state)->entered;
  Frame frame;
  frame.list = (*state)->list.get();
  frame.node = source;
  frame.path = command.source;
  frame.directory = directory_of(main, false);
  frames_.push_back(frame);
  stacked_.insert(frame.identity);

  if (auto forced = forced_includes(); !forced) return forced;
  return run_frames(0);
}

base::Result<void> Preprocessor::define_first_macros() {
  for (const Macro* macro : task_.prelude.macros) scratch_.macros.set(macro->name, macro);
  Vocabulary& vocabulary = task_.lists.vocabulary();
  for (const compiler::MacroFlag& flag : task_.command.macros) {
    if (flag.text.find_first_of("\n\r") != std::string::npos) return base::unsupported("macro_flag");
    const std::size_t value = std::min(flag.text.find('='), flag.text.size());
    if (names_assembler_file(std::string_view(flag.text).substr(value))) return base::unsupported("incbin");
    if (flag.undefine) {
      scratch_.macros.set(vocabulary.names.intern(flag.text), nullptr);
      continue;
    }
    std::string text = flag.text;
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) {
      text += " 1";
    } else {
      text[equals] = ' ';
    }
    const Macro* macro = vocabulary.macros.define(text, task_.prelude.mode, true, vocabulary.names);
    if (macro == nullptr) return base::unsupported("macro_flag: " + flag.text);
    counter_.in_text = counter_.in_text || macro->mentions_counter;
    if (macro->mentions_pragma) return base::unsupported("pragma_operator");
    if (macro->mentions_time) recorder_.facts().time_macro = true;
    scratch_.macros.set(macro->name, macro);
  }
  return {};
}

// -imacros, stdc-predef.h and -include, in this order, each run to its end.
base::Result<void> Preprocessor::forced_includes() {
  for (const compiler::ForcedInclude& forced : task_.command.forced) {
    if (!forced.macros_only) continue;
    if (auto done = forced_include(forced.name); !done) return done;
  }
  if (task_.dialect.includes_stdc_predef) {
    Request request;
    request.name = task_.lists.vocabulary().headers.intern("stdc-predef.h");
    request.angled = true;
    if (auto done = enter(request, frames_.back(), By::compiler); !done) return done;
    if (auto done = run_frames(1); !done) return done;
  }
  for (const compiler::ForcedInclude& forced : task_.command.forced) {
    if (forced.macros_only) continue;
    if (auto done = forced_include(forced.name); !done) return done;
  }
  return {};
}

base::Result<void> Preprocessor::forced_include(const std::string& name) {
  Frame from;
  from.list = frames_.front().list;
  from.from_command_line = true;
  std::string prefix = "./";
  if (!gcc()) {
    prefix = ".";
    if (clang_names_directories_once()) prefix = directory_names_.try_emplace(task_.cwd, ".").first->second;
  }
  from.directory = resolver_.includer_directory(prefix, task_.cwd, false);
  Request request;
  request.name = task_.lists.vocabulary().headers.intern(name);
  if (auto done = enter(request, from, By::user); !done) return done;
  return run_frames(1);
}

base::Result<void> Preprocessor::run_frames(std::size_t base) {
  while (frames_.size() > base) {
    Frame& frame = frames_.back();
    if (frame.at >= frame.list->items.size()) {
      if (!records_.open.empty() && records_.open.back().frames == frames_.size()) close_subtree();
      frames_.pop_back();
      continue;
    }
    const Directive& item = frame.list->items[frame.at++];
    ++records_.steps;
    if (auto done = step(frame, item); !done) return done;
  }
  return {};
}

base::Result<void> Preprocessor::step(Frame& frame, const Directive& item) {
  switch (item.kind) {
    case DirectiveKind::define:
      // A redefinition of `defined` or of a builtin is the compiler's to complain about. The list's facts
      // save a look at each macro, which is seldom in the processor's cache.
      if ((frame.list->facts & kMacroPragma) != 0 && item.macro->mentions_pragma &&
          vocabulary_name(item.id).find("_MACRO") == std::string_view::npos) {
        return base::unsupported("pragma_operator");
      }
      scratch_.macros.set(item.id, item.macro);
      return {};
    case DirectiveKind::undef:
      scratch_.macros.set(item.id, nullptr);
      return {};
    case DirectiveKind::include:
    case DirectiveKind::include_next:
    case DirectiveKind::import:
    case DirectiveKind::include_macros:
      return include(frame, item);
    case DirectiveKind::embed:
      return embed(frame, item);
    case DirectiveKind::pragma_once: {
      // clang ignores it in the main file.
      if (!gcc() && frames_.size() == 1) return {};
      base::Result<FileState*> state = state_of(frame.node);
      if (!state) return state.error();
      FileEvent event;
      event.kind = FileEvent::Kind::once;
      event.node = frame.node;
      note(event);
      return mark_once(frame.node, **state);
    }
    case DirectiveKind::pragma_push_macro:
      spoil();
      scratch_.macros.push(item.id);
      return {};
    case DirectiveKind::pragma_pop_macro:
      spoil();
      scratch_.macros.pop(item.id);
      return {};
    case DirectiveKind::pragma_system_header:
      if (frames_.size() > 1) frame.system = true;
      return {};
    case DirectiveKind::pragma_dependency:
      return dependency(item);
    case DirectiveKind::line:
      spoil();
      recorder_.facts().absolute_lines.emplace_back(item.text);
      return {};
    case DirectiveKind::error:
      return base::unsupported("error_directive");
    case DirectiveKind::refuse:
      return base::unsupported(std::string(item.text));
    case DirectiveKind::module_line:
      if (task_.prelude.language.cplusplus > 201703) return base::unsupported("modules");
      return {};
    case DirectiveKind::macro_in_text:
      return macro_in_text(item);
    default:
      return conditional(frame, item);
  }
}

base::Result<void> Preprocessor::conditional(Frame& frame, const Directive& item) {
  const std::vector<Directive>& items = frame.list->items;
  switch (item.kind) {
    case DirectiveKind::endif:
      return {};
    case DirectiveKind::elif:
    case DirectiveKind::elifdef:
    case DirectiveKind::elifndef:
    case DirectiveKind::else_: {
      // The end of a group that was taken.
      std::uint32_t at = frame.at - 1;
      while (items[at].kind != DirectiveKind::endif) at = items[at].next;
      frame.at = at + 1;
      return {};
    }
    default:
      break;
  }
  std::uint32_t at = frame.at - 1;
  while (true) {
    const Directive& branch = items[at];
    if (branch.kind == DirectiveKind::endif || branch.kind == DirectiveKind::else_) break;
    base::Result<bool> holds = condition_holds(frame, branch);
    if (!holds) return holds.error();
    if (*holds) break;
    at = branch.next;
  }
  frame.at = at + 1;
  return {};
}

base::Result<bool> Preprocessor::condition_holds(Frame& frame, const Directive& item) {
  switch (item.kind) {
    case DirectiveKind::ifdef:
    case DirectiveKind::elifdef:
    case DirectiveKind::ifndef:
    case DirectiveKind::elifndef: {
      if (item.id == kNoName) return base::unsupported("if_expression");
      const bool wanted = item.kind == DirectiveKind::ifdef || item.kind == DirectiveKind::elifdef;
      return (scratch_.macros.find(item.id) != nullptr) == wanted;
    }
    default:
      break;
  }
  const ExpressionRules& rules = task_.prelude.rules;
  const ConditionMemo::Value known = scratch_.conditions.find(item.id, rules, scratch_.macros);
  if (known != ConditionMemo::Value::unknown) return known == ConditionMemo::Value::holds;
  line_ = item.line_number;
  expander_.begin(frame.list->tokens.data() + item.first_token, item.token_count, task_.prelude.mode);
  base::Result<bool> value = evaluate(expander_, rules);
  if (value) {
    if (expander_.repeatable()) scratch_.conditions.keep(item.id, rules, expander_, *value);
    return value;
  }
  return base::unsupported(value.error().message + ": " + std::string(frame.path) + ":" +
                           std::to_string(item.line_number));
}

// A line that is a macro's name and nothing else: the way in which libraries hide push_macro and pop_macro.
base::Result<void> Preprocessor::macro_in_text(const Directive& item) {
  const Macro* macro = scratch_.macros.find(item.id);
  if (macro == nullptr || !macro->mentions_pragma) return {};
  if (macro->function_like) return base::unsupported("pragma_operator");
  spoil();
  std::string_view rest = macro->replacement;
  while (!rest.empty()) {
    // Each must be _Pragma("push_macro(\"NAME\")") or pop_macro.
    constexpr std::string_view kPush = "_Pragma(\"push_macro(\\\"";
    constexpr std::string_view kPop = "_Pragma(\"pop_macro(\\\"";
    const bool push = rest.starts_with(kPush);
    if (!push && !rest.starts_with(kPop)) return base::unsupported("pragma_operator");
    rest.remove_prefix(push ? kPush.size() : kPop.size());
    const std::size_t end = rest.find("\\\")\")");
    if (end == std::string_view::npos) return base::unsupported("pragma_operator");
    const Id id = task_.lists.vocabulary().names.intern(rest.substr(0, end));
    if (push) {
      scratch_.macros.push(id);
    } else {
      scratch_.macros.pop(id);
    }
    rest.remove_prefix(end + 5);
    while (!rest.empty() && is_blank(rest[0])) rest.remove_prefix(1);
  }
  return {};
}

base::Result<void> Preprocessor::check_facts(const DirectiveList& list, bool system) {
  const LanguageFacts& language = task_.prelude.language;
  const std::uint32_t facts = list.facts;
  if (!list.assembler_files.empty()) later_.assembler_lists.push_back(&list);
  if (facts == 0) return {};
  if ((facts & kTimeMacro) != 0) later_.time_macro = true;
  // In C alone: a C++ compiler has read all lines before it heeds such a pragma.
  if (gcc() && !system && !language.cxx && (facts & kTargetPragma) != 0) later_.target_pragma = true;
  if (!system && (facts & kAsksForFiles) != 0) later_.asks_for_files = true;
  if ((facts & kWideText) != 0) return base::unsupported("wide_text");
  if ((facts & kUnbalanced) != 0) return base::unsupported("unbalanced_conditionals");
  if ((facts & kTextIncbin) != 0) return base::unsupported("incbin");
  if ((facts & kTextObjcImport) != 0 && language.objc) return base::unsupported("modules");
  if ((facts & kTextOmpTarget) != 0 && language.openmp) return base::unsupported("omp_target");
  if ((facts & kTextPragma) != 0) return base::unsupported("pragma_operator");
  if ((facts & kStrictSlashes) != 0 && !(gcc() && system)) return base::unsupported("line_comment_c89");
  if ((facts & kOddRawString) != 0) return base::unsupported("raw_string");
  if ((facts & kTrigraph) != 0 && language.c23() && language.strict) return base::unsupported("trigraph");
  // Where clang has no trigraphs it still joins lines by one before `*` or `/`, but not after.
  if ((facts & kTrigraphSplice) != 0 && !gcc() && !task_.prelude.mode.trigraphs) {
    return base::unsupported("trigraph");
  }
  // Measured with gcc 12, which was the first to know them.
  const bool elifdef_known =
      !gcc() || language.gcc_major == 12 || (language.gcc_major > 12 && task_.prelude.mode.elifdef);
  if ((facts & kElifdef) != 0 && !elifdef_known) {
    return base::unsupported("elifdef");
  }
  if ((facts & kTextCounter) != 0) counter_.in_text = true;
  if ((facts & kTextTimestamp) != 0) recorder_.facts().time_macro = true;
  if ((facts & kTextTime) != 0 && !task_.epoch_fixes_time) recorder_.facts().time_macro = true;
  return {};
}

}  // namespace inputs
