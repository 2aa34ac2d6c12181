#include "remote/confirm.h"

#include <doctest/doctest.h>

#include "fake/fake_backend.h"
#include "fake/fake_clock.h"
#include "wire/reapi.pb.h"

namespace {

using remote::OutsideFiles;

remote::KeyFile file(const std::string& path) { return {base::digest_of(path), path}; }

struct Fixture {
  fake::FakeClock clock;
  fake::FakeBackend backend;
  base::Gate calls{1};
  remote::Confirmer confirmer{{}, calls, clock};
  std::string says;  // the worker, before "end of probe"
  bool whole = true;

  Fixture() {
    backend.before_execute = [this](const remote::Job& job) {
      remote::Answer answer;
      answer.outcome.out = says + (whole ? "end of probe\n" : "");
      backend.put_result(job.action, answer);
    };
  }

  std::string confirm(const OutsideFiles& wanted) {
    remote::Remote<void> result = confirmer.confirm(backend, {}, wanted, {});
    if (result) return "";
    CHECK((result.error().cause == remote::Cause::unplaceable));
    return result.error().message;
  }
  std::size_t probes() const { return backend.calls().jobs.size(); }
};

}  // namespace

TEST_CASE("what a worker confirms is not asked for again") {
  Fixture f;
  f.says = "/usr/bin/g++: OK\n/usr/include/a.h: OK\nabsent: /usr/local/include/a.h\n";
  OutsideFiles wanted{{file("/usr/bin/g++"), file("/usr/include/a.h")}, {"/usr/local/include/a.h"}};
  CHECK(f.confirm(wanted).empty());
  CHECK(f.probes() == 1);
  CHECK(f.confirmer.size() == 3);
  CHECK(f.confirm(wanted).empty());
  CHECK(f.probes() == 1);
  // Another content under the same name is another question.
  f.says = "/usr/bin/g++: FAILED\n";
  wanted.files[0].digest = base::digest_of("new");
  CHECK(f.confirm(wanted).find("/usr/bin/g++") != std::string::npos);
  CHECK(f.probes() == 2);
  // It speaks for that content alone.
  wanted.files[0] = file("/usr/bin/g++");
  CHECK(f.confirm(wanted).empty());
  CHECK(f.probes() == 2);
}

TEST_CASE("a file is not confirmed by a name that must be absent, nor the other way round") {
  Fixture f;
  f.says = "/a: OK\n";
  CHECK(f.confirm({{file("/a")}, {}}).empty());
  f.says = "";
  CHECK(!f.confirm({{}, {"/a"}}).empty());
  CHECK(f.probes() == 2);
}

TEST_CASE("what is known is told without asking, and a refusal is not known") {
  Fixture f;
  OutsideFiles wanted{{file("/a")}, {"/x"}};
  CHECK(!f.confirmer.knows(wanted));
  CHECK(f.probes() == 0);
  f.says = "/a: OK\nabsent: /x\n";
  CHECK(f.confirm(wanted).empty());
  CHECK(f.confirmer.knows(wanted));
  CHECK(f.confirmer.knows({{file("/a")}, {}}));
  f.says = "";
  CHECK(!f.confirm({{file("/b")}, {}}).empty());
  CHECK(!f.confirmer.knows({{file("/b")}, {}}));
  CHECK(f.probes() == 2);
}

TEST_CASE("nothing to confirm asks nobody") {
  Fixture f;
  CHECK(f.confirm({}).empty());
  CHECK(f.probes() == 0);
}

TEST_CASE(
    "a file that differs, is missing, or should not be there is refused by name, without asking again") {
  for (const OutsideFiles& wanted :
       {OutsideFiles{{file("/usr/include/a.h")}, {}}, OutsideFiles{{}, {"/usr/x"}}}) {
    Fixture f;
    std::string why = f.confirm(wanted);
    CHECK(why.find(wanted.files.empty() ? "/usr/x" : "/usr/include/a.h") != std::string::npos);
    CHECK(f.confirm(wanted) == why);
    CHECK(f.probes() == 1);
  }
}

TEST_CASE("an answer that was cut off, and a name that cannot be asked for, confirm nothing") {
  Fixture f;
  f.whole = false;
  f.says = "/usr/include/a.h: OK\n";
  CHECK(!f.confirm({{file("/usr/include/a.h")}, {}}).empty());
  Fixture odd;
  CHECK(!odd.confirm({{file("/usr/include/a\nb.h")}, {}}).empty());
  CHECK(odd.probes() == 0);
}

TEST_CASE("an engine that cannot be asked is another failure, and is asked again") {
  Fixture f;
  f.backend.fail_executions(remote::Failure{remote::Cause::unavailable, "gone"});
  remote::Remote<void> result = f.confirmer.confirm(f.backend, {}, {{file("/a")}, {}}, {});
  CHECK(result.error().cause == remote::Cause::unavailable);
  f.backend.fail_executions(std::nullopt);
  f.says = "/a: OK\n";
  // Whoever waited meanwhile does not ask it once more, each for as long as that takes.
  result = f.confirmer.confirm(f.backend, {}, {{file("/a")}, {}}, {});
  CHECK(result.error().message == "gone");
  CHECK(f.probes() == 1);
  f.clock.advance(std::chrono::seconds(11));
  CHECK(f.confirm({{file("/a")}, {}}).empty());
}

TEST_CASE("a probe outlives the one who began it, and ends with the confirmer") {
  Fixture f;
  f.says = "/a: OK\n";
  std::stop_source stop;
  auto probe = f.backend.before_execute;
  f.backend.before_execute = [&](const remote::Job& job) {
    stop.request_stop();
    probe(job);
  };
  CHECK(f.confirmer.confirm(f.backend, {}, {{file("/a")}, {}}, stop.get_token()).ok());
  CHECK(f.confirmer.size() == 1);
  f.confirmer.end();
  remote::Remote<void> result = f.confirmer.confirm(f.backend, {}, {{file("/b")}, {}}, {});
  CHECK(result.error().cause == remote::Cause::cancelled);
}

TEST_CASE("a confirmation grows old") {
  Fixture f;
  f.says = "/a: OK\n";
  CHECK(f.confirm({{file("/a")}, {}}).empty());
  f.clock.advance(std::chrono::minutes(61));
  CHECK(f.confirm({{file("/a")}, {}}).empty());
  CHECK(f.probes() == 2);
}

TEST_CASE("a probe is an action of its own, never cached, whose messages name each other") {
  remote::Job job = remote::probe_job({{file("/a")}, {"/b"}}, {}, "1");
  CHECK(job.action != remote::probe_job({{file("/a")}, {"/b"}}, {}, "2").action);
  CHECK(job.skip_cache);
  build::bazel::remote::execution::v2::Action action;
  REQUIRE(action.ParseFromString(job.sources.back().bytes));
  CHECK(action.do_not_cache());
  CHECK(action.platform().properties_size() > 0);
  auto has = [&](const std::string& hash) {
    return std::any_of(job.sources.begin(), job.sources.end(),
                       [&](const remote::Source& source) { return source.digest.hex() == hash; });
  };
  CHECK(has(action.command_digest().hash()));
  CHECK(has(action.input_root_digest().hash()));
}

TEST_CASE("a probe takes a place among the calls, and gives it back") {
  Fixture f;
  f.says = "/a: OK\n";
  int inside = 0;
  auto answer = f.backend.before_execute;
  f.backend.before_execute = [&](const remote::Job& job) {
    inside = f.calls.inside();
    answer(job);
  };
  CHECK(f.confirm({{file("/a")}, {}}).empty());
  CHECK(inside == 1);
  CHECK(f.calls.inside() == 0);
}
