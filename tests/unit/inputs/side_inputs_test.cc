#include "inputs/side_inputs.h"

#include <doctest/doctest.h>

#include "fake/scan_fixture.h"

namespace {

struct SideInputsFixture {
  fake::ScanFixture scan;
  inputs::Trail trail;
  inputs::Recorder recorder{scan.index, scan.scratch};
  inputs::NodeId cwd = inputs::kNoNode;
  SideInputsFixture() {
    ++scan.scratch.scan;
    cwd = scan.index.find("/w", trail).node;
  }
  std::string names() {
    std::string out;
    for (const inputs::Input& input : recorder.inputs()) {
      out += input.spelled + (input.in_depfile ? "+ " : " ");
    }
    return out;
  }
};

}  // namespace

TEST_CASE_FIXTURE(SideInputsFixture, "files named by flags are inputs, and nothing but files") {
  scan.files.write("/w/list.txt", "");
  scan.files.make_directory("/w/dir");
  scan.command.side_inputs = {{"list.txt"}};
  REQUIRE(inputs::add_side_inputs(scan.command, scan.index, cwd, recorder));
  CHECK(names() == "list.txt ");
  for (const char* name : {"dir", "absent.profdata"}) {
    scan.command.side_inputs = {{name}};
    CHECK(inputs::add_side_inputs(scan.command, scan.index, cwd, recorder).error().label() == "side_input");
  }
}

TEST_CASE_FIXTURE(SideInputsFixture,
                  "a file that need not be there is an input where it is, and watched where not") {
  scan.command.side_inputs = {{"SDK/SDKSettings.json", false}};
  REQUIRE(inputs::add_side_inputs(scan.command, scan.index, cwd, recorder));
  CHECK(names().empty());
  CHECK(!recorder.scratch_trail().empty());
  scan.files.write("/w/SDK/SDKSettings.json", "{}");
  scan.index.refresh();
  REQUIRE(inputs::add_side_inputs(scan.command, scan.index, cwd, recorder));
  CHECK(names() == "SDK/SDKSettings.json ");
}

TEST_CASE_FIXTURE(SideInputsFixture, "clang reads its own list for a sanitizer that is on") {
  scan.command.family = compiler::Family::clang;
  scan.files.write("/lib/clang/14/share/asan_ignorelist.txt", "");
  scan.files.write("/w/mine.txt", "");
  auto run = [&](std::vector<std::string> args) {
    inputs::Recorder fresh(scan.index, scan.scratch);
    scan.command.args.clear();
    for (std::string& arg : args) scan.command.args.push_back({std::move(arg)});
    auto done = inputs::add_clang_lists(scan.command, "/lib/clang/14/include", scan.index, cwd, fresh);
    REQUIRE(done);
    return fresh.inputs().size();
  };
  CHECK(run({"-fsanitize=undefined,address"}) == 1);
  CHECK(run({"-fsanitize=address", "-fno-sanitize=address"}) == 0);
  CHECK(run({"-fsanitize=address", "-fno-sanitize-ignorelist"}) == 0);
  CHECK(run({"-fsanitize=address", "-fsanitize-ignorelist=mine.txt"}) == 2);
  CHECK(run({"-fsanitize=thread"}) == 0);
  scan.files.write("/lib/clang/14/share/ubsan_ignorelist.txt", "");
  scan.index.refresh();
  for (const char* one : {"undefined", "vptr", "signed-integer-overflow", "null,alignment"}) {
    CHECK(run({std::string("-fsanitize=") + one}) == 1);
  }
  CHECK(run({"-O2"}) == 0);
}

TEST_CASE_FIXTURE(SideInputsFixture, "clang takes a precompiled header beside an -include") {
  scan.command.family = compiler::Family::clang;
  scan.command.forced = {{"pre.h", false}};
  CHECK(inputs::check_clang_precompiled(scan.command, scan.index, cwd, recorder));
  scan.files.write("/w/pre.h.pch", "");
  scan.index.refresh();
  CHECK_FALSE(inputs::check_clang_precompiled(scan.command, scan.index, cwd, recorder));
}

TEST_CASE_FIXTURE(SideInputsFixture, "assembler files are followed, and what cannot be found is refused") {
  scan.files.write("/w/a.s", ".include \"b.s\"\n.incbin \"data\"\n");
  scan.files.write("/w/b.s", ".include \"a.s\"\n.incbin \"more\"\n");
  scan.files.write("/w/data", "");
  scan.files.write("/w/more", "");
  inputs::LexMode mode;
  mode.assembler = true;
  inputs::Trail more;
  auto list = scan.lists.of(scan.index.find("/w/a.s", more).node, mode);
  REQUIRE(list);
  REQUIRE(inputs::add_assembler_files(**list, scan.lists, scan.index, cwd, recorder));
  CHECK(recorder.inputs().size() == 4);
  scan.files.remove("/w/more");
  scan.index.refresh();
  CHECK_FALSE(inputs::add_assembler_files(**list, scan.lists, scan.index, cwd, recorder));
}
