// The text of a response file, which may name itself.
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/response_file.h"
#include "fake/fake_files.h"

namespace {

std::string quoted(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += " '";
    for (char c : word) {
      if (c == '\'' || c == '\\') text += '\\';
      text += c;
    }
    text += "'";
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> words = compiler::split_response(text);
  if (compiler::split_response(quoted(words)) != words) std::abort();

  fake::FakeFiles files;
  files.write("/w/a", text);
  files.write("/w/b", "-b @none");
  auto expanded = compiler::expand_response_files({"-first", "@a", "@none"}, "/w", files);
  if (!expanded) return 0;
  bool framed = expanded->words.front() == "-first" && expanded->words.back() == "@none";
  if (!framed || expanded->files.empty() || expanded->files.front() != "a") std::abort();
  if (expanded->files.size() == 1 && expanded->words.size() != words.size() + 2) std::abort();
  return 0;
}
