#include "task/keep.h"

#include <doctest/doctest.h>

#include "fake/task_world.h"

// Each case is one way in which a result must not be kept; the compile itself has succeeded every time.

namespace {

using task::Result;

struct KeepFixture {
  fake::TaskWorld world;
  std::vector<std::string> argv{"g++", "-c", "x.cc", "-o", "x.o"};

  KeepFixture() {
    world.write("x.cc", "#include \"a.h\"\nint x = A;\n");
    world.write("a.h", "#define A 1\n");
  }
  // The label of the reason why the next compile was not kept.
  std::string reason() {
    CHECK(world.compile(argv).ran);
    CHECK(world.last().result == Result::local_exec);
    std::string text = world.last().reason;
    return text.substr(0, text.find(':'));
  }
};

}  // namespace

TEST_CASE("an ordinary result is kept") {
  KeepFixture f;
  CHECK(f.reason().empty());
  CHECK(f.world.store().stats().outcomes == 1);
}

TEST_CASE("a header that changes while it compiles") {
  KeepFixture f;
  f.world.client.after_run = [&] { f.world.write("a.h", "#define A 2\n"); };
  CHECK(f.reason() == "input_changed");
}

TEST_CASE("a header that was written after the request came") {
  KeepFixture f;
  task::Request request = f.world.request(f.argv);
  request.arrival = base::Nanoseconds(0);
  task::serve(f.world.services(), request, f.world.client, {});
  CHECK(f.world.last().reason.starts_with("input_too_new"));
}

TEST_CASE("an output that is not the one gomacc saw") {
  KeepFixture f;
  f.world.client.spoil_report = [](task::RunReport& report) { report.outputs[0].ino += 1; };
  CHECK(f.reason() == "output_changed");
}

TEST_CASE("a required output that is missing") {
  KeepFixture f;
  f.world.client.after_run = [&] { f.world.remove("x.o"); };
  CHECK(f.reason() == "missing_output");
}

TEST_CASE("messages too large to keep") {
  KeepFixture f;
  f.world.client.spoil_report = [](task::RunReport& report) { report.truncated = true; };
  CHECK(f.reason() == "messages_too_large");
}

TEST_CASE("a file that nobody foresaw") {
  KeepFixture f;
  f.world.client.after_run = [&] { f.world.write("x.surprise", ""); };
  CHECK(f.reason() == "unknown_output");
}

TEST_CASE("an input that the scan did not foresee is counted") {
  KeepFixture f;
  f.argv = {"g++", "-MD", "-MF", "x.d", "-c", "x.cc", "-o", "x.o"};
  f.world.write("secret.h", "");
  f.world.client.after_run = [&] { f.world.write("x.d", "x.o: x.cc a.h secret.h\n"); };
  f.world.client.spoil_report = [&](task::RunReport& report) {
    struct stat status {};
    ::stat((f.world.work() + "/x.d").c_str(), &status);
    for (wire::OutputIdentity& identity : report.outputs) {
      if (identity.size == static_cast<std::uint64_t>(status.st_size)) identity.ino = status.st_ino;
    }
  };
  CHECK(f.reason() == "input_not_foreseen");
  CHECK(f.world.history().totals().mismatches == 1);
}

TEST_CASE("a report that does not fit its order") {
  KeepFixture f;
  f.world.client.spoil_report = [](task::RunReport& report) { report.outputs.clear(); };
  CHECK(!f.reason().empty());
}

TEST_CASE("a result that names its checkout is kept for this folder alone") {
  KeepFixture f;
  f.world.client.spoil_report = [&](task::RunReport& report) {
    report.out = "built in " + f.world.work() + "\n";
  };
  CHECK(f.reason().empty());
  task::Reply reply = f.world.compile(f.argv);
  CHECK(f.world.last().result == Result::local_hit);
  CHECK(reply.out == "built in " + f.world.work() + "\n");
}

TEST_CASE("a result that names its checkout is found again where nothing is remembered of the command") {
  KeepFixture f;
  f.world.client.spoil_report = [&](task::RunReport& report) {
    report.out = "built in " + f.world.work() + "\n";
  };
  CHECK(f.reason().empty());
  // The same text under a new time stamp: the command is looked at anew, and its key is the portable one.
  f.world.write("a.h", "#define A 1\n");
  f.world.remove("x.o");
  task::Reply reply = f.world.compile(f.argv);
  CHECK(f.world.last().result == Result::local_hit);
  CHECK(reply.out == "built in " + f.world.work() + "\n");
  CHECK(f.world.exists("x.o"));
}

TEST_CASE("the mark of a result that is gone is a mere miss") {
  KeepFixture f;
  CHECK(f.reason().empty());
  base::Result<base::Digest> action = base::parse_digest(f.world.last().action, 0);
  REQUIRE(action.ok());
  REQUIRE(f.world.store().clear().ok());
  REQUIRE(f.world.store().keep(task::absolute_mark(*action), {}).ok());
  f.world.write("a.h", "#define A 1\n");
  CHECK(f.reason().empty());
}
