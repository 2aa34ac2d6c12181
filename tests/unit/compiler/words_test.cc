#include "compiler/words.h"

#include <doctest/doctest.h>

namespace {

compiler::Draft draft_of(const std::vector<std::string>& words,
                         compiler::Family family = compiler::Family::gcc) {
  compiler::Draft draft;
  draft.command.family = family;
  base::Result<void> read = compiler::read_words(draft, words);
  REQUIRE_MESSAGE(read.ok(), (read.ok() ? "" : read.error().message));
  return draft;
}

std::string label_of_words(const std::vector<std::string>& words,
                           compiler::Family family = compiler::Family::gcc) {
  compiler::Draft draft;
  draft.command.family = family;
  base::Result<void> read = compiler::read_words(draft, words);
  return read ? "" : read.error().label();
}

}  // namespace

TEST_CASE("every word is kept, in order") {
  std::vector<std::string> words = {"-I",  "a",  "-Wp,-DX", "-Xclang",
                                    "-DY", "-c", "x.cc",    "-fcolor-diagnostics"};
  compiler::Draft draft = draft_of(words, compiler::Family::clang);
  std::vector<std::string> kept;
  for (const compiler::Arg& arg : draft.command.args) kept.push_back(arg.text);
  CHECK(kept == words);
  CHECK(draft.command.args.back().role == compiler::ArgRole::colour);
}

TEST_CASE("-- makes sources of all that follows, for clang") {
  compiler::Draft draft = draft_of({"-c", "--", "-x"}, compiler::Family::clang);
  CHECK(draft.sources == std::vector<std::string>{"-x"});
  CHECK(label_of_words({"-c", "--", "a.cc"}) == "");
  CHECK(draft_of({"-c", "--", "a.cc"}).command.traits.portable == false);
}

TEST_CASE("a word without its value, or an empty one, is refused") {
  CHECK(label_of_words({"-c", "-o"}) == "missing_value");
  CHECK(label_of_words({"-c", "-I"}) == "missing_value");
  CHECK(label_of_words({"-c", ""}) == "empty_argument");
}

TEST_CASE("a depfile by -Wp, is one word that can be replaced") {
  compiler::Draft draft = draft_of({"-Wp,-MD,x.d"});
  REQUIRE(draft.command.args.size() == 1);
  CHECK(draft.command.args[0].role == compiler::ArgRole::depfile);
  CHECK(draft.command.args[0].value_at == 4);
  CHECK(label_of_words({"-Wp,-DX,-MD,x.d"}) == "depfile_form");
  CHECK(label_of_words({"-Wp,-MD,x.d,-DX"}) == "depfile_form");
  CHECK(label_of_words({"-Xpreprocessor", "-MD"}) == "depfile_form");
}

TEST_CASE("options undo each other") {
  CHECK(draft_of({"-g", "-g0"}).outputs.debug == false);
  CHECK(draft_of({"-g", "-g0"}).command.traits.debug_info == true);
  CHECK(draft_of({"-gsplit-dwarf", "-gno-split-dwarf"}).outputs.split_dwarf == false);
  CHECK(draft_of({"-flto", "-fno-lto"}).outputs.lto == false);
  CHECK(draft_of({"-O2", "-O0"}).optimizes == false);
  CHECK(draft_of({"-O0", "-Os"}).optimizes == true);
}

TEST_CASE("facts about the command are noted") {
  CHECK(draft_of({"-gsplit-dwarf"}).command.traits.debug_info);
  CHECK(!draft_of({"-g0", "-gno-split-dwarf"}).command.traits.debug_info);
  CHECK(label_of_words({"-object-file-name=x"}, compiler::Family::clang) == "driver_internals");
  CHECK(draft_of({"-march=native"}).command.traits.native_cpu);
  CHECK(!draft_of({"-march=x86-64-v3"}).command.traits.native_cpu);
  CHECK(draft_of({"-mtune=native"}).command.traits.native_cpu);
  CHECK(draft_of({"-mcpu=native+crypto"}, compiler::Family::clang).command.traits.native_cpu);
  CHECK(draft_of({"-frecord-gcc-switches"}).command.traits.records_command_line);
  CHECK(!draft_of({"-grecord-gcc-switches"}).command.traits.records_command_line);
  CHECK(draft_of({"-grecord-gcc-switches"}, compiler::Family::clang).command.traits.records_command_line);
  CHECK(draft_of({"-fsanitize-ignorelist=x.txt"}, compiler::Family::clang).command.side_inputs ==
        std::vector<compiler::SideInput>{{"x.txt"}});
}
