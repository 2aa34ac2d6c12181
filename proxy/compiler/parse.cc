#include "compiler/parse.h"

#include <optional>

#include "compiler/depfile.h"
#include "compiler/draft.h"
#include "compiler/environment.h"
#include "compiler/family.h"
#include "compiler/flag_table.h"
#include "compiler/forwarded.h"
#include "compiler/language.h"
#include "compiler/outputs.h"
#include "compiler/response_file.h"
#include "compiler/search_path.h"

namespace compiler {
namespace {

base::Error refused(std::string_view label, std::string_view word) {
  return base::unsupported(std::string(label) + ": " + std::string(word));
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
    source_language_ = draft_.x;
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
        traits.debug_info = traits.debug_info || draft_.outputs.debug;
        return true;
      case Does::records_command:
        traits.records_command_line = true;
        return true;
      case Does::cpu:
        traits.native_cpu = traits.native_cpu || value == "native";
        return true;
      case Does::verbose_assembly:
        draft_.verbose_assembly = true;
        return true;
      case Does::side_input:
        draft_.command.side_inputs.push_back(value);
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
      case Does::for_preprocessor_list:
        for (std::string& part : split_commas(value)) draft_.preprocessor_words.push_back(std::move(part));
        if (value.starts_with("-M")) draft_.command.args.back().role = ArgRole::depfile;
        return {};
      case Does::for_preprocessor:
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

 public:
  // The -x in force at the last source.
  std::optional<Language> source_language() const { return source_language_; }

 private:
  Draft& draft_;
  const std::vector<std::string>& words_;
  std::size_t at_ = 0;
  std::optional<Language> source_language_;
};

base::Result<void> settle_source(Draft& draft, std::optional<Language> x) {
  Command& command = draft.command;
  if (!draft.object && !draft.assembly && !draft.syntax_only) return refused("not_a_compile", "no -c");
  if (draft.sources.empty()) return refused("no_source", "");
  if (draft.sources.size() > 1) return refused("several_sources", draft.sources[1]);
  command.source = draft.sources[0];
  if (command.source.starts_with("@")) return refused("response_file", command.source);
  if (command.source.starts_with("/dev/")) return refused("standard_input", command.source);
  // Both families let the mode that does least win.
  command.mode = draft.syntax_only ? Mode::syntax_only : draft.assembly ? Mode::assembly : Mode::object;
  if (x) {
    command.language = *x;
    return {};
  }
  bool cxx = is_cxx_driver(command.compiler, command.family);
  base::Result<Language> language = language_of_source(command.source, command.family, cxx);
  if (!language) return language.error();
  command.language = *language;
  return {};
}

// What makes the bytes depend on the folder without a single option being the reason.
void settle_portability(Draft& draft) {
  const Command& command = draft.command;
  bool gcc = command.family == Family::gcc;
  bool assembler = command.language == Language::assembler || command.language == Language::assembler_cpp;
  if (assembler && command.traits.debug_info) draft.not_portable("-g of an assembler source");
  if (gcc && command.mode == Mode::assembly && draft.verbose_assembly) draft.not_portable("-fverbose-asm");
  if (draft.outputs.split_dwarf) {
    const std::optional<std::string>& output = draft.outputs.output;
    if (gcc && draft.optimizes) draft.not_portable("-gsplit-dwarf with -O");
    if (!gcc && (!output || output->starts_with("/"))) draft.not_portable("-gsplit-dwarf with absolute -o");
  }
  if (command.traits.records_command_line) draft.not_portable("recorded command line");
}

base::Result<Command> settle(Draft& draft) {
  Command& command = draft.command;
  if (base::Result<void> done = apply_preprocessor_words(draft); !done) return done.error();
  if (base::Result<void> done = apply_clang_words(draft); !done) return done.error();
  if (base::Result<void> done = apply_sysroot(draft); !done) return done.error();
  base::Result<Depfile> depfile = derive_depfile(command, draft.depfile, draft.outputs.output);
  if (!depfile) return depfile.error();
  command.depfile = *depfile;
  command.traits.wants_system_headers = depfile->kind == Depfile::Kind::all;
  if (depfile->kind != Depfile::Kind::none) {
    draft.outputs.named.push_back({depfile->path, true, "depfile"});
  }
  base::Result<std::vector<Output>> outputs = derive_outputs(command, draft.outputs);
  if (!outputs) return outputs.error();
  command.outputs = *outputs;
  settle_portability(draft);
  return std::move(command);
}

}  // namespace

base::Result<Command> parse(const CommandLine& line, base::Files& files) {
  if (base::Result<std::vector<std::string>> env = key_environment(line.env); !env) return env.error();
  base::Result<Family> family = family_of_name(line.compiler);
  if (!family) return family.error();
  if (line.argv.empty()) return refused("no_source", "");

  std::vector<std::string> typed(line.argv.begin() + 1, line.argv.end());
  base::Result<ExpandedWords> expanded = expand_response_files(typed, line.directory, files);
  if (!expanded) return expanded.error();

  Draft draft;
  draft.command.compiler = line.compiler;
  draft.command.directory = line.directory;
  draft.command.family = *family;
  draft.command.side_inputs = std::move(expanded->files);
  WordReader reader(draft, expanded->words);
  if (base::Result<void> read = reader.run(); !read) return read.error();
  if (base::Result<void> done = settle_source(draft, reader.source_language()); !done) return done.error();
  return settle(draft);
}

}  // namespace compiler
