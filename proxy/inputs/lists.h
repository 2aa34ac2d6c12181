// The directive lists of all files, shared by all scans, and what the compilers answered to questions.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "compiler/dialect.h"
#include "inputs/directive.h"
#include "inputs/file_index.h"
#include "inputs/prelude.h"

namespace inputs {

// Any thread.
class Lists {
 public:
  explicit Lists(FileIndex& index) : index_(index) {}

  Vocabulary& vocabulary() { return vocabulary_; }

  // The file's list; an error when the file cannot be read.
  base::Result<std::shared_ptr<const DirectiveList>> of(NodeId node, const LexMode& mode);
  // The names that occur in the file's text, sorted.
  base::Result<std::shared_ptr<const std::vector<std::string>>> text_names(NodeId node, const LexMode& mode);

  std::shared_ptr<const Prelude> prelude(const compiler::Command& command, const compiler::Dialect& dialect);

  // What the subtrees of all scans take in memory.
  std::atomic<std::size_t>& subtree_bytes() { return subtree_bytes_; }

 private:
  // The slot of the index that holds lists made in this mode. Slot n + 1 holds the text's names.
  std::uint8_t slot(const LexMode& mode);

  FileIndex& index_;
  Vocabulary vocabulary_;
  std::atomic<std::size_t> subtree_bytes_{0};
  std::shared_mutex mutex_;
  std::vector<LexMode> modes_;                                                // guarded by mutex_
  std::unordered_map<std::string, std::shared_ptr<const Prelude>> preludes_;  // guarded by mutex_
};

// The compilers' answers. Any thread.
class Answers {
 public:
  explicit Answers(compiler::Dialects& dialects) : dialects_(dialects) {}

  // The answer, if it is known already.
  std::optional<std::int64_t> known(const compiler::Dialect& dialect, const std::string& question);
  // Asks for all of these at once.
  base::Result<void> ask(const compiler::Dialect& dialect, const std::vector<std::string>& questions,
                         const std::stop_token& stop);

 private:
  using Table = std::unordered_map<std::string, std::int64_t>;

  compiler::Dialects& dialects_;
  std::shared_mutex mutex_;
  std::unordered_map<std::uint32_t, Table> tables_;  // guarded by mutex_; by the dialect's id
};

}  // namespace inputs
