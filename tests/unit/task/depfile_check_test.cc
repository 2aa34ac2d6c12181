#include "task/depfile_check.h"

#include <doctest/doctest.h>

#include "compiler/environment.h"
#include "fake/task_world.h"

namespace {

using task::Agreement;

struct DepfileCheckFixture {
  fake::TaskWorld world;
  task::Request request;
  std::optional<task::Task> task;
  std::optional<task::Prepared> prepared;

  DepfileCheckFixture() {
    world.write("a.h", "");
    world.write("b.h", "");
    world.write("x.cc", "#include \"a.h\"\n#if __has_include(\"b.h\")\nint b;\n#endif\n");
    request = world.request({"g++", "-c", "x.cc", "-o", "x.o"});
    task.emplace(task::Task{world.services(), request, world.client, {}, {}, 0});
    task::refresh_index(*task);
    base::Result<task::Prepared> got = task::prepare(*task, *compiler::key_environment(request.env));
    REQUIRE(got.ok());
    prepared = *got;
  }

  std::string check(const std::string& text, Agreement agreement) {
    base::Result<void> result = task::check_depfile(*task, *prepared, text, false, agreement);
    return result ? "" : result.error().label();
  }
};

constexpr const char* kAll = "x.o: x.cc /usr/include/stdc-predef.h a.h\n";

}  // namespace

TEST_CASE("the compiler's list agrees with ours") {
  DepfileCheckFixture f;
  CHECK(f.check(kAll, Agreement::known).empty());
  CHECK(f.check(kAll, Agreement::equal).empty());
  CHECK(f.world.history().totals().mismatches == 0);
}

TEST_CASE("a file that the compiler reads and we do not know is an error") {
  DepfileCheckFixture f;
  std::string more = "x.o: x.cc /usr/include/stdc-predef.h a.h /usr/include/stdio.h\n";
  CHECK(f.check(more, Agreement::known) == "input_not_foreseen");
  CHECK(f.check(more, Agreement::equal) == "input_not_foreseen");
  CHECK(f.world.history().totals().mismatches == 2);
}

TEST_CASE("a file that we know and the compiler does not list is one only where lists must be equal") {
  DepfileCheckFixture f;
  std::string less = "x.o: x.cc /usr/include/stdc-predef.h\n";
  CHECK(f.check(less, Agreement::known).empty());
  CHECK(f.check(less, Agreement::equal) == "input_not_read");
}

TEST_CASE("the order of the list does not matter, and a name may stand there twice") {
  DepfileCheckFixture f;
  CHECK(f.check("x.o: a.h x.cc /usr/include/stdc-predef.h\n", Agreement::equal).empty());
  CHECK(f.check("x.o: x.cc /usr/include/stdc-predef.h a.h a.h\n", Agreement::equal).empty());
}

TEST_CASE("a file by another name is the same file") {
  DepfileCheckFixture f;
  CHECK(f.check("x.o: ./x.cc /usr/include/../include/stdc-predef.h " + f.world.work() + "/a.h\n",
                Agreement::equal)
            .empty());
}

TEST_CASE("what is no depfile cannot be compared") {
  DepfileCheckFixture f;
  CHECK(f.check("nothing", Agreement::known) == "depfile_unreadable");
  CHECK(f.check(kAll + std::string("y.o: y.cc\n"), Agreement::known) == "depfile_unreadable");
}
