#include "remote/secrets.h"

#include <doctest/doctest.h>

using remote::without_secrets;

TEST_CASE("what may be a secret is hidden, the words around it stay") {
  CHECK(without_secrets("sent Bearer abc to host") == "sent Bearer [hidden] to host");
  CHECK(without_secrets("authorization: Basic dTpw, retry") == "authorization: Basic [hidden], retry");
  CHECK(without_secrets("token=abc rest") == "token=[hidden] rest");
  CHECK(without_secrets("--password= 'x y'") == "--password= '[hidden] y'");
  CHECK(without_secrets("{\"token\": \"abc\", \"a\": 1}") == "{\"token\": \"[hidden]\", \"a\": 1}");
  CHECK(without_secrets("GET https://me:pw@host/x") == "GET https://[hidden]@host/x");
  CHECK(without_secrets("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln1") == "got [hidden]");
}

TEST_CASE("plain complaints are left as they are") {
  for (const char* text : {"token expired, log in again", "open /home/me/.config/app2/credentials.json: no",
                           "exit status 3", "cannot reach https://host:443/path", "a : b"}) {
    CHECK(without_secrets(text) == text);
  }
}

TEST_CASE("one line, of bounded length") {
  CHECK(without_secrets("a\nb\x1b[31mc\n") == "a b [31mc");
  CHECK(without_secrets(std::string(5000, '!')).size() == 2000);
  CHECK(without_secrets(std::string(5000, 'x'), 10) == "xxxxxxxxxx");
}
