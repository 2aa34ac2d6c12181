// One walk through a source and everything that it includes: runs the directives of one file after another,
// with true macro values, and notes each file that the compiler would read.
#pragma once

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/result.h"
#include "compiler/command.h"
#include "compiler/dialect.h"
#include "inputs/condition_memo.h"
#include "inputs/expander.h"
#include "inputs/file_index.h"
#include "inputs/lists.h"
#include "inputs/recorder.h"
#include "inputs/resolver.h"
#include "inputs/scanner.h"
#include "inputs/subtree.h"

namespace inputs {

// What one scan works for. Everything outlives it.
struct ScanTask {
  const compiler::Command& command;
  const compiler::Dialect& dialect;
  const Prelude& prelude;
  FileIndex& index;
  Lists& lists;
  Answers& answers;
  const std::stop_token& stop;
  NodeId cwd = kNoNode;
  std::uint64_t since = 0;        // the index's epoch when the scan began
  bool epoch_fixes_time = false;  // SOURCE_DATE_EPOCH makes __DATE__ and __TIME__ constant
};

// What the walk knows of one physical file.
struct FileState {
  // The file's list, for a later scan too if it reads in the same mode and the index has still this version.
  std::shared_ptr<const DirectiveList> list;
  std::optional<std::uint32_t> version;
  LexMode mode;
  std::unique_ptr<SubtreeSet> subtrees;  // null until one might be made
  // Of this scan.
  bool once = false;          // #pragma once was reached, or it was imported
  std::uint32_t entered = 0;  // how often
  std::uint64_t scan = 0;
  // Of the subtree that is being made.
  std::uint64_t mark = 0;        // Scratch::marks when it was met
  std::uint32_t last_event = 0;  // the last that it has of the file
};

// Memory that one scan after another uses, all with the same Lists. One scan at a time.
struct Scratch {
  MacroTable macros;
  ConditionMemo conditions;
  std::vector<FileState> files;            // by node
  std::vector<std::uint64_t> trail_marks;  // by node: the scan that has it in its trail
  std::unordered_map<std::string, std::unique_ptr<Resolver>> resolvers;
  std::uint64_t scan = 0;  // number of the present one
  SubtreeLimits subtree_limits;
  std::size_t subtree_bytes = 0;      // of all subtrees
  std::vector<NodeId> subtree_files;  // that have any
  std::uint64_t subtrees_taken = 0;
  std::uint64_t marks = 0;  // subtrees that were made
};

class Preprocessor : private BuiltinHost {
 public:
  Preprocessor(const ScanTask& task, Scratch& scratch, Resolver& resolver, Recorder& recorder);

  // Runs everything. Requires: called once.
  base::Result<void> run(NodeId source, NodeId source_directory);

  // Questions whose answers were not known; 0 was taken for them, so that the result is void while there is
  // any.
  const std::vector<std::string>& open_questions() const { return later_.questions; }
  // What needs a second look when all files are known: whether one defines a macro that mentions the time,
  // and the lists with assembler directives that name files. And what the compiler has to be asked.
  struct Later {
    bool time_macro = false;
    // Seen in the user's own files: pragmas with which gcc changes its predefined macros, and questions
    // whether a file exists.
    bool target_pragma = false;
    bool asks_for_files = false;
    std::vector<std::string> questions;
    std::vector<const DirectiveList*> assembler_lists;  // good as long as the preprocessor
  };
  const Later& later() const { return later_; }

 private:
  // A file being read.
  struct Frame {
    const DirectiveList* list;
    std::uint32_t at = 0;
    NodeId node = kNoNode;
    std::string_view path;
    const IncluderDirectory* directory = nullptr;  // for "..."
    std::int32_t search_index = kNowhere;          // the search path's directory it came from
    std::uint64_t identity = 0;
    bool system = false;
    bool by_flag = false;
    bool from_command_line = false;  // -include and the like: not "the main file" though nothing includes it
  };
  // What #include asks for.
  struct Request {
    Id name = kNoName;
    bool angled = false;
    bool next = false;
    bool import = false;
  };
  // A file that is being read, whose subtree is recorded.
  struct Recording {
    SubtreePlace place;
    std::size_t frames;  // with its own
    MacroLog::Position macros;
    std::size_t first_event;  // in Records::events
    std::uint64_t first_step;
    std::size_t outer_deepest;      // Records::deepest before
    std::size_t absolute_includes;  // how many there were
    bool spoiled = false;           // it did what no event tells of
  };
  struct Records {
    std::vector<Recording> open;    // of some of the frames, in their order
    std::vector<FileEvent> events;  // since the outermost began
    std::uint64_t steps = 0;        // of the scan
    std::size_t deepest = 0;        // most frames since the innermost began
  };
  // Who asks for an include. What the compiler asks for need not be there, and does not count as the first.
  enum class By : std::uint8_t { compiler, user };
  // Of __COUNTER__. Uses in text are not counted, so after one its value is not known.
  struct Counter {
    std::int64_t value = 0;
    bool in_text = false;
  };
  static constexpr std::int32_t kNowhere = -1;
  static constexpr std::int32_t kIncluderDirectory = -2;  // gcc: #include_next begins anew

  // Set-up.
  base::Result<void> define_first_macros();
  base::Result<void> forced_includes();
  base::Result<void> forced_include(const std::string& name);
  base::Result<void> run_frames(std::size_t base);

  // Directives.
  base::Result<void> step(Frame& frame, const Directive& item);
  base::Result<void> conditional(Frame& frame, const Directive& item);
  base::Result<bool> condition_holds(Frame& frame, const Directive& item);
  base::Result<void> include(Frame& frame, const Directive& item);
  base::Result<Request> computed_name(Frame& frame, const Directive& item);
  base::Result<void> embed(Frame& frame, const Directive& item);
  base::Result<void> dependency(const Directive& item);
  base::Result<void> macro_in_text(const Directive& item);

  // Includes.
  const Resolved& resolve(const Request& request, const Frame& frame);
  void use(const Resolved& answer);
  Start start_of(const Request& request, const Frame& frame) const;
  base::Result<void> enter(const Request& request, const Frame& from, By by);
  base::Result<bool> meet(const FileEvent& event, FileState& state, const Request& request);
  base::Result<void> begin_reading(FileState& state, bool system);
  void asked(const FileEvent& event);
  base::Result<bool> should_enter(const Resolved& file, FileState& state, const Request& request);
  base::Result<bool> once_elsewhere(const Resolved& file, const FileState& state);
  base::Result<void> mark_once(NodeId node, FileState& state);
  const IncluderDirectory* directory_of(const Resolved& file, bool system);
  base::Result<FileState*> state_of(NodeId node);
  bool guarded(const DirectiveList& list);
  std::uint64_t size_of(NodeId node) const;
  base::Result<void> check_facts(const DirectiveList& list, bool system);

  // Subtrees.
  bool subtrees_hold() const;
  SubtreePlace place_of(const Frame& frame) const;
  base::Result<bool> take_subtree(const Frame& frame);
  bool agrees(Subtree& subtree);
  bool still_holds(const Resolved& answer);
  base::Result<void> repeat(const FileEvent& event);
  void open_subtree(const Frame& frame);
  void close_subtree();
  std::unique_ptr<Subtree> make_subtree(const Recording& recording);
  void keep_subtree(NodeId node, std::unique_ptr<Subtree> subtree);
  void note(const FileEvent& event) {
    if (!records_.open.empty()) records_.events.push_back(event);
  }
  // What is being recorded cannot be repeated.
  void spoil() {
    if (!records_.open.empty()) records_.open.back().spoiled = true;
  }

  // Builtin macros.
  Token expand_builtin(const Macro& macro, const Token& name, Expander& expander) override;
  Token has_include(const Token& name, Expander& expander);
  Token has_embed(const Token& name, const std::string& spelled, Expander& expander);
  Token oracle(const Token& name, Expander& expander);
  Token string_token(std::string_view text, const Token& name);
  std::string mapped(std::string_view path);
  bool header_operand(Expander& expander, std::string& spelled);

  std::string_view vocabulary_name(Id id) const { return task_.lists.vocabulary().names.name(id); }
  // The compilers stop at 200 files within each other.
  std::size_t most_frames() const { return frames_.capacity() - 8; }
  bool gcc() const { return task_.command.family == compiler::Family::gcc; }
  bool clang_names_directories_once() const { return !gcc() && task_.prelude.language.clang_major < 17; }

  const ScanTask& task_;
  Scratch& scratch_;
  Resolver& resolver_;
  Recorder& recorder_;
  Expander expander_;
  std::vector<Frame> frames_;
  Records records_;
  std::pmr::monotonic_buffer_resource memory_;                 // of what grows by a little with each file
  std::unordered_map<NodeId, std::string> directory_names_;    // clang: the name by which each was first seen
  std::pmr::unordered_set<std::uint64_t> stacked_{&memory_};   // gcc: identities that were read
  std::unordered_multimap<std::uint64_t, NodeId> once_sizes_;  // by size
  Counter counter_;
  std::uint32_t line_ = 0;  // of the directive that is expanded
  Later later_;
  bool first_include_ = true;
};

}  // namespace inputs
