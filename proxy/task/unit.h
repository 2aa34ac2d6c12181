// What is remembered of a command whose inputs were found: enough to answer it again from the cache with a
// few integer compares, and no more, because there is one for each translation unit of a build.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/digest.h"
#include "compiler/command.h"
#include "compiler/stamp.h"
#include "inputs/file_index.h"
#include "remote/action.h"

namespace task {

// Where one output of the Action goes in the user's tree.
struct Destination {
  enum class Kind : std::uint8_t {
    file,          // the bytes as they are
    depfile,       // the user's depfile: paths and lines are laid out for this checkout
    private_only,  // our own depfile, which the user never sees
    user_headers,  // ours too; the user's -MMD depfile is made from it, without the system headers
  };
  std::string action_path;  // as in the Action's output_paths
  std::string path;         // as the compiler would open it; for `user_headers` the user's depfile
  Kind kind = Kind::file;
  bool required = true;
};

// Which colours the compiler would have shown.
enum class Colour : std::uint8_t { automatic, always, never, untouched };

// Immutable but for `snapshot`, which remembers when it was last found valid.
struct Unit {
  base::Digest action;
  bool portable = false;
  bool shared = false;
  remote::Roots roots;
  compiler::Family family = compiler::Family::gcc;
  compiler::Depfile depfile;
  Colour colour = Colour::automatic;
  std::vector<Destination> destinations;
  std::vector<std::string> system_names;  // spelled; only for `user_headers`, sorted
  std::string source;
  std::string output;
  std::uint32_t inputs = 0;

  std::vector<compiler::Stamp> stamps;  // what the snapshot cannot tell of

  bool valid(inputs::FileIndex& index, base::Files& files) const {
    std::lock_guard lock(mutex);
    return index.valid(snapshot) && compiler::still_valid(files, stamps);
  }

  mutable std::mutex mutex;
  mutable inputs::Snapshot snapshot;  // guarded by mutex
};

// The units of recent commands by the fingerprint of what was asked. Any thread.
class UnitMemo {
 public:
  // About 4 KiB a unit of 350 headers: the default is some 250 MiB at most.
  explicit UnitMemo(std::size_t limit = 65'536) : limit_(limit) {}

  std::shared_ptr<const Unit> find(const base::Digest& fingerprint);
  void put(const base::Digest& fingerprint, std::shared_ptr<const Unit> unit);
  void erase(const base::Digest& fingerprint);
  std::size_t size() const;

 private:
  struct Entry {
    std::shared_ptr<const Unit> unit;
    std::list<base::Digest>::iterator age;
  };
  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::list<base::Digest> ages_;                     // guarded by mutex_; the newest first
  std::unordered_map<base::Digest, Entry> entries_;  // guarded by mutex_
};

}  // namespace task
