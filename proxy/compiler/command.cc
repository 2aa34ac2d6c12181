#include "compiler/command.h"

namespace compiler {

const char* x_name(Language language) {
  switch (language) {
    case Language::c:
      return "c";
    case Language::cxx:
      return "c++";
    case Language::objc:
      return "objective-c";
    case Language::objcxx:
      return "objective-c++";
    case Language::assembler_cpp:
      return "assembler-with-cpp";
    case Language::assembler:
      return "assembler";
    case Language::c_preprocessed:
      return "cpp-output";
    case Language::cxx_preprocessed:
      return "c++-cpp-output";
    case Language::objc_preprocessed:
      return "objective-c-cpp-output";
    case Language::objcxx_preprocessed:
      return "objective-c++-cpp-output";
  }
  return "c";
}

bool is_cxx(Language language) {
  return language == Language::cxx || language == Language::objcxx ||
         language == Language::cxx_preprocessed || language == Language::objcxx_preprocessed;
}

bool is_preprocessed(Language language) { return language >= Language::assembler; }

}  // namespace compiler
