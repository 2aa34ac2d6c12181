#include "remote/action.h"

#include <map>

#include "base/path.h"
#include "unit/remote/project.h"

namespace {

reapi::Action message_of(const remote::Action& action) {
  reapi::Action message;
  REQUIRE(message.ParseFromString(action.action));
  return message;
}

std::string hex_of(std::string_view bytes) { return base::digest_of(bytes).hex(); }

}  // namespace

std::vector<std::string> tree_of(const remote::Action& action) {
  std::map<std::string, std::string> blobs;
  for (const remote::Blob& blob : action.directories) {
    REQUIRE(base::digest_of(blob.bytes) == blob.digest);
    blobs[blob.digest.hex()] = blob.bytes;
  }
  std::vector<std::string> found;
  std::vector<std::pair<std::string, std::string>> open{{"", action.directories.back().digest.hex()}};
  while (!open.empty()) {
    auto [path, hash] = open.back();
    open.pop_back();
    reapi::Directory directory;
    REQUIRE(blobs.count(hash) == 1);
    REQUIRE(directory.ParseFromString(blobs[hash]));
    if (!path.empty()) found.push_back(path);
    for (const auto& file : directory.files()) found.push_back(path + file.name());
    for (const auto& link : directory.symlinks())
      found.push_back(path + link.name() + " -> " + link.target());
    for (const auto& child : directory.directories()) {
      open.emplace_back(path + child.name() + "/", child.digest().hash());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

TEST_CASE("a relative command without debug information is shared by all checkouts") {
  Project one("one");
  Project two("some/where/else/two");
  remote::Action a = one.action(kPlain);
  CHECK(a.absolute_because == "");
  CHECK(a.portable);
  CHECK(a.shared);
  CHECK(a.roots.root == one.root);
  CHECK(a.roots.alias == "/proc/self/cwd/../..");
  // Only what lies outside is machine-bound; both projects have a folder of their own there.
  two.names[2] = one.outside + "/sys.h";
  CHECK(two.action(kPlain).digest == a.digest);
}

TEST_CASE("the portable form, word by word") {
  Project project;
  remote::Action a = project.action(kPlain);
  CHECK(arguments_of(a) == Words{"/usr/bin/g++", "-fdiagnostics-color=always", "-MD", "-MF", "x.o.goma.d",
                                 "-O2", "-c", "../../src/x.cc", "-o", "x.o"});
  CHECK(outputs_of(a) == Words{"x.o", "x.o.goma.d"});
  CHECK(command_of(a).working_directory() == "out/a");
  CHECK(variable_of(a, "PWD") == "/proc/self/cwd");
  CHECK(variable_of(a, "LC_MESSAGES") == "C");
  CHECK(tree_of(a) == Words{"inc/", "inc/x.h", "out/", "out/a/", "src/", "src/x.cc"});
  CHECK(remote::private_depfile(project.command(kPlain), a) == "x.o.goma.d");
}

TEST_CASE("the absolute form, word by word") {
  Project project;
  project.settings.absolute_only = true;
  remote::Action a = project.action(kPlain);
  CHECK(!a.portable);
  CHECK(!a.shared);
  CHECK(a.absolute_because == "it was asked for");
  CHECK(arguments_of(a) == arguments_of(Project("proj").action(kPlain)));
  CHECK(command_of(a).working_directory() == project.directory.substr(1));
  CHECK(variable_of(a, "PWD") == project.directory);
  std::string prefix = project.root.substr(1);
  Words tree = tree_of(a);
  CHECK(std::find(tree.begin(), tree.end(), prefix + "/src/x.cc") != tree.end());
  CHECK(std::find(tree.begin(), tree.end(), prefix + "/out/a/") != tree.end());
  CHECK(std::find(tree.begin(), tree.end(), project.outside.substr(1) + "/sys.h") == tree.end());
}

TEST_CASE("the absolute form made with the salt of the portable one is the same as made anew") {
  Project project;
  project.settings.list_outside = true;
  SUBCASE("plain") {}
  SUBCASE("with a silo and folders that must exist") {
    project.settings.silo = "mine";
    inputs::Trail trail;
    for (const std::string& folder : {project.root + "/inc", project.outside}) {
      project.closure.directories.push_back(project.index.find(folder, trail).node);
    }
    for (const std::string& name : project.names) project.add(name);
  }
  SUBCASE("with nothing outside") {
    project.names.pop_back();
    project.compiler.parts.clear();
    project.compiler.absent.clear();
  }
  remote::Action portable = project.action(kPlain);
  REQUIRE(portable.portable);
  project.settings.absolute_only = true;
  remote::Action anew = project.action(kPlain);
  base::Result<remote::Action> reused =
      remote::make_action(project.command(kPlain), project.compiler, project.closure, project.env,
                          project.settings, project.index, portable.salt);
  REQUIRE(reused.ok());
  CHECK(reused->digest == anew.digest);
  CHECK(reused->action == anew.action);
  CHECK(reused->digest != portable.digest);
  if (!portable.salt.empty()) CHECK(reused->outside_absent.empty());
}

TEST_CASE("the messages are canonical: golden bytes") {
  Project project;
  remote::Action a = project.action(kPlain);
  // Directory {files: {name "x.h", digest}} written out by hand, in field order, defaults left out.
  std::string digest = "\x0a\x40" + hex_of("int h;\n") + "\x10\x07";
  std::string node = "\x0a\x03x.h\x12" + std::string(1, static_cast<char>(digest.size())) + digest;
  std::string inc = "\x0a" + std::string(1, static_cast<char>(node.size())) + node;
  bool found = false;
  for (const remote::Blob& blob : a.directories) found = found || blob.bytes == inc;
  CHECK(found);

  reapi::Action message = message_of(a);
  CHECK(message.command_digest().hash() == hex_of(a.command));
  CHECK(message.command_digest().size_bytes() == static_cast<std::int64_t>(a.command.size()));
  CHECK(message.input_root_digest().hash() == a.directories.back().digest.hex());
  CHECK(message.timeout().seconds() == 3600);
  CHECK(!message.do_not_cache());
  CHECK(a.digest == base::digest_of(a.action));

  // Salt: SHA-256 of sorted lines `path NUL digest LF`; an absent name has no digest.
  std::vector<std::string> lines;
  auto line = [&lines](const std::string& path, const std::string& hash) {
    lines.push_back(path + std::string(1, '\0') + hash + "\n");
  };
  line("/usr/bin/g++-12", hex_of("driver"));
  line("/usr/lib/cc1plus", hex_of("cc1"));
  line("/usr/lib/specs", "");
  line(project.outside + "/sys.h", hex_of("int s;\n"));
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const std::string& one : lines) text += one;
  base::Digest salt = base::digest_of(text);
  CHECK(message.salt() == std::string(salt.hash.begin(), salt.hash.end()));

  project.settings.silo = "mine";
  base::Digest silo = base::digest_of("mine\n" + text);
  CHECK(message_of(project.action(kPlain)).salt() == std::string(silo.hash.begin(), silo.hash.end()));

  // Sorted by name, the same in both places.
  REQUIRE(message.platform().properties_size() == 2);
  CHECK(message.platform().properties(0).name() == "ISA");
  CHECK(message.platform().properties(1).name() == "OSFamily");
  CHECK(command_of(a).platform().SerializeAsString() == message.platform().SerializeAsString());
}

TEST_CASE("children stand before parents and the root last") {
  Project project;
  remote::Action a = project.action(kPlain);
  std::vector<std::string> seen;
  for (const remote::Blob& blob : a.directories) {
    reapi::Directory directory;
    REQUIRE(directory.ParseFromString(blob.bytes));
    for (const auto& child : directory.directories()) {
      CHECK(std::find(seen.begin(), seen.end(), child.digest().hash()) != seen.end());
    }
    seen.push_back(blob.digest.hex());
  }
}

TEST_CASE("everything that can change an output changes the key") {
  Project project;
  base::Digest before = project.key(kPlain);
  CHECK(project.key(kPlain) == before);

  SUBCASE("a flag") { CHECK(project.key(plus(kPlain, {"-O3"})) != before); }
  SUBCASE("the order of flags") {
    CHECK(project.key(plus(kPlain, {"-Wall", "-Werror"})) != project.key(plus(kPlain, {"-Werror", "-Wall"})));
  }
  SUBCASE("a macro") { CHECK(project.key(plus(kPlain, {"-DX=1"})) != project.key(plus(kPlain, {"-DX=2"}))); }
  SUBCASE("the output's name") { CHECK(project.key({"-O2", "-c", "../../src/x.cc", "-o", "y.o"}) != before); }
  SUBCASE("the name of the compiler") {
    project.compiler_path = "/usr/bin/c++";
    CHECK(project.key(kPlain) != before);
  }
  SUBCASE("content of an inside input") {
    project.write("inc/x.h", "int other;\n");
    CHECK(project.key(kPlain) != before);
  }
  SUBCASE("content of an outside input") {
    Project::write_absolute(project.outside + "/sys.h", "int other;\n");
    CHECK(project.key(kPlain) != before);
  }
  SUBCASE("one input more, inside") {
    project.write("inc/y.h", "");
    project.add("../../inc/y.h");
    CHECK(project.key(kPlain) != before);
  }
  SUBCASE("one input more, outside") {
    Project::write_absolute(project.outside + "/more.h", "");
    project.add(project.outside + "/more.h");
    CHECK(project.key(kPlain) != before);
  }
  SUBCASE("the name by which an outside input was found") {
    std::filesystem::create_symlink(project.outside, project.dir.path() + "/link");
    project.closure.inputs[2].spelled = project.dir.path() + "/link/sys.h";
    CHECK(project.key(kPlain) != before);
  }
  SUBCASE("an inside folder that must exist") {
    inputs::Trail trail;
    std::filesystem::create_directories(project.root + "/empty");
    project.closure.directories.push_back(project.index.find(project.root + "/empty", trail).node);
    CHECK(project.key(kPlain) != before);
  }
  SUBCASE("an outside folder that must exist") {
    inputs::Trail trail;
    project.closure.directories.push_back(project.index.find(project.outside, trail).node);
    CHECK(project.key(kPlain) != before);
  }
}

TEST_CASE("the compiler, the settings and the surroundings change the key") {
  Project project;
  base::Digest before = project.key(kPlain);
  SUBCASE("a part of the compiler") {
    project.compiler.parts[1].digest = base::digest_of("new cc1");
    CHECK(project.key(kPlain) != before);
  }
  SUBCASE("one part more") {
    project.compiler.parts.push_back({"/usr/lib/libbfd.so", base::digest_of("bfd")});
    CHECK(project.key(kPlain) != before);
  }
  SUBCASE("a configuration file that is looked for elsewhere") {
    project.compiler.absent.push_back("/etc/clang.cfg");
    CHECK(project.key(kPlain) != before);
  }
  SUBCASE("the silo") {
    project.settings.silo = "s";
    CHECK(project.key(kPlain) != before);
  }
  SUBCASE("the platform") {
    project.settings.platform = {{"OSFamily", "linux"}};
    CHECK(project.key(kPlain) != before);
  }
  SUBCASE("a variable") {
    project.env.push_back("SOURCE_DATE_EPOCH=1");
    CHECK(project.key(kPlain) != before);
  }
  SUBCASE("the depth of the working directory") {
    project.directory = project.root + "/out";
    std::filesystem::create_directories(project.directory);
    CHECK(project.key({"-O2", "-c", "../src/x.cc", "-o", "x.o"}) != before);
  }
  SUBCASE("an executable bit") {
    std::filesystem::permissions(project.root + "/src/x.cc", std::filesystem::perms::owner_exec,
                                 std::filesystem::perm_options::add);
    CHECK(project.key(kPlain) != before);
  }
}

TEST_CASE("folders around the root are not in the key") {
  Project project;
  base::Digest before = project.key(kPlain);
  inputs::Trail trail;
  project.closure.directories.push_back(project.index.find(project.dir.path(), trail).node);
  CHECK(project.key(kPlain) == before);
}

TEST_CASE("what changes no output does not change the key") {
  Project project;
  base::Digest before = project.key(kPlain);
  SUBCASE("the order of inputs") { std::swap(project.closure.inputs[0], project.closure.inputs[2]); }
  SUBCASE("an input twice") { project.add(project.outside + "/sys.h"); }
  SUBCASE("the order of platform properties") {
    project.settings.platform = {{"OSFamily", "linux"}, {"ISA", "x86-64"}};
  }
  SUBCASE("a PATH of the user's") { project.env.push_back("PATH=/home/me/bin:/usr/bin"); }
  SUBCASE("time stamps") { project.write("inc/x.h", "int h;\n"); }
  CHECK(project.key(kPlain) == before);
}

TEST_CASE("a relative -o and one by an absolute path are named alike") {
  Project project;
  compiler::Command command = project.command(kPlain);
  remote::Action a = project.action(kPlain);
  CHECK(remote::action_path(command, a, "x.o") == "x.o");
  CHECK(remote::action_path(command, a, "./gen//x.o") == "gen/x.o");
  CHECK(remote::action_path(command, a, project.directory + "/gen/x.o") == "gen/x.o");
  CHECK(remote::action_path(command, a, project.root + "/gen/x.o") == "../../gen/x.o");
  CHECK(remote::action_path(command, a, "../b/x.o") == "../b/x.o");
}

TEST_CASE("a compiler that lies in a marked root travels") {
  Project project;
  project.write("tools/bin/g++", "driver");
  project.write("tools/lib/cc1plus", "cc1");
  project.compiler_path = project.root + "/tools/bin/g++";
  project.compiler.parts = {{project.root + "/tools/bin/g++", base::digest_of("driver")},
                            {project.root + "/tools/lib/cc1plus", base::digest_of("cc1")},
                            {"/lib/libc.so.6", base::digest_of("libc")}};
  project.compiler.absent = {project.root + "/tools/lib/specs"};
  remote::Action a = project.action(kPlain);
  CHECK(a.portable);
  CHECK(a.shared);
  CHECK(arguments_of(a)[0] == "../../tools/bin/g++");
  Words tree = tree_of(a);
  CHECK(std::count(tree.begin(), tree.end(), "tools/bin/g++") == 1);
  CHECK(std::count(tree.begin(), tree.end(), "tools/lib/cc1plus") == 1);
  base::Digest before = a.digest;
  project.write("tools/lib/cc1plus", "another");
  CHECK(project.key(kPlain) != before);
}

TEST_CASE("PWD counts where the compiler honours it") {
  Project project;
  project.settings.absolute_only = true;
  base::Digest physical = project.key(kPlain);
  std::filesystem::create_directory_symlink(project.directory, project.dir.path() + "/wd");
  project.env.push_back("PWD=" + project.dir.path() + "/wd");
  remote::Action a = project.action(kPlain);
  CHECK(variable_of(a, "PWD") == project.dir.path() + "/wd");
  CHECK(a.digest != physical);
  // One that names another folder is ignored by both compilers.
  project.env.back() = "PWD=/usr";
  CHECK(project.key(kPlain) == physical);
  project.env.back() = "PWD=out/a";
  CHECK(project.key(kPlain) == physical);
}

TEST_CASE("a process's own name for its folder is believed, and shared with nobody") {
  Project project;
  CHECK(project.action(kPlain).portable);
  project.env.push_back("PWD=/proc/self/cwd");
  remote::Action a = project.action(kPlain);
  CHECK_FALSE(a.portable);
  CHECK(variable_of(a, "PWD") == "/proc/self/cwd");
}

TEST_CASE("a file that cannot be read is an error, not a key") {
  Project project;
  for (const std::string& name : project.names) project.add(name);
  std::filesystem::remove(project.root + "/inc/x.h");
  CHECK(!project.try_action(kPlain));
}
