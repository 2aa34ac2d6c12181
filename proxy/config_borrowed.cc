#include "config_borrowed.h"

#include <string_view>

#include "compiler/environment.h"

namespace {

using Environment = std::vector<std::string>;

std::string value_of(const Environment& env, const char* name) {
  return std::string(compiler::variable(env, name).value_or(""));
}

bool has_scheme(const std::string& address) {
  return address.find("://") != std::string::npos || address.starts_with("unix:");
}

void take(const Environment& env, const char* variable, const char* setting,
          std::vector<BorrowedValue>& values) {
  std::string value = value_of(env, variable);
  if (!value.empty()) values.push_back({setting, value, std::string("environment ") + variable});
}

}  // namespace

std::vector<BorrowedValue> goma_server(const Environment& env) {
  std::string host = value_of(env, "GOMA_SERVER_HOST");
  if (host.empty()) return {};
  bool plain = compiler::is_off(env, "GOMA_USE_SSL");
  std::string port = value_of(env, "GOMA_SERVER_PORT");
  if (port.empty()) port = plain ? "80" : "443";
  bool bare_v6 = host.front() != '[' && host.find(':') != host.rfind(':');
  if (bare_v6) host = "[" + host + "]";
  return {{"endpoint", (plain ? "grpc://" : "grpcs://") + host + ":" + port, "environment GOMA_SERVER_HOST"}};
}

std::vector<BorrowedValue> reclient_server(const Environment& env) {
  std::vector<BorrowedValue> values;
  if (std::string service = value_of(env, "RBE_service"); !service.empty()) {
    bool plain = compiler::is_on(env, "RBE_service_no_security");
    if (!has_scheme(service)) service = (plain ? "grpc://" : "grpcs://") + service;
    values.push_back({"endpoint", service, "environment RBE_service"});
    take(env, "RBE_instance", "instance", values);
    std::string helper = value_of(env, "RBE_credentials_helper");
    if (!helper.empty() && !compiler::is_on(env, "RBE_service_no_auth")) {
      std::string arguments = value_of(env, "RBE_credentials_helper_args");
      values.push_back({"credential_helper", arguments.empty() ? helper : helper + " " + arguments,
                        "environment RBE_credentials_helper"});
    }
    return values;
  }
  std::string address = value_of(env, "SISO_REAPI_ADDRESS");
  if (address.empty()) return {};
  if (!has_scheme(address)) address = "grpcs://" + address;
  values.push_back({"endpoint", address, "environment SISO_REAPI_ADDRESS"});
  take(env, "SISO_REAPI_INSTANCE", "instance", values);
  take(env, "SISO_CREDENTIAL_HELPER", "credential_helper", values);
  return values;
}
