#include "compiler/identity.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "unit/compiler/fake_compilers.h"

namespace {

const std::vector<std::string> kEnv = {"PATH=/opt/bin:/usr/bin"};

std::vector<std::string> paths_of(const compiler::Compiler& compiler) {
  std::vector<std::string> out;
  for (const compiler::Part& part : compiler.parts) out.push_back(part.path);
  return out;
}

}  // namespace

TEST_CASE("gcc's parts are its programs, what they load and what they read") {
  fake::Compilers world;
  compiler::Identifier identifier(world.files, world.spawner, "");
  auto found = identifier.identify(world.gcc(), kEnv, {});
  REQUIRE_MESSAGE(found.ok(), (found.ok() ? "" : found.error().message));
  CHECK((*found)->driver == "/gcc/bin/g++");
  CHECK((*found)->version == "g++ 12");
  CHECK((*found)->target == "x86_64-linux-gnu");
  CHECK(paths_of(**found) == std::vector<std::string>{"/gcc/bin/g++", "/gcc/lib/cc1plus",
                                                      "/gcc/lib/lto-wrapper", "/lib/ld.so", "/lib/libc.so",
                                                      "/usr/bin/as"});
  CHECK((*found)->absent == std::vector<std::string>{"/gcc/lib/specs", "/lib/specs"});
}

TEST_CASE("clang's parts include the sanitizers' lists, and configuration files are looked for") {
  fake::Compilers world;
  compiler::Identifier identifier(world.files, world.spawner, "");
  auto found = identifier.identify(world.clang(), kEnv, {});
  REQUIRE_MESSAGE(found.ok(), (found.ok() ? "" : found.error().message));
  CHECK(paths_of(**found) == std::vector<std::string>{"/lib/ld.so", "/lib/libc.so", "/llvm/bin/clang",
                                                      "/llvm/lib/clang/14/share/asan_ignorelist.txt"});
  world.files.write("/llvm/bin/clang++.cfg", "-DX");
  auto again = identifier.identify(world.clang(), kEnv, {});
  REQUIRE(!again.ok());
  CHECK(again.error().label() == "config_file");
}

TEST_CASE("a compiler is asked once, and looked at by stat after that") {
  fake::Compilers world;
  compiler::Identifier identifier(world.files, world.spawner, "");
  auto first = identifier.identify(world.gcc(), kEnv, {});
  REQUIRE(first.ok());
  std::size_t runs = world.spawner.requests().size();
  world.files.forget_asked();
  auto second = identifier.identify(world.gcc(), kEnv, {});
  REQUIRE(second.ok());
  CHECK(second->get() == first->get());
  CHECK(world.spawner.requests().size() == runs);
  CHECK(world.files.reads().empty());
}

TEST_CASE("the program that splits debug information is a part where it runs") {
  fake::Compilers world;
  world.files.write("/usr/bin/objcopy", fake::elf_program("objcopy"));
  world.spawner.answer("/lib/ld.so --list /usr/bin/objcopy", {0, "\tlibc.so => /lib/libc.so (0x1)\n", ""});
  world.answer("/usr/bin/g++", "-print-prog-name=objcopy", "objcopy\n");
  // It answers as without the option.
  world.spawner.answer_others([&](const base::SpawnRequest& request) {
    base::SpawnRequest plain = request;
    REQUIRE(std::erase(plain.argv, "-gsplit-dwarf") == 1);
    return world.spawner.run(plain, {});
  });
  compiler::Identifier identifier(world.files, world.spawner, "");
  compiler::Command command = world.gcc();
  command.outputs.push_back({"x.dwo", true, "dwo"});
  auto found = identifier.identify(command, kEnv, {});
  REQUIRE_MESSAGE(found.ok(), (found.ok() ? "" : found.error().message));
  std::vector<std::string> paths = paths_of(**found);
  CHECK(std::count(paths.begin(), paths.end(), "/usr/bin/objcopy") == 1);
}

TEST_CASE("what somebody knows to be unchanged is not looked at") {
  fake::Compilers world;
  compiler::Identifier identifier(world.files, world.spawner, "");
  const compiler::Compiler* asked = nullptr;
  bool answer = true;
  auto unchanged = [&](const compiler::Compiler& known) {
    asked = &known;
    return answer;
  };
  auto first = identifier.identify(world.gcc(), kEnv, {}, unchanged);
  REQUIRE(first.ok());
  world.files.write("/lib/libc.so", "newer");
  auto second = identifier.identify(world.gcc(), kEnv, {}, unchanged);
  REQUIRE(second.ok());
  CHECK(second->get() == first->get());
  CHECK(asked == first->get());
  answer = false;
  auto third = identifier.identify(world.gcc(), kEnv, {}, unchanged);
  REQUIRE(third.ok());
  CHECK((*third)->fingerprint != (*first)->fingerprint);
}

TEST_CASE("a change to any part, or a file that appears, makes another compiler") {
  fake::Compilers world;
  world.answer("/usr/bin/g++", "-print-search-dirs",
               "install: /gcc/lib/\nprograms: =/early/:/gcc/lib/\nlibraries: =/gcc/lib/\n");
  compiler::Identifier identifier(world.files, world.spawner, "");
  auto before = identifier.identify(world.gcc(), kEnv, {});
  REQUIRE(before.ok());
  base::Digest fingerprint = (*before)->fingerprint;
  SUBCASE("a library") { world.files.write("/lib/libc.so", "newer"); }
  SUBCASE("the compiler proper") { world.files.write("/gcc/lib/cc1plus", fake::elf_program("patched")); }
  SUBCASE("another compiler proper in a folder that is searched before") {
    world.files.write("/early/cc1plus", fake::elf_program("other cc1plus"));
    world.answer("/usr/bin/g++", "-print-prog-name=cc1plus", "/early/cc1plus\n");
    world.spawner.answer("/lib/ld.so --list /early/cc1plus", {0, "\tlibc.so => /lib/libc.so (0x1)\n", ""});
  }
  SUBCASE("another assembler first in PATH") {
    world.files.write("/opt/bin/as", fake::elf_program("other as"));
    world.spawner.answer("/lib/ld.so --list /opt/bin/as", {0, "\tlibc.so => /lib/libc.so (0x1)\n", ""});
  }
  auto after = identifier.identify(world.gcc(), kEnv, {});
  REQUIRE_MESSAGE(after.ok(), (after.ok() ? "" : after.error().message));
  CHECK((*after)->fingerprint != fingerprint);
}

TEST_CASE("users whose PATHs differ before the same assembler have the same compiler") {
  fake::Compilers world;
  compiler::Identifier identifier(world.files, world.spawner, "");
  auto mine = identifier.identify(world.gcc(), {"PATH=/home/me/bin:/usr/bin"}, {});
  auto yours = identifier.identify(world.gcc(), {"PATH=/usr/bin"}, {});
  REQUIRE(mine.ok());
  REQUIRE(yours.ok());
  CHECK((*mine)->fingerprint == (*yours)->fingerprint);
}

TEST_CASE("a file touched without a change is the same compiler") {
  fake::Compilers world;
  compiler::Identifier identifier(world.files, world.spawner, "");
  auto before = identifier.identify(world.gcc(), kEnv, {});
  REQUIRE(before.ok());
  world.files.set_times("/lib/libc.so", 1, 1);
  auto after = identifier.identify(world.gcc(), kEnv, {});
  REQUIRE(after.ok());
  CHECK(after->get() != before->get());
  CHECK((*after)->fingerprint == (*before)->fingerprint);
}

TEST_CASE("what is not a driver itself is a wrapper, until it is replaced") {
  fake::Compilers world;
  compiler::Identifier identifier(world.files, world.spawner, "");
  SUBCASE("a script") { world.files.write("/gcc/bin/g++", "#!/bin/sh\nexec g++-12 \"$@\"\n"); }
  SUBCASE("a program that runs a driver and so answers like one") {
    world.files.write("/gcc/bin/g++", fake::elf_program("ccache"));
  }
  auto found = identifier.identify(world.gcc(), kEnv, {});
  REQUIRE(!found.ok());
  CHECK(found.error().kind == base::ErrorKind::unsupported);
  CHECK(found.error().label() == "wrapper");
  std::size_t runs = world.spawner.requests().size();
  CHECK(!identifier.identify(world.gcc(), kEnv, {}).ok());
  CHECK(world.spawner.requests().size() == runs);
  world.files.write("/gcc/bin/g++", fake::elf_program("COLLECT_GCC"));
  CHECK(identifier.identify(world.gcc(), kEnv, {}).ok());
}

TEST_CASE("a name that belongs to the other family is refused") {
  fake::Compilers world;
  world.answer("/usr/bin/g++", "--version", "Apple clang version 14\n");
  world.answer("/usr/bin/g++", "-print-resource-dir", "/llvm/lib/clang/14\n");
  compiler::Identifier identifier(world.files, world.spawner, "");
  CHECK(identifier.identify(world.gcc(), kEnv, {}).error().label() == "unknown_compiler");
}

TEST_CASE("an answer that did not come is asked for again") {
  fake::Compilers world;
  compiler::Identifier identifier(world.files, world.spawner, "");
  std::stop_source stopped;
  stopped.request_stop();
  CHECK(identifier.identify(world.gcc(), kEnv, stopped.get_token()).error().kind ==
        base::ErrorKind::cancelled);
  CHECK(identifier.identify(world.gcc(), kEnv, {}).ok());
}

TEST_CASE("a native processor is part of the fingerprint, temporary names are not") {
  fake::Compilers world;
  compiler::Identifier identifier(world.files, world.spawner, "");
  compiler::Command command = world.gcc();
  command.traits.native_cpu = true;
  command.dialect_args = {"-march=native"};
  world.spawner.answer_others([](const base::SpawnRequest& request) -> base::Result<base::SpawnOutcome> {
    base::SpawnOutcome outcome;
    if (request.argv.size() > 2 && request.argv[2] == "-###") {
      outcome.err = " /gcc/lib/cc1plus \"-march=znver3\" --param \"l1-cache-size=32\" -o /tmp/ccabc.s";
      return outcome;
    }
    std::vector<std::string> argv = request.argv;
    if (argv[1] == "-march=native") argv.erase(argv.begin() + 1);
    fake::Compilers other;
    base::SpawnRequest plain = request;
    plain.argv = argv;
    return other.spawner.run(plain, {});
  });
  auto native = identifier.identify(command, kEnv, {});
  REQUIRE_MESSAGE(native.ok(), (native.ok() ? "" : native.error().message));
  auto plain = identifier.identify(world.gcc(), kEnv, {});
  REQUIRE(plain.ok());
  CHECK((*native)->fingerprint != (*plain)->fingerprint);
  CHECK((*native)->parts.size() == (*plain)->parts.size());
}

TEST_CASE("what is known is kept on disk, and a damaged record is no record") {
  char name[] = "/tmp/goma-identity-XXXXXX";
  std::string folder = ::mkdtemp(name);
  fake::Compilers world;
  base::Digest fingerprint;
  {
    compiler::Identifier identifier(world.files, world.spawner, folder);
    auto found = identifier.identify(world.gcc(), kEnv, {});
    REQUIRE(found.ok());
    fingerprint = (*found)->fingerprint;
  }
  std::string record;
  for (const auto& entry : std::filesystem::directory_iterator(folder + "/compilers")) record = entry.path();
  base::Result<std::string> text = base::real_files().read(record);
  REQUIRE(text.ok());
  auto runs_with = [&](const std::string& content) {
    fake::Compilers later;
    later.files.write(record, content);
    // The same files as before, by their stamps.
    compiler::Identifier identifier(later.files, later.spawner, folder);
    auto found = identifier.identify(later.gcc(), kEnv, {});
    REQUIRE(found.ok());
    CHECK((*found)->fingerprint == fingerprint);
    return later.spawner.requests().size();
  };
  CHECK(runs_with(*text) == 0);
  CHECK(runs_with(text->substr(0, text->size() / 2)) > 0);
  CHECK(runs_with("{}") > 0);
  CHECK(runs_with("") > 0);
  std::filesystem::remove_all(folder);
}
