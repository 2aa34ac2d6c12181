#include "task/neighbours.h"

#include <doctest/doctest.h>

#include "fake/temp_dir.h"

using task::NeighbourList;
using task::Neighbours;

TEST_CASE("a new file named after the output is noticed") {
  fake::TempDir dir;
  Neighbours net(base::real_files());
  std::vector<std::string> outputs = {dir / "out/x.cc.o"};
  dir.write("out/y.o", "");
  NeighbourList before = net.before(dir.path(), {outputs[0], dir / "src/x.cc"});
  dir.write("out/x.cc.o", "object");
  CHECK(net.unexpected(before, outputs).empty());
  dir.write("out/x.stats", "");
  CHECK(net.unexpected(before, outputs) == dir / "out/x.stats");
}

TEST_CASE("a changed file named after the source is noticed, in the working directory too") {
  fake::TempDir dir;
  Neighbours net(base::real_files());
  dir.write("x.ii", "1");
  NeighbourList before = net.before(dir.path(), {dir / "out/x.o", dir / "src/x.cc"});
  CHECK(net.unexpected(before, {dir / "out/x.o"}).empty());
  dir.write("x.ii", "12");
  CHECK(net.unexpected(before, {dir / "out/x.o"}) == dir / "x.ii");
}

TEST_CASE("other names are nobody's business") {
  fake::TempDir dir;
  Neighbours net(base::real_files());
  NeighbourList before = net.before(dir.path(), {dir / "x.o"});
  dir.write("xy.o", "");
  dir.write("x", "a linked program");
  dir.write(".goma-1-1.tmp", "");
  CHECK(net.unexpected(before, {dir / "x.o"}).empty());
}

TEST_CASE("what another task writes or has just written is expected") {
  fake::TempDir dir;
  Neighbours net(base::real_files());
  NeighbourList before = net.before(dir.path(), {dir / "x.o"});
  dir.write("x.other.o", "");
  {
    Neighbours::Claim claim(net, {dir / "x.other.o"});
    CHECK(net.unexpected(before, {dir / "x.o"}).empty());
  }
  CHECK(net.unexpected(before, {dir / "x.o"}).empty());
  dir.write("x.third.o", "");
  CHECK(net.unexpected(before, {dir / "x.o"}) == dir / "x.third.o");
}
