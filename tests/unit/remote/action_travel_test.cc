// What an Action says about running somewhere else: what travels, what must be there, and what binds it here.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "unit/remote/project.h"

namespace {

Words paths_of(const std::vector<remote::KeyFile>& files) {
  Words out;
  for (const remote::KeyFile& file : files) out.push_back(file.path);
  return out;
}

}  // namespace

TEST_CASE("every file of the input root is named with where it lies, once for each content") {
  Project project;
  project.write("inc/same.h", "int h;\n");
  project.names.push_back("../../inc/same.h");
  remote::Action action = project.action(kPlain);
  CHECK(paths_of(action.files) == Words{project.root + "/src/x.cc", project.root + "/inc/x.h"});
  CHECK(action.bound.empty());
}

TEST_CASE("what does not travel is listed when it is wanted") {
  Project project;
  CHECK(project.action(kPlain).outside.empty());
  project.settings.list_outside = true;
  remote::Action action = project.action(kPlain);
  CHECK(paths_of(action.outside) == Words{project.outside + "/sys.h"});
  CHECK(paths_of(action.outside_parts) == Words{"/usr/bin/g++-12", "/usr/lib/cc1plus"});
  CHECK(has(action.outside_absent, "/usr/lib/specs"));
}

TEST_CASE("names looked for in vain outside the root are listed, those inside are not") {
  Project project;
  project.settings.list_outside = true;
  for (const std::string& name : {project.outside + "/x.h", project.root + "/inc/y.h"}) {
    project.index.find(name, project.closure.trail);
  }
  remote::Action action = project.action(kPlain);
  CHECK(has(action.outside_absent, project.outside + "/x.h"));
  CHECK(!has(action.outside_absent, project.root + "/inc/y.h"));
}

TEST_CASE("the absolute form and this machine's processor bind a compile") {
  Project project;
  Words sanitized = kPlain;
  sanitized.push_back("-fsanitize=address");
  CHECK(project.action(sanitized).bound.starts_with("absolute_form: "));
  Words native = kPlain;
  native.push_back("-march=native");
  project.compiler.native = "-march=x";
  CHECK(project.action(native).bound.starts_with("native_cpu: "));
}

TEST_CASE("in a chroot everything travels under its own path") {
  Project project;
  project.write_absolute(project.outside + "/bin/g++-12", "driver");
  project.write_absolute(project.outside + "/libexec/cc1plus", "cc1");
  std::filesystem::create_symlink("g++-12", project.outside + "/bin/g++");
  project.compiler_path = project.outside + "/bin/g++";
  project.compiler.parts = {{project.outside + "/bin/g++-12", base::digest_of("driver")},
                            {project.outside + "/libexec/cc1plus", base::digest_of("cc1")}};
  std::filesystem::create_symlink(project.outside + "/bin", project.root + "/bin");
  project.settings.chroot = true;
  project.settings.list_outside = true;
  project.names.push_back("../../bin/g++-12");
  remote::Action action = project.action(kPlain);
  CHECK(!action.portable);
  CHECK(action.bound.empty());
  Words tree = tree_of(action);
  std::string outside = project.outside.substr(1);
  for (const std::string& entry : {outside + "/sys.h", outside + "/bin/g++ -> g++-12",
                                   outside + "/bin/g++-12", outside + "/libexec/cc1plus",
                                   project.root.substr(1) + "/src/x.cc", project.directory.substr(1) + "/"}) {
    CHECK_MESSAGE(has(tree, entry), entry);
  }
  CHECK(action.outside.empty());
  CHECK(action.outside_parts.empty());
  reapi::Action message;
  REQUIRE(message.ParseFromString(action.action));
  CHECK(message.salt().empty());
  CHECK(command_of(action).working_directory() == project.directory.substr(1));
  CHECK(variable_of(action, "PWD") == project.directory);
}

TEST_CASE("in a chroot clang finds its gcc installation again") {
  Project project;
  project.settings.chroot = true;
  std::string gcc = project.outside + "/lib/gcc/x86_64-linux-gnu/12";
  project.write_absolute(gcc + "/crtbegin.o", "start");
  project.write_absolute(project.outside + "/include/c++/12/vector", "");
  project.names.push_back(gcc + "/../../../../include/c++/12/vector");
  CHECK(has(tree_of(project.action(kPlain)), gcc.substr(1) + "/crtbegin.o"));
}
