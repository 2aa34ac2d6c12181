#include "compiler/dialect.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "unit/compiler/fake_compilers.h"

namespace {

const char* const kPath =
    "ignoring nonexistent directory \"/usr/local/include/x\"\n"
    "#include \"...\" search starts here:\n#include <...> search starts here:\n /usr/include\nEnd of search "
    "list.\n";

// A compiler that knows one hidden name and answers every question with 1 but those about `x`.
base::Result<base::SpawnOutcome> answer(const base::SpawnRequest& request) {
  base::SpawnOutcome outcome;
  if (request.input.find("#ifdef __has_include\n") != std::string::npos) {
    outcome.out =
        "# 0 \"<built-in>\"\n#define A 1\n# 1 \"<stdin>\"\ngoma_probe_name___has_include_\ngoma_probe_end\n";
    outcome.err = kPath;
    return outcome;
  }
  std::string text = request.input;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = text.find('\n', at);
    std::string line = text.substr(at, end - at);
    at = end + 1;
    outcome.out +=
        line.substr(0, line.find(' ')) + (line.ends_with("(x)") ? line.substr(line.find(' ')) : " 1L") + "\n";
  }
  return outcome;
}

struct World {
  fake::FakeFiles files;
  fake::FakeSpawner spawner;
  compiler::Compiler compiler;
  World() { spawner.answer_others(answer); }
};

}  // namespace

TEST_CASE("a dialect is asked once for each set of options that matter") {
  World world;
  compiler::Dialects dialects(world.files, world.spawner, "");
  compiler::Command command = fake::Compilers::gcc();
  command.dialect_args = {"-O2"};
  auto first = dialects.get(command, world.compiler, {}, {});
  REQUIRE_MESSAGE(first.ok(), (first.ok() ? "" : first.error().message));
  CHECK((*first)->predefined == "#define A 1\n");
  CHECK((*first)->includes_stdc_predef);
  REQUIRE((*first)->directories.size() == 1);
  CHECK((*first)->directories[0].path == "/usr/include");
  command.source = "other.cc";
  auto same = dialects.get(command, world.compiler, {"HOME=/x"}, {});
  REQUIRE(same.ok());
  CHECK(same->get() == first->get());
  CHECK(world.spawner.requests().size() == 1);
  CHECK(world.spawner.command_lines()[0] == "/usr/bin/g++ -O2 -E -dD -v -x c++ -");
  command.dialect_args = {"-O0"};
  auto other = dialects.get(command, world.compiler, {}, {});
  REQUIRE(other.ok());
  CHECK((*other)->id != (*first)->id);
  command.dialect_args = {"-O0", "-ffreestanding"};
  auto freestanding = dialects.get(command, world.compiler, {}, {});
  REQUIRE(freestanding.ok());
  CHECK(!(*freestanding)->includes_stdc_predef);
}

TEST_CASE("a directory that appears makes the compiler be asked again") {
  World world;
  compiler::Dialects dialects(world.files, world.spawner, "");
  auto first = dialects.get(fake::Compilers::gcc(), world.compiler, {}, {});
  REQUIRE(first.ok());
  world.files.make_directory("/usr/local/include/x");
  auto second = dialects.get(fake::Compilers::gcc(), world.compiler, {}, {});
  REQUIRE(second.ok());
  CHECK((*second)->id != (*first)->id);
  CHECK(world.spawner.requests().size() == 2);
}

TEST_CASE("questions are asked in one run, each once") {
  World world;
  compiler::Dialects dialects(world.files, world.spawner, "");
  auto dialect = dialects.get(fake::Compilers::gcc(), world.compiler, {}, {});
  REQUIRE(dialect.ok());
  auto answers = dialects.answer(**dialect, {"__has_builtin(a)", "__has_builtin(x)", "__has_builtin(a)"}, {});
  REQUIRE(answers.ok());
  CHECK(*answers == std::vector<std::int64_t>{1, compiler::kNoAnswer, 1});
  CHECK(world.spawner.requests().size() == 2);
  answers = dialects.answer(**dialect, {"__has_builtin(x)"}, {});
  REQUIRE(answers.ok());
  CHECK(*answers == std::vector<std::int64_t>{compiler::kNoAnswer});
  CHECK(world.spawner.requests().size() == 2);
  answers = dialects.answer(**dialect, {"__has_builtin((", "__has_builtin(b)"}, {});
  REQUIRE(answers.ok());
  CHECK(*answers == std::vector<std::int64_t>{compiler::kNoAnswer, 1});
  CHECK(world.spawner.requests().back().input.find("((") == std::string::npos);
}

TEST_CASE("the working directory counts only where a relative path does") {
  World world;
  compiler::Dialects dialects(world.files, world.spawner, "");
  compiler::Command command = fake::Compilers::gcc();
  REQUIRE(dialects.get(command, world.compiler, {}, {}).ok());
  command.dialect_args = {"--sysroot=rel"};
  REQUIRE(dialects.get(command, world.compiler, {}, {}).ok());
  command.dialect_args = {"--sysroot=/abs"};
  REQUIRE(dialects.get(command, world.compiler, {}, {}).ok());
  std::vector<base::SpawnRequest> requests = world.spawner.requests();
  REQUIRE(requests.size() == 3);
  CHECK(requests[0].directory == "/");
  CHECK(requests[1].directory == "/work");
  CHECK(requests[2].directory == "/");
}

TEST_CASE("CPATH with -isystem is refused, and a compiler that fails has no dialect") {
  World world;
  compiler::Dialects dialects(world.files, world.spawner, "");
  compiler::Command command = fake::Compilers::gcc();
  command.search.push_back({compiler::SearchDir::Kind::system, "/s"});
  CHECK(dialects.get(command, world.compiler, {"CPATH=/x"}, {}).error().label() == "environment");
  CHECK(dialects.get(command, world.compiler, {"CPATH="}, {}).ok());
  world.spawner.answer_others([](const base::SpawnRequest&) -> base::Result<base::SpawnOutcome> {
    return base::SpawnOutcome{1, "", "error"};
  });
  command.dialect_args = {"-std=bad"};
  CHECK(dialects.get(command, world.compiler, {}, {}).error().label() == "dialect");
}

TEST_CASE("dialects and answers are kept on disk") {
  char name[] = "/tmp/goma-dialect-XXXXXX";
  std::string folder = ::mkdtemp(name);
  World world;
  {
    compiler::Dialects dialects(world.files, world.spawner, folder);
    auto dialect = dialects.get(fake::Compilers::gcc(), world.compiler, {}, {});
    REQUIRE(dialect.ok());
    REQUIRE(dialects.answer(**dialect, {"__has_builtin(a)"}, {}).ok());
  }
  std::string record;
  for (const auto& entry : std::filesystem::directory_iterator(folder + "/dialects")) record = entry.path();
  base::Result<std::string> text = base::real_files().read(record);
  REQUIRE(text.ok());
  World later;
  later.files.write(record, *text);
  compiler::Dialects dialects(later.files, later.spawner, folder);
  auto dialect = dialects.get(fake::Compilers::gcc(), later.compiler, {}, {});
  REQUIRE(dialect.ok());
  CHECK((*dialect)->predefined == "#define A 1\n");
  auto answers = dialects.answer(**dialect, {"__has_builtin(a)"}, {});
  REQUIRE(answers.ok());
  CHECK((*answers)[0] == 1);
  CHECK(later.spawner.requests().empty());
  std::filesystem::remove_all(folder);
}
