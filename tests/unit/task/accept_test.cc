#include "task/accept.h"

#include <doctest/doctest.h>

#include "fake/remote_world.h"

using fake::RemoteWorld;

TEST_CASE("results that no compile here could have made are not taken") {
  struct Row {
    const char* what;
    std::function<void(RemoteWorld&, remote::Answer&)> spoil;
  };
  auto replace = [](RemoteWorld& remote, remote::Answer& answer, bool depfile, const std::string& bytes) {
    for (cache::OutputFile& file : answer.outcome.files) {
      if (file.path.ends_with(".d") == depfile) file.digest = remote.backend->put_blob(bytes);
    }
  };
  const Row rows[] = {
      {"missing_output",
       [](RemoteWorld&, remote::Answer& answer) {
         std::erase_if(answer.outcome.files, [](const auto& file) { return file.path == "x.o"; });
       }},
      {"empty_output", [&](RemoteWorld& r, remote::Answer& a) { replace(r, a, false, ""); }},
      {"workers_folder",
       [&](RemoteWorld& r, remote::Answer& a) { replace(r, a, false, "at /proc/self/cwd"); }},
      {"input_not_read", [&](RemoteWorld& r, remote::Answer& a) { replace(r, a, true, "x.o: x.cc\n"); }},
      {"input_not_foreseen",
       [&](RemoteWorld& r, remote::Answer& a) {
         replace(r, a, true, "x.o: x.cc x.h /usr/include/stdio.h\n");
       }},
      {"depfile_unreadable", [&](RemoteWorld& r, remote::Answer& a) { replace(r, a, true, "\n\n"); }},
  };
  for (const Row& row : rows) {
    RemoteWorld remote;
    std::string object = remote.make_result();
    remote.confirm_everything();
    remote::Answer bad = remote.answer;
    row.spoil(remote, bad);
    remote.backend->put_result(remote.action, bad);
    fake::compile_without_race(remote);
    INFO(row.what, ": ", remote.world.last().reason);
    CHECK(remote.world.last().result == task::Result::local_exec);
    CHECK(remote.world.last().reason.find(row.what) != std::string::npos);
    CHECK(remote.world.read("x.o") == object);
  }
}

TEST_CASE("a result without a private depfile of its own is what the user gets") {
  RemoteWorld remote;
  remote.make_result();
  remote.confirm_everything();
  remote.backend->put_result(remote.action, remote.answer);
  fake::compile_without_race(remote);
  CHECK(remote.world.last().result == task::Result::remote_exec);
  CHECK(remote.world.exists("x.o"));
  CHECK(!remote.world.exists("x.o.goma.d"));
}

TEST_CASE("sections that could hide the worker's folder are not taken") {
  std::vector<std::string> command = RemoteWorld::command();
  command.insert(command.begin() + 1, {"-g", "-gz"});
  RemoteWorld remote;
  remote.make_result(command);
  remote.backend->put_entry(remote.action, remote.answer);
  task::Request request = remote.world.request(command);
  request.env.push_back("GOMA_USE_LOCAL=false");
  task::serve(remote.world.services(), request, remote.world.client, {});
  CHECK(remote.world.last().result == task::Result::local_exec);
  CHECK(remote.world.last().reason.find("compressed_sections") != std::string::npos);
  CHECK(remote.backend->calls().jobs.empty());
}
