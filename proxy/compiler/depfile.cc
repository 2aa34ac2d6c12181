#include "compiler/depfile.h"

#include <algorithm>
#include <utility>

#include "base/path.h"

namespace compiler {
namespace {

// The extension of the last component replaced; one is added where there is none. A name that is nothing but
// an extension loses it: ".o" becomes ".d".
std::string with_d(const std::string& path) {
  std::string_view base = base::base_name(path);
  std::size_t dot = base.rfind('.');
  std::size_t keep = dot == std::string_view::npos ? path.size() : path.size() - base.size() + dot;
  return path.substr(0, keep) + ".d";
}

using Target = std::pair<bool, std::string>;

std::vector<std::string> clang_targets(const std::vector<Target>& targets) {
  std::vector<std::string> out;
  out.reserve(targets.size());
  for (const auto& [quoted, name] : targets) out.push_back(quoted ? quote_target(name) : name);
  return out;
}

// gcc drops "./" at the beginning of every name, and keeps those of -MT before those of -MQ: one that comes
// later takes the place of the first of these, which goes to the end.
std::vector<std::string> gcc_targets(const std::vector<Target>& targets) {
  std::vector<std::string> out;
  std::size_t plain = 0;
  for (const auto& [quoted, name] : targets) {
    std::string_view rest = name;
    while (rest.starts_with("./")) rest.remove_prefix(std::min(rest.find_first_not_of('/', 1), rest.size()));
    out.push_back(quoted ? quote_target(rest) : std::string(rest));
    if (quoted) continue;
    std::swap(out[plain], out.back());
    ++plain;
  }
  return out;
}

}  // namespace

std::string quote_target(std::string_view name) {
  std::string out;
  std::size_t slashes = 0;
  for (char c : name) {
    if (c == ' ' || c == '\t') {
      // Backslashes before a blank would be read as escapes themselves.
      out.append(slashes + 1, '\\');
    } else if (c == '$') {
      out += '$';
    } else if (c == '#') {
      out += '\\';
    }
    slashes = c == '\\' ? slashes + 1 : 0;
    out += c;
  }
  return out;
}

void order_driver_targets(DepfileOptions& options) {
  std::stable_partition(options.targets.begin(), options.targets.end(),
                        [](const Target& target) { return target.first; });
}

base::Result<Depfile> derive_depfile(const Command& command, const DepfileOptions& options,
                                     const std::optional<std::string>& output) {
  Depfile depfile;
  bool asked = options.all || options.user;
  if (!asked) {
    bool rest = options.file || options.phony || !options.targets.empty();
    if (rest) return base::unsupported("depfile_form: -MF, -MT or -MP without -MD");
    return depfile;
  }
  if (options.all && options.user) return base::unsupported("depfile_form: -MD with -MMD");
  if (options.file && options.file_by_preprocessor) {
    return base::unsupported("depfile_form: -MF with -Wp,-MD");
  }
  // What needs no preprocessing gets no depfile.
  if (is_preprocessed(command.language)) return depfile;
  depfile.kind = options.all ? Depfile::Kind::all : Depfile::Kind::user_headers;
  depfile.phony = options.phony;

  std::string stem(base::stem(base::base_name(command.source)));
  if (options.file_by_preprocessor) {
    depfile.path = *options.file_by_preprocessor;
  } else if (options.file) {
    depfile.path = *options.file;
  } else {
    depfile.path = output ? with_d(*output) : stem + ".d";
  }
  if (depfile.path.empty() || depfile.path == "-") {
    return base::unsupported("depfile_form: to standard output");
  }

  std::vector<std::pair<bool, std::string>> targets = options.targets;
  if (targets.empty()) {
    // gcc's preprocessor, asked behind the driver's back, does not know the output's name.
    bool knows_output = output && (command.family == Family::clang || !options.file_by_preprocessor);
    targets.emplace_back(true, knows_output ? *output : stem + ".o");
  }
  depfile.targets = command.family == Family::gcc ? gcc_targets(targets) : clang_targets(targets);
  return depfile;
}

}  // namespace compiler
