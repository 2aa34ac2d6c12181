#include "task/placement.h"

#include <doctest/doctest.h>

#include "fake/remote_world.h"

using fake::RemoteWorld;

TEST_CASE("what binds a compile to this machine is named") {
  RemoteWorld remote;
  task::Prepared prepared;
  prepared.command.compiler = "/usr/bin/g++";
  prepared.action.roots.root = "/home/me/proj";
  CHECK(task::bound_here(prepared, remote.side).empty());
  remote.side.workers_alike = false;
  CHECK(task::bound_here(prepared, remote.side).find("workers_identical") != std::string::npos);
  remote.side.toolchain = remote::Toolchain::chroot;
  CHECK(task::bound_here(prepared, remote.side).empty());
  remote.side.toolchain = remote::Toolchain::inside;
  CHECK(task::bound_here(prepared, remote.side).find("not in the exec root") != std::string::npos);
  prepared.command.compiler = "/home/me/proj/bin/clang++";
  CHECK(task::bound_here(prepared, remote.side).empty());
  prepared.action.outside.push_back({{}, "/usr/include/stdio.h"});
  CHECK(task::bound_here(prepared, remote.side).find("/usr/include/stdio.h") != std::string::npos);
  prepared.action.outside.clear();
  // The compiler in the exec root may be a link to one that does not travel.
  prepared.action.outside_parts = {{{}, "/lib/ld-linux-x86-64.so.2"}, {{}, "/lib/libc.so.6"}};
  CHECK(task::bound_here(prepared, remote.side).empty());
  prepared.action.outside_parts.push_back({{}, "/usr/lib/gcc/x86_64-linux-gnu/12/cc1plus"});
  CHECK(task::bound_here(prepared, remote.side).find("cc1plus") != std::string::npos);
  remote.side.workers_alike = true;
  CHECK(task::bound_here(prepared, remote.side).empty());
  // What compressed sections hold could not be searched; in the absolute form there is nothing to find.
  prepared.command.args.push_back({"-gz", compiler::ArgRole::plain, 0});
  CHECK(task::bound_here(prepared, remote.side).empty());
  prepared.action.portable = true;
  CHECK(task::bound_here(prepared, remote.side).starts_with("compressed_sections: "));
  prepared.action.bound = "native_cpu: x";
  CHECK(task::bound_here(prepared, remote.side) == "native_cpu: x");
}

TEST_CASE("what a worker must hold depends on how the compiler gets there") {
  const std::vector<remote::KeyFile> parts = {{{}, "/lib/libc.so.6"}, {{}, "/usr/lib/cc1plus"}};
  struct Row {
    remote::Toolchain toolchain;
    bool headers;  // some lie outside the root
    std::size_t files;
    std::size_t absent;
  };
  const Row rows[] = {
      {remote::Toolchain::image, true, 3, 1},   {remote::Toolchain::image, false, 2, 1},
      {remote::Toolchain::inside, true, 2, 1},  {remote::Toolchain::inside, false, 1, 0},
      {remote::Toolchain::chroot, false, 0, 0},
  };
  for (const Row& row : rows) {
    remote::Action action;
    action.outside_parts = parts;
    action.outside_absent = {"/usr/local/include/stdio.h"};
    if (row.headers) action.outside.push_back({{}, "/usr/include/stdio.h"});
    remote::OutsideFiles needs = task::take_needs(action, row.toolchain);
    INFO(remote::to_string(row.toolchain), " ", row.headers);
    CHECK(needs.files.size() == row.files);
    CHECK(needs.absent.size() == row.absent);
  }
}
