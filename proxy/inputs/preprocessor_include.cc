#include <algorithm>
#include <utility>

#include "inputs/preprocessor.h"

// The part of Preprocessor that finds and enters files.

namespace inputs {

base::Result<FileState*> Preprocessor::state_of(NodeId node) {
  if (node >= scratch_.files.size()) scratch_.files.resize(node + 4096);
  FileState& state = scratch_.files[node];
  if (state.scan == scratch_.scan) return &state;
  const LexMode& mode = task_.prelude.mode;
  // Asked before the list is made: if it still stands later, then the list is of this version.
  const std::optional<std::uint32_t> version = task_.index.version(node);
  if (!state.list || !version || state.version != version || !(state.mode == mode)) {
    base::Result<std::shared_ptr<const DirectiveList>> list = task_.lists.of(node, mode);
    if (!list) return base::unsupported("unreadable_input: " + list.error().message);
    state.list = std::move(list).value();
    state.version = version;
    state.mode = mode;
  }
  state.once = false;
  state.entered = 0;
  state.scan = scratch_.scan;
  return &state;
}

const IncluderDirectory* Preprocessor::directory_of(const Resolved& file, bool system) {
  const bool canonical = system && resolver_.config().canonical_system_headers;
  if (!clang_names_directories_once()) return resolver_.directory_of(file, canonical);
  const std::string& prefix = directory_names_.try_emplace(file.parent, file.parent_name).first->second;
  return resolver_.includer_directory(prefix, file.parent, canonical);
}

Start Preprocessor::start_of(const Request& request, const Frame& frame) const {
  const bool primary = frames_.size() == 1 && !frame.from_command_line;
  if (request.next && !primary) {
    if (frame.search_index >= 0) {
      return {StartKind::after, static_cast<std::uint16_t>(frame.search_index)};
    }
    if (frame.search_index == kIncluderDirectory) return {StartKind::quote, 0};
  }
  return {request.angled ? StartKind::angle : StartKind::includer, 0};
}

const Resolved& Preprocessor::resolve(const Request& request, const Frame& frame) {
  const Resolved& found =
      resolver_.resolve(request.name, start_of(request, frame), frame.directory, task_.since);
  use(found);
  return found;
}

void Preprocessor::use(const Resolved& answer) {
  if (std::exchange(answer.used_in, scratch_.scan) == scratch_.scan) return;
  recorder_.depends_on(answer.trail);
  if (clang_names_directories_once()) {
    for (const auto& [node, name] : answer.directories) directory_names_.try_emplace(node, name);
  }
}

base::Result<void> Preprocessor::include(Frame& frame, const Directive& item) {
  Request request;
  if (item.id != kNoName) {
    request.name = item.id;
    request.angled = item.angled;
    if (item.text[0] == '/') recorder_.facts().absolute_includes.emplace_back(item.text);
  } else {
    base::Result<Request> computed = computed_name(frame, item);
    if (!computed) return computed.error();
    request = *computed;
  }
  request.next = item.kind == DirectiveKind::include_next;
  request.import = item.kind == DirectiveKind::import;
  return enter(request, frame, By::user);
}

base::Result<Preprocessor::Request> Preprocessor::computed_name(Frame& frame, const Directive& item) {
  line_ = item.line_number;
  expander_.begin(frame.list->tokens.data() + item.first_token, item.token_count, task_.prelude.mode);
  Token token;
  Request request;
  std::string name;
  if (!expander_.next(token)) {
    return base::unsupported(expander_.failure() != nullptr ? expander_.failure() : "computed_include");
  }
  if (token.kind == TokenKind::string && token.text.size() > 2 && token.text[0] == '"') {
    name = token.text.substr(1, token.text.size() - 2);
  } else if (token.is(Op::less)) {
    request.angled = true;
    const std::uint8_t space = gcc() ? kSpaceInText : kSpaceBefore;
    while (true) {
      if (!expander_.next(token)) return base::unsupported("computed_include");
      if (token.is(Op::greater)) break;
      if ((token.flags & space) != 0) name += ' ';
      name += token.text;
    }
  }
  if (expander_.failure() != nullptr) return base::unsupported(expander_.failure());
  if (name.empty()) return base::unsupported("computed_include");
  if (name[0] == '/' || expander_.used_file_macro() || expander_.used_command_macro()) {
    recorder_.facts().absolute_includes.push_back(name);
  }
  request.name = task_.lists.vocabulary().headers.intern(name);
  return request;
}

base::Result<void> Preprocessor::enter(const Request& request, const Frame& from, By by) {
  const std::string_view name = task_.lists.vocabulary().headers.name(request.name);
  if (frames_.size() >= most_frames()) return base::unsupported("include_depth");
  const Resolved& file = resolve(request, from);
  if (gcc() && first_include_ && by == By::user) {
    first_include_ = false;
    if (resolver_.meets_precompiled(request.name, start_of(request, from), from.directory,
                                    recorder_.scratch_trail())) {
      return base::unsupported("precompiled_header: " + std::string(name));
    }
  }
  if (file.broken) return base::unsupported("lookup: " + std::string(name));
  if (file.by == FoundBy::nothing) {
    if (by == By::compiler) return {};
    return base::unsupported("missing_include: " + std::string(name));
  }
  const std::vector<SearchDirectory>& directories = resolver_.config().path.directories;
  Frame frame;
  frame.node = file.node;
  frame.path = file.path;
  frame.identity = file.identity;
  frame.system = from.system || (file.by == FoundBy::search_path && directories[file.directory].system);
  frame.by_flag = (file.by == FoundBy::search_path && directories[file.directory].by_flag) ||
                  (file.by == FoundBy::includer && from.by_flag);
  if (file.by == FoundBy::search_path) {
    frame.search_index = file.directory;
  } else if (file.by == FoundBy::includer) {
    frame.search_index = gcc() ? kIncluderDirectory : from.search_index;
  }
  base::Result<FileState*> state = state_of(file.node);
  if (!state) return state.error();
  frame.list = (*state)->list.get();
  FileEvent event;
  event.system = frame.system;
  event.by_flag = frame.by_flag;
  event.was_once = (*state)->once;
  event.node = file.node;
  event.file = &file;
  base::Result<bool> enters = meet(event, **state, request);
  if (!enters) return enters.error();
  if (!*enters || guarded(*frame.list)) {
    note(event);
    return {};
  }
  event.kind = FileEvent::Kind::entered;
  note(event);
  if (auto begun = begin_reading(**state, frame.system); !begun) return begun;
  frame.directory = directory_of(file, frame.system);
  if (subtrees_hold()) {
    base::Result<bool> taken = take_subtree(frame);
    if (!taken) return taken.error();
    if (*taken) return {};
    open_subtree(frame);
  }
  frames_.push_back(frame);
  records_.deepest = std::max(records_.deepest, frames_.size());
  return {};
}

// What the compiler takes down of a file that is included. False when it passes over it.
base::Result<bool> Preprocessor::meet(const FileEvent& event, FileState& state, const Request& request) {
  const Resolved& file = *event.file;
  if (!gcc()) recorder_.listed(file.node, file.depfile_name, event.system, event.by_flag);
  base::Result<bool> enters = should_enter(file, state, request);
  if (enters && *enters && gcc() && stacked_.insert(file.identity).second) {
    recorder_.listed(file.node, file.depfile_name, event.system, event.by_flag);
  }
  return enters;
}

base::Result<void> Preprocessor::begin_reading(FileState& state, bool system) {
  return state.entered++ == 0 ? check_facts(*state.list, system) : base::Result<void>();
}

// An include guard that is closed: to read the file again would change nothing.
bool Preprocessor::guarded(const DirectiveList& list) {
  return list.guard != kNoName && scratch_.macros.find(list.guard) != nullptr;
}

// False when the compiler passes over the file without opening it, or after a look at it.
base::Result<bool> Preprocessor::should_enter(const Resolved& file, FileState& state,
                                              const Request& request) {
  if (state.once) return false;
  if (request.import) {
    spoil();
    if (auto marked = mark_once(file.node, state); !marked) return marked.error();
    if (state.entered > 0) return false;
    // Equal files count as imported, which mtimes decide that a remote machine does not have.
    for (const Input& input : recorder_.inputs()) {
      if (input.node != file.node) once_sizes_.emplace(size_of(input.node), input.node);
    }
  }
  if (state.entered == 0 && !once_sizes_.empty()) {
    base::Result<bool> elsewhere = once_elsewhere(file, state);
    if (!elsewhere) return elsewhere.error();
  }
  return true;
}

std::uint64_t Preprocessor::size_of(NodeId node) const {
  if (node >= scratch_.files.size() || scratch_.files[node].scan != scratch_.scan) return ~std::uint64_t{0};
  return scratch_.files[node].list->size;
}

// Whether another place holds what counts as the same file: for gcc one of equal time and content, for clang
// a hard link. Both are lost when the tree is rebuilt elsewhere, so the scan refuses.
base::Result<bool> Preprocessor::once_elsewhere(const Resolved& file, const FileState& state) {
  auto [first, last] = once_sizes_.equal_range(state.list->size);
  for (; first != last; ++first) {
    const NodeId other = first->second;
    if (other == file.node) continue;
    if (gcc()) {
      base::Result<base::Digest> mine = task_.index.digest(file.node);
      base::Result<base::Digest> its = task_.index.digest(other);
      if (!mine || !its) return base::unsupported("unreadable_input: " + file.path);
      if (*mine == *its) return base::unsupported("once_equal_files: " + file.path);
    } else {
      const base::FileStat mine = task_.index.stat(file.node);
      const base::FileStat its = task_.index.stat(other);
      if (mine.dev == its.dev && mine.ino == its.ino) {
        return base::unsupported("once_hard_link: " + file.path);
      }
    }
  }
  return false;
}

base::Result<void> Preprocessor::mark_once(NodeId node, FileState& state) {
  if (state.once) return {};
  state.once = true;
  once_sizes_.emplace(state.list->size, node);
  return {};
}

base::Result<void> Preprocessor::dependency(const Directive& item) {
  // The warning that it makes depends on the times of two files, and those are not part of what names a
  // result.
  return base::unsupported("pragma_dependency: " + std::string(item.text));
}

base::Result<void> Preprocessor::embed(Frame& frame, const Directive& item) {
  if (gcc()) return base::unsupported("embed");
  spoil();
  Request request;
  if (item.id != kNoName) {
    request.name = item.id;
    request.angled = item.angled;
  } else {
    base::Result<Request> computed = computed_name(frame, item);
    if (!computed) return computed.error();
    request = *computed;
  }
  // Found beside the includer; --embed-dir is not understood.
  if (request.angled) return base::unsupported("embed");
  const Resolved& file = resolve(request, frame);
  if (file.by != FoundBy::includer && file.by != FoundBy::absolute_path) return base::unsupported("embed");
  if (file.by == FoundBy::absolute_path) recorder_.facts().absolute_includes.push_back(file.path);
  recorder_.listed(file.node, file.depfile_name, false, false);
  return {};
}

}  // namespace inputs
