// The remote side as it is configured: built once by main, handed to tasks and pages. Without an endpoint, or
// in the modes `local` and `none`, there is none.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/http.h"
#include "base/result.h"
#include "base/spawn.h"
#include "base/thread.h"
#include "cache/store.h"
#include "config.h"
#include "remote/action.h"
#include "remote/build_id.h"
#include "remote/confirm.h"
#include "remote/credentials.h"
#include "remote/tier.h"
#include "task/remote_side.h"
#include "task/share.h"
#include "task/times.h"

// What the configuration says about keys; an error names the setting.
base::Result<remote::KeySettings> key_settings(const Config& config);

class RemoteParts {
 public:
  // Null when nothing from afar is wanted; an error names the setting. `store` outlives the parts. Nothing is
  // called before the first compile.
  static base::Result<std::unique_ptr<RemoteParts>> make(const Config& config,
                                                         const std::vector<std::string>& env,
                                                         const remote::KeySettings& key, cache::Store& store);

  ~RemoteParts();

  task::RemoteSide& side() { return *side_; }
  remote::Tier& tier() { return *tier_; }
  task::Share& share() { return *share_; }

 private:
  RemoteParts() = default;

  std::unique_ptr<base::Http> http_;
  std::unique_ptr<remote::Credentials> credentials_;
  std::unique_ptr<remote::Credentials> http_credentials_;
  std::unique_ptr<remote::Tier> tier_;
  std::unique_ptr<remote::Confirmer> confirmer_;
  std::unique_ptr<task::Times> times_;
  std::unique_ptr<remote::BuildIds> build_ids_;
  std::unique_ptr<task::Share> share_;
  std::unique_ptr<base::ThreadPool> pool_;  // its threads use all of the above
  std::unique_ptr<task::RemoteSide> side_;
};
