// Two backends as one to read from: what the first does not have, the second is asked for. Executions and
// updates go to neither.
#pragma once

#include "remote/backend.h"

namespace remote {

// Any thread. Both outlive it.
class Layered : public Backend {
 public:
  Layered(Backend& first, Backend& second) : first_(first), second_(second) {}

  // A failure only when neither could answer.
  Remote<std::optional<Answer>> lookup(const Call& call, const base::Digest& action,
                                       const std::vector<std::string>& output_paths,
                                       const std::stop_token& stop) override;
  Remote<Contents> fetch(const Call& call, const std::vector<base::Digest>& digests,
                         const std::stop_token& stop) override;
  Remote<Answer> execute(const Call& call, const Job& job, const std::function<void(Stage)>& on_stage,
                         const std::stop_token& stop) override;
  Remote<void> update(const Call& call, const base::Digest& action, const cache::Outcome& outcome,
                      const std::vector<Source>& sources, const std::stop_token& stop) override;
  Rights rights() override;
  bool available() override;
  BackendState state() override;

 private:
  static bool readable(Backend& backend) { return backend.available() && backend.rights().read; }

  Backend& first_;
  Backend& second_;
};

}  // namespace remote
