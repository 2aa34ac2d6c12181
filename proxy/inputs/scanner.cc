#include "inputs/scanner.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "compiler/environment.h"
#include "inputs/lists.h"
#include "inputs/preprocessor.h"
#include "inputs/recorder.h"
#include "inputs/resolver.h"
#include "inputs/search_path.h"
#include "inputs/side_inputs.h"
#include "inputs/time_macros.h"

namespace inputs {
namespace {

// Each round asks the compiler at least one new question; sources need two or three.
constexpr int kMaxRounds = 20;
// A build has a search path for each of its targets, of which those that are compiled at one time matter. An
// answer is some 500 bytes.
constexpr std::size_t kMaxResolvers = 256;
constexpr std::size_t kMaxAnswersOfAll = 100'000;

bool canonical_system_headers(const compiler::Command& command) {
  bool on = command.family == compiler::Family::gcc;
  for (const compiler::Arg& arg : command.args) {
    if (arg.text == "-fno-canonical-system-headers") on = false;
    if (arg.text == "-fcanonical-system-headers") on = true;
  }
  return on && command.family == compiler::Family::gcc;
}

}  // namespace

class Scanner::State {
 public:
  State(FileIndex& index, compiler::Dialects& dialects)
      : index_(index), dialects_(dialects), lists_(index), answers_(dialects) {}

  base::Result<Closure> scan(const compiler::Command& command, const compiler::Compiler& compiler,
                             const std::vector<std::string>& env, const std::stop_token& stop);

 private:
  // The places that every scan begins with.
  struct Places {
    NodeId cwd = kNoNode;
    NodeId source = kNoNode;
    NodeId source_directory = kNoNode;
    std::uint64_t since = 0;
  };

  base::Result<Places> find_places(const compiler::Command& command, Trail& trail);
  base::Result<Closure> scan_whole(const compiler::Command& command, const Places& places, const Trail& trail,
                                   Scratch& scratch);
  base::Result<Closure> scan_preprocessing(const compiler::Command& command, const compiler::Dialect& dialect,
                                           const Places& places, const Trail& trail,
                                           const std::vector<std::string>& env, const std::stop_token& stop,
                                           Scratch& scratch);
  base::Result<void> finish_facts(const ScanTask& task, const Preprocessor& preprocessor, Recorder& recorder);
  Resolver& resolver_for(SearchConfig config, Scratch& scratch);
  static void make_room(Scratch& scratch);

  std::unique_ptr<Scratch> take_scratch();
  void give_back(std::unique_ptr<Scratch> scratch);

  FileIndex& index_;
  compiler::Dialects& dialects_;
  Lists lists_;
  Answers answers_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Scratch>> idle_;  // guarded by mutex_
};

std::unique_ptr<Scratch> Scanner::State::take_scratch() {
  std::lock_guard lock(mutex_);
  if (idle_.empty()) return std::make_unique<Scratch>();
  std::unique_ptr<Scratch> scratch = std::move(idle_.back());
  idle_.pop_back();
  return scratch;
}

void Scanner::State::give_back(std::unique_ptr<Scratch> scratch) {
  std::lock_guard lock(mutex_);
  idle_.push_back(std::move(scratch));
}

base::Result<Scanner::State::Places> Scanner::State::find_places(const compiler::Command& command,
                                                                 Trail& trail) {
  Places places;
  places.since = index_.epoch();
  const Found cwd = index_.find(command.directory, trail);
  if (cwd.type != base::FileType::directory) return base::unsupported("working_directory");
  places.cwd = cwd.node;
  const Found source = index_.find_in(cwd.node, command.source, trail);
  if (source.broken || source.type != base::FileType::regular) {
    return base::unsupported("missing_source: " + command.source);
  }
  places.source = source.node;
  const std::size_t slash = command.source.rfind('/');
  places.source_directory = slash == std::string::npos
                                ? cwd.node
                                : index_.find_in(cwd.node, command.source.substr(0, slash + 1), trail).node;
  return places;
}

base::Result<Closure> Scanner::State::scan(const compiler::Command& command,
                                           const compiler::Compiler& compiler,
                                           const std::vector<std::string>& env, const std::stop_token& stop) {
  Trail trail;
  base::Result<Places> places = find_places(command, trail);
  if (!places) return places.error();
  std::shared_ptr<const compiler::Dialect> dialect;
  if (!compiler::is_preprocessed(command.language)) {
    auto answer = dialects_.get(command, compiler, env, stop);
    if (!answer) return answer.error();
    dialect = std::move(answer).value();
  }
  std::unique_ptr<Scratch> scratch = take_scratch();
  base::Result<Closure> closure =
      dialect ? scan_preprocessing(command, *dialect, *places, trail, env, stop, *scratch)
              : scan_whole(command, *places, trail, *scratch);
  give_back(std::move(scratch));
  if (closure && dialect) closure->stamps = dialect->beside;
  return closure;
}

// A source that is not preprocessed: it is read, and at most what its assembler directives name.
base::Result<Closure> Scanner::State::scan_whole(const compiler::Command& command, const Places& places,
                                                 const Trail& trail, Scratch& scratch) {
  ++scratch.scan;
  Recorder recorder(index_, scratch);
  recorder.depends_on(trail);
  recorder.listed(places.source, depfile_spelling(command.source), false, false);
  if (auto added = add_clang_lists(command, "", index_, places.cwd, recorder); !added) return added.error();
  if (auto added = add_side_inputs(command, index_, places.cwd, recorder); !added) return added.error();
  LexMode mode;
  mode.assembler = command.language == compiler::Language::assembler;
  mode.raw_strings = compiler::is_cxx(command.language);
  mode.digit_separators = mode.raw_strings;
  auto list = lists_.of(places.source, mode);
  if (!list) return base::unsupported("unreadable_input: " + command.source);
  if (mode.assembler) {
    // No preprocessor comes before this assembler: what it would hide is not hidden.
    if (((*list)->facts & (kTextIncbin | kHiddenIncbin)) != 0) return base::unsupported("incbin");
    auto added = add_assembler_files(**list, lists_, index_, places.cwd, recorder);
    if (!added) return added.error();
    return recorder.finish();
  }
  const std::uint32_t facts = (*list)->facts;
  // clang heeds every directive in such a source too, and what was handed on to it.
  if (command.family == compiler::Family::clang) {
    if ((facts & kAsksForFiles) != 0) return base::unsupported("include_in_preprocessed");
    if (!command.forced.empty()) return base::unsupported("forced_in_preprocessed");
  }
  if ((facts & kTextIncbin) != 0) return base::unsupported("incbin");
  if ((facts & (kTextModule | kTextObjcImport)) != 0) return base::unsupported("modules");
  if ((facts & kTextOmpTarget) != 0) return base::unsupported("omp_target");
  if ((facts & kTextTime) != 0 || (facts & kTextTimestamp) != 0) recorder.facts().time_macro = true;
  std::vector<std::string>& lines = recorder.facts().absolute_lines;
  for (const Directive& item : (*list)->items) {
    switch (item.kind) {
      case DirectiveKind::line:
        lines.emplace_back(item.text);
        break;
      case DirectiveKind::include:
      case DirectiveKind::include_next:
      case DirectiveKind::import:
      case DirectiveKind::include_macros:
      case DirectiveKind::embed:
      case DirectiveKind::pragma_dependency:
        return base::unsupported("include_in_preprocessed");
      case DirectiveKind::refuse:
        return base::unsupported(std::string(item.text));
      default:
        break;
    }
  }
  std::sort(lines.begin(), lines.end());
  lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
  return recorder.finish();
}

Resolver& Scanner::State::resolver_for(SearchConfig config, Scratch& scratch) {
  std::string key = config.key();
  auto found = scratch.resolvers.find(key);
  if (found == scratch.resolvers.end()) {
    make_room(scratch);
    auto made = std::make_unique<Resolver>(index_, lists_.vocabulary().headers, std::move(config));
    found = scratch.resolvers.emplace(std::move(key), std::move(made)).first;
  }
  return *found->second;
}

// For one more resolver: those that were used last longest ago go.
void Scanner::State::make_room(Scratch& scratch) {
  auto& resolvers = scratch.resolvers;
  std::size_t answers = 0;
  for (const auto& [key, resolver] : resolvers) answers += resolver->answers();
  while (resolvers.size() >= kMaxResolvers || answers > kMaxAnswersOfAll) {
    auto oldest = std::min_element(resolvers.begin(), resolvers.end(), [](const auto& a, const auto& b) {
      return a.second->last_scan() < b.second->last_scan();
    });
    answers -= oldest->second->answers();
    resolvers.erase(oldest);
  }
}

base::Result<Closure> Scanner::State::scan_preprocessing(const compiler::Command& command,
                                                         const compiler::Dialect& dialect,
                                                         const Places& places, const Trail& first_trail,
                                                         const std::vector<std::string>& env,
                                                         const std::stop_token& stop, Scratch& scratch) {
  const std::shared_ptr<const Prelude> prelude = lists_.prelude(command, dialect);
  Trail trail = first_trail;
  auto path = make_search_path(command, dialect, env, index_, places.cwd, trail);
  if (!path) return path.error();
  SearchConfig config{command.family, canonical_system_headers(command), places.cwd, std::move(*path)};
  Resolver& resolver = resolver_for(std::move(config), scratch);
  ScanTask task{command, dialect, *prelude, index_, lists_, answers_, stop};
  task.cwd = places.cwd;
  task.since = places.since;
  const LanguageFacts& language = prelude->language;
  task.epoch_fixes_time = compiler::variable(env, "SOURCE_DATE_EPOCH").has_value() &&
                          (command.family == compiler::Family::gcc || language.clang_major >= 16);
  for (int round = 0; round < kMaxRounds; ++round) {
    if (stop.stop_requested()) return base::cancelled();
    ++scratch.scan;
    resolver.begin(scratch.scan);
    Recorder recorder(index_, scratch);
    recorder.depends_on(trail);
    Preprocessor preprocessor(task, scratch, resolver, recorder);
    base::Result<void> done = check_clang_precompiled(command, index_, places.cwd, recorder);
    if (!done) return done.error();
    done = preprocessor.run(places.source, places.source_directory);
    // A scan with open questions may have gone astray: only the next one counts.
    if (!preprocessor.open_questions().empty()) {
      auto asked = answers_.ask(dialect, preprocessor.open_questions(), stop);
      if (!asked) return asked.error();
      continue;
    }
    if (done) {
      done = add_clang_lists(command, clang_resource_include(dialect), index_, places.cwd, recorder);
    }
    if (done) done = finish_facts(task, preprocessor, recorder);
    if (done) done = add_side_inputs(command, index_, places.cwd, recorder);
    if (!done) return done.error();
    return recorder.finish();
  }
  return base::unsupported("oracle_rounds");
}

// What can be told only when all files are known.
base::Result<void> Scanner::State::finish_facts(const ScanTask& task, const Preprocessor& preprocessor,
                                                Recorder& recorder) {
  // A group that only gcc reads may look for a file that is not there yet, and nothing would tell when it is.
  // What such a group includes is seen in the depfile.
  if (preprocessor.later().target_pragma && preprocessor.later().asks_for_files) {
    return base::unsupported("pragma_target");
  }
  for (const DirectiveList* list : preprocessor.later().assembler_lists) {
    auto added = add_assembler_files(*list, lists_, index_, task.cwd, recorder);
    if (!added) return added;
  }
  if (!preprocessor.later().time_macro || recorder.facts().time_macro) return {};
  std::vector<NodeId> files;
  for (const Input& input : recorder.inputs()) {
    if (input.node != kNoNode && input.in_depfile) files.push_back(input.node);
  }
  auto uses = uses_time_macro(files, lists_, task.prelude.mode, task.epoch_fixes_time);
  if (!uses) return base::unsupported("unreadable_input: " + uses.error().message);
  recorder.facts().time_macro = *uses;
  return {};
}

Scanner::Scanner(FileIndex& index, compiler::Dialects& dialects)
    : state_(std::make_unique<State>(index, dialects)) {}

Scanner::~Scanner() = default;

base::Result<Closure> Scanner::scan(const compiler::Command& command, const compiler::Compiler& compiler,
                                    const std::vector<std::string>& env, const std::stop_token& stop) {
  return state_->scan(command, compiler, env, stop);
}

}  // namespace inputs
