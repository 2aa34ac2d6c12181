#include "remote/salt.h"

#include <algorithm>

#include "base/path.h"

namespace remote {

void Salt::add(std::string_view path, const base::Digest& digest) {
  std::string line;
  line.reserve(path.size() + 2 * digest.hash.size() + 2);
  line += path;
  line += '\0';
  line += digest.hex();
  line += '\n';
  lines_.push_back(std::move(line));
}

void Salt::add_name(std::string_view name) {
  std::string line(name);
  line += '\0';
  line += '\n';
  lines_.push_back(std::move(line));
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
  // A file can be met twice: as an input, and as a part of the compiler.
  std::sort(lines_.begin(), lines_.end());
  lines_.erase(std::unique(lines_.begin(), lines_.end()), lines_.end());
  base::Hasher hasher;
  if (!silo_.empty()) {
    hasher.update(silo_);
    hasher.update("\n");
  }
  for (const std::string& line : lines_) hasher.update(line);
  base::Digest digest = hasher.finish();
  return std::string(reinterpret_cast<const char*>(digest.hash.data()), digest.hash.size());
}

}  // namespace remote
