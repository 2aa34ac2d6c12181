// One output stream of the compiler on its way to the user: kept as the compiler wrote it, shown without
// colour where that is asked for.
//
// Nothing here blocks: the user's end may be a pager that nobody scrolls, and gomacc must still hear signals
// and the daemon then.
#pragma once

#include "strip.h"
#include "text.h"

namespace gomacc {

// What both streams together may keep for the daemon.
inline constexpr std::size_t kMaxKept = 12 << 20;

class Relay {
 public:
  // What the user has seen already (`seen`, which outlives it) is not shown again where it comes first.
  Relay(int from, int to, bool strip, std::string_view seen);
  ~Relay() { close(); }
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // What to wait for next; a negative descriptor when there is nothing.
  pollfd interest() const;
  // Goes on after `interest` came true. `room` is how many more bytes may be kept; it is made smaller.
  void proceed(std::size_t& room);
  // No more will be read: writes out what is left, waiting for the reader.
  void finish();

  bool at_end() const { return from_ < 0 && pending_size() == 0; }
  bool lost_reader() const { return lost_reader_; }
  bool truncated() const { return truncated_; }
  std::string_view kept() const { return kept_.view(); }

 private:
  void close();
  void read(std::size_t& room);
  void write(std::size_t most);
  std::size_t pending_size() const { return pending_.size() - written_; }

  int from_;
  int to_;
  bool strip_;
  std::string_view seen_;
  bool whole_writes_ = false;  // the user's end takes everything at once
  bool lost_reader_ = false;
  bool truncated_ = false;
  Stripper stripper_;
  Bytes kept_;
  Bytes pending_;
  std::size_t written_ = 0;  // of `pending_`
};

}  // namespace gomacc
