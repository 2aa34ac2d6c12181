#include "remote/platform.h"

#include <algorithm>

#include "base/text.h"
#include "compiler/text.h"
#include "wire/reapi.pb.h"

namespace remote {
namespace {

namespace reapi = build::bazel::remote::execution::v2;

std::vector<std::pair<std::string, std::string>> this_machine() {
#if defined(__aarch64__)
  const char* isa = "arm-a64";
#else
  const char* isa = "x86-64";
#endif
#if defined(__APPLE__)
  const char* os = "macos";
#else
  const char* os = "linux";
#endif
  return {{"ISA", isa}, {"OSFamily", os}};
}

}  // namespace

void set_platform(const KeySettings& settings, reapi::Platform& platform) {
  std::vector<std::pair<std::string, std::string>> properties =
      settings.platform.empty() ? this_machine() : settings.platform;
  std::sort(properties.begin(), properties.end());
  for (const auto& [name, value] : properties) {
    reapi::Platform::Property& property = *platform.add_properties();
    property.set_name(name);
    property.set_value(value);
  }
}

bool pins_image(const KeySettings& settings) {
  return std::any_of(settings.platform.begin(), settings.platform.end(), [](const auto& property) {
    return property.first == "container-image" && property.second.find("@sha256:") != std::string::npos;
  });
}

base::Result<std::vector<std::pair<std::string, std::string>>> parse_platform(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> properties;
  for (std::string_view part : compiler::split(text, ',')) {
    part = base::trimmed(part);
    if (part.empty()) continue;
    std::size_t equals = part.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return base::invalid("platform: \"" + std::string(part) + "\" is not NAME=VALUE");
    }
    properties.emplace_back(base::trimmed(part.substr(0, equals)), base::trimmed(part.substr(equals + 1)));
  }
  std::sort(properties.begin(), properties.end());
  return properties;
}

}  // namespace remote
