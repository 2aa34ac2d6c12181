#include "base/base64.h"

#include <doctest/doctest.h>

TEST_CASE("the examples of RFC 4648, both ways") {
  const std::pair<const char*, const char*> examples[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [plain, coded] : examples) {
    CHECK(base::to_base64(plain) == coded);
    base::Result<std::string> back = base::from_base64(coded);
    REQUIRE(back);
    CHECK(*back == plain);
  }
}

TEST_CASE("every byte comes back, from either alphabet, without padding too") {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  std::string coded = base::to_base64(bytes);
  CHECK(coded.find('+') != std::string::npos);
  CHECK(*base::from_base64(coded) == bytes);
  for (char& c : coded) c = c == '+' ? '-' : c == '/' ? '_' : c;
  while (coded.back() == '=') coded.pop_back();
  CHECK(*base::from_base64(coded) == bytes);
}

TEST_CASE("what is not base64 is refused") {
  CHECK(!base::from_base64("a"));
  CHECK(!base::from_base64("ab c"));
  CHECK(!base::from_base64("a=bc"));
  CHECK(!base::from_base64("Zg.."));
}
