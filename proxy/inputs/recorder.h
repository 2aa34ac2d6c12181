// Collects what a scan finds: the inputs in order, each once per name, and the trail.
#pragma once

#include <cstdint>
#include <memory_resource>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "inputs/file_index.h"
#include "inputs/scanner.h"

namespace inputs {

struct Scratch;

// One scan; one thread.
class Recorder {
 public:
  Recorder(FileIndex& index, Scratch& scratch) : index_(index), scratch_(scratch) {}

  // A file that is named in the depfile, under this name. A second call with both equal changes nothing but
  // that a file is no system header when it is none in one of its uses.
  void listed(NodeId node, std::string_view name, bool system, bool by_flag);
  // A file that is read, looked for or asked about, but not named in the depfile.
  void unlisted(NodeId node, std::string_view name, bool system, bool by_flag);

  void depends_on(const Trail& trail);
  Trail& scratch_trail() { return loose_; }  // for look-ups whose trail is not kept elsewhere

  SourceFacts& facts() { return closure_.facts; }
  const std::vector<Input>& inputs() const { return closure_.inputs; }

  // The closure, without the inputs that turned out to be listed under the same name later.
  Closure finish();

 private:
  void depends_on(NodeId node);
  Input* find(NodeId node, std::string_view name);

  FileIndex& index_;
  Scratch& scratch_;
  Closure closure_;
  Trail loose_;
  std::pmr::monotonic_buffer_resource memory_;                             // of by_node_, which only grows
  std::pmr::unordered_multimap<NodeId, std::uint32_t> by_node_{&memory_};  // indices of inputs
};

}  // namespace inputs
