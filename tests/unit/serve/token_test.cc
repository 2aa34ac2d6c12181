#include "serve/token.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "fake/temp_dir.h"

TEST_CASE("each token is new, and only its owner can read it") {
  fake::TempDir dir;
  base::Result<std::string> first = serve::make_token(dir / "token");
  base::Result<std::string> second = serve::make_token(dir / "token");
  REQUIRE(first.ok());
  REQUIRE(second.ok());
  CHECK(first->size() == 32);
  CHECK(*first != *second);
  CHECK(dir.read("token") == *second + "\n");
  struct stat status {};
  REQUIRE(::stat((dir / "token").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(!serve::make_token("/nonexistent/token").ok());
}
