#include "task/neighbours.h"

#include <algorithm>

#include "base/path.h"

namespace task {
namespace {

// Claims remembered after their end: more than can end during one compile of an ordinary build.
constexpr std::size_t kEndedClaims = 16'384;

void add_once(std::vector<std::string>& list, std::string text) {
  if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(std::move(text));
}

// "x.cc.o" may have side outputs named x.cc.gcno, x.gcno and x.d, so the shortest stem is taken.
std::string short_stem(const std::string& path) {
  std::string name(base::base_name(path));
  std::size_t dot = name.find('.', 1);
  return dot == std::string::npos ? name : name.substr(0, dot);
}

bool named_after(const std::string& name, const std::vector<std::string>& stems) {
  for (const std::string& stem : stems) {
    if (name.size() > stem.size() && name.starts_with(stem) &&
        (name[stem.size()] == '.' || name[stem.size()] == '-')) {
      return true;
    }
  }
  return false;
}

}  // namespace

NeighbourList Neighbours::before(const std::string& directory, const std::vector<std::string>& paths) {
  NeighbourList out;
  add_once(out.directories, directory);
  for (const std::string& path : paths) {
    add_once(out.stems, short_stem(path));
    std::string parent(base::directory_name(path));
    if (!parent.empty()) add_once(out.directories, parent);
  }
  list(out);
  return out;
}

void Neighbours::list(NeighbourList& into) const {
  for (const std::string& directory : into.directories) {
    base::Result<std::vector<base::DirEntry>> entries = files_.list(directory);
    if (!entries) continue;
    for (const base::DirEntry& entry : *entries) {
      if (!named_after(entry.name, into.stems)) continue;
      std::string path = base::join(directory, entry.name);
      base::Result<base::FileStat> status = files_.lstat(path);
      if (status && status->type == base::FileType::regular) into.files[path] = *status;
    }
  }
}

std::string Neighbours::unexpected(const NeighbourList& before, const std::vector<std::string>& expected) {
  NeighbourList now{before.directories, before.stems, {}};
  list(now);
  for (const auto& file : now.files) {
    auto earlier = before.files.find(file.first);
    if (earlier != before.files.end() && earlier->second == file.second) continue;
    if (std::find(expected.begin(), expected.end(), file.first) != expected.end()) continue;
    if (!claimed(file.first)) return file.first;
  }
  return {};
}

bool Neighbours::claimed(const std::string& path) const {
  std::lock_guard lock(mutex_);
  return claims_.count(path) > 0 || std::find(ended_.begin(), ended_.end(), path) != ended_.end();
}

Neighbours::Claim::Claim(Neighbours& owner, std::vector<std::string> paths)
    : owner_(owner), paths_(std::move(paths)) {
  std::lock_guard lock(owner_.mutex_);
  owner_.claims_.insert(paths_.begin(), paths_.end());
}

Neighbours::Claim::~Claim() {
  std::lock_guard lock(owner_.mutex_);
  for (const std::string& path : paths_) {
    owner_.claims_.erase(owner_.claims_.find(path));
    if (owner_.ended_.size() < kEndedClaims) {
      owner_.ended_.push_back(path);
    } else {
      owner_.ended_[owner_.next_ended_++ % kEndedClaims] = path;
    }
  }
}

}  // namespace task
