// Credentials that can be left at home. Many caches let anybody read, but refuse a caller whose token is
// wrong or has expired; to them one goes without.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>

#include "remote/credentials.h"

namespace remote {

// Passes on what `inner` says, but for the versions of it that were left at home. Any thread.
class Anonymous : public Credentials {
 public:
  explicit Anonymous(Credentials& inner) : inner_(inner) {}

  // From now on nothing is sent, until `inner` has another version. False when there is nothing to leave.
  bool leave();
  // The opposite: it did not help.
  void take_up();
  bool is_left();

  base::Result<Current> current(const std::stop_token& stop) override;
  bool refused(std::uint64_t version, const std::stop_token& stop) override;
  std::uint64_t version() override;
  CredentialState state() override;

 private:
  Credentials& inner_;
  std::mutex mutex_;
  std::optional<std::uint64_t> left_;  // guarded by mutex_; the version that is not sent
};

}  // namespace remote
