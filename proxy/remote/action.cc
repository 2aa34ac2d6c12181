#include "remote/action.h"

#include <algorithm>
#include <set>
#include <unordered_set>

#include "base/path.h"
#include "cache/outcome_codec.h"
#include "remote/arguments.h"
#include "remote/platform.h"
#include "remote/portability.h"
#include "remote/roots.h"
#include "remote/salt.h"
#include "remote/tree.h"
#include "wire/reapi.pb.h"

namespace remote {
namespace {

namespace reapi = build::bazel::remote::execution::v2;

// Part of the key, so it never depends on anything. Long enough for the largest translation unit.
constexpr std::int64_t kTimeoutSeconds = 3600;
constexpr std::string_view kPath = "PATH=/usr/local/bin:/usr/bin:/bin";

// One key under construction.
class Builder {
 public:
  Builder(const compiler::Command& command, const compiler::Compiler& compiler,
          const inputs::Closure& closure, const KeySettings& settings, inputs::FileIndex& index,
          const std::string& salt)
      : command_(command),
        compiler_(compiler),
        closure_(closure),
        settings_(settings),
        index_(index),
        is_salted_(!salt.empty()),
        lists_outside_(settings.list_outside && !is_salted_),
        salt_(settings) {
    action_.salt = salt;
  }

  base::Result<Action> build(const std::vector<std::string>& key_env) {
    inputs::Trail trail;
    action_.roots = find_roots(command_, settings_, index_, trail);
    std::string name = directory_name_of(command_, key_env, index_);
    std::vector<std::string> words = choose_form(name, key_env);
    base::Result<void> added = add_inputs();
    if (added) added = add_compiler();
    if (!added) return added.error();
    if (lists_outside_) list_absent();
    if (!action_.portable && !settings_.chroot && action_.bound.empty()) {
      action_.bound = "absolute_form: " + action_.absolute_because;
    }
    write_command(words, environment(key_env, name));
    write_action();
    return std::move(action_);
  }

 private:
  bool has_root() const { return !action_.roots.alias.empty(); }
  bool is_inside(std::string_view path) const {
    return has_root() && base::is_below(path, action_.roots.root);
  }

  // True for what is part of the input root.
  bool travels(std::string_view path) const { return settings_.chroot || is_inside(path); }

  std::vector<std::string> choose_form(const std::string& directory_name,
                                       const std::vector<std::string>& key_env) {
    if (settings_.chroot) action_.absolute_because = "the worker's root is the input root";
    if (action_.absolute_because.empty()) {
      action_.absolute_because = roots_forbid(command_, compiler_, action_.roots, settings_);
    }
    if (action_.absolute_because.empty()) {
      action_.absolute_because = variables_forbid(key_env, action_.roots);
    }
    if (action_.absolute_because.empty()) {
      PortableArguments portable =
          portable_arguments(command_, compiler_, action_.roots, directory_name, index_);
      action_.absolute_because = portable.absolute_because;
      if (action_.absolute_because.empty()) {
        action_.absolute_because = sources_forbid(command_, closure_, action_.roots, portable, index_);
      }
      if (action_.absolute_because.empty()) {
        action_.portable = true;
        return portable.words;
      }
    }
    return absolute_arguments(command_, action_.roots);
  }

  // The place of a physical path in the input root.
  std::string_view in_tree(std::string_view path) const {
    std::size_t root = action_.portable ? action_.roots.root.size() : 0;
    return path.size() > root ? path.substr(root + 1) : std::string_view();
  }

  void add_file(inputs::NodeId node, std::string_view path, const base::Digest& digest) {
    tree_.add_file(in_tree(path), digest, (index_.stat(node).mode & 0100) != 0);
    if (sent_.insert(digest).second) action_.files.push_back({digest, std::string(path)});
  }

  // A link keeps its text. An absolute one in a tree that becomes a root would mean the same, but not every
  // engine takes it.
  void add_link(inputs::NodeId node) {
    std::string path = index_.path(node);
    std::string target = index_.link_target(node);
    if (settings_.chroot && base::is_absolute(target)) {
      target = base::relative_path(base::normal_form(target), base::directory_name(path));
    }
    tree_.add_link(in_tree(path), target);
  }

  base::Result<void> add_inputs() {
    if (!is_salted_) salt_.expect(closure_.inputs.size() + compiler_.parts.size() + compiler_.absent.size());
    if (lists_outside_) action_.outside.reserve(closure_.inputs.size());
    std::string buffer;
    for (const inputs::Input& input : closure_.inputs) {
      std::string_view path = index_.path(input.node, buffer);
      bool is_sent = travels(path);
      if (!is_sent && is_salted_) continue;
      base::Result<base::Digest> digest = index_.digest(input.node);
      if (!digest) return digest.error();
      if (is_sent) {
        add_file(input.node, path, *digest);
        continue;
      }
      // Outputs may hold the name a file was found by, which links outside the tree decide.
      if (!input.spelled.empty() && input.spelled != path) {
        salt_.add(input.spelled, *digest);
        if (base::is_absolute(input.spelled)) add_outside(input.spelled, *digest, action_.outside);
      }
      salt_.add(path, *digest);
      add_outside(path, *digest, action_.outside);
    }
    for (inputs::NodeId node : closure_.links) {
      if (travels(index_.path(node, buffer))) add_link(node);
    }
    for (inputs::NodeId node : closure_.directories) {
      std::string_view path = index_.path(node, buffer);
      if (travels(path)) {
        tree_.add_directory(in_tree(path));
      } else if (!base::is_below(action_.roots.root, path)) {
        // Those around the root are there wherever it is.
        salt_.add_name(std::string(path) + "/");
      }
    }
    tree_.add_directory(in_tree(command_.directory));
    return {};
  }

  // A compiler that travels is part of the tree, and so are the links on the way to it.
  base::Result<void> add_travelling(const std::string& path) {
    inputs::Trail trail;
    inputs::Found found = index_.find(path, trail);
    for (inputs::NodeId node : trail) {
      if (index_.type(node) == base::FileType::symlink && travels(index_.path(node))) add_link(node);
    }
    std::string physical = index_.path(found.node);
    if (found.type != base::FileType::regular || !travels(physical)) return {};
    base::Result<base::Digest> digest = index_.digest(found.node);
    if (!digest) return digest.error();
    add_file(found.node, physical, *digest);
    return {};
  }

  base::Result<void> add_compiler() {
    base::Result<void> added;
    if (!is_salted_) {
      added =
          salt_.add_compiler(command_, compiler_, [this](const std::string& path) { return travels(path); });
      if (!added) return added;
    }
    if (command_.traits.native_cpu) action_.bound = "native_cpu: the command means this machine's processor";
    if (travels(command_.compiler)) added = add_travelling(command_.compiler);
    for (const compiler::Part& part : compiler_.parts) {
      if (!added) return added;
      if (travels(part.path)) {
        added = add_travelling(part.path);
      } else {
        add_outside(part.path, part.digest, action_.outside_parts);
      }
    }
    if (added && settings_.chroot) added = add_gcc_installation();
    return added;
  }

  void add_outside(std::string_view path, const base::Digest& digest, std::vector<KeyFile>& list) const {
    if (lists_outside_) list.push_back({digest, std::string(path)});
  }

  // clang knows a gcc installation, and with it the C++ headers, by its start-up objects, which no compile
  // reads.
  base::Result<void> add_gcc_installation() {
    std::set<std::string> folders;
    for (const inputs::Input& input : closure_.inputs) {
      std::size_t end = input.spelled.find("/../", input.spelled.find("/lib/gcc"));
      if (end != std::string::npos) folders.insert(input.spelled.substr(0, end));
    }
    for (const std::string& folder : folders) {
      base::Result<void> added = add_travelling(folder + "/crtbegin.o");
      if (!added) return added;
    }
    return {};
  }

  // Names that were looked for in vain and do not travel: a file there would be found in place of another.
  void list_absent() {
    for (const std::string& path : compiler_.absent) {
      if (!travels(path)) action_.outside_absent.push_back(path);
    }
    inputs::Trail absent;
    for (inputs::NodeId node : closure_.trail) {
      if (index_.type(node) == base::FileType::absent) absent.push_back(node);
    }
    std::sort(absent.begin(), absent.end());
    absent.erase(std::unique(absent.begin(), absent.end()), absent.end());
    action_.outside_absent.reserve(compiler_.absent.size() + absent.size());
    std::string buffer;
    for (inputs::NodeId node : absent) {
      std::string_view path = index_.path(node, buffer);
      if (!travels(path)) action_.outside_absent.emplace_back(path);
    }
  }

  // The filtered variables, the name of the working directory, and a PATH that is the same everywhere.
  std::vector<std::string> environment(const std::vector<std::string>& key_env,
                                       const std::string& name) const {
    std::vector<std::string> variables{std::string(kPath)};
    variables.push_back("PWD=" + (action_.portable ? "/proc/self/cwd" : name));
    for (const std::string& entry : key_env) {
      if (!entry.starts_with("PATH=") && !entry.starts_with("PWD=")) variables.push_back(entry);
    }
    // By name, not by "name=value": '=' sorts after some characters of names.
    std::sort(variables.begin(), variables.end(), [](const std::string& a, const std::string& b) {
      return a.substr(0, a.find('=')) < b.substr(0, b.find('='));
    });
    return variables;
  }

  void write_command(const std::vector<std::string>& words, const std::vector<std::string>& variables) {
    reapi::Command command;
    for (const std::string& word : words) command.add_arguments(word);
    for (const std::string& entry : variables) {
      std::size_t equals = entry.find('=');
      reapi::Command::EnvironmentVariable& variable = *command.add_environment_variables();
      variable.set_name(entry.substr(0, equals));
      variable.set_value(entry.substr(std::min(equals + 1, entry.size())));
    }
    for (const std::string& path : output_paths()) command.add_output_paths(path);
    command.set_working_directory(std::string(in_tree(command_.directory)));
    set_platform(settings_, *command.mutable_platform());
    action_.command = command.SerializeAsString();
    action_.shared = action_.portable && action_.command.find(action_.roots.root) == std::string::npos &&
                     !lines_name_root();
  }

  // A #line with an absolute path below R is recorded as it stands.
  bool lines_name_root() const {
    return std::any_of(closure_.facts.absolute_lines.begin(), closure_.facts.absolute_lines.end(),
                       [this](const std::string& path) { return is_inside(path); });
  }

  std::set<std::string> output_paths() const {
    std::set<std::string> paths;
    bool replaced = !private_depfile_argument(command_).empty();
    for (const compiler::Output& output : command_.outputs) {
      // The user's own -MMD depfile is made from the private one.
      if (replaced && output.kind == "depfile") continue;
      paths.insert(relative_to_directory(output.path, command_));
    }
    if (replaced) paths.insert(relative_to_directory(private_depfile_argument(command_), command_));
    return paths;
  }

  void write_action() {
    action_.directories = tree_.finish();
    reapi::Action message;
    cache::set_digest(base::digest_of(action_.command), *message.mutable_command_digest());
    cache::set_digest(action_.directories.back().digest, *message.mutable_input_root_digest());
    message.mutable_timeout()->set_seconds(kTimeoutSeconds);
    if (!is_salted_) action_.salt = salt_.finish();
    message.set_salt(action_.salt);
    set_platform(settings_, *message.mutable_platform());
    action_.action = message.SerializeAsString();
    action_.digest = base::digest_of(action_.action);
  }

  const compiler::Command& command_;
  const compiler::Compiler& compiler_;
  const inputs::Closure& closure_;
  const KeySettings& settings_;
  inputs::FileIndex& index_;
  const bool is_salted_;
  const bool lists_outside_;
  Action action_;
  Salt salt_;
  Tree tree_;
  std::unordered_set<base::Digest> sent_;
};

}  // namespace

base::Result<Action> make_action(const compiler::Command& command, const compiler::Compiler& compiler,
                                 const inputs::Closure& closure, const std::vector<std::string>& key_env,
                                 const KeySettings& settings, inputs::FileIndex& index,
                                 const std::string& salt) {
  return Builder(command, compiler, closure, settings, index, salt).build(key_env);
}

std::string action_path(const compiler::Command& command, const Action&, std::string_view path) {
  return relative_to_directory(path, command);
}

std::string private_depfile(const compiler::Command& command, const Action&) {
  std::string path = private_depfile_argument(command);
  return path.empty() ? path : relative_to_directory(path, command);
}

}  // namespace remote
