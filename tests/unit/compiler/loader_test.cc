#include "compiler/loader.h"

#include <doctest/doctest.h>

#include <string>

#include "base/fd.h"
#include "fake/fake_spawner.h"

TEST_CASE("the listing of the loader is read, the kernel's own object left out") {
  std::vector<std::string> found = compiler::libraries_in(
      "\tlinux-vdso.so.1 (0x00007ffd)\n"
      "\tlibz.so.1 => /lib/x/libz.so.1 (0x00007f2e)\n"
      "\tlibodd.so => /opt/a b (0x1)/libodd.so (0x00007f2e)\n"
      "\tlibgone.so => not found\n"
      "\t/lib64/ld-linux-x86-64.so.2 (0x00007f2e)\n");
  CHECK(found == std::vector<std::string>{"/lib/x/libz.so.1", "/opt/a b (0x1)/libodd.so",
                                          "/lib64/ld-linux-x86-64.so.2"});
}

TEST_CASE("the loader of a real program is found in it") {
  base::Result<std::string> bytes = base::read_file("/proc/self/exe");
  REQUIRE(bytes.ok());
  CHECK(compiler::is_elf(*bytes));
  CHECK(compiler::interpreter_of(*bytes).find("ld") != std::string::npos);
}

TEST_CASE("what is no whole ELF file has no loader") {
  CHECK(!compiler::is_elf("#!/bin/sh\n"));
  CHECK(compiler::interpreter_of("#!/bin/sh\n") == "");
  CHECK(compiler::interpreter_of("\x7f"
                                 "ELF") == "");
  base::Result<std::string> bytes = base::read_file("/proc/self/exe");
  REQUIRE(bytes.ok());
  for (std::size_t size = 0; size < 1024; size += 7) {
    // A broken file must not be read past its end; the sanitizer builds see it.
    std::string cut = bytes->substr(0, size);
    compiler::interpreter_of(cut);
  }
  CHECK(compiler::interpreter_of(bytes->substr(0, 100)) == "");
}

TEST_CASE("the loader is run, never the program; a static program loads nothing") {
  fake::FakeSpawner spawner;
  base::Result<std::string> bytes = base::read_file("/proc/self/exe");
  REQUIRE(bytes.ok());
  std::string loader = compiler::interpreter_of(*bytes);
  spawner.answer(loader + " --list /x/prog", {0, "\tliba.so => /lib/liba.so (0x1)\n", ""});
  auto found = compiler::loaded_by(spawner, "/x/prog", *bytes, {});
  REQUIRE(found.ok());
  CHECK(*found == std::vector<std::string>{"/lib/liba.so", loader});
  auto none = compiler::loaded_by(spawner, "/x/static",
                                  "\x7f"
                                  "ELF and nothing",
                                  {});
  REQUIRE(none.ok());
  CHECK(none->empty());
  CHECK(spawner.requests().size() == 1);
  spawner.answer(loader + " --list /x/broken", {1, "", "cannot open"});
  CHECK(!compiler::loaded_by(spawner, "/x/broken", *bytes, {}).ok());
}
