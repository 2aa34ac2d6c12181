#include "remote/build_id.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

#include "base/digest.h"
#include "compiler/environment.h"

namespace remote {
namespace {

// Deeper than any build; a loop that a race of dying processes might show ends here.
constexpr int kMaxAncestors = 32;
constexpr std::size_t kMaxLength = 128;
// Shells that run one command each would fill any table; a build tool or a script stays.
constexpr std::size_t kMostKnown = 1024;

// "PID (NAME) STATE PPID ..." where NAME may hold anything, closing parentheses included.
std::optional<BuildIds::Process> parse_stat(std::string_view text) {
  std::size_t open = text.find('(');
  std::size_t close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
  BuildIds::Process process;
  process.name = text.substr(open + 1, close - open - 1);
  text.remove_prefix(close + 1);
  constexpr int kParent = 4;
  constexpr int kStart = 22;
  for (int field = 3; field <= kStart; ++field) {
    std::size_t begin = text.find_first_not_of(" \n");
    if (begin == std::string_view::npos) return std::nullopt;
    text.remove_prefix(begin);
    std::string_view word = text.substr(0, text.find_first_of(" \n"));
    if (field == kParent) std::from_chars(word.data(), word.data() + word.size(), process.parent);
    if (field == kStart) process.start = word;
    text.remove_prefix(word.size());
  }
  return process;
}

std::optional<BuildIds::Process> process(base::Files& files, int pid) {
  base::Result<std::string> text = files.read("/proc/" + std::to_string(pid) + "/stat");
  return text ? parse_stat(*text) : std::nullopt;
}

bool is_make(std::string_view name) { return name == "make" || name == "gmake"; }

bool is_build_tool(std::string_view name) {
  return is_make(name) || name == "ninja" || name == "samu" || name == "siso" || name == "ninja-build";
}

bool is_header_text(std::string_view text) {
  return !text.empty() && text.size() <= kMaxLength &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

std::string uuid_of(std::string_view seed) {
  std::string hex = base::digest_of(seed).hex();
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" +
         hex.substr(20, 12);
}

std::string random_bytes() {
  std::array<char, 16> bytes{};
  ssize_t size = ::getrandom(bytes.data(), bytes.size(), 0);
  return std::string(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
}

}  // namespace

BuildIds::BuildIds(base::Files& files) : files_(files), own_(uuid_of(random_bytes())) {
  base::Result<std::string> boot = files.read("/proc/sys/kernel/random/boot_id");
  if (boot) boot_ = *boot;
}

std::string BuildIds::of(const std::vector<std::string>& env, int pid) {
  for (const char* name : {"AUTONINJA_BUILD_ID", "SISO_BUILD_ID", "RBE_invocation_id"}) {
    std::string_view value = compiler::variable(env, name).value_or("");
    if (is_header_text(value)) return std::string(value);
  }
  std::optional<Process> self = process(files_, pid);
  if (!self) return own_;
  std::optional<Process> parent = self->parent > 1 ? process(files_, self->parent) : std::nullopt;
  if (!parent || is_build_tool(self->name)) return walk_up(pid, *self);
  {
    std::lock_guard lock(mutex_);
    auto known = known_.find(self->parent);
    if (known != known_.end() && known->second.start == parent->start) return known->second.id;
  }
  std::string id = walk_up(self->parent, *parent);
  std::lock_guard lock(mutex_);
  if (known_.size() >= kMostKnown) known_.clear();
  known_.insert_or_assign(self->parent, Known{parent->start, id});
  return id;
}

std::string BuildIds::walk_up(int pid, Process at) const {
  std::string found;
  for (int i = 0; i < kMaxAncestors; ++i) {
    bool first = found.empty() && is_build_tool(at.name);
    if (first || (!found.empty() && is_make(at.name))) {
      found = boot_ + " " + std::to_string(pid) + " " + at.start;
    }
    // Only make is commonly run by itself.
    if (first && !is_make(at.name)) break;
    pid = at.parent;
    std::optional<Process> above = pid > 1 ? process(files_, pid) : std::nullopt;
    if (!above) break;
    at = std::move(*above);
  }
  return found.empty() ? own_ : uuid_of(found);
}

}  // namespace remote
