// Addresses and credentials from the variables of other programs: Goma's own older names, and those of
// reclient and Siso, whose set-up then works unchanged. Pure.
#pragma once

#include <string>
#include <vector>

struct BorrowedValue {
  std::string setting;
  std::string value;
  std::string origin;  // "environment RBE_service"
};

// The endpoint that GOMA_SERVER_HOST, GOMA_SERVER_PORT and GOMA_USE_SSL name; empty without a host.
std::vector<BorrowedValue> goma_server(const std::vector<std::string>& env);

// What RBE_* or else SISO_* say of an endpoint. It belongs together: an instance or a helper counts only with
// the address it stands beside. Empty without an address.
std::vector<BorrowedValue> reclient_server(const std::vector<std::string>& env);
