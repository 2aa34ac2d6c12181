// Names as small numbers. A scan compares and looks up names millions of times, so each name that occurs in a
// directive is given a number once, when the directive is read, and never spelled out again.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace inputs {

// Dense: suited as an index. 0 is no name.
using Id = std::uint32_t;

// The names that the preprocessor itself knows, with fixed numbers.
enum KnownName : Id {
  kNoName,
  kNameDefined,
  kNameVaArgs,
  kNameVaOpt,
  kNamePragmaOperator,
  kNameTrue,
  kNameFalse,
  kNameAnd,
  kNameOr,
  kNameNot,
  kNameXor,
  kNameBitand,
  kNameBitor,
  kNameCompl,
  kNameNotEq,
  kNameAndEq,
  kNameOrEq,
  kNameXorEq,
  kNameHasInclude,
  kNameHasIncludeNext,
  kNameHasEmbed,
  kNameFile,
  kNameFileName,
  kNameBaseFile,
  kNameLine,
  kNameCounter,
  kNameIncludeLevel,
  kNameDate,
  kNameTime,
  kNameTimestamp,
  kNameLimit,  // no name: one more than the last
};

// Any thread. Numbers and views stay good as long as the table.
class Identifiers {
 public:
  Identifiers();
  ~Identifiers();
  Identifiers(const Identifiers&) = delete;
  Identifiers& operator=(const Identifiers&) = delete;

  Id intern(std::string_view name);
  // Requires: a number that intern() gave.
  std::string_view name(Id id) const;
  // One more than the greatest number given.
  Id size() const { return size_.load(std::memory_order_acquire); }

 private:
  static constexpr std::size_t kShards = 16;
  static constexpr Id kChunk = 4096;
  static constexpr std::size_t kChunks = 16384;

  struct Chunk {
    std::array<std::string_view, kChunk> names;
  };
  struct alignas(64) Shard {
    std::mutex mutex;
    std::unordered_map<std::string_view, Id> ids;  // guarded by mutex
    std::vector<std::unique_ptr<char[]>> storage;  // guarded by mutex
  };

  Id allocate(std::string_view stored);

  std::array<Shard, kShards> shards_;
  std::vector<std::atomic<Chunk*>> chunks_;
  std::mutex grow_mutex_;
  std::atomic<Id> size_{1};
};

}  // namespace inputs
