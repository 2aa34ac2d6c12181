#include "compiler/environment.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace {

using Lines = std::vector<std::string>;

Lines keyed(const Lines& env) {
  base::Result<Lines> kept = compiler::key_environment(env);
  return kept ? *kept : Lines{kept.error().message};
}

}  // namespace

TEST_CASE("the first of two variables with the same name counts") {
  Lines env = {"A=1", "A=2", "AB=3", "EMPTY="};
  CHECK(compiler::variable(env, "A") == "1");
  CHECK(compiler::variable(env, "AB") == "3");
  CHECK(compiler::variable(env, "EMPTY") == "");
  CHECK(!compiler::variable(env, "B"));
}

TEST_CASE("only variables that can change an output are kept, sorted") {
  CHECK(keyed({"TERM=xterm", "SOURCE_DATE_EPOCH=1", "PWD=/x", "CPATH=/inc", "HOME=/root"}) ==
        Lines{"CPATH=/inc", "LC_CTYPE=C", "LC_MESSAGES=C", "SOURCE_DATE_EPOCH=1"});
}

TEST_CASE("the version of each of Apple's systems is kept, and probed with") {
  Lines env = {"XROS_DEPLOYMENT_TARGET=1", "IPHONEOS_DEPLOYMENT_TARGET=13.0", "DEPLOYMENT_TARGETS=2"};
  Lines kept = keyed(env);
  CHECK(std::count(kept.begin(), kept.end(), env[0]) == 1);
  CHECK(std::count(kept.begin(), kept.end(), env[1]) == 1);
  CHECK(std::count(kept.begin(), kept.end(), env[2]) == 0);
  Lines probe = compiler::probe_environment(env);
  CHECK(std::count(probe.begin(), probe.end(), env[1]) == 1);
}

TEST_CASE("locales that mean the same to a compiler are the same") {
  Lines plain = keyed({});
  CHECK(keyed({"LANG=C"}) == plain);
  CHECK(keyed({"LC_ALL=POSIX", "LANG=C.UTF-8"}) == plain);
  CHECK(keyed({"LC_ALL=xx_XX.not-installed"}) == plain);
  Lines utf8 = keyed({"LANG=C.UTF-8"});
  CHECK(utf8 != plain);
  CHECK(keyed({"LC_CTYPE=C.UTF-8"}) == utf8);
  CHECK(keyed({"LC_ALL=C.UTF-8", "LC_CTYPE=C"}) == utf8);
  CHECK(keyed({"LC_ALL=", "LC_CTYPE=", "LANG=C.UTF-8"}) == utf8);
}

TEST_CASE("LANGUAGE counts outside the C locale, English passed over") {
  Lines utf8 = keyed({"LANG=C.UTF-8"});
  CHECK(keyed({"LANG=C.UTF-8", "LANGUAGE=en_US:en"}) == utf8);
  Lines german = keyed({"LANG=C.UTF-8", "LANGUAGE=en_US:de"});
  CHECK(std::find(german.begin(), german.end(), "LANGUAGE=de") != german.end());
  CHECK(keyed({"LANG=C", "LANGUAGE=de"}) == keyed({}));
  CHECK(keyed({"LANG=C.UTF-8", "LANGUAGE=C:de"}) == utf8);
}

TEST_CASE("variables with which nothing is cached are refused by name") {
  for (const char* name :
       {"DEPENDENCIES_OUTPUT", "SUNPRO_DEPENDENCIES", "CCC_OVERRIDE_OPTIONS", "CLANG_NO_DEFAULT_CONFIG",
        "GCC_COMPARE_DEBUG", "CC_PRINT_OPTIONS", "CC_PRINT_HEADERS", "CC_LOG_DIAGNOSTICS", "RC_DEBUG_OPTIONS",
        "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "GCONV_PATH", "GNUTARGET"}) {
    base::Result<Lines> kept = compiler::key_environment({std::string(name) + "=x"});
    CAPTURE(name);
    REQUIRE(!kept.ok());
    CHECK(kept.error().kind == base::ErrorKind::unsupported);
    CHECK(kept.error().message == "environment: " + std::string(name));
  }
  CHECK(compiler::key_environment({"LD_PRELOAD="}).ok());
  CHECK(!compiler::key_environment({"DEPENDENCIES_OUTPUT="}).ok());
}

TEST_CASE("a probe runs in the C locale with the variables that change its answers") {
  CHECK(compiler::probe_environment({"LANG=de_DE.UTF-8", "CPATH=/a", "TERM=x", "PATH=/bin",
                                     "LC_ALL=de_DE"}) == Lines{"CPATH=/a", "PATH=/bin", "LC_ALL=C"});
}

TEST_CASE("a switch is on, off, or neither") {
  const std::vector<std::string> env = {"A=true", "B=Yes", "C=1", "D=false", "E=No", "F=0", "G=", "H=maybe"};
  for (const char* name : {"A", "B", "C"}) {
    CHECK(compiler::is_on(env, name));
    CHECK(!compiler::is_off(env, name));
  }
  for (const char* name : {"D", "E", "F"}) {
    CHECK(!compiler::is_on(env, name));
    CHECK(compiler::is_off(env, name));
  }
  for (const char* name : {"G", "H", "I"}) {
    CHECK(!compiler::is_on(env, name));
    CHECK(!compiler::is_off(env, name));
  }
}
