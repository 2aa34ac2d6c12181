// The environment that gomacc was started with.
#pragma once

#include <string_view>
#include <vector>

namespace gomacc {

// Tells a gomacc that it was started by a compiler which another gomacc runs. It lists the gomacc programs on
// the way here, so that none of them is ever taken for a compiler again.
inline constexpr std::string_view kMarker = "GOMA_GOMACC_CHILD";

class Environment {
 public:
  explicit Environment(char** variables) : variables_(variables) {}

  const char* const* variables() const { return variables_; }

  // Null when the variable is unset.
  const char* get(std::string_view name) const {
    for (char** variable = variables_; *variable != nullptr; ++variable) {
      if (is(*variable, name)) return *variable + name.size() + 1;
    }
    return nullptr;
  }

  // As Goma reads its booleans: the first character is one of tTyY1.
  bool flag(std::string_view name, bool otherwise) const {
    const char* value = get(name);
    if (value == nullptr) return otherwise;
    return *value != '\0' && std::string_view("tTyY1").find(*value) != std::string_view::npos;
  }

  // The value if it is set and not empty, else null.
  const char* filled(std::string_view name) const {
    const char* value = get(name);
    return value != nullptr && *value != '\0' ? value : nullptr;
  }

  // All variables but `name`, then `instead` unless it is null, then a null.
  std::vector<const char*> with(std::string_view name, const char* instead) const {
    std::vector<const char*> list;
    std::size_t count = 2;
    for (char** variable = variables_; *variable != nullptr; ++variable) ++count;
    list.reserve(count);
    for (char** variable = variables_; *variable != nullptr; ++variable) {
      if (!is(*variable, name)) list.push_back(*variable);
    }
    if (instead != nullptr) list.push_back(instead);
    list.push_back(nullptr);
    return list;
  }

 private:
  static bool is(std::string_view variable, std::string_view name) {
    return variable.size() > name.size() && variable[name.size()] == '=' && variable.starts_with(name);
  }

  char** variables_;
};

}  // namespace gomacc
