#include "compiler/probe_text.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/path.h"
#include "compiler/text.h"

namespace compiler {
namespace {

// Macros that a preprocessor handles itself and does not list.
constexpr std::string_view kHiddenNames[] = {
    "__has_include",
    "__has_include_next",
    "__has_include__",
    "__has_include_next__",
    "__has_embed",
    "__has_builtin",
    "__has_constexpr_builtin",
    "__has_attribute",
    "__has_cpp_attribute",
    "__has_c_attribute",
    "__has_declspec_attribute",
    "__has_feature",
    "__has_extension",
    "__has_warning",
    "__is_identifier",
    "__is_target_arch",
    "__is_target_vendor",
    "__is_target_os",
    "__is_target_environment",
    "__is_target_variant_os",
    "__is_target_variant_environment",
    "__building_module",
    "__MODULE__",
    "__COUNTER__",
    "__INCLUDE_LEVEL__",
    "__BASE_FILE__",
    "__FILE_NAME__",
    "__FILE__",
    "__LINE__",
    "__DATE__",
    "__TIME__",
    "__TIMESTAMP__",
    "__FLT_EVAL_METHOD__",
    "_Pragma",
    "__pragma",
    "__identifier",
};

// No compiler has a directive or a macro that begins so, and no assembler dialect lexes it otherwise.
constexpr std::string_view kMark = "goma_probe_";

bool is_separator(char c) { return c == ' ' || c == '\t' || c == '('; }

// The file of a line marker, `# 1 "/usr/include/x.h" 1 3`; empty for other lines.
std::string_view marked_file(std::string_view line) {
  if (!line.starts_with("# ")) return "";
  std::size_t open = line.find('"');
  std::size_t close = line.rfind('"');
  if (open == std::string_view::npos || close <= open) return "";
  return line.substr(open + 1, close - open - 1);
}

// The macro's name in "#define NAME(x) BODY" or "#undef NAME".
std::string_view macro_name(std::string_view line, std::string_view directive) {
  std::string_view rest = line.substr(directive.size());
  auto end = std::find_if(rest.begin(), rest.end(), is_separator);
  return rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
}

std::int64_t number_or_none(std::string_view text) {
  while (!text.empty() && is_separator(text.front())) text.remove_prefix(1);
  std::int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return kNoAnswer;
  // Dates such as 201907L carry a suffix.
  std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  rest = rest.substr(0, rest.find_last_not_of(" \t\r)") + 1);
  bool suffix = rest.find_first_not_of("lLuU") == std::string_view::npos;
  return suffix ? value : kNoAnswer;
}

}  // namespace

std::string hidden_names_source() {
  std::string out;
  for (std::string_view name : kHiddenNames) {
    out += "#ifdef " + std::string(name) + "\n" + std::string(kMark) + "name_" + std::string(name) +
           "_\n#endif\n";
  }
  return out + std::string(kMark) + "end\n";
}

ProbedText read_probe(std::string_view output) {
  ProbedText out;
  std::vector<std::pair<std::string_view, std::string_view>> defines;  // name, line
  std::map<std::string_view, std::size_t> place;
  std::string name_mark = std::string(kMark) + "name_";
  std::string end_mark = std::string(kMark) + "end";
  bool built_in = false;
  for (std::string_view line : split(output, '\n')) {
    if (std::string_view file = marked_file(line); !file.empty()) {
      built_in = file == "<built-in>" || file == "<command-line>" || file == "<command line>";
      out.saw_stdc_predef = out.saw_stdc_predef || base::base_name(file) == "stdc-predef.h";
    } else if (line.starts_with(name_mark) && line.ends_with("_")) {
      out.builtin_names.emplace_back(line.substr(name_mark.size(), line.size() - name_mark.size() - 1));
    } else if (line.starts_with(end_mark)) {
      out.complete = true;
    } else if (built_in && line.starts_with("#define ")) {
      std::string_view name = macro_name(line, "#define ");
      auto [found, fresh] = place.emplace(name, defines.size());
      if (fresh) {
        defines.emplace_back(name, line);
      } else {
        defines[found->second].second = line;
      }
    } else if (built_in && line.starts_with("#undef ")) {
      auto found = place.find(macro_name(line, "#undef "));
      if (found != place.end()) defines[found->second].second = "";
    }
  }
  for (const auto& [name, line] : defines) {
    if (!line.empty()) out.predefined += std::string(line) + "\n";
  }
  return out;
}

ProbedPath read_search_path(std::string_view messages) {
  constexpr std::string_view kFramework = " (framework directory)";
  constexpr std::string_view kNonexistent = "ignoring nonexistent directory \"";
  constexpr std::string_view kInstallations[] = {"Found candidate GCC installation: ",
                                                 "Selected GCC installation: "};
  ProbedPath out;
  bool listing = false;
  for (std::string_view line : split(messages, '\n')) {
    if (line.starts_with(kNonexistent)) {
      line.remove_prefix(kNonexistent.size());
      out.nonexistent.emplace_back(line.substr(0, line.rfind('"')));
    } else if (line.starts_with("#include ") && line.ends_with("starts here:")) {
      // The quote part is empty: the probe runs without the command's own directories.
      listing = line.starts_with("#include <");
    } else if (line.starts_with("End of search list.")) {
      listing = false;
      out.complete = true;
    } else if (listing && line.starts_with(" ")) {
      line.remove_prefix(1);
      bool framework = line.ends_with(kFramework);
      if (framework) line.remove_suffix(kFramework.size());
      out.directories.push_back({std::string(line), framework});
    }
    for (std::string_view heading : kInstallations) {
      if (!line.starts_with(heading)) continue;
      // Another version beside this one, or another target, would be preferred.
      std::string_view version = base::directory_name(line.substr(heading.size()));
      out.installations.emplace_back(version);
      out.installations.emplace_back(base::directory_name(version));
    }
  }
  return out;
}

bool is_well_formed(std::string_view question) {
  int depth = 0;
  char quote = 0;
  for (std::size_t i = 0; i < question.size(); ++i) {
    char c = question[i];
    if (c == '\n' || c == '\r' || c == '\0' || c == '\\' || c == '#') return false;
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')') {
      if (--depth < 0) return false;
    } else if (c == '/' && i + 1 < question.size() && (question[i + 1] == '/' || question[i + 1] == '*')) {
      return false;
    }
  }
  return depth == 0 && quote == 0;
}

std::string questions_source(const std::vector<Question>& questions) {
  std::string out;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    out += std::string(kMark) + std::to_string(i) + " " + questions[i] + "\n";
  }
  return out;
}

std::vector<std::int64_t> read_answers(std::string_view output, std::size_t count) {
  std::vector<std::int64_t> answers(count, kNoAnswer);
  for (std::string_view line : split(output, '\n')) {
    if (!line.starts_with(kMark)) continue;
    line.remove_prefix(kMark.size());
    std::size_t index = 0;
    auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), index);
    if (error != std::errc{} || index >= count) continue;
    answers[index] = number_or_none(line.substr(static_cast<std::size_t>(end - line.data())));
  }
  return answers;
}

}  // namespace compiler
