#include <algorithm>
#include <utility>

#include "inputs/preprocessor.h"

// The part of Preprocessor that records subtrees and takes them in place of a walk.

namespace inputs {
namespace {

// Whether a file was met in the same way.
bool same(const FileEvent& a, const FileEvent& b) { return a.file == b.file && a.system == b.system; }

}  // namespace

// Older clangs name a directory as it was named first, anywhere in the compile, and gcc looks for a
// precompiled header where the first include is: there what happened before has a say that is not compared.
bool Preprocessor::subtrees_hold() const {
  return !clang_names_directories_once() && !(gcc() && first_include_);
}

SubtreePlace Preprocessor::place_of(const Frame& frame) const {
  SubtreePlace place;
  place.prelude = &task_.prelude;
  place.list = frame.list;
  place.resolver = resolver_.number();
  place.directory = frame.directory->id;
  place.search_index = frame.search_index;
  place.system = frame.system;
  place.by_flag = frame.by_flag;
  return place;
}

// True when a subtree has taken the place of the frame's walk.
base::Result<bool> Preprocessor::take_subtree(const Frame& frame) {
  SubtreeSet* known = scratch_.files[frame.node].subtrees.get();
  if (known == nullptr) return false;
  Subtree* subtree = known->find(place_of(frame), [this](Subtree& one) { return agrees(one); });
  if (subtree == nullptr) return false;
  for (const FileEvent& event : subtree->events) {
    note(event);
    if (auto repeated = repeat(event); !repeated) return repeated.error();
  }
  for (const MacroLook& write : subtree->writes) scratch_.macros.set(write.name, write.macro);
  ++scratch_.subtrees_taken;
  records_.steps += subtree->steps;
  records_.deepest = std::max(records_.deepest, frames_.size() + subtree->depth);
  return true;
}

bool Preprocessor::agrees(Subtree& subtree) {
  if (frames_.size() + subtree.depth >= most_frames()) return false;
  for (MacroLook& look : subtree.reads) {
    if (scratch_.macros.find(look.name) == look.macro) continue;
    // What differs once is likely to differ again.
    std::swap(look, subtree.reads.front());
    return false;
  }
  for (const FileEvent& event : subtree.events) {
    if (event.file != nullptr && !still_holds(*event.file)) return false;
    if (!event.first) continue;
    base::Result<FileState*> state = state_of(event.node);
    if (!state || (*state)->once != event.was_once) return false;
  }
  return true;
}

bool Preprocessor::still_holds(const Resolved& answer) {
  if (answer.held_in == scratch_.scan) return true;
  if (!task_.index.valid(answer.snapshot)) return false;
  answer.held_in = scratch_.scan;
  return true;
}

base::Result<void> Preprocessor::repeat(const FileEvent& event) {
  if (event.file != nullptr) use(*event.file);
  if (event.kind == FileEvent::Kind::asked) {
    asked(event);
    return {};
  }
  FileState& state = scratch_.files[event.node];  // of this scan, as agrees() has asked for it
  if (event.kind == FileEvent::Kind::once) return mark_once(event.node, state);
  base::Result<bool> met = meet(event, state, Request());
  if (!met) return met.error();
  return event.kind == FileEvent::Kind::entered ? begin_reading(state, event.system) : base::Result<void>();
}

// The frame is about to be pushed.
void Preprocessor::open_subtree(const Frame& frame) {
  std::unique_ptr<SubtreeSet>& known = scratch_.files[frame.node].subtrees;
  if (!known) known = std::make_unique<SubtreeSet>();
  if (!known->worth_recording()) return;
  Recording recording;
  recording.place = place_of(frame);
  recording.frames = frames_.size() + 1;
  recording.macros = scratch_.macros.log().open();
  recording.first_event = records_.events.size();
  recording.first_step = records_.steps;
  recording.outer_deepest = std::exchange(records_.deepest, frames_.size() + 1);
  recording.absolute_includes = recorder_.facts().absolute_includes.size();
  records_.open.push_back(recording);
}

// The innermost recording's file has been read.
void Preprocessor::close_subtree() {
  const Recording recording = records_.open.back();
  records_.open.pop_back();
  const NodeId node = frames_.back().node;
  std::unique_ptr<Subtree> subtree = make_subtree(recording);
  records_.deepest = std::max(records_.deepest, recording.outer_deepest);
  if (recording.spoiled) spoil();
  // What was taken for the answer to an open question would pass for the answer.
  const bool holds = !recording.spoiled && later_.questions.empty() &&
                     recording.absolute_includes == recorder_.facts().absolute_includes.size();
  if (!holds || subtree->gain() < scratch_.subtree_limits.least_gain) {
    scratch_.files[node].subtrees->decline();
  } else {
    keep_subtree(node, std::move(subtree));
  }
  if (records_.open.empty()) records_.events.clear();
}

void Preprocessor::keep_subtree(NodeId node, std::unique_ptr<Subtree> subtree) {
  SubtreeSet& known = *scratch_.files[node].subtrees;
  const std::size_t bytes = subtree->bytes();
  std::atomic<std::size_t>& all = task_.lists.subtree_bytes();
  const SubtreeLimits& limits = scratch_.subtree_limits;
  const std::size_t others = all.load() - scratch_.subtree_bytes;
  if (bytes > limits.bytes || others + bytes > limits.bytes_of_all) return known.decline();
  const std::size_t room = std::min(limits.bytes, limits.bytes_of_all - others);
  if (scratch_.subtree_bytes + bytes > room) {
    for (const NodeId file : scratch_.subtree_files) scratch_.files[file].subtrees->clear();
    scratch_.subtree_files.clear();
    all -= std::exchange(scratch_.subtree_bytes, 0);
  }
  if (known.empty()) scratch_.subtree_files.push_back(node);
  const std::size_t dropped = known.keep(std::move(subtree));
  scratch_.subtree_bytes += bytes - dropped;
  all += bytes - dropped;
}

std::unique_ptr<Subtree> Preprocessor::make_subtree(const Recording& recording) {
  auto subtree = std::make_unique<Subtree>();
  subtree->place = recording.place;
  subtree->list = scratch_.files[frames_.back().node].list;
  subtree->depth = static_cast<std::uint32_t>(records_.deepest - recording.frames + 1);
  subtree->steps = static_cast<std::uint32_t>(records_.steps - recording.first_step);
  scratch_.macros.log().close(recording.macros, subtree->reads, subtree->writes);
  ++scratch_.marks;
  for (std::size_t i = recording.first_event; i < records_.events.size(); ++i) {
    FileEvent event = records_.events[i];
    event.first = false;
    if (event.kind != FileEvent::Kind::asked) {
      FileState& state = scratch_.files[event.node];
      event.first = std::exchange(state.mark, scratch_.marks) != scratch_.marks;
      // To meet a file again, and to pass over it again, changes nothing.
      if (!event.first && event.kind == FileEvent::Kind::passed &&
          same(event, subtree->events[state.last_event])) {
        continue;
      }
      state.last_event = static_cast<std::uint32_t>(subtree->events.size());
    }
    subtree->events.push_back(event);
  }
  subtree->events.shrink_to_fit();
  return subtree;
}

}  // namespace inputs
