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
  for (NodeId file : wanted.empty() ? std::vector<NodeId>() : files) {
    auto names = lists.text_names(file, mode);
    if (!names) return names.error();
    for (Id id : wanted) {
      std::string name(lists.vocabulary().names.name(id));
      if (std::binary_search((*names)->begin(), (*names)->end(), name)) return true;
    }
  }
  return false;
}

}  // namespace inputs
