#include "base/result.h"

#include <doctest/doctest.h>

#include <cerrno>

TEST_CASE("a result holds a value or an error") {
  base::Result<int> good = 3;
  CHECK(good.ok());
  CHECK(*good == 3);
  base::Result<int> bad = base::invalid("x");
  CHECK(!bad);
  CHECK(bad.error().kind == base::ErrorKind::invalid);
  base::Result<void> nothing;
  CHECK(nothing.ok());
  nothing = base::cancelled();
  CHECK(nothing.error().kind == base::ErrorKind::cancelled);
}

TEST_CASE("the label of an error stands before the colon") {
  CHECK(base::unsupported("unknown_flag: -x=y:z").label() == "unknown_flag");
  CHECK(base::unsupported("modules").label() == "modules");
}

TEST_CASE("errno decides whether trying again can help") {
  CHECK(base::io_error("read", EAGAIN).kind == base::ErrorKind::transient);
  CHECK(base::io_error("read", ENOSPC).kind == base::ErrorKind::io);
  CHECK(base::io_error("open /x", ENOENT).message == "open /x: No such file or directory");
}
