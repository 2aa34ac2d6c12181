#include "task/placement.h"

#include <algorithm>
#include <iterator>

#include "base/path.h"
#include "task/keep.h"

namespace task {
namespace {

bool is_inside(const Prepared& prepared) {
  const std::string& root = prepared.action.roots.root;
  return !root.empty() && base::is_below(prepared.command.compiler, root);
}

// Libraries that any program may load, and that hold nothing of a compiler: one that travels runs with the
// worker's own.
bool is_runtime_library(const remote::KeyFile& part) {
  constexpr std::string_view kNames[] = {
      "ld-",         "libc.so", "libm.so",    "libmvec.so", "libdl.so",     "libpthread.", "librt.so",
      "libgcc_s.so", "libz.so", "libstdc++.", "libc++.so",  "libc++abi.so", "libzstd.so"};
  std::string_view name = base::base_name(part.path);
  return std::any_of(std::begin(kNames), std::end(kNames),
                     [&](std::string_view known) { return name.starts_with(known); });
}

// Of a compile whose compiler travels: a file that does not, and that the worker must have; null without.
const remote::KeyFile* needed_outside(const remote::Action& action) {
  if (!action.outside.empty()) return &action.outside.front();
  auto part = std::find_if_not(action.outside_parts.begin(), action.outside_parts.end(), is_runtime_library);
  return part == action.outside_parts.end() ? nullptr : &*part;
}

std::string bound_by_toolchain(const Prepared& prepared, const RemoteSide& side) {
  switch (side.toolchain) {
    case remote::Toolchain::chroot:
      return {};
    case remote::Toolchain::image:
      if (side.workers_alike) return {};
      return "toolchain: image needs a container-image by digest or workers_identical";
    case remote::Toolchain::inside: {
      if (!is_inside(prepared)) return "toolchain: the compiler is not in the exec root";
      const remote::KeyFile* file = needed_outside(prepared.action);
      if (side.workers_alike || file == nullptr) return {};
      return "outside_input: " + file->path + ", and workers are not known to be alike";
    }
    case remote::Toolchain::none:
      break;
  }
  return "toolchain: none";
}

}  // namespace

std::string bound_here(const Prepared& prepared, const RemoteSide& side) {
  if (!prepared.action.bound.empty()) return prepared.action.bound;
  if (prepared.action.portable && may_compress(prepared.command))
    return "compressed_sections: the result could not be searched for the worker's folder";
  return bound_by_toolchain(prepared, side);
}

remote::OutsideFiles take_needs(remote::Action& action, remote::Toolchain toolchain) {
  remote::OutsideFiles needs;
  if (toolchain != remote::Toolchain::image && toolchain != remote::Toolchain::inside) return needs;
  if (toolchain == remote::Toolchain::inside) std::erase_if(action.outside_parts, is_runtime_library);
  // A compiler that travels brings its headers along; where others come from outside, more could come before
  // them.
  bool names_count = toolchain == remote::Toolchain::image || !action.outside.empty();
  needs.files = std::move(action.outside);
  std::move(action.outside_parts.begin(), action.outside_parts.end(), std::back_inserter(needs.files));
  if (names_count) needs.absent = std::move(action.outside_absent);
  action.outside_parts.clear();
  return needs;
}

}  // namespace task
