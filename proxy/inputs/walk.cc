#include "inputs/walk.h"

#include <climits>
#include <mutex>
#include <string>

namespace inputs {
namespace {

constexpr int kMaxLinks = 40;  // the kernel's limit

const Found kUnusable{kNoNode, base::FileType::absent, true};

class Walk {
 public:
  Walk(NodeTable& table, Tracker& tracker, NodeId directory, Trail& trail)
      : table_(table), tracker_(tracker), trail_(trail), at_(directory) {}

  Found run(std::string_view path) {
    rest_ = path;
    if (!rest_.empty() && rest_.front() == '/') at_ = NodeTable::kRoot;
    Shape shape = see(at_);
    while (true) {
      const bool slash = take_slashes();
      if (rest_.empty() && !(slash && shape.type != base::FileType::directory)) break;
      std::string_view name = take_name();
      if (shape.broken) break;
      if (shape.type == base::FileType::absent) break;
      if (shape.type != base::FileType::directory) {
        // A file where a directory is needed: what would be below it is missing.
        if (name.empty()) name = ".";
      } else if (name == ".") {
        continue;
      } else if (name == "..") {
        trail_.push_back(at_);
        if (at_ != NodeTable::kRoot) at_ = table_.node(at_).parent;
        continue;
      }
      if (name.size() > NodeTable::kMaxName || name.find('\0') != std::string_view::npos) return kUnusable;
      const NodeId child = table_.intern(at_, name);
      if (child == kNoNode) return kUnusable;
      shape = see(child);
      if (shape.type != base::FileType::symlink) {
        at_ = child;
        continue;
      }
      trail_.push_back(child);
      if (shape.broken || ++links_ > kMaxLinks) return {child, base::FileType::absent, true};
      if (!follow(child)) return {child, base::FileType::absent, true};
      shape = see(at_);
    }
    trail_.push_back(at_);
    return {at_, shape.broken ? base::FileType::absent : shape.type, shape.broken};
  }

 private:
  Shape see(NodeId id) {
    tracker_.look(id);
    return table_.node(id).shape.load(std::memory_order_acquire);
  }

  bool take_slashes() {
    std::size_t end = std::min(rest_.find_first_not_of('/'), rest_.size());
    rest_.remove_prefix(end);
    return end > 0;
  }

  std::string_view take_name() {
    std::string_view name = rest_.substr(0, rest_.find('/'));
    rest_.remove_prefix(name.size());
    return name;
  }

  // Puts the link's target before what is left of the path.
  bool follow(NodeId link) {
    std::string target;
    {
      std::lock_guard lock(table_.stripe(link).mutex);
      const Node& node = table_.node(link);
      if (node.extra) target = node.extra->target;
    }
    if (target.empty()) return false;
    target.append(rest_);
    if (target.size() >= PATH_MAX) return false;
    buffer_.swap(target);
    rest_ = buffer_;
    if (rest_.front() == '/') at_ = NodeTable::kRoot;
    return true;
  }

  NodeTable& table_;
  Tracker& tracker_;
  Trail& trail_;
  NodeId at_;
  std::string_view rest_;
  std::string buffer_;  // what rest_ points into once a link was followed
  int links_ = 0;
};

}  // namespace

Found walk(NodeTable& table, Tracker& tracker, NodeId directory, std::string_view path, Trail& trail) {
  if (path.size() >= PATH_MAX || directory == kNoNode) return kUnusable;
  return Walk(table, tracker, directory, trail).run(path);
}

}  // namespace inputs
