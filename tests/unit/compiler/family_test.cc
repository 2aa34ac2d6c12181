#include "compiler/family.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "compiler/parse.h"

namespace {

std::string family(const std::string& compiler) {
  base::Result<compiler::Family> found = compiler::family_of_name(compiler);
  if (!found) return found.error().label();
  return *found == compiler::Family::gcc ? "gcc" : "clang";
}

}  // namespace

TEST_CASE("a driver's name tells its family, with any prefix and version") {
  for (const char* name :
       {"gcc", "g++", "gcc-12", "g++-12.2.0", "x86_64-linux-gnu-gcc-12", "arm-none-eabi-g++"}) {
    CHECK_MESSAGE(family("/nowhere/" + std::string(name)) == "gcc", name);
  }
  for (const char* name : {"clang", "clang++", "clang-14", "clang++-19", "aarch64-linux-gnu-clang++"}) {
    CHECK_MESSAGE(family("/nowhere/" + std::string(name)) == "clang", name);
  }
  for (const char* name :
       {"clang-cl", "clang-tidy-14", "clang-format", "gcc-ar", "gcc-ranlib-12", "ld", "xgcc"}) {
    CHECK_MESSAGE(family("/nowhere/" + std::string(name)) == "unknown_compiler", name);
  }
}

TEST_CASE("cc and c++ are what they link to") {
  char name[] = "/tmp/goma-family-XXXXXX";
  std::string folder = ::mkdtemp(name);
  REQUIRE(::symlink("alternative", (folder + "/c++").c_str()) == 0);
  REQUIRE(::symlink("/nowhere/bin/clang++-14", (folder + "/alternative").c_str()) == 0);
  REQUIRE(::symlink("g++-12", (folder + "/x86-c++").c_str()) == 0);
  REQUIRE(::symlink("cc", (folder + "/cc").c_str()) == 0);
  CHECK(family(folder + "/c++") == "clang");
  CHECK(family(folder + "/x86-c++") == "gcc");
  CHECK(family(folder + "/cc") == "unknown_compiler");
  CHECK(family(folder + "/absent/cc") == "unknown_compiler");
  std::filesystem::remove_all(folder);
}

TEST_CASE("a name with ++ takes C for C++") {
  using compiler::Family;
  CHECK(compiler::is_cxx_driver("/x/clang++-14", Family::clang));
  CHECK(compiler::is_cxx_driver("/x/g++", Family::gcc));
  CHECK(!compiler::is_cxx_driver("/x++/gcc", Family::gcc));
  CHECK(!compiler::is_cxx_driver("/x/clang", Family::clang));
}
