#include "compiler/outputs.h"

#include <algorithm>

#include "base/path.h"

namespace compiler {
namespace {

// "a/b" of "a/b.o": what the names beside the output begin with.
std::string without_extension(const std::string& path) {
  std::string_view base = base::base_name(path);
  return path.substr(0, path.size() - base.size()) + std::string(base::stem(base));
}

bool is_assembler(Language language) {
  return language == Language::assembler || language == Language::assembler_cpp;
}

// What -save-temps calls the preprocessed source; empty when nothing is preprocessed.
std::string_view preprocessed_suffix(Language language) {
  switch (language) {
    case Language::c:
      return ".i";
    case Language::cxx:
      return ".ii";
    case Language::objc:
      return ".mi";
    case Language::objcxx:
      return ".mii";
    case Language::assembler_cpp:
      return ".s";
    default:
      return "";
  }
}

class Deriver {
 public:
  Deriver(const Command& command, const OutputOptions& options)
      : command_(command),
        options_(options),
        main_(main_output(command, options)),
        stem_(options.output ? without_extension(*options.output)
                             : std::string(base::stem(base::base_name(command.source)))) {}

  base::Result<std::vector<Output>> run() {
    if (base::Result<void> known = check(); !known) return known.error();
    if (!main_.empty()) add(main_, true, command_.mode == Mode::object ? "object" : "assembly");
    for (const Output& output : options_.named) outputs_.push_back(output);
    if (command_.family == Family::gcc) {
      gcc();
    } else {
      clang();
    }
    auto by_path = [](const Output& a, const Output& b) { return a.path < b.path; };
    std::sort(outputs_.begin(), outputs_.end(), by_path);
    bool nameless = !outputs_.empty() && outputs_.front().path.empty();
    if (nameless) return base::unsupported("outputs: the name of one is empty");
    auto same = [](const Output& a, const Output& b) { return a.path == b.path; };
    auto twice = std::adjacent_find(outputs_.begin(), outputs_.end(), same);
    if (twice != outputs_.end()) return base::unsupported("outputs: two write " + twice->path);
    return std::move(outputs_);
  }

 private:
  bool beside() const {
    return !options_.suffixes.empty() || options_.coverage || options_.time_trace || options_.split_dwarf ||
           options_.optimization_record || options_.emit_llvm || options_.temporaries != Place::none ||
           options_.statistics != Place::none;
  }

  base::Result<void> check() const {
    // Where nothing is generated both families still write some of these, under other names.
    if (command_.mode == Mode::syntax_only && beside()) {
      return base::unsupported("outputs: extra files of -fsyntax-only");
    }
    bool clang = command_.family == Family::clang;
    if (clang && command_.mode == Mode::assembly && options_.split_dwarf && options_.debug) {
      return base::unsupported("outputs: -S with -gsplit-dwarf");
    }
    // These belong to generated code, which a fat object has and another has not.
    if (options_.lto && (!options_.suffixes.empty() || (clang && options_.split_dwarf))) {
      return base::unsupported("outputs: -flto with extra files");
    }
    if (options_.emit_llvm && beside_without_llvm()) {
      return base::unsupported("outputs: -emit-llvm with extra files");
    }
    return {};
  }

  bool beside_without_llvm() const {
    return options_.split_dwarf || options_.temporaries != Place::none || options_.statistics != Place::none;
  }

  void add(std::string path, bool required, std::string kind) {
    outputs_.push_back({std::move(path), required, std::move(kind)});
  }

  void gcc() {
    if (options_.split_dwarf && command_.mode == Mode::object) add(stem_ + ".dwo", true, "dwo");
    bool compiled = !is_assembler(command_.language);
    if (compiled) {
      for (std::string_view suffix : options_.suffixes) {
        add(stem_ + std::string(suffix), true, std::string(suffix.substr(1)));
      }
      if (options_.coverage) add(stem_ + ".gcno", true, "gcno");
      if (options_.optimization_record) {
        std::string extension(base::extension(command_.source));
        add(stem_ + extension + ".opt-record.json.gz", true, "opt_record");
      }
    }
    temporaries(std::string(base::base_name(stem_)));
  }

  void clang() {
    bool object = command_.mode == Mode::object;
    bool compiled = !is_assembler(command_.language);
    if (options_.split_dwarf && object && (options_.debug || !compiled)) add(stem_ + ".dwo", true, "dwo");
    if (compiled) {
      for (std::string_view suffix : options_.suffixes) {
        add(stem_ + std::string(suffix), false, std::string(suffix.substr(1)));
      }
      if (options_.coverage) add(stem_ + ".gcno", true, "gcno");
      if (options_.time_trace) add(stem_ + ".json", true, "time_trace");
      if (options_.optimization_record) add(stem_ + ".opt.yaml", true, "opt_record");
    }
    std::string source_stem(base::stem(base::base_name(command_.source)));
    if (options_.statistics != Place::none) {
      add(directory_of(options_.statistics) + source_stem + ".stats", false, "stats");
    }
    temporaries(source_stem);
  }

  std::string directory_of(Place place) const {
    if (place != Place::beside_output || !options_.output) return "";
    return options_.output->substr(0, options_.output->size() - base::base_name(*options_.output).size());
  }

  void temporaries(const std::string& name) {
    if (options_.temporaries == Place::none) return;
    std::string prefix = directory_of(options_.temporaries) + name;
    std::string_view suffix = preprocessed_suffix(command_.language);
    if (!suffix.empty()) add(prefix + std::string(suffix), true, "temporary");
    if (is_assembler(command_.language)) return;
    if (command_.family == Family::clang && !suffix.empty()) add(prefix + ".bc", true, "temporary");
    if (command_.mode == Mode::object) add(prefix + ".s", true, "temporary");
  }

  const Command& command_;
  const OutputOptions& options_;
  const std::string main_;
  const std::string stem_;
  std::vector<Output> outputs_;
};

}  // namespace

std::string main_output(const Command& command, const OutputOptions& options) {
  if (command.mode == Mode::syntax_only) return "";
  if (options.output) return *options.output;
  std::string stem(base::stem(base::base_name(command.source)));
  if (command.mode == Mode::object) return stem + (options.emit_llvm ? ".bc" : ".o");
  return stem + (options.emit_llvm ? ".ll" : ".s");
}

base::Result<std::vector<Output>> derive_outputs(const Command& command, const OutputOptions& options) {
  return Deriver(command, options).run();
}

}  // namespace compiler
