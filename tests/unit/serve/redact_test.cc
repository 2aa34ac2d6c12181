#include "serve/redact.h"

#include <doctest/doctest.h>

TEST_CASE("values of secret names are hidden") {
  CHECK(serve::redact("g++ -DAPI_TOKEN=abc -c a.cc") == "g++ -DAPI_TOKEN=[hidden] -c a.cc");
  CHECK(serve::redact("g++ '-DDB_PASSWORD=\"a b\"' -c a.cc") == "g++ '-DDB_PASSWORD=[hidden]' -c a.cc");
  CHECK(serve::redact("x --api-key=1 y") == "x --api-key=[hidden] y");
  CHECK(serve::redact("x --password hunter2 y") == "x --password [hidden] y");
  CHECK(serve::redact("-DX=1,MY_SECRET=2") == "-DX=1,MY_SECRET=[hidden]");
  CHECK(serve::redact("authorization=Bearer\\ abc") == "authorization=[hidden]");
}

TEST_CASE("bearer tokens are hidden") {
  CHECK(serve::redact("Bearer abc def") == "Bearer [hidden] def");
  CHECK(serve::redact("-H 'X: Bearer abc' x") == "-H 'X: Bearer [hidden]' x");
}

TEST_CASE("passwords in URLs are hidden") {
  CHECK(serve::redact("-DURL=https://me:pw@host/x") == "-DURL=https://[hidden]@host/x");
  CHECK(serve::redact("http://a@b http://c/d@e") == "http://[hidden]@b http://c/d@e");
}

TEST_CASE("an ordinary command line stays byte for byte") {
  const char* command = "/usr/bin/g++ -DNDEBUG '-DNAME=\"a b\"' -I../x -std=c++20 -O2 -o 'a b.o' -c a\\ b.cc";
  CHECK(serve::redact(command) == command);
  CHECK(serve::redact("") == "");
  CHECK(serve::redact("a  \t b\n") == "a  \t b\n");
  CHECK(serve::redact("-DTOKEN -c a.cc") == "-DTOKEN -c a.cc");
}

TEST_CASE("unbalanced quotes do no harm") {
  CHECK(serve::redact("'abc -DX_TOKEN=1") == "'abc -DX_TOKEN=[hidden]");
  CHECK(serve::redact("a\\") == "a\\");
  CHECK(serve::redact("'") == "'");
}

TEST_CASE("which names are secret") {
  CHECK(serve::names_secret("GITHUB_TOKEN"));
  CHECK(serve::names_secret("headers.Authorization"));
  CHECK(serve::names_secret("api-key"));
  CHECK(!serve::names_secret("cache_dir"));
  CHECK(!serve::names_secret("std"));
}
