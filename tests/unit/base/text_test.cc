#include "base/text.h"

#include <doctest/doctest.h>

TEST_CASE("capitals become small letters, and nothing else changes") {
  CHECK(base::lower("GRPCS://Host_9\xc4") == "grpcs://host_9\xc4");
  CHECK(base::lower("").empty());
}

TEST_CASE("blanks and line ends go from around a text") {
  CHECK(base::trimmed(" \t a b\r\n") == "a b");
  CHECK(base::trimmed("a") == "a");
  CHECK(base::trimmed(" \n").empty());
  CHECK(base::trimmed("").empty());
}
