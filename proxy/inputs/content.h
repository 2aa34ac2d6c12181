// What regular files hold: digests, and what others made of the content. Each version of a file is read once,
// however many tasks ask for it at the same time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/digest.h"
#include "base/files.h"
#include "base/result.h"
#include "inputs/node_table.h"
#include "inputs/tracker.h"

namespace inputs {

// Any thread. No lock is held while a file is read or something is made of it.
class Contents {
 public:
  using Derived = std::shared_ptr<const void>;
  using Make = std::function<Derived(std::string content)>;

  Contents(NodeTable& table, Tracker& tracker, base::Files& files)
      : table_(table), tracker_(tracker), files_(files) {}

  // `io` for what is no readable regular file, `transient` when it changes all the time.
  base::Result<base::Digest> digest(NodeId id);
  base::Result<Derived> derive(NodeId id, std::uint8_t slot, const Make& make);

 private:
  // What is wanted of a file: its digest only, or a slot too.
  struct Wish {
    bool derived = false;
    std::uint8_t slot = 0;
    const Make* make = nullptr;
  };
  struct Answer {
    base::Digest digest;
    Derived derived;
  };
  // A content that is that of version `version`.
  struct Read {
    std::string bytes;
    std::int64_t wall = 0;
    std::uint32_t version = 0;
  };

  base::Result<Answer> get(NodeId id, const Wish& wish);
  // The answer, if it is there for the present version. Requires: stripe held.
  bool known(NodeId id, const Wish& wish, Answer& answer);
  // `transient`: changed meanwhile.
  base::Result<Read> read(NodeId id, const base::FileStat& expected, std::uint32_t version);
  bool keep(NodeId id, const Wish& wish, Read& content, Answer& answer);

  NodeTable& table_;
  Tracker& tracker_;
  base::Files& files_;
};

}  // namespace inputs
