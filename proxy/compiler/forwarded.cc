#include "compiler/forwarded.h"

#include <optional>

namespace compiler {
namespace {

// A directory option as -IDIR or -I DIR; nothing for other options.
std::optional<SearchDir::Kind> directory_kind(Does does) {
  switch (does) {
    case Does::quote_dir:
      return SearchDir::Kind::quote;
    case Does::angle_dir:
      return SearchDir::Kind::angle;
    case Does::system_dir:
      return SearchDir::Kind::system;
    case Does::after_dir:
      return SearchDir::Kind::after;
    default:
      return std::nullopt;
  }
}

// Applies a macro, a directory or a forced include. False when the option is none of these.
bool apply_preprocessing(Draft& draft, Does does, const std::string& value) {
  Command& command = draft.command;
  if (std::optional<SearchDir::Kind> kind = directory_kind(does)) {
    command.search.push_back({*kind, value});
    draft.not_portable("handed-on path");
    return true;
  }
  switch (does) {
    case Does::define:
      command.macros.push_back({false, value});
      return true;
    case Does::undefine:
      command.macros.push_back({true, value});
      return true;
    case Does::include:
    case Does::imacros:
      command.forced.push_back({value, does == Does::imacros});
      draft.not_portable("handed-on path");
      return true;
    default:
      return false;
  }
}

// The value of `words[i]`, which matched; `i` is moved to the value when it is the next word.
std::optional<std::string> value_of(const std::vector<std::string>& words, std::size_t& i,
                                    const Match& match) {
  if (!match.value_is_next) return words[i].substr(match.value_at);
  if (i + 1 >= words.size()) return std::nullopt;
  return words[++i];
}

}  // namespace

bool has_value_characters(std::string_view word) {
  return word.find_first_of("/.=@,") != std::string_view::npos;
}

std::vector<std::string> split_commas(std::string_view list) {
  std::vector<std::string> words;
  while (true) {
    std::size_t comma = list.find(',');
    words.emplace_back(list.substr(0, comma));
    if (comma == std::string_view::npos) return words;
    list.remove_prefix(comma + 1);
  }
}

base::Result<void> apply_preprocessor_words(Draft& draft) {
  const std::vector<std::string>& words = draft.preprocessor_words;
  DepfileOptions& depfile = draft.depfile;
  bool gcc = draft.command.family == Family::gcc;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::optional<Match> match = find_flag(words[i], draft.command.family);
    if (!match || match->negated) return refused("preprocessor_flag", words[i]);
    Does does = match->flag->does;
    const std::string& word = words[i];
    if (does == Does::dep_all || does == Does::dep_user) {
      // Unlike the driver's, the preprocessor's own -MD takes the file. clang knows this form alone.
      bool first = !depfile.all && !depfile.user;
      bool alone = gcc || words.size() == 2;
      if (!first || !alone || i + 1 >= words.size()) return refused("depfile_form", word);
      (does == Does::dep_all ? depfile.all : depfile.user) = true;
      depfile.file_by_preprocessor = words[++i];
      continue;
    }
    if (does == Does::dep_phony && gcc) {
      depfile.phony = true;
      continue;
    }
    std::optional<std::string> value = value_of(words, i, *match);
    if (!value) return refused("preprocessor_flag", word);
    if (gcc && (does == Does::dep_target || does == Does::dep_quoted_target)) {
      depfile.targets.emplace_back(does == Does::dep_quoted_target, *value);
      continue;
    }
    if (!apply_preprocessing(draft, does, *value)) return refused("preprocessor_flag", word);
  }
  return {};
}

base::Result<void> apply_clang_words(Draft& draft) {
  const std::vector<std::string>& words = draft.clang_words;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    std::optional<Match> match = find_flag(word, Family::clang);
    if (match && !match->negated) {
      Does does = match->flag->does;
      std::size_t at = i;
      std::optional<std::string> value = value_of(words, at, *match);
      if (value && apply_preprocessing(draft, does, *value)) {
        i = at;
        continue;
      }
      bool directory =
          word.starts_with("-fdebug-compilation-dir") || word.starts_with("-fcoverage-compilation-dir");
      if (value && directory) {
        i = at;
        draft.not_portable("-Xclang " + word);
        continue;
      }
    }
    if (word == "-mllvm" && i + 1 < words.size()) {
      if (base::Result<void> known = apply_llvm_word(draft, words[++i]); !known) return known;
      continue;
    }
    // What is left is taken as it is when it can name neither a file nor take the next word for its value.
    bool plain = (word.starts_with("-f") || word.starts_with("-W") || word.starts_with("-disable-")) &&
                 !has_value_characters(word);
    bool known_plain = !match || match->flag->does == Does::nothing;
    if (!plain || !known_plain) return refused("clang_flag", word);
    draft.not_portable("-Xclang " + word);
    draft.command.dialect_args.push_back("-Xclang");
    draft.command.dialect_args.push_back(word);
  }
  return {};
}

base::Result<void> apply_llvm_word(Draft& draft, std::string_view word) {
  // LLVM has a few hundred options, unversioned. Those that write files say so in their names.
  constexpr std::string_view kSuspicious[] = {
      "file", "output", "dir",    "path", "report", "dump", "dot-",  "view", "stats", "save",   "write",
      "emit", "load",   "plugin", "read", "input",  "list", "print", "time", "track", "replay", "model"};
  std::string_view name = word.substr(0, word.find('='));
  std::string_view value = name.size() < word.size() ? word.substr(name.size() + 1) : "";
  bool refuse = !word.starts_with("-") || has_value_characters(name) || has_value_characters(value);
  for (std::string_view part : kSuspicious) refuse = refuse || name.find(part) != std::string_view::npos;
  if (refuse) return refused("mllvm", std::string(word));
  draft.not_portable("-mllvm " + std::string(word));
  return {};
}

base::Result<void> apply_assembler_words(Draft& draft, const std::vector<std::string>& words) {
  constexpr std::string_view kPlain[] = {
      "--noexecstack",
      "--execstack",
      "--fatal-warnings",
      "--no-warn",
      "--warn",
      "--32",
      "--64",
      "--x32",
      "--keep-locals",
      "--strip-local-absolute",
      "--divide",
      "-W",
      "-L",
      "-k",
      "-K",
      "-n",
      "-mrelax-all",
      "-Qy",
      "-Qn",
      "--reduce-memory-overheads",
  };
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    bool plain = word.starts_with("--compress-debug-sections") || word.starts_with("--nocompress-debug") ||
                 word.starts_with("-mrelax-relocations=") || word.starts_with("-march=") ||
                 word.starts_with("-mcpu=") || word.starts_with("-mfpu=") || word.starts_with("-mtune=");
    for (std::string_view known : kPlain) plain = plain || known == word;
    if (plain) continue;
    bool debug = word == "-g" || word.starts_with("--g") || word.starts_with("-gdwarf");
    if (debug && !has_value_characters(word)) {
      draft.command.traits.debug_info = true;
      if (draft.command.family == Family::gcc) draft.not_portable("-Wa," + word);
      continue;
    }
    draft.not_portable("-Wa," + word);
    if (word.starts_with("-a") && draft.command.family == Family::gcc) {
      std::size_t equals = word.find('=');
      if (equals != std::string::npos) {
        // Of two listings the assembler writes the last.
        for (const Output& output : draft.outputs.named) {
          if (output.kind == "listing") return refused("assembler_flag", word);
        }
        draft.outputs.named.push_back({word.substr(equals + 1), true, "listing"});
      }
      continue;
    }
    if (word == "--defsym" && i + 1 < words.size()) {
      ++i;
      continue;
    }
    return refused("assembler_flag", word);
  }
  return {};
}

}  // namespace compiler
