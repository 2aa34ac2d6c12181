#include "inputs/macro_log.h"

namespace inputs {
namespace {

// Vectors by name grow by so much more than is needed.
constexpr std::size_t kSpare = 1024;

}  // namespace

MacroLog::Position MacroLog::open() {
  starts_.push_back(base_ + touches_.size());
  return starts_.back();
}

void MacroLog::reset() {
  base_ += touches_.size();
  touches_.clear();
  starts_.clear();
}

void MacroLog::touch(Id name, const Macro* macro, bool changed) {
  if (name >= last_.size()) last_.resize(name + kSpare);
  // A second look says nothing new, neither to the innermost part nor to those around it.
  if (!changed && last_[name] > starts_.back()) return;
  touches_.push_back({name, changed, macro});
  last_[name] = base_ + touches_.size();
}

void MacroLog::close(Position part, std::vector<MacroLook>& reads, std::vector<MacroLook>& writes) {
  ++closes_;
  for (std::size_t i = part - base_; i < touches_.size(); ++i) {
    const Touch& touch = touches_[i];
    if (touch.name >= met_.size()) met_.resize(touch.name + kSpare);
    Met& met = met_[touch.name];
    const bool first = met.close != closes_;
    if (first) met = {closes_, 0};
    if (!touch.changed) {
      if (first) reads.push_back({touch.name, touch.macro});
    } else if (met.write == 0) {
      writes.push_back({touch.name, touch.macro});
      met.write = static_cast<std::uint32_t>(writes.size());
    } else {
      writes[met.write - 1].macro = touch.macro;
    }
  }
  reads.shrink_to_fit();
  writes.shrink_to_fit();
  starts_.pop_back();
  if (starts_.empty()) reset();
}

}  // namespace inputs
