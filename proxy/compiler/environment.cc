#include "compiler/environment.h"

#include <langinfo.h>
#include <locale.h>

#include <algorithm>

namespace compiler {
namespace {

// Variables that can change an output and are kept as they are.
constexpr std::string_view kKept[] = {
    "SOURCE_DATE_EPOCH", "CPATH",
    "C_INCLUDE_PATH",    "CPLUS_INCLUDE_PATH",
    "OBJC_INCLUDE_PATH", "OBJCPLUS_INCLUDE_PATH",
    "GCC_EXEC_PREFIX",   "COMPILER_PATH",
    "LIBRARY_PATH",      "SDKROOT",
    "GCC_COLORS",        "MACOSX_DEPLOYMENT_TARGET",
    "GCC_URLS",          "GCC_EXTRA_DIAGNOSTIC_OUTPUT",
    "TERM_URLS",
};

// Variables with which a compile writes or reads files that nobody knows of, or is another program.
constexpr std::string_view kRefused[] = {
    "DEPENDENCIES_OUTPUT",
    "SUNPRO_DEPENDENCIES",
    "CCC_OVERRIDE_OPTIONS",
    "CLANG_NO_DEFAULT_CONFIG",
    "GCC_COMPARE_DEBUG",
    "CC_LOG_DIAGNOSTICS",
    "LOCPATH",
};
// These do nothing when they are empty.
constexpr std::string_view kRefusedUnlessEmpty[] = {"LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT"};
constexpr std::string_view kRefusedPrefixes[] = {"CC_PRINT_", "RC_DEBUG_"};

// The first of these variables that is not empty, as setlocale looks for one.
std::string effective(const std::vector<std::string>& env, std::string_view category) {
  for (std::string_view name : {std::string_view("LC_ALL"), category, std::string_view("LANG")}) {
    std::optional<std::string_view> value = variable(env, name);
    if (value && !value->empty()) return std::string(*value);
  }
  return "C";
}

// A locale that is not installed is the C locale to a compiler too. Most are UTF-8 under different names, and
// the name of the country changes nothing.
std::string character_set(const std::string& name) {
  if (name == "C" || name == "POSIX") return "C";
  locale_t locale = ::newlocale(LC_CTYPE_MASK, name.c_str(), locale_t{});
  if (locale == locale_t{}) return "C";
  std::string codeset = ::nl_langinfo_l(CODESET, locale);
  ::freelocale(locale);
  if (codeset == "UTF-8") return "C.UTF-8";
  return codeset == "ANSI_X3.4-1968" ? "C" : name;
}

std::string message_language(const std::string& name) {
  bool english = name == "C" || name == "POSIX" || name.starts_with("C.") || name.starts_with("en_US");
  if (english) return "C";
  locale_t locale = ::newlocale(LC_MESSAGES_MASK, name.c_str(), locale_t{});
  if (locale == locale_t{}) return "C";
  ::freelocale(locale);
  return name;
}

}  // namespace

std::optional<std::string_view> variable(const std::vector<std::string>& env, std::string_view name) {
  for (const std::string& entry : env) {
    if (entry.size() > name.size() && entry[name.size()] == '=' && entry.starts_with(name)) {
      return std::string_view(entry).substr(name.size() + 1);
    }
  }
  return std::nullopt;
}

base::Result<std::vector<std::string>> key_environment(const std::vector<std::string>& env) {
  for (const std::string& entry : env) {
    std::string_view name = std::string_view(entry).substr(0, entry.find('='));
    bool refuse = std::find(std::begin(kRefused), std::end(kRefused), name) != std::end(kRefused);
    for (std::string_view prefix : kRefusedPrefixes) refuse = refuse || name.starts_with(prefix);
    bool empty = entry.size() <= name.size() + 1;
    if (!empty) {
      for (std::string_view known : kRefusedUnlessEmpty) refuse = refuse || known == name;
    }
    if (refuse) return base::unsupported("environment: " + std::string(name));
  }

  std::vector<std::string> kept;
  for (std::string_view name : kKept) {
    std::optional<std::string_view> value = variable(env, name);
    if (value) kept.push_back(std::string(name) + "=" + std::string(*value));
  }
  kept.push_back("LC_CTYPE=" + character_set(effective(env, "LC_CTYPE")));
  // LANGUAGE lists languages to try, but not in the C locale.
  std::string language = message_language(effective(env, "LC_MESSAGES"));
  std::optional<std::string_view> list = variable(env, "LANGUAGE");
  bool listed = list && !list->empty() && effective(env, "LC_MESSAGES") != "C";
  if (listed) kept.push_back("LANGUAGE=" + std::string(*list));
  kept.push_back("LC_MESSAGES=" + language);
  std::sort(kept.begin(), kept.end());
  return kept;
}

std::vector<std::string> probe_environment(const std::vector<std::string>& env) {
  constexpr std::string_view kProbe[] = {
      "CPATH",
      "C_INCLUDE_PATH",
      "CPLUS_INCLUDE_PATH",
      "OBJC_INCLUDE_PATH",
      "OBJCPLUS_INCLUDE_PATH",
      "GCC_EXEC_PREFIX",
      "COMPILER_PATH",
      "LIBRARY_PATH",
      "SDKROOT",
      "MACOSX_DEPLOYMENT_TARGET",
      "PATH",
  };
  std::vector<std::string> out;
  for (std::string_view name : kProbe) {
    std::optional<std::string_view> value = variable(env, name);
    if (value) out.push_back(std::string(name) + "=" + std::string(*value));
  }
  out.push_back("LC_ALL=C");
  return out;
}

}  // namespace compiler
