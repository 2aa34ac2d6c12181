#include "remote/roots.h"

#include "unit/remote/project.h"

TEST_CASE("the exec root is the nearest marked folder above the source and the working directory") {
  Project project;
  auto root = [&] {
    inputs::Trail trail;
    project.index.refresh();
    return remote::find_roots(project.command(kPlain), project.settings, project.index, trail).root;
  };
  CHECK(root() == project.root);
  for (const char* marker : {".goma.json", ".gn", ".hg", ".jj"}) {
    std::filesystem::remove_all(project.root + "/.git");
    project.write(marker, "");
    CHECK(root() == project.root);
    std::filesystem::remove_all(project.root + "/" + marker);
  }
  // One below only one of the two does not count.
  std::filesystem::create_directories(project.root + "/src/.git");
  CHECK(root() == project.root);
  std::filesystem::create_directories(project.dir.path() + "/.git");
  CHECK(root() == project.dir.path());
  std::filesystem::create_directories(project.root + "/.git");
  CHECK(root() == project.root);
  project.settings.exec_root = project.dir.path();
  CHECK(root() == project.dir.path());
  project.settings.exec_root = project.dir.path() + "/missing";
  CHECK(root() == "");
  project.settings.exec_root = "/";
  CHECK(root() == "");
  project.settings.exec_root = "/usr";
  CHECK(root() == "");
}

TEST_CASE("spellings that stray from the root") {
  Project project;
  const std::string& r = project.root;
  link_to(r, project.dir.path() + "/alias");
  std::string strays = "a path that strays from the root: ";
  auto why = [&](const std::string& word) { return reason(project, plus(kPlain, {word})); };
  CHECK(why("-I" + project.dir.path() + "/alias/inc") == strays + "-I" + project.dir.path() + "/alias/inc");
  CHECK(why("-I" + r + "/../proj/inc") == strays + "-I" + r + "/../proj/inc");
  CHECK(why("-I../../../proj/inc") == strays + "-I../../../proj/inc");
  CHECK(why("-I../../..") == strays + "-I../../..");
  CHECK(why("-I/") == strays + "-I/");
  CHECK(why("-I../../inc/../src") == "");
  CHECK(why("-I" + r + "/inc/../src") == "");
  CHECK(why("-I../../../outside") == "");
  CHECK(why("-I../../missing") == "");
  CHECK(why("-I" + r + "2") == "");
  CHECK(why("-I/missing") == "");
}

TEST_CASE("paths relative to the working directory") {
  Project project;
  compiler::Command command = project.command(kPlain);
  CHECK(remote::relative_to_directory("x.o", command) == "x.o");
  CHECK(remote::relative_to_directory("./gen//./x.o", command) == "gen/x.o");
  CHECK(remote::relative_to_directory("../b/x.o", command) == "../b/x.o");
  CHECK(remote::relative_to_directory("gen/../x.o", command) == "gen/../x.o");
  CHECK(remote::relative_to_directory(project.directory + "/gen/x.o", command) == "gen/x.o");
  CHECK(remote::relative_to_directory(project.root + "/gen/x.o", command) == "../../gen/x.o");
  std::string elsewhere = remote::relative_to_directory("/x.o", command);
  CHECK(base::normal_form(base::join(project.directory, elsewhere)) == "/x.o");
}

TEST_CASE("where a path stands") {
  Project project;
  compiler::Command command = project.command(kPlain);
  remote::Roots roots{project.root, "/proc/self/cwd/../.."};
  auto place = [&](const std::string& path) { return remote::place_of(path, command, roots, project.index); };
  CHECK(place("x.o") == remote::Place::inside);
  CHECK(place("../../src") == remote::Place::inside);
  CHECK(place("../../../outside/sys.h") == remote::Place::outside);
  CHECK(place(project.root) == remote::Place::below);
  CHECK(place(project.root + "/src/../src/x.cc") == remote::Place::below);
  CHECK(place(project.root + "/..") == remote::Place::strays);
  CHECK(place(project.root + "2/x") == remote::Place::outside);
  CHECK(place("/usr/include") == remote::Place::outside);
  CHECK(remote::aliased(project.root + "/src", roots) == "/proc/self/cwd/../../src");
}

TEST_CASE("plain names need no quoting anywhere") {
  CHECK(remote::is_plain("/home/me-2/a_b.c+@~"));
  for (const char* name : {"/a b", "/a$", "/a#", "/a=b", "/a:b", "/caf\xe9", "/a'"})
    CHECK(!remote::is_plain(name));
}
