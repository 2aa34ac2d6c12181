// Paths as text. These functions never look at the disk: a `..` that follows a symbolic link needs the file
// system to resolve, and only `normal_form` (used where no link can be meant) removes `..` by text.
#pragma once

#include <string>
#include <string_view>

namespace base {

inline bool is_absolute(std::string_view path) { return !path.empty() && path.front() == '/'; }

// `path` if it is absolute, else `directory`/`path`. `.` and `..` stay as they are.
std::string join(std::string_view directory, std::string_view path);

// What follows the last slash: "b.cc" of "a/b.cc", "" of "a/".
std::string_view base_name(std::string_view path);

// What precedes the last slash: "a" of "a/b.cc", "" of "b.cc", "/" of "/b.cc".
std::string_view directory_name(std::string_view path);

// The base name without its last extension: "b.tar" of "a/b.tar.gz", ".x" of ".x".
std::string_view stem(std::string_view path);

// The last extension with its dot: ".gz" of "a/b.tar.gz", "" of "a.d/b".
std::string_view extension(std::string_view path);

// True when `path` is `directory` or lies below it, component by component ("/a/bc" is not below "/a/b").
// Text only. Requires: no trailing slash on `directory`, except for "/" itself.
bool is_below(std::string_view path, std::string_view directory);

// Removes empty components, `.` and, by text, `..`. "/.." is "/". A relative path may begin with `..`.
// The empty path becomes ".".
std::string normal_form(std::string_view path);

// `path` as seen from `directory`: "../c" for "/a/c" and "/a/b", "." for equal ones. Requires: both absolute
// and in normal form.
std::string relative_path(std::string_view path, std::string_view directory);

}  // namespace base
