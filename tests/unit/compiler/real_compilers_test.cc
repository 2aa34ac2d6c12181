// The probes against the compilers of this machine. A compiler that is not installed is said so.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "compiler/dialect.h"
#include "compiler/identity.h"
#include "compiler/parse.h"
#include "compiler/response_file.h"

namespace {

const std::vector<std::string> kEnv = {"PATH=/usr/local/bin:/usr/bin:/bin"};

bool installed(const std::string& compiler) {
  if (::access(compiler.c_str(), X_OK) == 0) return true;
  MESSAGE("NOT TESTED, not installed: " << compiler);
  return false;
}

compiler::Command command_of(const std::string& text) {
  compiler::CommandLine line;
  line.argv = compiler::split_response(text);
  line.compiler = line.argv[0];
  line.directory = "/tmp";
  line.env = kEnv;
  base::Result<compiler::Command> command = compiler::parse(line, base::real_files());
  REQUIRE_MESSAGE(command.ok(), text);
  return *command;
}

bool has_part(const compiler::Compiler& compiler, const std::string& name) {
  return std::any_of(compiler.parts.begin(), compiler.parts.end(),
                     [&](const compiler::Part& part) { return part.path.find(name) != std::string::npos; });
}

}  // namespace

TEST_CASE("g++ consists of its driver, cc1plus, the assembler and what these load") {
  if (!installed("/usr/bin/g++-12")) return;
  compiler::Identifier identifier(base::real_files(), base::real_spawner(), "");
  auto found = identifier.identify(command_of("/usr/bin/g++-12 -c a.cc"), kEnv, {});
  REQUIRE_MESSAGE(found.ok(), (found.ok() ? "" : found.error().message));
  const compiler::Compiler& gcc = **found;
  CHECK(gcc.family == compiler::Family::gcc);
  CHECK(gcc.target == "x86_64-linux-gnu");
  CHECK(gcc.version.find("12.") != std::string::npos);
  for (const char* name :
       {"g++-12", "/cc1plus", "/as", "libbfd", "libmpfr", "libc.so", "ld-linux", "lto-wrapper"}) {
    CHECK_MESSAGE(has_part(gcc, name), name);
  }
  CHECK(!has_part(gcc, "/cc1obj"));
  CHECK(std::is_sorted(gcc.absent.begin(), gcc.absent.end()));
  CHECK(std::any_of(gcc.absent.begin(), gcc.absent.end(),
                    [](const std::string& path) { return path.ends_with("/specs"); }));
  auto again = identifier.identify(command_of("/usr/bin/g++-12 -c b.cc"), kEnv, {});
  REQUIRE(again.ok());
  CHECK(again->get() == found->get());
  auto as_c = identifier.identify(command_of("/usr/bin/g++-12 -x c -c b.c"), kEnv, {});
  REQUIRE(as_c.ok());
  CHECK((*as_c)->fingerprint != gcc.fingerprint);
}

TEST_CASE("clang consists of its driver and the libraries that hold its code") {
  if (!installed("/usr/bin/clang++-14")) return;
  compiler::Identifier identifier(base::real_files(), base::real_spawner(), "");
  auto found = identifier.identify(command_of("/usr/bin/clang++-14 -c a.cc"), kEnv, {});
  REQUIRE_MESSAGE(found.ok(), (found.ok() ? "" : found.error().message));
  const compiler::Compiler& clang = **found;
  CHECK(clang.family == compiler::Family::clang);
  for (const char* name : {"llvm-14/bin/clang", "libLLVM", "libclang-cpp", "asan_ignorelist.txt"}) {
    CHECK_MESSAGE(has_part(clang, name), name);
  }
  CHECK(std::any_of(clang.absent.begin(), clang.absent.end(),
                    [](const std::string& path) { return path.ends_with("clang++.cfg"); }));
}

TEST_CASE("-march=native makes the processor a part of the identity") {
  if (!installed("/usr/bin/g++-12")) return;
  compiler::Identifier identifier(base::real_files(), base::real_spawner(), "");
  auto plain = identifier.identify(command_of("/usr/bin/g++-12 -c a.cc"), kEnv, {});
  auto native = identifier.identify(command_of("/usr/bin/g++-12 -march=native -c a.cc"), kEnv, {});
  REQUIRE(plain.ok());
  REQUIRE(native.ok());
  CHECK((*plain)->fingerprint != (*native)->fingerprint);
}

TEST_CASE("a dialect holds what -dM and -v print") {
  for (const char* program : {"/usr/bin/g++-12", "/usr/bin/clang++-14", "/usr/bin/clang++-19"}) {
    if (!installed(program)) continue;
    CAPTURE(program);
    compiler::Identifier identifier(base::real_files(), base::real_spawner(), "");
    compiler::Dialects dialects(base::real_files(), base::real_spawner(), "");
    compiler::Command command = command_of(std::string(program) + " -std=c++20 -O2 -c a.cc");
    auto found = identifier.identify(command, kEnv, {});
    REQUIRE(found.ok());
    auto dialect = dialects.get(command, **found, kEnv, {});
    REQUIRE_MESSAGE(dialect.ok(), (dialect.ok() ? "" : dialect.error().message));

    bool gcc = command.family == compiler::Family::gcc;
    base::SpawnRequest request;
    request.argv = {program, "-std=c++20", "-O2", "-E", "-dM", "-x", "c++", "/dev/null"};
    if (gcc) request.argv.push_back("-nostdinc");
    request.directory = "/";
    auto truth = base::real_spawner().run(request, {});
    REQUIRE(truth.ok());
    auto sorted_lines = [](const std::string& text) {
      std::vector<std::string> lines;
      for (std::size_t at = 0; at < text.size();) {
        std::size_t end = text.find('\n', at);
        lines.push_back(text.substr(at, end - at));
        at = end + 1;
      }
      std::sort(lines.begin(), lines.end());
      return lines;
    };
    CHECK(sorted_lines((*dialect)->predefined) == sorted_lines(truth->out));
    CHECK((*dialect)->includes_stdc_predef == gcc);
    CHECK((*dialect)->directories.size() >= 6);
    const std::vector<std::string>& names = (*dialect)->builtin_names;
    CHECK(std::find(names.begin(), names.end(), "__has_include") != names.end());
    CHECK((std::find(names.begin(), names.end(), "__has_feature") != names.end()) == !gcc);

    auto answers =
        dialects.answer(**dialect,
                        {"__has_builtin(__builtin_trap)", "__has_builtin(__builtin_no_such)",
                         "__has_cpp_attribute(nodiscard)", "__has_feature(cxx_rtti)", "__has_builtin(("},
                        {});
    REQUIRE(answers.ok());
    CHECK((*answers)[0] == 1);
    CHECK((*answers)[1] == 0);
    CHECK((*answers)[2] == 201907);
    CHECK((*answers)[3] == (gcc ? compiler::kNoAnswer : 1));
    CHECK((*answers)[4] == compiler::kNoAnswer);
  }
}
