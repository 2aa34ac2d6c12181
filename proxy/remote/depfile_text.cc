#include "remote/depfile_text.h"

#include <algorithm>

namespace remote {
namespace {

// gcc: a name that would end past this column begins a new line.
constexpr std::size_t kGccColumns = 72;
// clang: the same, counting room for a blank and a backslash behind it.
constexpr std::size_t kClangColumns = 75;

// Where a line ends within a rule: a backslash and a newline.
bool is_continuation(std::string_view text, std::size_t at) {
  return text[at] == '\\' && at + 1 < text.size() && text[at + 1] == '\n';
}

// The next word at or after `at`, still quoted; `at` is moved behind it. Empty at the end of the line.
std::string_view next_word(std::string_view text, std::size_t& at) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t' || is_continuation(text, at))) {
    at += is_continuation(text, at) ? 2 : 1;
  }
  std::size_t begin = at;
  while (at < text.size() && text[at] != '\n' && !is_continuation(text, at)) {
    bool blank = text[at] == ' ' || text[at] == '\t';
    if (blank && (at == begin || text[at - 1] != '\\')) break;
    ++at;
  }
  return text.substr(begin, at - begin);
}

// A dependency as the file system knows it; kept in `name` where it was quoted.
std::string_view unquoted(std::string_view word, std::string& name) {
  // Of hundreds of names as a rule none is quoted.
  bool plain = word.find('\\') == std::string_view::npos && word.find('$') == std::string_view::npos;
  if (plain) return word;
  name.clear();
  for (std::size_t i = 0; i < word.size(); ++i) {
    std::size_t slashes = 0;
    while (i + slashes < word.size() && word[i + slashes] == '\\') ++slashes;
    char after = i + slashes < word.size() ? word[i + slashes] : '\0';
    if (slashes > 0 && (after == ' ' || after == '\t')) {
      // 2N + 1 backslashes and a blank stand for N backslashes and the blank.
      name.append(slashes / 2, '\\') += after;
      i += slashes;
    } else if (slashes > 0 && after == '#') {
      name.append(slashes - 1, '\\') += after;
      i += slashes;
    } else if (slashes > 0) {
      name.append(slashes, '\\');
      i += slashes - 1;
    } else {
      name += word[i];
      if (word[i] == '$' && i + 1 < word.size() && word[i + 1] == '$') ++i;
    }
  }
  return name;
}

std::string quoted(std::string_view name, compiler::Family family) {
  bool gcc = family == compiler::Family::gcc;
  std::string word;
  std::size_t slashes = 0;
  for (char c : name) {
    if (c == ' ' || (gcc && c == '\t')) {
      word.append(slashes + 1, '\\');
    } else if (c == '$') {
      word += '$';
    } else if (c == '#') {
      word += '\\';
    }
    slashes = c == '\\' ? slashes + 1 : 0;
    word += c;
  }
  return word;
}

std::string lay_out_gcc(const DepfileText& depfile) {
  std::string text;
  std::size_t column = 0;
  auto write = [&](const std::string& word) {
    if (column > 0) {
      if (column + word.size() > kGccColumns) {
        text += " \\\n";
        column = 0;
      }
      ++column;
      text += ' ';
    }
    column += word.size();
    text += word;
  };
  for (const std::string& target : depfile.targets) write(target);
  text += ':';
  ++column;
  for (const std::string& name : depfile.dependencies) write(quoted(name, compiler::Family::gcc));
  return text + '\n';
}

// clang counts names before it quotes them.
std::string lay_out_clang(const DepfileText& depfile) {
  std::string text;
  std::size_t column = 0;
  for (const std::string& target : depfile.targets) {
    if (column == 0) {
      column = target.size();
    } else if (column + target.size() + 2 > kClangColumns) {
      column = target.size() + 2;
      text += " \\\n  ";
    } else {
      column += target.size() + 1;
      text += ' ';
    }
    text += target;
  }
  text += ':';
  ++column;
  for (const std::string& name : depfile.dependencies) {
    if (column + name.size() + 3 > kClangColumns) {
      text += " \\\n ";
      column = 2;
    }
    text += ' ';
    text += quoted(name, compiler::Family::clang);
    column += name.size() + 1;
  }
  return text + '\n';
}

}  // namespace

DependencyReader::DependencyReader(std::string_view text) : text_(text) {
  while (!is_rule_) {
    std::string_view word = next_word(text_, at_);
    if (word.empty()) {
      at_ = text_.size();
      return;
    }
    // The colon stands at the end of the last target; one inside of it belongs to its name.
    is_rule_ = word.ends_with(':');
    if (is_rule_) word.remove_suffix(1);
    if (!word.empty()) targets_.push_back(word);
  }
}

std::optional<std::string_view> DependencyReader::next() {
  std::string_view word = next_word(text_, at_);
  if (word.empty()) return std::nullopt;
  return unquoted(word, name_);
}

std::string_view DependencyReader::rest() const { return text_.substr(std::min(at_ + 1, text_.size())); }

base::Result<DepfileText> parse_depfile(std::string_view text) {
  DependencyReader rule(text);
  if (!rule.is_rule()) return base::invalid("a depfile without a rule");
  DepfileText depfile;
  depfile.targets.assign(rule.targets().begin(), rule.targets().end());
  while (std::optional<std::string_view> name = rule.next()) depfile.dependencies.emplace_back(*name);
  // What follows are the phony rules: a name, a colon, nothing else.
  std::string_view phony = rule.rest();
  std::size_t named = 0;
  std::string buffer;
  for (std::size_t at = 0; at < phony.size(); ++at) {
    std::string_view word = next_word(phony, at);
    if (word.empty()) {
      depfile.spaced = true;
      continue;
    }
    bool ends = word.ends_with(':') && (at == phony.size() || phony[at] == '\n');
    if (!ends) return base::invalid("a depfile of several rules");
    if (!depfile.phony) depfile.main = depfile.dependencies.size();
    depfile.phony = true;
    std::string_view name = unquoted(word.substr(0, word.size() - 1), buffer);
    bool skips = named < depfile.dependencies.size() && depfile.dependencies[named] != name;
    if (skips) depfile.main = named++;
    if (named >= depfile.dependencies.size() || depfile.dependencies[named] != name) {
      return base::invalid("a phony rule for a file that is not in the depfile: " + std::string(name));
    }
    ++named;
  }
  if (depfile.main >= depfile.dependencies.size()) {
    depfile.main = depfile.phony ? depfile.dependencies.size() - 1 : 0;
  }
  return depfile;
}

std::string make_depfile(const DepfileText& depfile, compiler::Family family) {
  std::string text = family == compiler::Family::gcc ? lay_out_gcc(depfile) : lay_out_clang(depfile);
  if (!depfile.phony) return text;
  for (std::size_t i = 0; i < depfile.dependencies.size(); ++i) {
    if (i == depfile.main) continue;
    if (depfile.spaced) text += '\n';
    text += quoted(depfile.dependencies[i], family) + ":\n";
  }
  return text;
}

}  // namespace remote
