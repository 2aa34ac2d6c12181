// Macro definitions. A definition is immutable and shared by everything that has the same text: the same
// #define in ten headers, or one header read for a thousand compiles, is one object. Its body is split into
// tokens when it is first expanded, which most never are.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "inputs/identifiers.h"
#include "inputs/macro_log.h"
#include "inputs/token.h"

namespace inputs {

// What a macro that has no body does.
enum class Builtin : std::uint8_t {
  none,
  file,
  file_name,
  base_file,
  line,
  counter,
  include_level,
  time,         // __DATE__, __TIME__, __TIMESTAMP__
  has_include,  // __has_include, __has_include_next, __has_embed
  oracle,       // a question that only the compiler can answer: __has_builtin and its kin
};

// The body of a macro as tokens.
struct MacroBody {
  std::vector<Token> tokens;  // parameters have `parameter` set; no `#` or `##` operators are left
  bool pastes = false;        // some token has kPasteLeft
};

// Immutable but for the lazily made body. Any thread.
struct Macro {
  Id name = kNoName;
  bool function_like = false;
  bool variadic = false;
  bool from_command = false;  // a -D of the command line
  Builtin builtin = Builtin::none;
  std::vector<Id> parameters;     // the last one is __VA_ARGS__ or the GNU name if `variadic`
  std::string_view replacement;   // the body's text
  bool mentions_time = false;     // __DATE__, __TIME__ or __TIMESTAMP__ in the body
  bool mentions_counter = false;  // __COUNTER__ in the body
  bool mentions_pragma = false;   // _Pragma or __pragma with push_macro, pop_macro or once in the body

  // Thread-safe; made on the first call.
  const MacroBody& body(const LexMode& mode, Identifiers& names) const;
  ~Macro() { delete body_.load(); }

 private:
  friend class MacroStore;
  std::string text_;
  mutable std::atomic<MacroBody*> body_{nullptr};
};

// Every definition there is. Any thread. Definitions live as long as the store.
class MacroStore {
 public:
  // The definition that `text` ("NAME(a,b) body", as after #define) means; null when it means none.
  // `mode` decides how the body is read and is part of its identity.
  const Macro* define(std::string_view text, const LexMode& mode, bool from_command, Identifiers& names);
  // The macro of the preprocessor itself with this name.
  const Macro* builtin(Id name, Builtin kind);

 private:
  static constexpr std::size_t kShards = 16;
  struct alignas(64) Shard {
    std::mutex mutex;
    std::unordered_map<std::string, std::unique_ptr<Macro>> macros;  // guarded by mutex
  };
  std::array<Shard, kShards> shards_;
};

// The macros that are defined at one point of one scan. One thread. To begin anew costs nothing: entries of
// earlier scans are told by their epoch.
class MacroTable {
 public:
  void begin(const Identifiers& names) {
    ++epoch_;
    if (slots_.size() < names.size()) slots_.resize(names.size() + 1024);
    stacks_.clear();
    log_.reset();
  }
  const Macro* find(Id id) {
    const Macro* macro = id < slots_.size() && slots_[id].epoch == epoch_ ? slots_[id].macro : nullptr;
    if (log_.is_open()) log_.looked(id, macro);
    return macro;
  }
  void set(Id id, const Macro* macro) {
    if (id >= slots_.size()) slots_.resize(id + 1024);
    slots_[id] = {epoch_, macro};
    if (log_.is_open()) log_.changed(id, macro);
  }
  // #pragma push_macro and pop_macro.
  void push(Id id) { stacks_[id].push_back(find(id)); }
  void pop(Id id) {
    auto found = stacks_.find(id);
    if (found == stacks_.end() || found->second.empty()) return;
    set(id, found->second.back());
    found->second.pop_back();
  }

  // Notes what goes on here, while a part of it is open. What push() puts by is not noted.
  MacroLog& log() { return log_; }

 private:
  struct Slot {
    std::uint64_t epoch = 0;
    const Macro* macro = nullptr;
  };
  std::uint64_t epoch_ = 0;
  std::vector<Slot> slots_;
  std::unordered_map<Id, std::vector<const Macro*>> stacks_;
  MacroLog log_;
};

// True when `text` holds `word` as a whole name.
bool has_word(std::string_view text, std::string_view word);

}  // namespace inputs
