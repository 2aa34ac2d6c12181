// Runs the compilers of this machine and compares the files they leave with the predicted outputs. A compiler
// that is not installed is said so.
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/spawn.h"
#include "compiler/parse.h"
#include "compiler/response_file.h"

namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kPath = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C"};

// A fresh folder with sources in several languages; removed at the end.
class Folder {
 public:
  Folder() {
    char name[] = "/tmp/goma-outputs-XXXXXX";
    path_ = ::mkdtemp(name);
    for (const char* directory : {"src", "obj", "dd"}) fs::create_directory(path_ + "/" + directory);
    write("src/a.cc",
          "#include <stddef.h>\n#include \"a.h\"\nint g(int); int f(int x) { return g(x) + g(x); }\n");
    write("src/a.h", "#pragma once\n");
    write("src/a.x.c", "int f(void) { return 0; }\n");
    write("src/p.ii", "int f() { return 0; }\n");
    write("src/s.s", "nop\n");
    write("src/s.S", "#define X nop\nX\n");
    write("src/m.m", "int f(void) { return 0; }\n");
  }
  ~Folder() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  const std::string& path() const { return path_; }
  std::set<std::string> files() const {
    std::set<std::string> out;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path_)) {
      if (entry.is_regular_file()) out.insert(fs::relative(entry.path(), path_).string());
    }
    return out;
  }

 private:
  void write(const std::string& name, const std::string& text) { std::ofstream(path_ + "/" + name) << text; }
  std::string path_;
};

std::string joined(const std::set<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += name + " ";
  return out;
}

// The depfile's text up to the colon of its rule.
std::string target_in(const std::string& path) {
  base::Result<std::string> text = base::read_file(path);
  return text ? text->substr(0, text->find(": ")) : text.error().message;
}

void check_line(const std::string& program, const std::string& arguments) {
  Folder folder;
  std::string text = program + " " + arguments;
  for (std::size_t at; (at = text.find("@ROOT@")) != std::string::npos;) text.replace(at, 6, folder.path());
  CAPTURE(text);
  compiler::CommandLine line;
  line.argv = compiler::split_response(text);
  line.compiler = line.argv[0];
  line.directory = folder.path();
  line.env = kPath;
  base::Result<compiler::Command> command = compiler::parse(line, base::real_files());
  REQUIRE_MESSAGE(command.ok(), (command.ok() ? "" : command.error().message));

  std::set<std::string> before = folder.files();
  base::SpawnRequest request;
  request.argv = line.argv;
  request.env = kPath;
  request.directory = folder.path();
  base::Result<base::SpawnOutcome> outcome = base::real_spawner().run(request, {});
  REQUIRE(outcome.ok());
  REQUIRE_MESSAGE(outcome->exit_code == 0, outcome->err);
  std::set<std::string> written;
  for (const std::string& name : folder.files()) {
    if (before.count(name) == 0) written.insert(name);
  }

  std::set<std::string> predicted;
  for (const compiler::Output& output : command->outputs) {
    fs::path path = fs::path(folder.path()) / output.path;
    std::string name = fs::relative(path, folder.path()).string();
    predicted.insert(name);
    CHECK_MESSAGE((!output.required || written.count(name) == 1), "not written: " << name);
  }
  for (const std::string& name : written)
    CHECK_MESSAGE(predicted.count(name) == 1, "not predicted: " << name);
  CAPTURE(joined(predicted));
  if (command->depfile.kind == compiler::Depfile::Kind::none) return;
  std::string targets;
  for (const std::string& target : command->depfile.targets) targets += (targets.empty() ? "" : " ") + target;
  CHECK(target_in((fs::path(folder.path()) / command->depfile.path).string()) == targets);
}

void check_lines(const std::string& program, const std::vector<std::string>& lines) {
  if (::access(program.c_str(), X_OK) != 0) {
    MESSAGE("NOT TESTED, not installed: " << program);
    return;
  }
  for (const std::string& arguments : lines) check_line(program, arguments);
}

// What both families have.
const std::vector<std::string> kCommon = {
    "-c src/a.cc",
    "-c src/a.cc -o obj/foo.o",
    "-c src/a.cc -oobj/foo.o",
    "-c src/a.cc -o @ROOT@/obj/foo.o -MD -fstack-usage",
    "-c src/a.cc -o obj/foo -MD -fstack-usage --coverage",
    "-c src/a.cc -o obj/foo.bar.o -MD -fstack-usage --coverage",
    "-c src/a.cc -o obj/foo.x -MMD -fstack-usage",
    "-c src/a.cc -o obj/foo. -MMD",
    "-c src/a.cc -o obj/.o -MMD",
    "-c src/a.cc -o ./foo.o -MMD -ftest-coverage",
    "-c src/a.cc -MD -fstack-usage --coverage -g -gsplit-dwarf",
    "-c -x c src/a.x.c -MD -fstack-usage",
    "-c -x c src/a.x.c -o foo.c.o -MMD --coverage",
    "-S src/a.cc",
    "-S src/a.cc -MD -fstack-usage --coverage",
    "-S -c src/a.cc -o obj/foo.s -MMD",
    "-S src/a.cc -o obj/foo.o -MMD -fstack-usage",
    "-fsyntax-only src/a.cc",
    "-fsyntax-only -c src/a.cc -MMD",
    "-fsyntax-only src/a.cc -MMD -o obj/foo.o",
    "-c src/p.ii -MD -o obj/p.o -fstack-usage",
    "-c src/s.s -MD -o obj/s.o -fstack-usage --coverage",
    "-c src/s.S -MD -o obj/s.o -fstack-usage --coverage",
    "-c src/s.S -gsplit-dwarf -g",
    "-c src/a.cc -MD -MF dd/x.dep",
    "-c src/a.cc -MD -MFdd/x.dep -MT t1 -MQ 't 2$' -MP",
    "-c src/a.cc -MD -MF dd/x.dep -MF dd/y.dep",
    "-c src/a.cc -MMD -o 'obj/a b$c#d:e\\\\f.o'",
    "-c src/a.cc -MMD -o 'obj/a\\\\ b.o'",
    "-c src/a.cc -Wp,-MD,obj/z.d",
    "-c src/a.cc -Wp,-MMD,obj/z.d -o obj/foo.o",
    "-c src/a.cc -o obj/foo.o -flto",
    "-c src/a.cc -o obj/foo.o -fprofile-arcs",
    "-c src/a.cc -o obj/foo.o -g -gsplit-dwarf",
    "-c src/a.cc -o obj/foo.o -g -gsplit-dwarf -gno-split-dwarf",
    "-c src/a.cc -o obj/foo.o -O2 -fsave-optimization-record",
    "-c src/a.cc -O2 -fsave-optimization-record",
    "-c src/a.cc -o obj/foo.o -save-temps",
    "-c src/a.cc -o obj/foo.o -save-temps=obj",
    "-c src/a.cc -o obj/foo.o -save-temps=cwd",
    "-c src/a.cc -save-temps",
    "-S src/a.cc -save-temps -o obj/foo.s",
    "-c src/s.S -save-temps -o obj/foo.o",
    "-c src/p.ii -save-temps -o obj/foo.o",
    "-c src/s.s -save-temps -o obj/foo.o",
};

const std::vector<std::string> kGccOnly = {
    "-c src/a.cc -o obj/foo.o -fcallgraph-info -fstack-usage",
    "-c src/a.cc -fcallgraph-info=su",
    "-c src/a.cc -o obj/foo.o -gsplit-dwarf",
    "-c src/a.cc -o obj/foo.o -gsplit-dwarf -g0",
    "-S src/a.cc -o obj/foo.s -gsplit-dwarf",
    "-c src/a.cc -o obj/foo.o -aux-info obj/aux",
    "-c src/a.cc -o obj/foo.o -Wa,-aln=obj/listing",
    "-c src/a.cc -o obj/foo.o -Wa,-adhln=obj/listing,--noexecstack",
    "-c src/a.cc -Wp,-MMD,obj/z.d,-MT,tt,-MP",
    "-c src/a.cc -Wp,-MD,obj/z.d -MT tt",
    "-c src/a.cc -Wp,-MD,obj/z.d -MQ 'a b'",
    "-c src/a.cc -MMD -MQ 'q 1' -MQ ./q2 -MT .//t1 -MT t2 -MQ q3",
    "-c src/a.cc -MMD -o .///././foo.o",
    "-c src/m.m",
    "-c src/m.m -save-temps",
};

const std::vector<std::string> kClangOnly = {
    "-c src/a.cc -o obj/foo.o -ftime-trace",
    "-c src/a.cc -ftime-trace -ftime-trace-granularity=1",
    "-S src/a.cc -o obj/foo.s -ftime-trace",
    "-c src/s.S -o obj/foo.o -ftime-trace",
    "-c src/a.cc -o obj/foo.o -save-stats",
    "-c src/a.cc -o obj/foo.o -save-stats=obj",
    "-c src/a.cc -o obj/foo.o -save-stats=cwd",
    "-c src/a.cc -o obj/foo.o --serialize-diagnostics obj/dia",
    "-c src/a.cc -o obj/foo.o -MJ obj/database",
    "-c src/a.cc -emit-llvm",
    "-S src/a.cc -emit-llvm",
    "-c src/a.cc -emit-llvm -o obj/foo.o",
    "-c src/a.cc -o obj/foo.o -gsplit-dwarf",
    "-c src/a.cc -o obj/foo.o -g -gsplit-dwarf=single",
    "-c src/a.cc -o obj/foo.o -g -gsplit-dwarf=split",
    "-c src/a.cc -o obj/foo.o -g -gsplit-dwarf -g0",
    "-c src/a.cc -o obj/foo.o -gsplit-dwarf -g1",
    "-c src/a.cc -o obj/foo.o -gsplit-dwarf -gmlt",
    "-S src/a.cc -o obj/foo.s -gsplit-dwarf",
    "-c -o obj/foo.o -MD -- src/a.cc",
    "-c src/a.cc -fembed-bitcode -o obj/foo.o",
};

}  // namespace

TEST_CASE("g++ writes the files that are predicted, and no others") {
  check_lines("/usr/bin/g++-12", kCommon);
  check_lines("/usr/bin/g++-12", kGccOnly);
}

TEST_CASE("clang++ 14 writes the files that are predicted, and no others") {
  check_lines("/usr/bin/clang++-14", kCommon);
  check_lines("/usr/bin/clang++-14", kClangOnly);
}

TEST_CASE("clang++ 19 writes the files that are predicted, and no others") {
  check_lines("/usr/bin/clang++-19", kCommon);
  check_lines("/usr/bin/clang++-19", kClangOnly);
}
