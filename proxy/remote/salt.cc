#include "remote/salt.h"

#include <algorithm>

#include "base/path.h"

namespace remote {

void Salt::expect(std::size_t lines) {
  constexpr std::size_t kUsualLine = 128;
  lines_.reserve(lines_.size() + lines);
  text_.reserve(text_.size() + lines * kUsualLine);
}

void Salt::end_line(std::size_t begin) {
  text_ += '\n';
  lines_.push_back({begin, text_.size() - begin});
}

void Salt::add(std::string_view path, const base::Digest& digest) {
  const std::size_t begin = text_.size();
  text_ += path;
  text_ += '\0';
  digest.append_hex(text_);
  end_line(begin);
}

void Salt::add_name(std::string_view name) {
  const std::size_t begin = text_.size();
  text_ += name;
  text_ += '\0';
  end_line(begin);
}

base::Result<void> Salt::add_compiler(const compiler::Command& command, const compiler::Compiler& compiler,
                                      const std::function<bool(const std::string&)>& travels) {
  for (const compiler::Part& part : compiler.parts) {
    if (!travels(part.path)) add(part.path, part.digest);
  }
  for (const std::string& path : compiler.absent) {
    if (!travels(path)) add_name(path);
  }
  if (!command.traits.native_cpu) return {};
  if (compiler.native.empty()) return base::unsupported("native_cpu: what it means here is not known");
  add("native", base::digest_of(compiler.native));
  return {};
}

std::string Salt::finish() {
  if (silo_.empty() && lines_.empty()) return "";
  std::vector<std::string_view> lines;
  lines.reserve(lines_.size());
  for (const Line& line : lines_) lines.push_back(std::string_view(text_).substr(line.begin, line.size));
  // A file can be met twice: as an input, and as a part of the compiler.
  std::sort(lines.begin(), lines.end());
  lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
  std::string all;
  all.reserve(silo_.size() + 1 + text_.size());
  if (!silo_.empty()) all.append(silo_) += '\n';
  for (std::string_view line : lines) all += line;
  base::Digest digest = base::digest_of(all);
  return std::string(reinterpret_cast<const char*>(digest.hash.data()), digest.hash.size());
}

}  // namespace remote
