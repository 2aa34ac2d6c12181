#include "compiler/language.h"

#include <string>

#include "base/path.h"

namespace compiler {
namespace {

struct Name {
  std::string_view name;
  Language language;
};

constexpr Name kXNames[] = {
    {"c", Language::c},
    {"c++", Language::cxx},
    {"objective-c", Language::objc},
    {"objective-c++", Language::objcxx},
    {"assembler-with-cpp", Language::assembler_cpp},
    {"assembler", Language::assembler},
    {"cpp-output", Language::c_preprocessed},
    {"c++-cpp-output", Language::cxx_preprocessed},
    {"objective-c-cpp-output", Language::objc_preprocessed},
    {"objective-c++-cpp-output", Language::objcxx_preprocessed},
};

constexpr Name kExtensions[] = {
    {".c", Language::c},
    {".cc", Language::cxx},
    {".cpp", Language::cxx},
    {".cxx", Language::cxx},
    {".C", Language::cxx},
    {".c++", Language::cxx},
    {".cp", Language::cxx},
    {".CPP", Language::cxx},
    {".m", Language::objc},
    {".mm", Language::objcxx},
    {".M", Language::objcxx},
    {".S", Language::assembler_cpp},
    {".sx", Language::assembler_cpp},
    {".s", Language::assembler},
    {".i", Language::c_preprocessed},
    {".ii", Language::cxx_preprocessed},
    {".mi", Language::objc_preprocessed},
    {".mii", Language::objcxx_preprocessed},
};

constexpr std::string_view kHeaderExtensions[] = {".h",   ".hh",  ".H",   ".hp", ".hxx",
                                                  ".hpp", ".HPP", ".h++", ".tcc"};

}  // namespace

base::Result<Language> language_of_x(std::string_view name) {
  for (const Name& known : kXNames) {
    if (known.name == name) return known.language;
  }
  if (name.ends_with("header")) return base::unsupported("pch_creation: -x " + std::string(name));
  return base::unsupported("unsupported_language: " + std::string(name));
}

base::Result<Language> language_of_source(std::string_view source, Family family, bool cxx_driver) {
  std::string_view extension = base::extension(source);
  for (const Name& known : kExtensions) {
    if (known.name != extension) continue;
    if (cxx_driver && known.language == Language::c) return Language::cxx;
    if (cxx_driver && known.language == Language::c_preprocessed) return Language::cxx_preprocessed;
    return known.language;
  }
  bool clang_only = extension == ".CC" || extension == ".CXX" || extension == ".C++";
  if (family == Family::clang && clang_only) return Language::cxx;
  for (std::string_view header : kHeaderExtensions) {
    if (header == extension) return base::unsupported("pch_creation: " + std::string(source));
  }
  return base::unsupported("unsupported_language: " + std::string(source));
}

}  // namespace compiler
