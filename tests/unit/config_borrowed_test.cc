#include "config_borrowed.h"

#include <doctest/doctest.h>

namespace {

std::string value_of(const std::vector<BorrowedValue>& values, const std::string& setting) {
  for (const BorrowedValue& item : values) {
    if (item.setting == setting) return item.value;
  }
  return "none";
}

}  // namespace

TEST_CASE("Goma's server variables make an endpoint") {
  CHECK(goma_server({"GOMA_SERVER_PORT=80"}).empty());
  CHECK(value_of(goma_server({"GOMA_SERVER_HOST=goma.example.com"}), "endpoint") ==
        "grpcs://goma.example.com:443");
  CHECK(value_of(goma_server({"GOMA_SERVER_HOST=127.0.0.1", "GOMA_SERVER_PORT=5050", "GOMA_USE_SSL=false"}),
                 "endpoint") == "grpc://127.0.0.1:5050");
  CHECK(value_of(goma_server({"GOMA_SERVER_HOST=::1", "GOMA_USE_SSL=0"}), "endpoint") == "grpc://[::1]:80");
}

TEST_CASE("reclient's variables make an endpoint with what belongs to it") {
  std::vector<BorrowedValue> values =
      reclient_server({"RBE_service=rbe.example.com:443", "RBE_instance=main",
                       "RBE_credentials_helper=/opt/helper", "RBE_credentials_helper_args=print --short"});
  CHECK(value_of(values, "endpoint") == "grpcs://rbe.example.com:443");
  CHECK(value_of(values, "instance") == "main");
  CHECK(value_of(values, "credential_helper") == "/opt/helper print --short");
  CHECK(values.front().origin == "environment RBE_service");
}

TEST_CASE("reclient's switches against security and authentication are obeyed") {
  std::vector<BorrowedValue> values =
      reclient_server({"RBE_service=localhost:8980", "RBE_service_no_security=true",
                       "RBE_service_no_auth=true", "RBE_credentials_helper=/opt/helper"});
  CHECK(value_of(values, "endpoint") == "grpc://localhost:8980");
  CHECK(value_of(values, "credential_helper") == "none");
  CHECK(value_of(reclient_server({"RBE_service=unix:///run/x", "RBE_service_no_security=1"}), "endpoint") ==
        "unix:///run/x");
}

TEST_CASE("Siso's variables count where reclient's do not name a service") {
  std::vector<std::string> env = {"SISO_REAPI_ADDRESS=siso.example.com:443", "SISO_REAPI_INSTANCE=i",
                                  "SISO_CREDENTIAL_HELPER=/opt/siso", "RBE_instance=alone"};
  std::vector<BorrowedValue> values = reclient_server(env);
  CHECK(value_of(values, "endpoint") == "grpcs://siso.example.com:443");
  CHECK(value_of(values, "instance") == "i");
  CHECK(value_of(values, "credential_helper") == "/opt/siso");
  env.push_back("RBE_service=rbe.example.com:1");
  values = reclient_server(env);
  CHECK(value_of(values, "endpoint") == "grpcs://rbe.example.com:1");
  CHECK(value_of(values, "instance") == "alone");
  CHECK(reclient_server({"RBE_instance=alone"}).empty());
}
