#include "inputs/time_macros.h"

#include <doctest/doctest.h>

#include "fake/scan_fixture.h"

namespace {

bool uses(const std::string& header, const std::string& source, bool timestamp_only = false) {
  fake::ScanFixture scan;
  scan.files.write("/w/h.h", header);
  scan.files.write("/w/s.cc", source);
  inputs::Trail trail;
  std::vector<inputs::NodeId> files{scan.index.find("/w/s.cc", trail).node,
                                    scan.index.find("/w/h.h", trail).node};
  auto result = inputs::uses_time_macro(files, scan.lists, {}, timestamp_only);
  REQUIRE(result);
  return *result;
}

}  // namespace

TEST_CASE("a macro that mentions the time counts when it is named in text") {
  CHECK(uses("#define WHEN __DATE__\n", "const char* w = WHEN;\n"));
  CHECK_FALSE(uses("#define WHEN __DATE__\n", "// WHEN\nint x;\n"));
  CHECK_FALSE(uses("#define WHEN __DATE__\n", "#ifdef WHEN\n#endif\nint WHENEVER;\n"));
}

TEST_CASE("a directive that shows its words counts as text") {
  CHECK(uses("#define WHEN __DATE__\n", "#pragma message(WHEN)\n"));
  CHECK(uses("#define WHEN __DATE__\n", "#ident WHEN\n"));
  CHECK_FALSE(uses("#define WHEN __DATE__\n", "#pragma /* WHEN */ once\n#undef WHEN\n"));
}

TEST_CASE("it counts through other macros too") {
  CHECK(uses("#define A __TIME__\n#define B(x) A x\n#define C B(1)\n", "x = C;\n"));
  CHECK_FALSE(uses("#define A __TIME__\n#define B(x) A x\n", "x = C;\n"));
}

TEST_CASE("with a fixed time only the file's time stamp counts") {
  CHECK_FALSE(uses("#define A __TIME__\n", "x = A;\n", true));
  CHECK(uses("#define A __TIMESTAMP__\n", "x = A;\n", true));
}
