// The name of a node of the file index.
#pragma once

#include <cstdint>

namespace inputs {

// A physical place: a name in a directory reached without symbolic links. Valid as long as the index.
using NodeId = std::uint32_t;
inline constexpr NodeId kNoNode = 0xffffffff;

}  // namespace inputs
