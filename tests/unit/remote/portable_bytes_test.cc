// The promise of the portable form, kept by the real compilers: the rewritten command, run in a copy of the
// project in another folder, gives the bytes that the command as typed gives here. Outputs byte for byte;
// messages and depfile with the root spelled as its alias.

#include <unistd.h>

#include "base/spawn.h"
#include "remote/depfile_text.h"
#include "unit/remote/project.h"

namespace fs = std::filesystem;

namespace {

struct VersionedTool {
  const char* path;
  compiler::Family family;
  const char* version;
};

std::vector<VersionedTool> versioned_tools() {
  std::vector<VersionedTool> found;
  for (const VersionedTool& tool :
       {VersionedTool{"/usr/bin/g++-12", compiler::Family::gcc, "g++-12 (Debian 12.2.0-14) 12.2.0"},
        VersionedTool{"/usr/bin/clang++-14", compiler::Family::clang, "Debian clang version 14.0.6"},
        VersionedTool{"/usr/bin/clang++-19", compiler::Family::clang, "Debian clang version 19.1.7"}}) {
    if (::access(tool.path, X_OK) == 0) found.push_back(tool);
  }
  return found;
}

const char* const kSource = R"(#include "x.h"
#include <cassert>
#include <cstddef>
#include <outer.h>
namespace { struct Hidden { int value; }; int twice(Hidden h) { return h.value * 2; } }
const char* where() { return __FILE__; }
const char* builtin_where() { return __builtin_FILE(); }
int checked(int x) { assert(x > 0); return twice({x}) + from_header(x) + from_outer(x); }
static int at_start = checked(3);
int unused_warning() { int unused; return at_start; }
)";

const char* const kHeader = R"(#pragma once
inline int from_header(int x) { int unused_in_header; return x + 1; }
inline const char* header_where() { return __FILE__; }
)";

base::SpawnOutcome run(const Words& words, const std::string& directory, const std::string& pwd) {
  base::Result<base::SpawnOutcome> outcome = base::real_spawner().run(
      {words, {"PATH=/usr/bin:/bin", "LC_ALL=C", "PWD=" + pwd}, directory, "", std::chrono::seconds(60)}, {});
  REQUIRE(outcome);
  REQUIRE_MESSAGE(outcome->exit_code == 0, outcome->err);
  return *outcome;
}

struct Case {
  fake::TempDir elsewhere;
  Project project;
  VersionedTool tool;

  explicit Case(const VersionedTool& which) : tool(which) {
    project.compiler_path = tool.path;
    project.compiler.family = tool.family;
    project.compiler.version = tool.version;
    project.write("src/x.cc", kSource);
    project.write("inc/x.h", kHeader);
    project.write("third_party/outer.h", "#pragma once\ninline int from_outer(int x) { return x - 1; }\n");
    project.names = {"../../src/x.cc", "../../inc/x.h", "../../third_party/outer.h"};
  }

  // `words` with R for the root's own name.
  Words typed(Words words) const {
    for (std::string& word : words) {
      for (std::size_t at = word.find("{R}"); at != std::string::npos; at = word.find("{R}")) {
        word.replace(at, 3, project.root);
      }
    }
    return words;
  }

  void check(const Words& with_root, const std::string& pwd = "") {
    Words words = typed(with_root);
    CAPTURE(tool.path);
    CAPTURE(with_root);
    if (!pwd.empty()) project.env.push_back("PWD=" + pwd);
    remote::Action action = project.action(words);
    REQUIRE(action.absolute_because == "");
    fs::path copy = fs::path(elsewhere.path()) / "a" / "much" / "longer" / "name" / "of" / "a" / "checkout";
    fs::remove_all(copy);
    fs::create_directories(copy.parent_path());
    fs::copy(project.root, copy, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    std::string there = (copy / "out" / "a").string();

    Words local{tool.path, "-fdiagnostics-color=always"};
    std::string depfile = remote::private_depfile(project.command(words), action);
    if (!depfile.empty()) local.insert(local.end(), {"-MD", "-MF", depfile});
    for (std::size_t i = 0; i < words.size(); ++i) {
      // The private depfile stands in for the user's.
      if (words[i] == "-MMD" && words[i + 1] == "-MF") i += 3;
      local.push_back(words[i]);
    }
    base::SpawnOutcome here = run(local, project.directory, pwd.empty() ? project.directory : pwd);
    base::SpawnOutcome remote = run(arguments_of(action), there, "/proc/self/cwd");

    CHECK(remote::to_alias(here.err, action.roots) == remote.err);
    CHECK(remote::from_alias(remote.err, action.roots) == here.err);
    for (const std::string& output : outputs_of(action)) {
      CAPTURE(output);
      std::string local_bytes = *base::read_file(project.directory + "/" + output);
      std::string remote_bytes = *base::read_file(there + "/" + output);
      if (output.ends_with(".d")) {
        CHECK(moved(remote_bytes, action.roots) == local_bytes);
      } else {
        CHECK(!local_bytes.empty());
        CHECK((local_bytes == remote_bytes));
        if (action.shared) CHECK(local_bytes.find(project.root) == std::string::npos);
      }
      fs::remove(project.directory + "/" + output);
    }
  }

  std::string moved(const std::string& text, const remote::Roots& roots) const {
    base::Result<remote::DepfileText> depfile = remote::parse_depfile(text);
    REQUIRE(depfile);
    for (std::string& path : depfile->dependencies) path = remote::from_alias(path, roots);
    for (std::string& target : depfile->targets) target = remote::from_alias(target, roots);
    return remote::make_depfile(*depfile, tool.family);
  }
};

// Typed relative, as ninja files have it, and by absolute paths, as CMake writes it.
const Words kRelative{"-Wall", "-I../../inc",    "-isystem", "../../third_party",
                      "-c",    "../../src/x.cc", "-o",       "x.o"};
const Words kAbsolute{"-Wall", "-I{R}/inc", "-isystem", "{R}/third_party", "-c", "{R}/src/x.cc", "-o", "x.o"};

void check_both(const Words& flags) {
  for (const VersionedTool& tool : versioned_tools()) {
    Case relative(tool);
    relative.check(plus(flags, kRelative));
    Case absolute(tool);
    absolute.check(plus(flags, kAbsolute));
  }
}

}  // namespace

TEST_CASE("plain objects are the same bytes in any folder") { check_both({"-O2"}); }
TEST_CASE("debug information is the same bytes in any folder") {
  check_both({"-g"});
  check_both({"-g3", "-O2", "-gz", "-ffunction-sections"});
  check_both({"-g1", "-fdebug-types-section"});
}
TEST_CASE("assembly with and without debug information is the same in any folder") {
  for (const VersionedTool& tool : versioned_tools()) {
    for (const char* level : {"-g0", "-g"}) {
      Case one(tool);
      one.check({level, "-I{R}/inc", "-I../../third_party", "-S", "{R}/src/x.cc", "-o", "x.s"});
    }
  }
}
TEST_CASE("with the user's maps objects are the same bytes in any folder, and free of the root") {
  check_both({"-g", "-ffile-prefix-map={R}=."});
  check_both({"-g", "-ffile-prefix-map={R}/="});
  check_both({"-g", "-fdebug-prefix-map={R}=."});
  check_both({"-g", "-fmacro-prefix-map={R}=somewhere"});
  for (const VersionedTool& tool : versioned_tools()) {
    Case one(tool);
    one.check(plus({"-g", "-ffile-prefix-map=" + one.project.dir.path() + "=H"}, kAbsolute));
    if (std::string_view(tool.version).find("14.0") != std::string_view::npos) continue;
    Case part(tool);
    part.check(plus({"-g", "-ffile-prefix-map={R}/out/a=."}, kAbsolute));
  }
}
TEST_CASE("forced includes, quote folders and doubled folders make no difference") {
  check_both({"-g", "-include", "x.h", "-iquote", "{R}/src", "-I{R}/inc", "-I../../inc/../inc"});
}
TEST_CASE("a user's depfile, whichever way it was asked for, moves to any folder") {
  check_both({"-MD", "-MF", "x.d", "-MT", "{R}/out/a/x.o", "-MP"});
  check_both({"-MD", "-MQ", "a $b#c"});
  check_both({"-MMD", "-MF", "x.d", "-MT", "t", "-MP"});
}
TEST_CASE("a split object by a relative path is the same in any folder") {
  for (const VersionedTool& tool : versioned_tools()) {
    Case one(tool);
    one.check(plus({"-g", "-O0", "-gsplit-dwarf"}, kRelative));
  }
}
TEST_CASE("the working directory is recorded as PWD names it") {
  for (const VersionedTool& tool : versioned_tools()) {
    Case one(tool);
    std::string link = one.project.dir.path() + "/wd";
    fs::create_directory_symlink(one.project.directory, link);
    one.check(plus({"-g"}, kRelative), link);
  }
}
