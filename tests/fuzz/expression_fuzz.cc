// An #if: the last line is its expression, the lines before define macros. Where it has a value, its negation
// must have the other one.
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "inputs/expression.h"

namespace {

struct Evaluator : inputs::BuiltinHost {
  inputs::Vocabulary vocabulary;
  inputs::MacroTable table;
  inputs::LexMode mode;
  inputs::ExpressionRules rules;
  inputs::Expander expander{table, vocabulary, *this};

  explicit Evaluator(unsigned char bits) {
    mode.digit_separators = (bits & 1) != 0;
    rules = {(bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0};
    table.begin(vocabulary.names);
  }
  inputs::Token expand_builtin(const inputs::Macro&, const inputs::Token& name, inputs::Expander&) override {
    return name;
  }
  void define(std::string_view text) {
    const inputs::Macro* macro = vocabulary.macros.define(text, mode, false, vocabulary.names);
    if (macro != nullptr) table.set(macro->name, macro);
  }
  base::Result<bool> value(std::string_view text) {
    std::vector<inputs::Token> tokens;
    inputs::tokenize(text, mode, vocabulary.names, tokens);
    expander.begin(tokens.data(), tokens.size(), mode);
    return inputs::evaluate(expander, rules);
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  Evaluator evaluator(data[0]);
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  for (std::size_t end; (end = rest.find('\n')) != std::string_view::npos; rest.remove_prefix(end + 1)) {
    evaluator.define(rest.substr(0, end));
  }
  std::string expression(rest);
  base::Result<bool> value = evaluator.value(expression);
  if (!value) {
    if (value.error().label().empty()) std::abort();
    return 0;
  }
  base::Result<bool> negated = evaluator.value("!( " + expression + " )");
  if (!negated || *negated == *value) std::abort();
  return 0;
}
