// The text of a make depfile. What is laid out again must be read as the same rule.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

#include "remote/depfile_text.h"

namespace {

// Names that a depfile cannot tell from others: what follows a backslash at the end is taken for a part of
// the name, and clang leaves a tab as it is.
bool is_ambiguous(const std::string& name, compiler::Family family) {
  bool tab = family == compiler::Family::clang && name.find('\t') != std::string::npos;
  return name.empty() || name.back() == '\\' || tab;
}

void check(const remote::DepfileText& rule, compiler::Family family) {
  auto ambiguous = [&](const std::string& name) { return is_ambiguous(name, family); };
  if (std::any_of(rule.targets.begin(), rule.targets.end(), ambiguous)) return;
  if (std::any_of(rule.dependencies.begin(), rule.dependencies.end(), ambiguous)) return;
  std::string text = remote::make_depfile(rule, family);
  base::Result<remote::DepfileText> again = remote::parse_depfile(text);
  if (!again || again->targets != rule.targets || again->dependencies != rule.dependencies) std::abort();
  // Of a rule with nothing but its source no line tells that it was phony.
  if (rule.dependencies.size() > 1 && (again->phony != rule.phony || again->main != rule.main)) std::abort();
  if (remote::make_depfile(*again, family) != text) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  base::Result<remote::DepfileText> rule = remote::parse_depfile(text);
  if (!rule) return 0;
  if (!rule->dependencies.empty() && rule->main >= rule->dependencies.size()) std::abort();
  check(*rule, compiler::Family::gcc);
  check(*rule, compiler::Family::clang);
  return 0;
}
