#include "compiler/response_file.h"

#include <algorithm>
#include <deque>

#include "base/path.h"

namespace compiler {
namespace {

// gcc itself gives up after 2,000; nobody nests or repeats that much on purpose.
constexpr int kMaxFiles = 1000;
constexpr std::size_t kMaxWords = 1'000'000;

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

}  // namespace

std::vector<std::string> split_response(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (quote == 0 && is_blank(c)) {
      if (in_word) words.push_back(std::move(word));
      word.clear();
      in_word = false;
      continue;
    }
    in_word = true;
    if (c == '\\') {
      if (i + 1 < text.size()) word += text[++i];
    } else if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        word += c;
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else {
      word += c;
    }
  }
  if (in_word) words.push_back(std::move(word));
  return words;
}

base::Result<ExpandedWords> expand_response_files(const std::vector<std::string>& words,
                                                  const std::string& directory, base::Files& files) {
  ExpandedWords out;
  std::deque<std::string> pending(words.begin(), words.end());
  int read = 0;
  while (!pending.empty()) {
    std::string word = std::move(pending.front());
    pending.pop_front();
    if (word.size() < 2 || word[0] != '@') {
      out.words.push_back(std::move(word));
      continue;
    }
    std::string name = word.substr(1);
    std::string path = base::join(directory, name);
    base::Result<base::FileStat> stat = files.stat(path);
    if (!stat) return base::unsupported("response_file: " + stat.error().message);
    if (stat->type == base::FileType::absent) {
      out.words.push_back(std::move(word));
      continue;
    }
    if (stat->type != base::FileType::regular) return base::unsupported("response_file: not a file: " + name);
    base::Result<std::string> text = files.read(path);
    if (!text) return base::unsupported("response_file: " + text.error().message);
    bool mark =
        text->starts_with("\xef\xbb\xbf") || text->starts_with("\xff\xfe") || text->starts_with("\xfe\xff");
    if (mark || text->find('\0') != std::string::npos) {
      return base::unsupported("response_file: not plain text: " + name);
    }
    std::vector<std::string> inside = split_response(*text);
    if (++read > kMaxFiles || out.words.size() + pending.size() + inside.size() > kMaxWords) {
      return base::unsupported("response_file: too many: " + name);
    }
    if (std::find(out.files.begin(), out.files.end(), name) == out.files.end()) out.files.push_back(name);
    pending.insert(pending.begin(), inside.begin(), inside.end());
  }
  return out;
}

}  // namespace compiler
