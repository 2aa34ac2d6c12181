#include "compiler/driver.h"

#include <doctest/doctest.h>

#include "unit/compiler/fake_compilers.h"

namespace {

base::Result<compiler::DriverAnswers> ask(fake::Compilers& world, std::vector<std::string> options = {},
                                          std::vector<std::string> env = {"PATH=/usr/bin"}) {
  compiler::DriverQuestions questions{"/usr/bin/g++", std::move(options), std::move(env), "/work"};
  return compiler::ask_driver(world.files, world.spawner, questions, "/gcc/bin/g++", compiler::Language::cxx,
                              {});
}

}  // namespace

TEST_CASE("an assembler that gcc does not find in its folders comes from PATH") {
  fake::Compilers world;
  auto answers = ask(world);
  REQUIRE(answers.ok());
  CHECK(answers->programs == std::vector<std::string>{"/gcc/lib/cc1plus", "/usr/bin/as"});
  CHECK(answers->files == std::vector<std::string>{"/gcc/lib/lto-wrapper"});
}

TEST_CASE("a compiler without a part is not identified") {
  fake::Compilers world;
  SUBCASE("no assembler") { world.files.remove("/usr/bin/as"); }
  SUBCASE("no compiler proper") { world.answer("/usr/bin/g++", "-print-prog-name=cc1plus", "cc1plus\n"); }
  SUBCASE("fails") { world.spawner.answer("/usr/bin/g++ -print-search-dirs", {1, "", "bad"}); }
  auto answers = ask(world);
  REQUIRE(!answers.ok());
  CHECK(answers.error().label() == "compiler");
}

TEST_CASE("what is neither gcc nor clang is a wrapper") {
  fake::Compilers world;
  world.answer("/usr/bin/g++", "--version", "tcc version 0.9.27\n");
  CHECK(ask(world).error().label() == "wrapper");
}

TEST_CASE("a clang that has read a configuration file is refused") {
  fake::Compilers world;
  world.answer("/usr/bin/clang++", "--version",
               "clang version 19\nConfiguration file: /etc/clang/clang.cfg\n");
  compiler::DriverQuestions questions{"/usr/bin/clang++", {}, {}, "/"};
  auto answers = compiler::ask_driver(world.files, world.spawner, questions, "/llvm/bin/clang",
                                      compiler::Language::cxx, {});
  REQUIRE(!answers.ok());
  CHECK(answers.error().label() == "config_file");
}

TEST_CASE("questions are asked with the options that choose tools, and these alone") {
  compiler::Command command = fake::Compilers::gcc();
  command.dialect_args = {"-O2", "-B", "tools", "-m32", "--sysroot=/s", "-march=native", "-std=c++20"};
  CHECK(compiler::selecting_options(command) ==
        std::vector<std::string>{"-B", "tools", "-m32", "--sysroot=/s"});
  command.traits.native_cpu = true;
  CHECK(compiler::selecting_options(command) ==
        std::vector<std::string>{"-B", "tools", "-m32", "--sysroot=/s", "-march=native"});
}
