// What a program that calls itself a compiler prints, and what one looks like that calls itself ELF.
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/loader.h"
#include "compiler/probe_text.h"

namespace {

// The text without its strings and character constants, in which the begin of a comment means nothing.
std::string without_quoted(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    if (text[i] != '"' && text[i] != '\'') continue;
    i = text.find(text[i], i + 1);
    if (i == std::string::npos) std::abort();
  }
  return out;
}

// A question that is let through is one line that begins and ends nothing.
void check_question(const std::string& text) {
  if (!compiler::is_well_formed(text)) return;
  std::string source = compiler::questions_source({text, "1"});
  if (source.find('\n') != source.rfind('\n', source.size() - 2)) std::abort();
  std::string bare = without_quoted(source);
  if (bare.find("//") != std::string::npos || bare.find("/*") != std::string::npos) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  compiler::ProbedText probed = compiler::read_probe(text);
  compiler::ProbedText again = compiler::read_probe("# 1 \"<built-in>\"\n" + probed.predefined);
  if (again.predefined != probed.predefined) std::abort();
  compiler::ProbedPath path = compiler::read_search_path(text);
  if (path.installations.size() % 2 != 0) std::abort();
  if (compiler::read_answers(text, 3).size() != 3) std::abort();
  check_question(text);

  std::string loader = compiler::interpreter_of(text);
  if (!loader.empty() && (!compiler::is_elf(text) || text.find(loader) == std::string::npos)) std::abort();
  for (const std::string& library : compiler::libraries_in(text)) {
    if (library.empty() || library.front() != '/') std::abort();
  }
  return 0;
}
