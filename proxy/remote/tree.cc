#include "remote/tree.h"

#include <unordered_set>

#include "base/path.h"
#include "cache/outcome_codec.h"
#include "wire/reapi.pb.h"

namespace remote {

namespace reapi = build::bazel::remote::execution::v2;

Tree::Folder& Tree::folder_of(std::string_view path) {
  std::size_t at = 0;
  while (!path.empty()) {
    std::size_t end = std::min(path.find('/'), path.size());
    std::string_view name = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (name.empty()) continue;
    auto found = folders_[at].folders.find(name);
    if (found != folders_[at].folders.end()) {
      at = found->second;
      continue;
    }
    std::size_t fresh = folders_.size();
    folders_[at].folders.emplace(name, fresh);
    folders_.emplace_back();
    at = fresh;
  }
  return folders_[at];
}

void Tree::add_file(std::string_view path, const base::Digest& digest, bool executable) {
  folder_of(base::directory_name(path))
      .files.try_emplace(std::string(base::base_name(path)), File{digest, executable});
}

void Tree::add_link(std::string_view path, std::string_view target) {
  folder_of(base::directory_name(path)).links.try_emplace(std::string(base::base_name(path)), target);
}

void Tree::add_directory(std::string_view path) { folder_of(path); }

std::vector<Blob> Tree::finish() const {
  std::vector<Blob> blobs;
  std::unordered_set<base::Digest> known;
  std::vector<base::Digest> digests(folders_.size());
  // A folder stands after its parent, so the last ones have no children that are still to come.
  for (std::size_t i = folders_.size(); i-- > 0;) {
    const Folder& folder = folders_[i];
    reapi::Directory message;
    for (const auto& [name, file] : folder.files) {
      reapi::FileNode& node = *message.add_files();
      node.set_name(name);
      cache::set_digest(file.digest, *node.mutable_digest());
      node.set_is_executable(file.executable);
    }
    for (const auto& [name, child] : folder.folders) {
      reapi::DirectoryNode& node = *message.add_directories();
      node.set_name(name);
      cache::set_digest(digests[child], *node.mutable_digest());
    }
    for (const auto& [name, target] : folder.links) {
      reapi::SymlinkNode& node = *message.add_symlinks();
      node.set_name(name);
      node.set_target(target);
    }
    Blob blob;
    blob.bytes = message.SerializeAsString();
    blob.digest = base::digest_of(blob.bytes);
    digests[i] = blob.digest;
    if (known.insert(blob.digest).second || i == 0) blobs.push_back(std::move(blob));
  }
  return blobs;
}

}  // namespace remote
