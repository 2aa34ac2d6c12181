#include "base/log.h"

#include <doctest/doctest.h>

#include "fake/temp_dir.h"

TEST_CASE("a line is written with its level, and cannot be forged") {
  fake::TempDir dir;
  REQUIRE(base::log_to(dir / "log"));
  base::log(base::LogLevel::debug, "hidden");
  base::log(base::LogLevel::warning, "one\ntwo\x1b[0m");
  base::log_to("");
  std::string text = dir.read("log");
  CHECK(text.find(" W one\\ntwo\\x1b[0m\n") != std::string::npos);
  CHECK(text.find("hidden") == std::string::npos);
  CHECK(!base::log_to("/nonexistent/log"));
  base::log_to("");
}
