#include "inputs/lists.h"

#include <algorithm>
#include <utility>

namespace inputs {

std::uint8_t Lists::slot(const LexMode& mode) {
  auto number = [&](std::vector<LexMode>::iterator at) {
    return static_cast<std::uint8_t>(2 * (at - modes_.begin()));
  };
  {
    std::shared_lock lock(mutex_);
    auto found = std::find(modes_.begin(), modes_.end(), mode);
    if (found != modes_.end()) return number(found);
  }
  std::unique_lock lock(mutex_);
  auto found = std::find(modes_.begin(), modes_.end(), mode);
  if (found == modes_.end()) found = modes_.insert(modes_.end(), mode);
  // Seven switches make at most 128 modes, so the number fits.
  return number(found);
}

base::Result<std::shared_ptr<const DirectiveList>> Lists::of(NodeId node, const LexMode& mode) {
  auto derived = index_.derive(node, slot(mode), [&](std::string content) -> FileIndex::Derived {
    return read_directives(content, mode, vocabulary_);
  });
  if (!derived) return derived.error();
  return std::static_pointer_cast<const DirectiveList>(*derived);
}

base::Result<std::shared_ptr<const std::vector<std::string>>> Lists::text_names(NodeId node,
                                                                                const LexMode& mode) {
  auto derived = index_.derive(
      node, static_cast<std::uint8_t>(slot(mode) + 1),
      [&](std::string content) -> FileIndex::Derived { return read_text_names(content, mode); });
  if (!derived) return derived.error();
  return std::static_pointer_cast<const std::vector<std::string>>(*derived);
}

std::shared_ptr<const Prelude> Lists::prelude(const compiler::Command& command,
                                              const compiler::Dialect& dialect) {
  std::string key = std::to_string(dialect.id) + compiler::x_name(command.language);
  for (const compiler::Arg& arg : command.args) {
    if (arg.text.find("trigraphs") != std::string::npos || arg.text == "-fno-operator-names") key += arg.text;
  }
  {
    std::shared_lock lock(mutex_);
    auto found = preludes_.find(key);
    if (found != preludes_.end()) return found->second;
  }
  auto made = make_prelude(command, dialect, vocabulary_);
  std::unique_lock lock(mutex_);
  return preludes_.emplace(std::move(key), std::move(made)).first->second;
}

std::optional<std::int64_t> Answers::known(const compiler::Dialect& dialect, const std::string& question) {
  std::shared_lock lock(mutex_);
  auto table = tables_.find(dialect.id);
  if (table == tables_.end()) return std::nullopt;
  auto found = table->second.find(question);
  if (found == table->second.end()) return std::nullopt;
  return found->second;
}

base::Result<void> Answers::ask(const compiler::Dialect& dialect, const std::vector<std::string>& questions,
                                const std::stop_token& stop) {
  base::Result<std::vector<std::int64_t>> answers = dialects_.answer(dialect, questions, stop);
  if (!answers) return answers.error();
  std::unique_lock lock(mutex_);
  Table& table = tables_[dialect.id];
  for (std::size_t i = 0; i < questions.size() && i < answers->size(); ++i) {
    table[questions[i]] = (*answers)[i];
  }
  return {};
}

}  // namespace inputs
