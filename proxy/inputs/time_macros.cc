#include "inputs/time_macros.h"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>

namespace inputs {
namespace {

bool mentions_any(std::string_view body, const std::unordered_set<Id>& wanted, Lists& lists) {
  const Identifiers& names = lists.vocabulary().names;
  return std::any_of(wanted.begin(), wanted.end(), [&](Id id) { return has_word(body, names.name(id)); });
}

bool pastes(const Macro& macro) {
  return macro.replacement.find("##") != std::string_view::npos ||
         macro.replacement.find("%:%:") != std::string_view::npos;
}

bool any_pastes(const std::vector<const Macro*>& macros) {
  return std::any_of(macros.begin(), macros.end(), [](const Macro* macro) { return pastes(*macro); });
}

// Whether a word of `body` is a proper beginning of `name`.
bool has_beginning(std::string_view body, std::string_view name) {
  for (std::size_t size = 3; size < name.size(); ++size) {
    if (has_word(body, name.substr(0, size))) return true;
  }
  return false;
}

}  // namespace

base::Result<bool> uses_time_macro(const std::vector<NodeId>& files, Lists& lists, const LexMode& mode,
                                   bool timestamp_only) {
  std::vector<const Macro*> macros;
  std::vector<std::shared_ptr<const DirectiveList>> kept;
  std::unordered_set<Id> wanted;
  for (NodeId file : files) {
    auto list = lists.of(file, mode);
    if (!list) return list.error();
    kept.push_back(*list);
    for (const Directive& item : (*list)->items) {
      if (item.kind != DirectiveKind::define) continue;
      macros.push_back(item.macro);
      if (!item.macro->mentions_time) continue;
      if (timestamp_only && !has_word(item.macro->replacement, "__TIMESTAMP__")) continue;
      wanted.insert(item.id);
    }
  }
  // Macros that mention such a macro count too, and so on.
  for (bool more = !wanted.empty(); more;) {
    more = false;
    for (const Macro* macro : macros) {
      if (wanted.count(macro->name) != 0 || !mentions_any(macro->replacement, wanted, lists)) continue;
      more = wanted.insert(macro->name).second;
    }
  }
  std::vector<std::string> sought;
  for (Id id : wanted) {
    std::string name(lists.vocabulary().names.name(id));
    sought.push_back(name);
    if (!any_pastes(macros)) continue;
    // A pasted name never stands in the text as a whole; its beginning does, there or in a macro's body.
    for (std::size_t size = 3; size < name.size(); ++size) sought.push_back(name.substr(0, size));
    for (const Macro* macro : macros) {
      if (pastes(*macro) && has_beginning(macro->replacement, name)) return true;
    }
  }
  for (NodeId file : wanted.empty() ? std::vector<NodeId>() : files) {
    auto names = lists.text_names(file, mode);
    if (!names) return names.error();
    for (const std::string& name : sought) {
      if (std::binary_search((*names)->begin(), (*names)->end(), name)) return true;
    }
  }
  return false;
}

}  // namespace inputs
