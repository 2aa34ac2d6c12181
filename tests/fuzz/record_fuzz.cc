// Records on disk, of compilers and of dialects. What is read is written again and must read as the same.
#include <cstdlib>
#include <string>

#include "compiler/record.h"

namespace {

template <class Read>
void check(const std::string& text, Read read) {
  auto record = read("k", text);
  if (!record) return;
  std::string once = compiler::to_text("k", *record);
  // What is not UTF-8 is no JSON, so it cannot have been read.
  if (once.empty() && text.find("\xef\xbf\xbd") == std::string::npos &&
      text.find('\\') == std::string::npos) {
    std::abort();
  }
  if (once.empty()) return;
  auto again = read("k", once);
  if (!again || compiler::to_text("k", *again) != once) std::abort();
  if (read("other", once)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  check(text, compiler::compiler_from_text);
  check(text, compiler::dialect_from_text);
  return 0;
}
