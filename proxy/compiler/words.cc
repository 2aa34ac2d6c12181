#include "compiler/words.h"

#include <optional>
#include <string_view>
#include <utility>

#include "compiler/flag_table.h"
#include "compiler/forwarded.h"
#include "compiler/language.h"

namespace compiler {
namespace {

// Whether clang takes this target for Microsoft's compiler, which also searches the folders of all that
// include a file, and those of a variable. Without an environment Windows is that.
bool is_msvc(std::string_view target) {
  if (target.find("msvc") != std::string_view::npos) return true;
  bool windows =
      target.find("windows") != std::string_view::npos || target.find("win32") != std::string_view::npos;
  return windows && target.find("gnu") == std::string_view::npos;
}

// One pass over the words.
class WordReader {
 public:
  WordReader(Draft& draft, const std::vector<std::string>& words) : draft_(draft), words_(words) {}

  base::Result<void> run() {
    for (at_ = 0; at_ < words_.size(); ++at_) {
      const std::string& word = words_[at_];
      if (word.empty()) return refused("empty_argument", "");
      if (word == "-") return refused("standard_input", "-");
      if (word == "--" && draft_.command.family == Family::clang) {
        push(word);
        while (++at_ < words_.size()) source(words_[at_]);
        break;
      }
      if (word[0] != '-') {
        source(word);
        continue;
      }
      if (base::Result<void> known = option(word); !known) return known;
    }
    return {};
  }

 private:
  void push(std::string text, ArgRole role = ArgRole::plain, std::uint16_t value_at = 0) {
    draft_.command.args.push_back({std::move(text), role, value_at});
  }

  void source(const std::string& word) {
    push(word, ArgRole::path);
    draft_.sources.push_back(word);
    draft_.source_language = draft_.x;
  }

  base::Result<void> unknown(const std::string& word) {
    if (has_value_characters(word)) return refused("unknown_flag", word);
    draft_.not_portable(word);
    draft_.command.dialect_args.push_back(word);
    push(word);
    return {};
  }

  base::Result<void> option(const std::string& word) {
    std::optional<Match> match = find_flag(word, draft_.command.family);
    if (!match) return unknown(word);
    const Flag& flag = *match->flag;
    if (flag.detail == "word" && has_value_characters(word)) return unknown(word);
    if (flag.does == Does::refuse && !match->negated) return refused(flag.detail, word);
    if (match->value_is_next && at_ + 1 >= words_.size()) return refused("missing_value", word);
    std::string value = match->value_is_next ? words_[at_ + 1] : word.substr(match->value_at);
    if (!flag.has(kPortable)) draft_.not_portable(word);
    if (flag.has(kDialect)) draft_.command.dialect_args.push_back(word);
    if (flag.has(kDialect) && match->value_is_next) draft_.command.dialect_args.push_back(value);

    ArgRole role = role_of(flag);
    if (match->value_is_next) {
      push(word, role == ArgRole::depfile ? role : ArgRole::plain);
      push(value, role);
      ++at_;
    } else {
      bool has_value = flag.attach != Attach::none && role != ArgRole::plain && role != ArgRole::colour;
      push(word, role, has_value ? match->value_at : std::uint16_t{0});
    }
    // Any of these may switch debug information on in some version; off, they change nothing.
    bool debug = word.starts_with("-g") && flag.detail != "off" && !word.starts_with("-gno-");
    draft_.command.traits.debug_info = draft_.command.traits.debug_info || debug;
    if (match->negated) return {};
    bool handled = mode(flag) || preprocessing(flag, value) || depfile(flag, value) ||
                   side_outputs(flag, value) || traits(flag, word, value);
    if (handled) return {};
    return handed_on(flag, word, value);
  }

  static ArgRole role_of(const Flag& flag) {
    switch (flag.does) {
      case Does::include:
      case Does::imacros:
      case Does::quote_dir:
      case Does::angle_dir:
      case Does::system_dir:
      case Does::after_dir:
      case Does::framework_dir:
      case Does::sysroot:
      case Does::header_sysroot:
      case Does::path:
      case Does::side_input:
        return ArgRole::path;
      case Does::output:
      case Does::extra_output:
        return ArgRole::output;
      case Does::prefix_map:
        return ArgRole::prefix_map;
      case Does::dep_all:
      case Does::dep_user:
      case Does::dep_file:
      case Does::dep_target:
      case Does::dep_quoted_target:
      case Does::dep_phony:
        return ArgRole::depfile;
      default:
        return flag.detail == "colour" ? ArgRole::colour : ArgRole::plain;
    }
  }

  bool mode(const Flag& flag) {
    switch (flag.does) {
      case Does::compile:
        draft_.object = true;
        return true;
      case Does::assembly:
        draft_.assembly = true;
        return true;
      case Does::syntax_only:
        draft_.syntax_only = true;
        return true;
      default:
        return false;
    }
  }

  bool preprocessing(const Flag& flag, const std::string& value) {
    Command& command = draft_.command;
    switch (flag.does) {
      case Does::define:
        command.macros.push_back({false, value});
        return true;
      case Does::undefine:
        command.macros.push_back({true, value});
        return true;
      case Does::include:
        command.forced.push_back({value, false});
        return true;
      case Does::imacros:
        command.forced.push_back({value, true});
        return true;
      case Does::quote_dir:
        command.search.push_back({SearchDir::Kind::quote, value});
        return true;
      case Does::angle_dir:
        command.search.push_back({SearchDir::Kind::angle, value});
        return true;
      case Does::system_dir:
        command.search.push_back({SearchDir::Kind::system, value});
        return true;
      case Does::after_dir:
        command.search.push_back({SearchDir::Kind::after, value});
        return true;
      case Does::framework_dir:
        command.search.push_back({SearchDir::Kind::framework, value});
        return true;
      case Does::sysroot:
        draft_.sysroot = value;
        return true;
      case Does::header_sysroot:
        draft_.header_sysroot = value;
        return true;
      default:
        return false;
    }
  }

  bool depfile(const Flag& flag, const std::string& value) {
    switch (flag.does) {
      case Does::dep_all:
        draft_.depfile.all = true;
        return true;
      case Does::dep_user:
        draft_.depfile.user = true;
        return true;
      case Does::dep_phony:
        draft_.depfile.phony = true;
        return true;
      case Does::dep_file:
        draft_.depfile.file = value;
        return true;
      case Does::dep_target:
        draft_.depfile.targets.emplace_back(false, value);
        return true;
      case Does::dep_quoted_target:
        draft_.depfile.targets.emplace_back(true, value);
        return true;
      default:
        return false;
    }
  }

  bool side_outputs(const Flag& flag, const std::string& value) {
    OutputOptions& outputs = draft_.outputs;
    switch (flag.does) {
      case Does::extra_output:
        outputs.named.push_back({value, true, std::string(flag.detail)});
        // The entry that -MJ writes quotes every argument.
        if (flag.detail == "compilation_database") draft_.command.traits.records_command_line = true;
        return true;
      case Does::aux_output:
        outputs.suffixes.push_back(flag.detail);
        return true;
      case Does::coverage:
        outputs.coverage = true;
        return true;
      case Does::time_trace:
        outputs.time_trace = true;
        return true;
      case Does::optimization_record:
        outputs.optimization_record = true;
        return true;
      case Does::lto:
        outputs.lto = flag.detail != "off";
        return true;
      case Does::emit_llvm:
        outputs.emit_llvm = true;
        return true;
      case Does::split_dwarf:
        // "single" puts the split part into the object itself.
        outputs.split_dwarf = flag.detail != "off" && value != "single";
        return true;
      case Does::save_temps:
        outputs.temporaries = place_of(value);
        return true;
      case Does::save_stats:
        outputs.statistics = value == "obj" ? Place::beside_output : Place::working_directory;
        return true;
      default:
        return false;
    }
  }

  // Bare -save-temps is "obj" for gcc, where -o names a folder, and "cwd" for clang.
  Place place_of(const std::string& value) const {
    bool bare_beside = value.empty() && draft_.command.family == Family::gcc;
    return bare_beside || value == "obj" ? Place::beside_output : Place::working_directory;
  }

  bool traits(const Flag& flag, const std::string& word, const std::string& value) {
    Traits& traits = draft_.command.traits;
    switch (flag.does) {
      case Does::debug:
        draft_.outputs.debug = flag.detail != "off";
        return true;
      case Does::records_command:
        traits.records_command_line = true;
        return true;
      case Does::cpu:
        traits.native_cpu = traits.native_cpu || value == "native" || value.starts_with("native+");
        return true;
      case Does::verbose_assembly:
        draft_.verbose_assembly = true;
        return true;
      case Does::side_input:
        draft_.command.side_inputs.push_back({value});
        return true;
      case Does::path:
        return true;
      case Does::nothing:
        if (word.starts_with("-O")) draft_.optimizes = word != "-O0";
        return true;
      default:
        return false;
    }
  }

  base::Result<void> preprocessor_list(const std::string& word, const std::string& value) {
    std::vector<std::string> parts = split_commas(value);
    bool depfile = value.starts_with("-M");
    for (std::string& part : parts) {
      // A word is either about the depfile, and may be replaced, or about the text.
      bool option = part.starts_with("-");
      if (option && part.starts_with("-M") != depfile) return refused("depfile_form", word);
      draft_.preprocessor_words.push_back(std::move(part));
    }
    if (depfile) {
      draft_.command.args.back().role = ArgRole::depfile;
      draft_.command.args.back().value_at = static_cast<std::uint16_t>(word.size() - value.size());
    }
    return {};
  }

  base::Result<void> handed_on(const Flag& flag, const std::string& word, const std::string& value) {
    switch (flag.does) {
      case Does::output:
        if (draft_.outputs.output) return refused("several_outputs", value);
        if (value == "-" || value.empty()) return refused("output_to_stdout", word);
        draft_.outputs.output = value;
        return {};
      case Does::language: {
        if (value == "none") {
          draft_.x.reset();
          return {};
        }
        base::Result<Language> language = language_of_x(value);
        if (!language) return language.error();
        draft_.x = *language;
        return {};
      }
      case Does::prefix_map:
        if (value.find('=') == std::string::npos) return refused("prefix_map", word);
        return {};
      case Does::target:
        if (is_msvc(value)) return refused("ms_compatibility", value);
        return {};
      case Does::exec_charset:
        // With a transliteration the country of the locale counts, and not its character set alone.
        if (value.find("//") != std::string::npos) return refused("exec_charset", word);
        return {};
      case Does::for_preprocessor_list:
        return preprocessor_list(word, value);
      case Does::for_preprocessor:
        // A depfile whose name is a word of its own could not be told from other words later.
        if (value.starts_with("-M")) return refused("depfile_form", word + " " + value);
        draft_.preprocessor_words.push_back(value);
        return {};
      case Does::for_clang:
        draft_.clang_words.push_back(value);
        return {};
      case Does::for_assembler_list:
        return apply_assembler_words(draft_, split_commas(value));
      case Does::for_assembler:
        return apply_assembler_words(draft_, {value});
      case Does::for_llvm:
        return apply_llvm_word(draft_, value);
      default:
        return refused("unknown_flag", word);
    }
  }

  Draft& draft_;
  const std::vector<std::string>& words_;
  std::size_t at_ = 0;
};

}  // namespace

base::Result<void> read_words(Draft& draft, const std::vector<std::string>& words) {
  return WordReader(draft, words).run();
}

}  // namespace compiler
