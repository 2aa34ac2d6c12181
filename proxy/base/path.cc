#include "base/path.h"

#include <algorithm>

#include <vector>

namespace base {

std::string join(std::string_view directory, std::string_view path) {
  if (is_absolute(path) || directory.empty()) return std::string(path);
  std::string joined(directory);
  if (path.empty()) return joined;
  if (joined.back() != '/') joined += '/';
  return joined.append(path);
}

std::string_view base_name(std::string_view path) {
  std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view directory_name(std::string_view path) {
  std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {};
  return path.substr(0, slash == 0 ? 1 : slash);
}

std::string_view extension(std::string_view path) {
  std::string_view name = base_name(path);
  std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? std::string_view() : name.substr(dot);
}

std::string_view stem(std::string_view path) {
  std::string_view name = base_name(path);
  return name.substr(0, name.size() - extension(path).size());
}

bool is_below(std::string_view path, std::string_view directory) {
  if (directory == "/") return is_absolute(path);
  return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

std::string normal_form(std::string_view path) {
  std::vector<std::string_view> parts;
  bool absolute = is_absolute(path);
  for (std::size_t begin = 0; begin <= path.size();) {
    std::size_t end = path.find('/', begin);
    if (end == std::string_view::npos) end = path.size();
    std::string_view part = path.substr(begin, end - begin);
    begin = end + 1;
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (!absolute) {
      parts.push_back(part);
    }
  }
  std::string text = absolute ? "/" : "";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) text += '/';
    text += parts[i];
  }
  return text.empty() ? "." : text;
}

std::string relative_path(std::string_view path, std::string_view directory) {
  std::string out;
  // Up from `directory` until what is left holds `path`.
  while (!is_below(path, directory)) {
    directory = directory_name(directory);
    out += out.empty() ? ".." : "/..";
  }
  std::string_view rest = path.substr(std::min(path.size(), directory.size()));
  while (rest.starts_with('/')) rest.remove_prefix(1);
  if (rest.empty()) return out.empty() ? "." : out;
  return out.empty() ? std::string(rest) : out + "/" + std::string(rest);
}

}  // namespace base
