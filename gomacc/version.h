// What gomacc calls itself: the number goes to the daemon, which compares it with its own, and both are what
// `gomacc --version` prints.
#pragma once

namespace gomacc {

inline constexpr char kVersion[] = GOMA_VERSION;

#if defined(__clang__)
inline constexpr char kBuiltWith[] = "clang " __clang_version__;
#else
inline constexpr char kBuiltWith[] = "g++ " __VERSION__;
#endif

}  // namespace gomacc
