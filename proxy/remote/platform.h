// The platform properties of every Action.
#pragma once

#include "remote/action.h"

namespace build::bazel::remote::execution::v2 {
class Platform;
}

namespace remote {

// Those of `settings`, else OSFamily and ISA of this machine; sorted, as engines demand.
void set_platform(const KeySettings& settings, build::bazel::remote::execution::v2::Platform& platform);

// True when the properties name an image by its digest, so that all workers that fit are alike.
bool pins_image(const KeySettings& settings);

// "k=v, k=v" as in the configuration. `invalid` with the part that is no property.
base::Result<std::vector<std::pair<std::string, std::string>>> parse_platform(std::string_view text);

}  // namespace remote
