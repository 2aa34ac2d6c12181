#include "task/cached.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/path.h"
#include "remote/depfile_text.h"
#include "task/colour.h"

namespace task {
namespace {

const cache::OutputFile* find_output(const cache::Outcome& outcome, const std::string& action_path) {
  for (const cache::OutputFile& file : outcome.files) {
    if (file.path == action_path) return &file;
  }
  return nullptr;
}

// A depfile as this checkout's compiler would lay it out.
base::Result<std::string> local_depfile(const Unit& unit, std::string_view stored) {
  if (!unit.portable) return std::string(stored);
  base::Result<remote::DepfileText> rule = remote::parse_depfile(stored);
  if (!rule) return rule.error();
  for (std::string& path : rule->dependencies) path = remote::from_alias(path, unit.roots);
  for (std::string& target : rule->targets) target = remote::from_alias(target, unit.roots);
  return remote::make_depfile(*rule, unit.family);
}

base::Result<OutputText> output_text(const Task& task, const Unit& unit, const Destination& destination,
                                     const cache::OutputFile& file, const ReadBlob& read) {
  base::Result<std::string> bytes = read(file.digest);
  if (!bytes) return bytes.error();
  OutputText out{absolute_path(task.request, destination.path), std::move(*bytes), file.executable};
  if (destination.kind == Destination::Kind::file) return out;
  base::Result<std::string> text = destination.kind == Destination::Kind::depfile
                                       ? local_depfile(unit, out.bytes)
                                       : user_depfile(unit, out.bytes);
  if (!text) return text.error();
  out.bytes = std::move(*text);
  return out;
}

// The files to write, depfiles before objects: ninja and make take the object for the sign that all is there.
base::Result<std::vector<OutputText>> output_texts(const Task& task, const Unit& unit,
                                                   const cache::Outcome& outcome, const ReadBlob& read) {
  std::vector<OutputText> depfiles;
  std::vector<OutputText> files;
  for (const Destination& destination : unit.destinations) {
    if (destination.kind == Destination::Kind::private_only) continue;
    const cache::OutputFile* file = find_output(outcome, destination.action_path);
    if (file == nullptr) {
      if (destination.required) return base::invalid("no " + destination.action_path + " in the entry");
      continue;
    }
    base::Result<OutputText> text = output_text(task, unit, destination, *file, read);
    if (!text) return text.error();
    (destination.kind == Destination::Kind::file ? files : depfiles).push_back(std::move(*text));
  }
  std::move(files.begin(), files.end(), std::back_inserter(depfiles));
  return depfiles;
}

}  // namespace

std::string absolute_path(const Request& request, const std::string& path) {
  return base::join(request.directory, path);
}

base::Result<std::string> user_depfile(const Unit& unit, std::string_view private_depfile) {
  base::Result<remote::DepfileText> rule = remote::parse_depfile(private_depfile);
  if (!rule) return rule.error();
  std::vector<std::string> kept;
  std::size_t main = 0;
  for (std::size_t i = 0; i < rule->dependencies.size(); ++i) {
    const std::string& path = rule->dependencies[i];
    std::string name = unit.portable ? remote::from_alias(path, unit.roots) : path;
    if (i == rule->main) main = kept.size();
    bool system = std::binary_search(unit.system_names.begin(), unit.system_names.end(), name);
    if (!system || i == rule->main) kept.push_back(std::move(name));
  }
  rule->dependencies = std::move(kept);
  rule->main = main;
  for (std::string& target : rule->targets) {
    if (unit.portable) target = remote::from_alias(target, unit.roots);
  }
  return remote::make_depfile(*rule, unit.family);
}

std::optional<Reply> answer_from_cache(Task& task, const Unit& unit) {
  std::optional<cache::Outcome> outcome;
  {
    PhaseTimer timer(task, Phase::lookup);
    outcome = task.services.store.lookup(unit.action);
  }
  if (!outcome) return std::nullopt;
  base::Result<Reply> reply = answer_with(
      task, unit, *outcome, [&](const base::Digest& digest) { return task.services.store.read(digest); });
  if (!reply) return std::nullopt;
  task.record.result = Result::local_hit;
  return *reply;
}

base::Result<Reply> answer_with(Task& task, const Unit& unit, const cache::Outcome& outcome,
                                const ReadBlob& read) {
  base::Result<std::vector<OutputText>> texts{std::vector<OutputText>{}};
  {
    PhaseTimer timer(task, Phase::lookup);
    texts = output_texts(task, unit, outcome, read);
    if (!texts) return texts.error();
  }
  PhaseTimer timer(task, Phase::write);
  // A gomacc that is gone wants nothing written any more.
  if (task.stop.stop_requested()) return base::cancelled();
  base::Result<void> written = commit(*texts, task.request.umask);
  if (!written) return written.error();

  Reply reply;
  reply.exit_code = outcome.exit_code;
  reply.strip = strip_for(unit.colour, unit.family, task.request);
  reply.out = unit.portable ? remote::from_alias(outcome.out, unit.roots) : outcome.out;
  reply.err = unit.portable ? remote::from_alias(outcome.err, unit.roots) : outcome.err;
  task.record.compile_us = outcome.compile_us;
  return reply;
}

}  // namespace task
