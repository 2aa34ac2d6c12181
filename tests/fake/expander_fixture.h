// Macros and an expander over them, without a preprocessor around. Who derives says what builtins expand to.
#pragma once

#include <doctest/doctest.h>

#include <string_view>
#include <vector>

#include "inputs/directive.h"
#include "inputs/expander.h"
#include "inputs/macro.h"
#include "inputs/token.h"

namespace fake {

class ExpanderFixture : public inputs::BuiltinHost {
 public:
  ExpanderFixture() { table.begin(vocabulary.names); }

  void define(std::string_view text) {
    const inputs::Macro* macro = vocabulary.macros.define(text, mode, false, vocabulary.names);
    REQUIRE(macro != nullptr);
    table.set(macro->name, macro);
  }
  void undefine(std::string_view name) { table.set(vocabulary.names.intern(name), nullptr); }

  // Begins to expand `text`.
  void begin(std::string_view text) {
    tokens_.clear();
    inputs::tokenize(text, mode, vocabulary.names, tokens_);
    expander.begin(tokens_.data(), tokens_.size(), mode);
  }

  inputs::Vocabulary vocabulary;
  inputs::MacroTable table;
  inputs::LexMode mode;
  inputs::Expander expander{table, vocabulary, *this};

 private:
  std::vector<inputs::Token> tokens_;
};

}  // namespace fake
