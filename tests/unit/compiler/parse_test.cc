#include "compiler/parse.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "compiler/response_file.h"
#include "fake/fake_files.h"

namespace {

// Splits at blanks; quotes as in a response file.
base::Result<compiler::Command> parse_line(const std::string& text, fake::FakeFiles& files,
                                           std::vector<std::string> env = {}) {
  compiler::CommandLine line;
  line.argv = compiler::split_response(text);
  line.compiler = "/usr/bin/" + line.argv[0];
  line.directory = "/work";
  line.env = std::move(env);
  return compiler::parse(line, files);
}

base::Result<compiler::Command> parse_line(const std::string& text, std::vector<std::string> env = {}) {
  fake::FakeFiles files;
  return parse_line(text, files, std::move(env));
}

// "object:obj/a.o depfile:obj/a.d", or the error's message.
std::string outputs_of(const std::string& text) {
  base::Result<compiler::Command> command = parse_line(text);
  if (!command) return command.error().message;
  std::string out;
  for (const compiler::Output& output : command->outputs) {
    out += (out.empty() ? "" : " ") + output.kind + ":" + output.path;
  }
  return out;
}

std::string label_of(const std::string& text, std::vector<std::string> env = {}) {
  base::Result<compiler::Command> command = parse_line(text, std::move(env));
  return command ? "" : command.error().label();
}

}  // namespace

TEST_CASE("an ordinary command line of CMake") {
  base::Result<compiler::Command> command = parse_line(
      "g++-12 -DA=1 -D B -UC -I/x/inc -I rel -isystem /sys -iquote q -idirafter late -O2 -g -std=gnu++20 "
      "-Wall "
      "-fPIC -include pre.h -imacros m.h -MD -MT CMakeFiles/a.o -MF CMakeFiles/a.d -o CMakeFiles/a.o -c "
      "a.cc");
  REQUIRE(command.ok());
  CHECK(command->family == compiler::Family::gcc);
  CHECK(command->language == compiler::Language::cxx);
  CHECK(command->mode == compiler::Mode::object);
  CHECK(command->source == "a.cc");
  REQUIRE(command->macros.size() == 3);
  CHECK(command->macros[0].text == "A=1");
  CHECK(command->macros[1].text == "B");
  CHECK(command->macros[2].undefine);
  REQUIRE(command->search.size() == 5);
  CHECK(command->search[1].path == "rel");
  CHECK(command->search[2].kind == compiler::SearchDir::Kind::system);
  CHECK(command->search[3].kind == compiler::SearchDir::Kind::quote);
  CHECK(command->search[4].kind == compiler::SearchDir::Kind::after);
  REQUIRE(command->forced.size() == 2);
  CHECK(command->forced[1].macros_only);
  CHECK(command->depfile.kind == compiler::Depfile::Kind::all);
  CHECK(command->depfile.path == "CMakeFiles/a.d");
  CHECK(command->depfile.targets == std::vector<std::string>{"CMakeFiles/a.o"});
  CHECK(command->traits.debug_info);
  CHECK(command->traits.portable);
  CHECK(command->traits.wants_system_headers);
  CHECK(command->dialect_args == std::vector<std::string>{"-O2", "-g", "-std=gnu++20", "-fPIC"});
}

TEST_CASE("a flag that changes a predefined macro is part of the dialect") {
  for (std::string flag : {"-Wno-deprecated", "-fno-dwarf2-cfi-asm", "-fleading-underscore", "-gdwarf-4",
                           "-ftree-parallelize-loops=2", "-fno-exceptions"}) {
    base::Result<compiler::Command> command = parse_line("g++ " + flag + " -c a.cc");
    REQUIRE(command.ok());
    CHECK(command->dialect_args == std::vector<std::string>{flag});
  }
}

TEST_CASE("each word is kept with its role and the place of its value") {
  base::Result<compiler::Command> command =
      parse_line("g++ -Iinc -o a.o -c a.cc -MF a.d -MD -fdebug-prefix-map=/a=b");
  REQUIRE(command.ok());
  using compiler::ArgRole;
  std::vector<compiler::Arg> expected = {
      {"-Iinc", ArgRole::path, 2},
      {"-o", ArgRole::plain, 0},
      {"a.o", ArgRole::output, 0},
      {"-c", ArgRole::plain, 0},
      {"a.cc", ArgRole::path, 0},
      {"-MF", ArgRole::depfile, 0},
      {"a.d", ArgRole::depfile, 0},
      {"-MD", ArgRole::depfile, 0},
      {"-fdebug-prefix-map=/a=b", ArgRole::prefix_map, 19},
  };
  CHECK(command->args == expected);
}

TEST_CASE("modes and the names of their outputs") {
  CHECK(outputs_of("g++ -c d/a.cc") == "object:a.o");
  CHECK(outputs_of("g++ -S d/a.cc") == "assembly:a.s");
  CHECK(outputs_of("g++ -c -S d/a.cc") == "assembly:a.s");
  CHECK(outputs_of("g++ -fsyntax-only -c a.cc") == "");
  CHECK(outputs_of("g++ -c d/a.x.cc") == "object:a.x.o");
  CHECK(outputs_of("clang-14 -c -emit-llvm a.c") == "object:a.bc");
  CHECK(label_of("g++ -E a.cc") == "not_a_compile");
  CHECK(label_of("g++ -M -c a.cc") == "not_a_compile");
  CHECK(label_of("g++ -c a.cc -MM") == "not_a_compile");
  CHECK(label_of("g++ a.cc -o a") == "not_a_compile");
}

TEST_CASE("depfile names and targets are derived as the compilers do") {
  auto depfile = [](const std::string& text) {
    base::Result<compiler::Command> command = parse_line(text);
    if (!command) return command.error().message;
    std::string out = command->depfile.path;
    for (const std::string& target : command->depfile.targets) out += "|" + target;
    return out;
  };
  CHECK(depfile("g++ -c -MD d/a.cc") == "a.d|a.o");
  CHECK(depfile("g++ -c -MMD d/a.cc -o o/b.x.o") == "o/b.x.d|o/b.x.o");
  CHECK(depfile("g++ -c -MMD d/a.cc -o o/b") == "o/b.d|o/b");
  CHECK(depfile("g++ -S -MMD d/a.cc") == "a.d|a.o");
  CHECK(depfile("g++ -c -MMD -MF f a.cc -o 'o/a b$c#d.o'") == "f|o/a\\ b$$c\\#d.o");
  CHECK(depfile("g++ -c -MMD -MT 'x y' -MQ 'x $' a.cc") == "a.d|x y|x\\ $$");
  CHECK(depfile("g++ -c -Wp,-MD,z.d d/a.cc -o o/b.o") == "z.d|a.o");
  CHECK(depfile("clang++-14 -c -Wp,-MD,z.d d/a.cc -o o/b.o") == "z.d|o/b.o");
  CHECK(depfile("g++ -c -MD a.ii") == "");
  CHECK(label_of("g++ -c -MD -MMD a.cc") == "depfile_form");
  CHECK(label_of("g++ -c -MD -MF - a.cc") == "depfile_form");
  CHECK(label_of("clang++-14 -c -Wp,-MMD,z.d,-MT,x a.cc") == "depfile_form");
}

TEST_CASE("what cannot be cached is refused with a stable label") {
  CHECK(label_of("g++ -c a.cc b.cc") == "several_sources");
  CHECK(label_of("g++ -c") == "no_source");
  CHECK(label_of("g++ -c -") == "standard_input");
  CHECK(label_of("g++ -c -x c++ /dev/stdin") == "standard_input");
  CHECK(label_of("g++ -c -o - a.cc") == "output_to_stdout");
  CHECK(label_of("g++ -c a.h") == "pch_creation");
  CHECK(label_of("g++ -c -x c++-header a.h") == "pch_creation");
  CHECK(label_of("g++ -c -fplugin=x.so a.cc") == "plugin");
  CHECK(label_of("g++ -c -specs=my.specs a.cc") == "specs");
  CHECK(label_of("g++ -c -wrapper gdb,--args a.cc") == "wrapper_option");
  CHECK(label_of("g++ -c -fmodules-ts a.cc") == "modules");
  CHECK(label_of("clang++-19 -c -fmodules a.cc") == "modules");
  CHECK(label_of("clang++-19 -c -ivfsoverlay v.yaml a.cc") == "include_path");
  CHECK(label_of("clang++-19 -c --config x.cfg a.cc") == "config_file");
  CHECK(label_of("clang++-19 -c -Xclang -load -Xclang p.so a.cc") == "clang_flag");
  CHECK(label_of("clang -arch x86_64 -c a.c") == "arch");
  CHECK(label_of("g++ -c -fprofile-use=dir a.cc") == "profile_use");
  CHECK(label_of("g++ -c -fdebug-prefix-map=/foo a.cc") == "prefix_map");
  CHECK(label_of("g++ -c -fexec-charset=ASCII//TRANSLIT a.cc") == "exec_charset");
  CHECK(label_of("clang++-14 -c -mllvm -cgscc-inline-replay=x a.cc") == "mllvm");
  CHECK(label_of("g++ -c a.cu") == "unsupported_language");
  CHECK(label_of("ld -c a.cc") == "unknown_compiler");
  CHECK(label_of("clang-tidy-14 -c a.cc") == "unknown_compiler");
  CHECK(label_of("g++ -c a.cc", {"LD_PRELOAD=x.so"}) == "environment");
}

TEST_CASE("clang as Microsoft's compiler looks for files in ways of its own") {
  for (const char* flags :
       {"-fms-compatibility", "-Xclang -fms-compatibility", "--target=x86_64-pc-windows-msvc",
        "-target x86_64-pc-windows", "--target=i686-pc-win32"}) {
    std::string label = label_of("clang++-14 -c " + std::string(flags) + " a.cc");
    CAPTURE(flags);
    CHECK((label == "ms_compatibility" || label == "clang_flag"));
  }
  for (const char* flags : {"-fno-ms-compatibility", "-fms-extensions", "--target=x86_64-pc-windows-gnu",
                            "--target=aarch64-linux-gnu", "-target x86_64-apple-macos"}) {
    CAPTURE(flags);
    CHECK(parse_line("clang++-14 -c " + std::string(flags) + " a.cc").ok());
  }
}

TEST_CASE("an unknown flag that could name a file is refused, any other is kept") {
  CHECK(label_of("g++ -c -fnew-thing=x a.cc") == "unknown_flag");
  CHECK(label_of("g++ -c -fnew-thing/x a.cc") == "unknown_flag");
  CHECK(label_of("g++ -c -mnew=1.5 a.cc") == "unknown_flag");
  base::Result<compiler::Command> command = parse_line("g++ -c -fnew-thing a.cc");
  REQUIRE(command.ok());
  CHECK(!command->traits.portable);
  CHECK(command->traits.not_portable_because == "-fnew-thing");
  CHECK(command->args[1].text == "-fnew-thing");
  CHECK(command->dialect_args == std::vector<std::string>{"-fnew-thing"});
}

TEST_CASE("-x is for the files after it and -x none ends it") {
  auto language = [](const std::string& text) {
    base::Result<compiler::Command> command = parse_line(text);
    return command ? std::string(compiler::x_name(command->language)) : command.error().message;
  };
  CHECK(language("gcc -c a.c") == "c");
  CHECK(language("g++ -c a.c") == "c++");
  CHECK(language("clang++-14 -c a.c") == "c++");
  CHECK(language("clang-14 -c a.c -x c++") == "c");
  CHECK(language("gcc -x c++ -c a.c") == "c++");
  CHECK(language("gcc -x c++ -x none -c a.c") == "c");
  CHECK(language("g++ -x c -c a.c") == "c");
  CHECK(language("gcc -c a.S") == "assembler-with-cpp");
  CHECK(language("gcc -c a.s") == "assembler");
  CHECK(language("gcc -c a.mm") == "objective-c++");
  CHECK(language("gcc -c a.ii") == "c++-cpp-output");
}

TEST_CASE("macros handed on with -Wp, and -Xclang come after all others") {
  base::Result<compiler::Command> command = parse_line("clang++-14 -Xclang -DX -Wp,-DW,-UV -DD -c a.cc");
  REQUIRE(command.ok());
  REQUIRE(command->macros.size() == 4);
  CHECK(command->macros[0].text == "D");
  CHECK(command->macros[1].text == "W");
  CHECK(command->macros[2].text == "V");
  CHECK(command->macros[2].undefine);
  CHECK(command->macros[3].text == "X");
}

TEST_CASE("response files are expanded in place and are inputs") {
  fake::FakeFiles files;
  files.write("/work/a.rsp", "-DA='x y' @b.rsp\n-c");
  files.write("/work/b.rsp", "\"-I dir\" a.cc");
  base::Result<compiler::Command> command = parse_line("g++ @a.rsp -O2", files);
  REQUIRE(command.ok());
  CHECK(command->source == "a.cc");
  CHECK(command->macros[0].text == "A=x y");
  CHECK(command->search[0].path == " dir");
  CHECK(command->side_inputs == std::vector<compiler::SideInput>{{"a.rsp"}, {"b.rsp"}});
  CHECK(label_of("g++ -c @missing.rsp") == "response_file");
}

TEST_CASE("clang's SDK says of itself for which system it is") {
  fake::FakeFiles files;
  auto read = [&](const std::string& line) { return parse_line(line, files)->side_inputs; };
  const std::vector<compiler::SideInput> settings = {{"SDK/SDKSettings.json", false}};
  CHECK(read("clang -isysroot SDK -c a.c") == settings);
  CHECK(read("clang --sysroot=SDK -c a.c") == settings);
  CHECK(read("clang --sysroot=other -isysroot SDK -c a.c") == settings);
  CHECK(read("clang -c a.c").empty());
  CHECK(read("g++ --sysroot=SDK -c a.cc").empty());
}

TEST_CASE("what is not in the safe table takes the portable form away") {
  auto portable = [](const std::string& text) {
    base::Result<compiler::Command> command = parse_line(text);
    return command ? command->traits.portable : false;
  };
  CHECK(portable("g++ -O2 -g -c a.cc -o a.o"));
  CHECK(portable("g++ -O0 -gsplit-dwarf -c a.cc -o a.o"));
  CHECK(!portable("g++ -O2 -gsplit-dwarf -c a.cc -o a.o"));
  CHECK(portable("clang++-14 -O2 -g -gsplit-dwarf -c a.cc -o a.o"));
  CHECK(!portable("clang++-14 -O2 -g -gsplit-dwarf -c a.cc -o /work/a.o"));
  CHECK(!portable("g++ -gdwarf-4 -c a.cc"));
  CHECK(portable("clang++-14 -gdwarf-4 -c a.cc"));
  CHECK(!portable("g++ -S -fverbose-asm a.cc"));
  CHECK(!portable("g++ --coverage -c a.cc"));
  CHECK(!portable("g++ -flto -c a.cc"));
  CHECK(!portable("g++ -fsanitize=address -c a.cc"));
  CHECK(!portable("g++ -fstack-usage -c a.cc"));
  CHECK(!portable("gcc -g -c a.S"));
  CHECK(!portable("clang-14 -grecord-gcc-switches -c a.c"));
}
