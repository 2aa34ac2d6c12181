#include "remote/arguments.h"

#include <utility>

#include "base/path.h"
#include "remote/prefix_maps.h"
#include "remote/roots.h"

namespace remote {
namespace {

using compiler::Arg;
using compiler::ArgRole;

// Both families take it, and what it asks for is undone at replay where the user's terminal wants none.
constexpr const char* kColour = "-fdiagnostics-color=always";

bool is_verbatim(const compiler::Command& command) { return command.traits.records_command_line; }

bool replaces_depfile(const compiler::Command& command) {
  return !is_verbatim(command) && command.depfile.kind == compiler::Depfile::Kind::user_headers;
}

// Options of the depfile whose value is the next word.
bool takes_next_word(const Arg& arg) { return arg.text == "-MF" || arg.text == "-MT" || arg.text == "-MQ"; }

// The words of the private depfile. Its targets are given as they are printed, since gcc's preprocessor,
// asked by -Wp,-MMD, derives other ones than the driver.
std::vector<std::string> private_words(const compiler::Command& command, const std::string& path) {
  std::vector<std::string> words;
  if (path.empty()) return words;
  words = {"-MD", "-MF", path};
  if (!replaces_depfile(command)) return words;
  for (const std::string& target : command.depfile.targets) {
    words.push_back("-MT");
    words.push_back(target);
  }
  if (command.depfile.phony) words.push_back("-MP");
  return words;
}

std::string compiler_word(const compiler::Command& command, const Roots& roots) {
  bool inside = !roots.alias.empty() && base::is_below(command.compiler, roots.root);
  return inside ? relative_to_directory(command.compiler, command) : command.compiler;
}

// The user's words that stay: all but colour, and but the depfile where a private one replaces it.
std::vector<const Arg*> kept_args(const compiler::Command& command) {
  std::vector<const Arg*> kept;
  for (std::size_t i = 0; i < command.args.size(); ++i) {
    const Arg& arg = command.args[i];
    if (!is_verbatim(command)) {
      if (arg.role == ArgRole::colour) continue;
      if (arg.role == ArgRole::depfile && replaces_depfile(command)) {
        if (takes_next_word(arg)) ++i;
        continue;
      }
    }
    kept.push_back(&arg);
  }
  return kept;
}

class PortableWriter {
 public:
  PortableWriter(const compiler::Command& command, const compiler::Compiler& compiler, const Roots& roots,
                 const std::string& directory_name, inputs::FileIndex& index)
      : command_(command),
        compiler_(compiler),
        roots_(roots),
        directory_name_(directory_name),
        index_(index),
        maps_(command, roots) {}

  PortableArguments run() {
    std::vector<std::string> user_words;
    std::vector<const Arg*> args = kept_args(command_);
    for (std::size_t i = 0; i < args.size(); ++i) {
      user_words.push_back(word(*args[i], i > 0 ? args[i - 1] : nullptr));
    }
    std::string depfile = private_depfile_argument(command_);
    if (!depfile.empty()) depfile = path(depfile, "the private depfile");
    std::vector<std::string> depfile_words = private_words(command_, depfile);
    for (std::size_t i = 3; i < depfile_words.size(); ++i) depfile_words[i] = target(depfile_words[i]);
    check_maps();
    if (!out_.absolute_because.empty()) return std::move(out_);

    out_.words.push_back(compiler_word(command_, roots_));
    out_.words.push_back(kColour);
    add_maps();
    out_.words.insert(out_.words.end(), depfile_words.begin(), depfile_words.end());
    out_.words.insert(out_.words.end(), user_words.begin(), user_words.end());
    out_.mapped_olds = maps_.changed_olds();
    out_.maps_root = maps_.debug_covers() || maps_.macro_covers();
    return std::move(out_);
  }

 private:
  void refuse(std::string because) {
    if (out_.absolute_because.empty()) out_.absolute_because = std::move(because);
  }

  std::string word(const Arg& arg, const Arg* before) {
    switch (arg.role) {
      case ArgRole::path:
      case ArgRole::output: {
        std::string value = arg.text.substr(arg.value_at);
        if (value.starts_with("=")) refuse("a path below the sysroot: " + arg.text);
        if (value.empty()) return arg.text;
        return arg.text.substr(0, arg.value_at) + path(value, arg.text);
      }
      case ArgRole::prefix_map:
        return maps_.rewritten(arg);
      case ArgRole::depfile:
        return depfile_word(arg, before);
      case ArgRole::plain:
      case ArgRole::colour:
        break;
    }
    // The values of -D are the source's business and stay; anywhere else R is something that no rule knows.
    bool macro = arg.text.starts_with("-D") || arg.text.starts_with("-U") ||
                 (before != nullptr && (before->text == "-D" || before->text == "-U"));
    if (!macro && arg.text.find(roots_.root) != std::string::npos) refuse("the root stands in " + arg.text);
    return arg.text;
  }

  // -MF and its path, -MT and its target, each as one word or two, and -Wp,-MD,FILE.
  std::string depfile_word(const Arg& arg, const Arg* before) {
    if (before != nullptr && before->role == ArgRole::depfile && takes_next_word(*before)) {
      return before->text == "-MF" ? path(arg.text, "the depfile") : target(arg.text);
    }
    if (arg.text.starts_with("-MF") && arg.text.size() > 3) {
      return "-MF" + path(arg.text.substr(3), "the depfile");
    }
    bool names_target = arg.text.starts_with("-MT") || arg.text.starts_with("-MQ");
    if (names_target && arg.text.size() > 3) return arg.text.substr(0, 3) + target(arg.text.substr(3));
    if (arg.text.find(roots_.root) != std::string::npos) refuse("the root stands in " + arg.text);
    return arg.text;
  }

  // Where a target is an absolute path it is laid out anew at replay like the paths after the colon.
  std::string target(const std::string& text) {
    if (!base::is_below(text, roots_.root)) return text;
    rewritten_ = true;
    return aliased(text, roots_);
  }

  std::string path(const std::string& value, const std::string& what) {
    switch (place_of(value, command_, roots_, index_)) {
      case Place::below:
        rewritten_ = true;
        return aliased(value, roots_);
      case Place::strays:
        refuse("a path that strays from the root: " + what);
        return value;
      case Place::outside:
        check_outside(value);
        return value;
      case Place::inside:
        return value;
    }
    return value;
  }

  // A rewritten OLD would no longer fit it, being a plain prefix of bytes.
  void check_outside(const std::string& value) {
    for (const std::string& old_prefix : maps_.changed_olds()) {
      if (value.starts_with(old_prefix)) refuse("a prefix map also fits " + value);
    }
  }

  void check_maps() {
    bool unordered = command_.family == compiler::Family::clang &&
                     compiler_.version.find("version 14.") != std::string::npos;
    std::string because = maps_.absolute_because(directory_name_, unordered, rewritten_);
    if (!because.empty()) refuse(because);
    std::string recorded = maps_.mapped(directory_name_);
    if (command_.traits.debug_info && !is_plain(recorded))
      refuse("the working directory's name: " + recorded);
  }

  // Before all of the user's own maps, which then still win.
  void add_maps() {
    if (command_.traits.debug_info) {
      std::string recorded = maps_.mapped(directory_name_);
      bool gcc = command_.family == compiler::Family::gcc;
      out_.words.push_back((gcc ? "-fdebug-prefix-map=/proc/self/cwd=" : "-fdebug-compilation-dir=") +
                           recorded);
    }
    if (!rewritten_) return;
    std::string map = roots_.alias + "=" + roots_.root;
    if (!maps_.debug_covers()) out_.words.push_back("-fdebug-prefix-map=" + map);
    if (!maps_.macro_covers()) out_.words.push_back("-fmacro-prefix-map=" + map);
  }

  const compiler::Command& command_;
  const compiler::Compiler& compiler_;
  const Roots& roots_;
  const std::string& directory_name_;
  inputs::FileIndex& index_;
  const PrefixMaps maps_;
  PortableArguments out_;
  bool rewritten_ = false;
};

}  // namespace

std::string private_depfile_argument(const compiler::Command& command) {
  bool none = is_verbatim(command) || compiler::is_preprocessed(command.language) ||
              command.depfile.kind == compiler::Depfile::Kind::all;
  if (none) return "";
  std::string object = std::string(base::stem(command.source));
  for (const compiler::Output& output : command.outputs) {
    if (output.kind == "object" || output.kind == "assembly") object = output.path;
  }
  return object + ".goma.d";
}

std::vector<std::string> absolute_arguments(const compiler::Command& command, const Roots& roots) {
  std::vector<std::string> words{compiler_word(command, roots)};
  if (!is_verbatim(command)) {
    words.push_back(kColour);
    for (std::string& word : private_words(command, private_depfile_argument(command))) {
      words.push_back(std::move(word));
    }
  }
  for (const Arg* arg : kept_args(command)) words.push_back(arg->text);
  return words;
}

PortableArguments portable_arguments(const compiler::Command& command, const compiler::Compiler& compiler,
                                     const Roots& roots, const std::string& directory_name,
                                     inputs::FileIndex& index) {
  return PortableWriter(command, compiler, roots, directory_name, index).run();
}

}  // namespace remote
