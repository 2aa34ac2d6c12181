// The input root of an Action: files, symbolic links and directories by path, laid out as the Directory
// messages of the Remote Execution API in canonical form. One thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "remote/action.h"

namespace remote {

class Tree {
 public:
  // Paths are relative to the input root, in normal form; parents are made. A path given twice is kept once.
  void add_file(std::string_view path, const base::Digest& digest, bool executable);
  void add_link(std::string_view path, std::string_view target);
  void add_directory(std::string_view path);

  // The messages, children before parents and the root last; equal directories stand once.
  std::vector<Blob> finish() const;

 private:
  struct File {
    base::Digest digest;
    bool executable;
  };
  struct Folder {
    std::map<std::string, File, std::less<>> files;
    std::map<std::string, std::size_t, std::less<>> folders;  // into folders_, always after this one
    std::map<std::string, std::string, std::less<>> links;
  };

  Folder& folder_of(std::string_view path);

  std::vector<Folder> folders_{1};  // the root first
};

}  // namespace remote
