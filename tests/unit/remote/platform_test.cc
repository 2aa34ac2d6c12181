#include "remote/platform.h"

#include <doctest/doctest.h>

#include "wire/reapi.pb.h"

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string text_of(const remote::KeySettings& settings) {
  build::bazel::remote::execution::v2::Platform platform;
  remote::set_platform(settings, platform);
  std::string out;
  for (const auto& property : platform.properties()) out += property.name() + "=" + property.value() + ";";
  return out;
}

}  // namespace

TEST_CASE("properties are sorted by name and then by value") {
  remote::KeySettings settings;
  settings.platform = {{"b", "2"}, {"a", "1"}, {"b", "1"}};
  CHECK(text_of(settings) == "a=1;b=1;b=2;");
}

TEST_CASE("without a configuration it is this machine's kind") {
  CHECK(text_of({}).find("OSFamily=") != std::string::npos);
  CHECK(text_of({}).starts_with("ISA="));
}

TEST_CASE("the setting is pairs with commas between") {
  CHECK(*remote::parse_platform("Pool=x, OSFamily = linux,") == Pairs{{"OSFamily", "linux"}, {"Pool", "x"}});
  CHECK(remote::parse_platform("")->empty());
  CHECK(*remote::parse_platform("a=") == Pairs{{"a", ""}});
  CHECK(remote::parse_platform("Pool").error().message.find("Pool") != std::string::npos);
  CHECK(!remote::parse_platform("=x").ok());
}

TEST_CASE("an image is pinned by its digest alone") {
  remote::KeySettings settings;
  CHECK(!remote::pins_image(settings));
  settings.platform = {{"container-image", "docker://debian:12"}};
  CHECK(!remote::pins_image(settings));
  settings.platform = {{"container-image", "docker://debian@sha256:" + std::string(64, 'a')}};
  CHECK(remote::pins_image(settings));
}
