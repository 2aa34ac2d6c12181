// A file system in memory that records what is asked of it, so that a test can say "this read exactly these
// files". Symbolic links are followed as the kernel follows them, `..` after a link included. Its time moves
// only when a file is changed or when told. Any thread.
#pragma once

#include <cerrno>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"

namespace fake {

class FakeFiles : public base::Files {
 public:
  FakeFiles() { nodes_["/"] = make_node(base::FileType::directory, ""); }

  // Makes a regular file, and the directories above it. A file that is there keeps its inode.
  void write(const std::string& path, std::string_view content) {
    put(path, base::FileType::regular, std::string(content));
  }
  void link(const std::string& path, std::string_view target) {
    put(path, base::FileType::symlink, std::string(target));
  }
  void make_directory(const std::string& path) { put(path, base::FileType::directory, ""); }

  // Removes one file, or a directory with everything below it.
  void remove(const std::string& path) {
    std::lock_guard lock(mutex_);
    nodes_.erase(path);
    std::string below = path + "/";
    for (auto it = nodes_.lower_bound(below); it != nodes_.end() && it->first.starts_with(below);) {
      it = nodes_.erase(it);
    }
  }

  // From now on each function answers with an error of this errno for `path`.
  void fail(const std::string& path, int errno_value) {
    std::lock_guard lock(mutex_);
    failures_[path] = errno_value;
  }

  void set_times(const std::string& path, std::int64_t mtime_ns, std::int64_t ctime_ns) {
    std::lock_guard lock(mutex_);
    nodes_[path].stat.mtime_ns = mtime_ns;
    nodes_[path].stat.ctime_ns = ctime_ns;
  }

  // What has been asked, in order, as "stat /x", "lstat /x", "read /x", "read_link /x", "list /x".
  std::vector<std::string> asked() const {
    std::lock_guard lock(mutex_);
    return asked_;
  }
  // The paths of the `read` questions alone.
  std::vector<std::string> reads() const {
    std::vector<std::string> out;
    for (const std::string& line : asked()) {
      if (line.starts_with("read ")) out.push_back(line.substr(5));
    }
    return out;
  }
  void forget_asked() {
    std::lock_guard lock(mutex_);
    asked_.clear();
  }

  base::Result<base::FileStat> stat(const std::string& path) override { return status("stat", path, true); }
  base::Result<base::FileStat> lstat(const std::string& path) override {
    return status("lstat", path, false);
  }

  base::Result<std::string> read(const std::string& path) override {
    std::lock_guard lock(mutex_);
    base::Result<const Node*> node = find("read", path, true);
    if (!node) return node.error();
    if (*node == nullptr) return base::io_error("open " + path, ENOENT);
    if ((*node)->stat.type == base::FileType::directory) return base::io_error("read " + path, EISDIR);
    return (*node)->content;
  }

  base::Result<std::string> read_link(const std::string& path) override {
    std::lock_guard lock(mutex_);
    base::Result<const Node*> node = find("read_link", path, false);
    if (!node) return node.error();
    if (*node == nullptr) return base::io_error("readlink " + path, ENOENT);
    if ((*node)->stat.type != base::FileType::symlink) return base::io_error("readlink " + path, EINVAL);
    return (*node)->content;
  }

  base::Result<std::vector<base::DirEntry>> list(const std::string& path) override {
    std::lock_guard lock(mutex_);
    asked_.push_back("list " + path);
    if (auto failure = failures_.find(path); failure != failures_.end()) {
      return base::io_error("list " + path, failure->second);
    }
    base::Result<std::string> real = resolve(path, true);
    if (!real) return real.error();
    auto found = nodes_.find(*real);
    if (found == nodes_.end()) return base::io_error("open " + path, ENOENT);
    if (found->second.stat.type != base::FileType::directory) return base::io_error("open " + path, ENOTDIR);
    std::vector<base::DirEntry> out;
    std::string below = *real == "/" ? "/" : *real + "/";
    for (auto it = nodes_.lower_bound(below); it != nodes_.end() && it->first.starts_with(below); ++it) {
      std::string name = it->first.substr(below.size());
      if (!name.empty() && name.find('/') == std::string::npos) out.push_back({name, it->second.stat.type});
    }
    return out;
  }

 private:
  struct Node {
    std::string content;  // of a symlink: its target
    base::FileStat stat;
  };

  Node make_node(base::FileType type, std::string content) {
    Node node;
    node.stat.type = type;
    node.stat.mode = type == base::FileType::directory ? 0755 : 0644;
    node.stat.links = 1;
    node.stat.dev = 1;
    node.stat.ino = ++last_ino_;
    node.stat.size = static_cast<std::int64_t>(content.size());
    node.stat.mtime_ns = node.stat.ctime_ns = now_ns_ += 1'000'000'000;
    node.content = std::move(content);
    return node;
  }

  void put(const std::string& path, base::FileType type, std::string content) {
    std::lock_guard lock(mutex_);
    for (std::size_t slash = path.find('/', 1); slash != std::string::npos;
         slash = path.find('/', slash + 1)) {
      std::string above = path.substr(0, slash);
      if (nodes_.count(above) == 0) nodes_[above] = make_node(base::FileType::directory, "");
    }
    Node node = make_node(type, std::move(content));
    auto found = nodes_.find(path);
    if (found != nodes_.end() && found->second.stat.type == type) node.stat.ino = found->second.stat.ino;
    nodes_[path] = std::move(node);
  }

  // The path without symbolic links, `.` and `..`. What does not exist is kept as text. Requires: mutex_
  // held.
  base::Result<std::string> resolve(const std::string& path, bool follow_last) const {
    std::string real;
    std::string rest = path;
    int links = 0;
    while (!rest.empty()) {
      std::size_t slash = rest.find('/');
      std::string name = rest.substr(0, slash);
      rest = slash == std::string::npos ? "" : rest.substr(slash + 1);
      if (name.empty() || name == ".") continue;
      if (name == "..") {
        real = real.substr(0, real.rfind('/') == std::string::npos ? 0 : real.rfind('/'));
        continue;
      }
      auto found = nodes_.find(real + "/" + name);
      bool last = rest.find_first_not_of('/') == std::string::npos;
      if (found == nodes_.end() || found->second.stat.type != base::FileType::symlink ||
          (last && !follow_last)) {
        real += "/" + name;
        continue;
      }
      if (++links > 40) return base::io_error("stat " + path, ELOOP);
      const std::string& target = found->second.content;
      if (target.starts_with('/')) real.clear();
      rest = rest.empty() ? target : target + "/" + rest;
    }
    return real.empty() ? std::string("/") : real;
  }

  // Null when there is no such file. Requires: mutex_ held.
  base::Result<const Node*> find(const char* operation, const std::string& path, bool follow_last) {
    asked_.push_back(std::string(operation) + " " + path);
    if (auto failure = failures_.find(path); failure != failures_.end()) {
      return base::io_error(std::string(operation) + " " + path, failure->second);
    }
    base::Result<std::string> real = resolve(path, follow_last);
    if (!real) return real.error();
    auto found = nodes_.find(*real);
    return found == nodes_.end() ? nullptr : &found->second;
  }

  base::Result<base::FileStat> status(const char* operation, const std::string& path, bool follow_last) {
    std::lock_guard lock(mutex_);
    base::Result<const Node*> node = find(operation, path, follow_last);
    if (!node) return node.error();
    return *node == nullptr ? base::FileStat{} : (*node)->stat;
  }

  mutable std::mutex mutex_;
  std::map<std::string, Node> nodes_;
  std::map<std::string, int> failures_;
  std::vector<std::string> asked_;
  std::uint64_t last_ino_ = 0;
  std::int64_t now_ns_ = 1'000'000'000'000;
};

}  // namespace fake
