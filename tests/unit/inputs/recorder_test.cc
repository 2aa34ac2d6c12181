#include "inputs/recorder.h"

#include <doctest/doctest.h>

#include "fake/scan_fixture.h"

namespace {

struct RecorderFixture {
  fake::ScanFixture scan;
  inputs::Trail trail;
  inputs::Recorder recorder{scan.index, scan.scratch};
  RecorderFixture() {
    ++scan.scratch.scan;
    scan.files.write("/w/a", "");
    scan.files.write("/w/b", "");
    scan.files.link("/w/l", "a");
  }
  inputs::NodeId node(const std::string& path) { return scan.index.find(path, trail).node; }
};

}  // namespace

TEST_CASE_FIXTURE(RecorderFixture, "a file is there once per name, in order of its first listing") {
  recorder.unlisted(node("/w/a"), "a", false, false);
  recorder.listed(node("/w/b"), "b", true, false);
  recorder.listed(node("/w/a"), "a", false, false);
  recorder.listed(node("/w/a"), "x/../a", false, false);
  recorder.listed(node("/w/b"), "b", false, false);
  recorder.unlisted(node("/w/b"), "b", false, false);
  inputs::Closure closure = recorder.finish();
  REQUIRE(closure.inputs.size() == 3);
  CHECK(closure.inputs[0].spelled == "b");
  CHECK_FALSE(closure.inputs[0].system);
  CHECK(closure.inputs[1].spelled == "a");
  CHECK(closure.inputs[1].in_depfile);
  CHECK(closure.inputs[2].spelled == "x/../a");
}

TEST_CASE_FIXTURE(RecorderFixture, "links and directories are picked from the trail, which has no repeats") {
  node("/w/../w/l");
  recorder.depends_on(trail);
  recorder.depends_on(trail);
  const inputs::NodeId link = scan.index.find_in(node("/w"), "l", trail).node;
  CHECK(link == node("/w/a"));
  inputs::Closure closure = recorder.finish();
  CHECK(closure.links.size() == 1);
  CHECK(scan.index.path(closure.links.at(0)) == "/w/l");
  REQUIRE(closure.directories.size() == 1);
  CHECK(scan.index.path(closure.directories[0]) == "/w");
  std::sort(closure.trail.begin(), closure.trail.end());
  CHECK(std::adjacent_find(closure.trail.begin(), closure.trail.end()) == closure.trail.end());
}
