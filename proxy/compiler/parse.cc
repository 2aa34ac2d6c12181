#include "compiler/parse.h"

#include <optional>

#include "compiler/depfile.h"
#include "compiler/draft.h"
#include "compiler/environment.h"
#include "compiler/family.h"
#include "compiler/forwarded.h"
#include "compiler/language.h"
#include "compiler/outputs.h"
#include "compiler/response_file.h"
#include "compiler/search_path.h"
#include "compiler/words.h"

namespace compiler {
namespace {

base::Result<void> settle_source(Draft& draft) {
  Command& command = draft.command;
  if (!draft.object && !draft.assembly && !draft.syntax_only) return refused("not_a_compile", "no -c");
  if (draft.sources.empty()) return refused("no_source", "");
  if (draft.sources.size() > 1) return refused("several_sources", draft.sources[1]);
  command.source = draft.sources[0];
  if (command.source.starts_with("@")) return refused("response_file", command.source);
  if (command.source.starts_with("/dev/")) return refused("standard_input", command.source);
  // Both families let the mode that does least win.
  command.mode = draft.syntax_only ? Mode::syntax_only : draft.assembly ? Mode::assembly : Mode::object;
  if (draft.source_language) {
    command.language = *draft.source_language;
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

// Apple's SDKs say of themselves for which version of the system they are; clang reads it for such targets.
void note_sdk(Draft& draft, const std::vector<std::string>& env) {
  if (draft.command.family != Family::clang) return;
  std::string root = draft.header_sysroot.empty() ? draft.sysroot : draft.header_sysroot;
  if (root.empty()) root = variable(env, "SDKROOT").value_or("");
  if (!root.empty()) draft.command.side_inputs.push_back({root + "/SDKSettings.json", false});
}

base::Result<Command> settle(Draft& draft) {
  Command& command = draft.command;
  if (command.family == Family::gcc) order_driver_targets(draft.depfile);
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
  for (std::string& file : expanded->files) draft.command.side_inputs.push_back({std::move(file)});
  if (base::Result<void> read = read_words(draft, expanded->words); !read) return read.error();
  if (base::Result<void> done = settle_source(draft); !done) return done.error();
  note_sdk(draft, line.env);
  return settle(draft);
}

}  // namespace compiler
