// Takes colour out of a stream that comes in pieces.
//
// Only three kinds of sequence go: SGR (ESC [ digits m), EL (ESC [ digits K) and OSC 8 (ESC ] 8 ; ... ended
// by BEL or ESC \). These are what compilers write; everything else passes as it is.
#pragma once

#include <cstddef>
#include <string_view>

namespace gomacc {

class Stripper {
 public:
  // Hands `piece` on to `sink`, which has `void append(const char*, size_t)`, without the sequences. The
  // beginning of what may be a sequence is held back until the next piece.
  template <class Sink>
  void feed(std::string_view piece, Sink& sink) {
    std::size_t plain = 0;  // [plain, i) is still to be handed on
    for (std::size_t i = 0; i < piece.size(); ++i) {
      if (held_ == 0) {
        if (piece[i] != kEscape) continue;
        sink.append(piece.data() + plain, i - plain);
      }
      plain = i + 1;
      hold_[held_++] = piece[i];
      switch (judge()) {
        case Verdict::open:
          break;
        case Verdict::colour:
          held_ = 0;
          break;
        case Verdict::other:
          if (piece[i] == kEscape && held_ > 1) {
            // The escape that ended the hope for this sequence may begin the next.
            sink.append(hold_, held_ - 1);
            held_ = 1;
          } else {
            finish(sink);
          }
          break;
      }
    }
    sink.append(piece.data() + plain, piece.size() - plain);
  }

  // The stream has ended: hands on what was held back.
  template <class Sink>
  void finish(Sink& sink) {
    sink.append(hold_, held_);
    held_ = 0;
  }

 private:
  enum class Verdict { open, colour, other };
  static constexpr char kEscape = '\x1b';
  static constexpr char kBell = '\x07';

  Verdict judge() const {
    if (held_ < 2) return Verdict::open;
    if (hold_[1] == '[') return judge_csi();
    if (hold_[1] == ']') return judge_osc();
    return Verdict::other;
  }
  Verdict judge_csi() const {
    if (held_ == 2) return Verdict::open;
    char last = hold_[held_ - 1];
    if (last == 'm' || last == 'K') return Verdict::colour;
    bool parameter = (last >= '0' && last <= '9') || last == ';' || last == ':';
    return parameter && held_ < sizeof hold_ ? Verdict::open : Verdict::other;
  }
  Verdict judge_osc() const {
    if (held_ == 3) return hold_[2] == '8' ? Verdict::open : Verdict::other;
    if (held_ == 4) return hold_[3] == ';' ? Verdict::open : Verdict::other;
    char last = hold_[held_ - 1];
    if (last == kBell) return Verdict::colour;
    bool escaped = held_ > 5 && hold_[held_ - 2] == kEscape;
    if (escaped) return last == '\\' ? Verdict::colour : Verdict::other;
    bool may_go_on = last == kEscape || static_cast<unsigned char>(last) >= ' ';
    return held_ == 2 || (may_go_on && held_ < sizeof hold_) ? Verdict::open : Verdict::other;
  }

  // A link may be as long as the longest address that is in use.
  char hold_[4096];
  std::size_t held_ = 0;
};

}  // namespace gomacc
