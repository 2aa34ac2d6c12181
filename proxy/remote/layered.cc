#include "remote/layered.h"

#include <utility>

namespace remote {

Remote<std::optional<Answer>> Layered::lookup(const Call& call, const base::Digest& action,
                                              const std::vector<std::string>& output_paths,
                                              const std::stop_token& stop) {
  if (!readable(first_)) return second_.lookup(call, action, output_paths, stop);
  Remote<std::optional<Answer>> found = first_.lookup(call, action, output_paths, stop);
  if ((found && found->has_value()) || stop.stop_requested() || !readable(second_)) return found;
  Remote<std::optional<Answer>> other = second_.lookup(call, action, output_paths, stop);
  // An endpoint that says "no" has answered, whatever happened to the other one.
  return other || !found ? std::move(other) : std::move(found);
}

Remote<Contents> Layered::fetch(const Call& call, const std::vector<base::Digest>& digests,
                                const std::stop_token& stop) {
  if (!readable(first_)) return second_.fetch(call, digests, stop);
  Remote<Contents> found = first_.fetch(call, digests, stop);
  std::vector<base::Digest> absent;
  for (const base::Digest& digest : digests) {
    if (!found || found->find(digest) == found->end()) absent.push_back(digest);
  }
  if (absent.empty() || stop.stop_requested() || !readable(second_)) return found;
  Remote<Contents> rest = second_.fetch(call, absent, stop);
  if (!found) return rest;
  if (rest) found->merge(*rest);
  return found;
}

Remote<Answer> Layered::execute(const Call&, const Job&, const std::function<void(Stage)>&,
                                const std::stop_token&) {
  return Failure{Cause::unimplemented, "a pair of caches executes nothing"};
}

Remote<void> Layered::update(const Call&, const base::Digest&, const cache::Outcome&,
                             const std::vector<Source>&, const std::stop_token&) {
  return Failure{Cause::unimplemented, "a pair of caches takes nothing"};
}

Rights Layered::rights() {
  Rights rights;
  rights.read = first_.rights().read || second_.rights().read;
  return rights;
}

bool Layered::available() { return first_.available() || second_.available(); }

BackendState Layered::state() { return first_.state(); }

}  // namespace remote
