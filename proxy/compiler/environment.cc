#include "compiler/environment.h"

#include <langinfo.h>
#include <locale.h>

#include <algorithm>
#include <map>
#include <mutex>

namespace compiler {
namespace {

// Variables that can change an output and are kept as they are.
constexpr std::string_view kKept[] = {
    "SOURCE_DATE_EPOCH", "CPATH",
    "C_INCLUDE_PATH",    "CPLUS_INCLUDE_PATH",
    "OBJC_INCLUDE_PATH", "OBJCPLUS_INCLUDE_PATH",
    "GCC_EXEC_PREFIX",   "COMPILER_PATH",
    "LIBRARY_PATH",      "SDKROOT",
    "GCC_COLORS",        "GCC_URLS",
    "TERM_URLS",         "GCC_EXTRA_DIAGNOSTIC_OUTPUT",
};

// MACOSX_DEPLOYMENT_TARGET and its like, one for each of Apple's systems: part of clang's target.
constexpr std::string_view kDeploymentTarget = "_DEPLOYMENT_TARGET";

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
constexpr std::string_view kRefusedUnlessEmpty[] = {"LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "GCONV_PATH",
                                                    "GNUTARGET"};
constexpr std::string_view kRefusedPrefixes[] = {"CC_PRINT_", "RC_DEBUG_"};

// With their values, by name.
void add_deployment_targets(const std::vector<std::string>& env, std::vector<std::string>& to) {
  std::vector<std::string> found;
  for (const std::string& entry : env) {
    if (entry.substr(0, entry.find('=')).ends_with(kDeploymentTarget)) found.push_back(entry);
  }
  std::sort(found.begin(), found.end());
  to.insert(to.end(), found.begin(), found.end());
}

// The first of these variables that is not empty, as setlocale looks for one.
std::string effective(const std::vector<std::string>& env, std::string_view category) {
  for (std::string_view name : {std::string_view("LC_ALL"), category, std::string_view("LANG")}) {
    std::optional<std::string_view> value = variable(env, name);
    if (value && !value->empty()) return std::string(*value);
  }
  return "C";
}

// The character set of an installed locale. Loading one costs tens of microseconds, several times the rest of
// a look-up, so what was found is remembered; what was not found may be installed later and is looked for
// again.
std::optional<std::string> codeset_of(const std::string& locale) {
  static std::mutex mutex;
  static std::map<std::string, std::string> known;  // guarded by mutex
  {
    std::lock_guard lock(mutex);
    auto found = known.find(locale);
    if (found != known.end()) return found->second;
  }
  locale_t loaded = ::newlocale(LC_CTYPE_MASK | LC_MESSAGES_MASK, locale.c_str(), locale_t{});
  if (loaded == locale_t{}) return std::nullopt;
  std::string codeset = ::nl_langinfo_l(CODESET, loaded);
  ::freelocale(loaded);
  std::lock_guard lock(mutex);
  constexpr std::size_t kEnough = 64;  // the names come from requests
  if (known.size() < kEnough) known[locale] = codeset;
  return codeset;
}

// A locale that is not installed is the C locale to a compiler too. Most are UTF-8 under different names, and
// the name of the country changes nothing.
std::string character_set(const std::string& name) {
  if (name == "C" || name == "POSIX") return "C";
  std::optional<std::string> codeset = codeset_of(name);
  if (!codeset || *codeset == "ANSI_X3.4-1968") return "C";
  return *codeset == "UTF-8" ? "C.UTF-8" : name;
}

// English is what the compilers are written in, and en_US has no catalogue of its own.
bool is_english(std::string_view name) {
  std::string_view language = name.substr(0, name.find_first_of(".@"));
  return language == "C" || language == "POSIX" || language == "en" || language == "en_US" ||
         language.empty();
}

// The languages that messages are looked for in, "" for none but English. LANGUAGE lists several, and counts
// in any locale but C.
std::string message_languages(const std::vector<std::string>& env) {
  std::string locale = effective(env, "LC_MESSAGES");
  if (locale == "C" || locale == "POSIX") return "";
  if (!codeset_of(locale)) return "";
  std::optional<std::string_view> list = variable(env, "LANGUAGE");
  std::string languages = list && !list->empty() ? std::string(*list) : locale;
  // What has no catalogue is passed over; C ends the search.
  std::string out;
  std::string_view rest = languages;
  while (!rest.empty()) {
    std::size_t colon = rest.find(':');
    std::string_view language = rest.substr(0, colon);
    if (language == "POSIX" || language.substr(0, language.find('.')) == "C") break;
    if (!is_english(language)) out += (out.empty() ? "" : ":") + std::string(language);
    rest = colon == std::string_view::npos ? "" : rest.substr(colon + 1);
  }
  return out;
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
  add_deployment_targets(env, kept);
  kept.push_back("LC_CTYPE=" + character_set(effective(env, "LC_CTYPE")));
  // In a locale that is not C, LANGUAGE alone decides.
  std::string languages = message_languages(env);
  if (languages.empty()) {
    kept.push_back("LC_MESSAGES=C");
  } else {
    kept.push_back("LC_MESSAGES=" + effective(env, "LC_MESSAGES"));
    kept.push_back("LANGUAGE=" + languages);
  }
  std::sort(kept.begin(), kept.end());
  return kept;
}

std::vector<std::string> probe_environment(const std::vector<std::string>& env) {
  constexpr std::string_view kProbe[] = {
      "CPATH",           "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "OBJC_INCLUDE_PATH", "OBJCPLUS_INCLUDE_PATH",
      "GCC_EXEC_PREFIX", "COMPILER_PATH",  "LIBRARY_PATH",       "SDKROOT",           "PATH",
  };
  std::vector<std::string> out;
  for (std::string_view name : kProbe) {
    std::optional<std::string_view> value = variable(env, name);
    if (value) out.push_back(std::string(name) + "=" + std::string(*value));
  }
  add_deployment_targets(env, out);
  out.push_back("LC_ALL=C");
  return out;
}

bool is_on(const std::vector<std::string>& env, std::string_view name) {
  std::string_view value = variable(env, name).value_or("");
  return !value.empty() && std::string_view("tTyY1").find(value[0]) != std::string_view::npos;
}

bool is_off(const std::vector<std::string>& env, std::string_view name) {
  std::string_view value = variable(env, name).value_or("");
  return !value.empty() && std::string_view("fFnN0").find(value[0]) != std::string_view::npos;
}

}  // namespace compiler
