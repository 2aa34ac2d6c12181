#include "config.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/fd.h"
#include "base/machine.h"
#include "base/path.h"
#include "compiler/environment.h"
#include "config_borrowed.h"

namespace {

std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t corner = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t replaced = corner + (a[i - 1] == b[j - 1] ? 0 : 1);
      corner = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

std::string nearest(const std::string& name) {
  std::string best;
  std::size_t least = 4;
  for (const SettingInfo& info : setting_table()) {
    if (std::size_t d = distance(name, info.name); d < least) {
      least = d;
      best = info.name;
    }
  }
  return best;
}

// The cluster's rule for one machine.
#ifdef __APPLE__
constexpr std::int64_t kMaxRemote = 50;
#else
constexpr std::int64_t kMaxRemote = 200;
#endif

// A value of a file as it would be written in the environment.
base::Result<std::string> value_text(const std::string& name, const nlohmann::json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_structured() && !value.is_null()) return value.dump();
  if (!value.is_object() || (name != "platform" && name != "headers"))
    return base::invalid(name + ": not a plain value");
  SettingPairs pairs;
  for (const auto& item : value.items()) {
    if (item.value().is_structured() || item.value().is_null())
      return base::invalid(name + ": " + item.key() + ": not a plain value");
    pairs.emplace_back(item.key(),
                       item.value().is_string() ? item.value().get<std::string>() : item.value().dump());
  }
  return print_pairs(pairs);
}

std::string home_folder(const std::vector<std::string>& env, const char* variable, const char* below_home) {
  if (auto value = compiler::variable(env, variable); value && base::is_absolute(*value)) {
    return std::string(*value);
  }
  if (auto home = compiler::variable(env, "HOME"); home && base::is_absolute(*home)) {
    return base::join(*home, below_home);
  }
  return {};
}

// Goma's variables that gomacc or the scripts read, or that have no use any more: not worth a word.
constexpr const char* kOtherVariables[] = {"GOMA_DIR",
                                           "GOMA_DISABLED",
                                           "GOMA_USE_LOCAL",
                                           "GOMA_FALLBACK",
                                           "GOMA_START_COMPILER_PROXY",
                                           "GOMA_COMPILER_PROXY_BINARY",
                                           "GOMA_FALLBACK_INPUT_FILES",
                                           "GOMA_STORE_ONLY",
                                           "GOMA_FALLBACK_CONFTEST",
                                           "GOMA_FALLBACK_ON_AUTH_FAILURE",
                                           "GOMA_CTL_SCRIPT_NAME",
                                           "GOMA_GOMACC_LOCK_FILENAME",
                                           "GOMA_HERMETIC",
                                           "GOMA_COMPILER_PROXY_DAEMON_MODE",
                                           "GOMA_SERVER_HOST",
                                           "GOMA_SERVER_PORT",
                                           "GOMA_USE_SSL",
                                           "GOMA_DEPS_CACHE_FILE",
                                           "GOMA_COMPILER_INFO_CACHE_FILE"};

}  // namespace

const std::vector<SettingInfo>& setting_table() {
  static const std::vector<SettingInfo> table = {
      {"goma", "GOMA_MODE", "choice", "", "which tiers are used; automatic when empty",
       "cluster cache-only local none"},
      {"tmp_dir", "GOMA_TMP_DIR", "text", "", "folder of the socket, the lock and the token; 0700 and ours"},
      {"socket_name", "GOMA_COMPILER_PROXY_SOCKET_NAME", "text", "goma.ipc", "name of the socket in tmp_dir"},
      {"lock_name", "GOMA_COMPILER_PROXY_LOCK_FILENAME", "text", "",
       "name of the lock file in tmp_dir; one for each socket"},
      {"port", "GOMA_COMPILER_PROXY_PORT", "number", "8088", "first port tried for the status page"},
      {"ports", "GOMA_COMPILER_PROXY_NUM_FIND_PORTS", "number", "10", "how many ports are tried"},
      {"listen_addr", "GOMA_COMPILER_PROXY_LISTEN_ADDR", "text", "localhost",
       "address of the status page; only loopback is accepted"},
      {"cache_dir", "GOMA_LOCAL_OUTPUT_CACHE_DIR", "text", "", "folder of the embedded cache"},
      {"cache_size", "GOMA_CACHE_SIZE", "bytes", "", "bound on the embedded cache, such as 20G"},
      {"state_dir", "GOMA_STATE_DIR", "text", "", "folder of the log and of what is known of compilers"},
      {"local_slots", "GOMA_LOCAL_SLOTS", "number", "", "local compiles at once; the number of processors"},
      {"exec_root", "GOMA_EXEC_ROOT", "text", "", "the root of the checkout, where markers do not tell"},
      {"silo", "GOMA_SILO", "text", "", "keeps cache entries apart from those of other silos"},
      {"endpoint", "GOMA_ENDPOINT", "endpoint", "", "the cluster, such as grpcs://rbe.example.com:443"},
      {"cas_endpoint", "GOMA_CAS_ENDPOINT", "endpoint", "", "its storage, where that is elsewhere"},
      {"ac_endpoint", "GOMA_AC_ENDPOINT", "endpoint", "", "its action cache, where that is elsewhere"},
      {"executor_endpoint", "GOMA_EXECUTOR_ENDPOINT", "endpoint", "",
       "its execution service, where that is elsewhere"},
      {"http_cache", "GOMA_HTTP_CACHE", "url", "", "an HTTP cache, such as https://cache.example.com/goma"},
      {"instance", "GOMA_INSTANCE", "text", "", "the instance name that the cluster expects"},
      {"tls_ca", "GOMA_TLS_CA", "file", "", "PEM file of the roots that are trusted; the system's"},
      {"tls_cert", "GOMA_TLS_CERT", "file", "", "PEM file of the client's certificate"},
      {"tls_key", "GOMA_TLS_KEY", "file", "", "PEM file of its key"},
      {"tls_server_name", "GOMA_TLS_SERVER_NAME", "text", "", "name expected in the server's certificate"},
      {"authorization_file", "GOMA_HTTP_AUTHORIZATION_FILE", "file", "",
       "file of the authorization header or bearer token"},
      {"headers", "GOMA_HEADERS", "headers", "", "headers of every call, NAME=VALUE,NAME=VALUE"},
      {"credential_helper", "GOMA_CREDENTIAL_HELPER", "command", "", "program that prints credentials"},
      {"platform", "GOMA_PLATFORM", "pairs", "", "properties of the workers, NAME=VALUE,NAME=VALUE"},
      {"toolchain", "GOMA_TOOLCHAIN", "choice", "auto",
       "how a compiler outside the exec root gets to a worker", "auto inside image chroot"},
      {"workers_identical", "GOMA_WORKERS_IDENTICAL", "flag", "false",
       "whether all workers of these properties have the same files"},
      {"max_remote", "GOMA_MAX_REMOTE", "number", "", "calls to the cluster at once"},
      {"compression", "GOMA_COMPRESSION", "flag", "true", "whether content travels compressed"},
      {"upload", "GOMA_UPLOAD", "choice", "auto", "whether local results are offered to the cache",
       "auto never"},
      {"status_url", "GOMA_STATUS_URL", "url", "", "where the service says how it is doing, as JSON"},
      {"max_tasks", "GOMA_MAX_ACTIVE_TASKS", "number", "1024", "tasks at once; further ones wait"},
      {"idle_limit", "GOMA_IDLE_LIMIT", "number", "10800", "seconds without a request until the daemon ends"},
  };
  return table;
}

base::Result<Config> Config::load(const std::vector<std::string>& env) {
  Config config;
  for (const SettingInfo& info : setting_table()) config.values_.push_back({&info, info.fallback, "default"});
  // From the weakest to the strongest.
  base::Result<void> read = config.read_file_values("/etc/goma/config.json");
  std::string home = home_folder(env, "XDG_CONFIG_HOME", ".config");
  if (read && !home.empty()) read = config.read_file_values(base::join(home, "goma/config.json"));
  if (read) read = config.read_environment(env);
  if (read) read = config.borrow(env);
  if (read) read = config.check_together();
  if (!read) return read.error();
  config.compute_defaults(env);
  return config;
}

base::Result<void> Config::read_file_values(const std::string& path) {
  if (::access(path.c_str(), F_OK) != 0) return {};
  base::Result<std::string> content = base::read_file(path, 1 << 20);
  if (!content) return content.error();
  nlohmann::json json = nlohmann::json::parse(*content, nullptr, false, true);
  if (!json.is_object()) return base::invalid(path + ": not a JSON object");
  for (const auto& item : json.items()) {
    base::Result<std::string> text = value_text(item.key(), item.value());
    if (!text) return base::invalid(path + ": " + text.error().message);
    base::Result<void> done = set(item.key(), *text, path);
    if (!done) return base::invalid(path + ": " + done.error().message);
  }
  return {};
}

base::Result<void> Config::read_environment(const std::vector<std::string>& env) {
  // Goma's way to name a server, before GOMA_ENDPOINT so that that one wins.
  for (const BorrowedValue& item : goma_server(env)) {
    base::Result<void> done = set(item.setting, item.value, item.origin);
    if (!done) return base::invalid("GOMA_SERVER_HOST: " + done.error().message);
  }
  // Goma's older name for the folder above its caches.
  if (auto folder = compiler::variable(env, "GOMA_CACHE_DIR"); folder && !folder->empty()) {
    base::Result<void> done = set("cache_dir", std::string(*folder), "environment GOMA_CACHE_DIR");
    if (!done) return done;
  }
  for (const std::string& entry : env) {
    std::string name = entry.substr(0, entry.find('='));
    if (!name.starts_with("GOMA_") || name == "GOMA_CACHE_DIR" || name.size() == entry.size()) continue;
    auto known = std::find_if(setting_table().begin(), setting_table().end(),
                              [&](const SettingInfo& info) { return name == info.variable; });
    if (known == setting_table().end()) {
      bool other = std::find(std::begin(kOtherVariables), std::end(kOtherVariables), name) !=
                   std::end(kOtherVariables);
      if (!other) unknown_.push_back(name);
      continue;
    }
    std::string value = entry.substr(name.size() + 1);
    if (value.empty()) continue;
    base::Result<void> done = set(known->name, value, "environment " + name);
    if (!done) return base::invalid(name + ": " + done.error().message);
  }
  return {};
}

// Other programs' variables count where nothing of ours names a remote side, an empty value included.
base::Result<void> Config::borrow(const std::vector<std::string>& env) {
  bool named = false;
  for (const SettingValue& item : values_) {
    std::string_view type = item.info->type;
    bool address = type == "endpoint" || std::string_view(item.info->name) == "http_cache";
    named = named || (address && item.origin != "default");
  }
  if (!named) {
    for (const BorrowedValue& item : reclient_server(env)) {
      if (base::Result<void> done = set_weakly(item.setting, item.value, item.origin); !done) return done;
    }
  }
  auto root = compiler::variable(env, "RBE_exec_root");
  if (!root || root->empty()) return {};
  return set_weakly("exec_root", std::string(*root), "environment RBE_exec_root");
}

base::Result<void> Config::set_weakly(const std::string& name, const std::string& value,
                                      const std::string& origin) {
  for (const SettingValue& item : values_) {
    if (name == item.info->name && item.origin != "default") return {};
  }
  base::Result<void> done = set(name, value, origin);
  return done ? done : base::invalid(origin + ": " + done.error().message);
}

base::Result<void> Config::check_together() const {
  if (text("tls_cert").empty() != text("tls_key").empty()) {
    return base::invalid("tls_cert and tls_key belong together: only one of them is set");
  }
  return {};
}

base::Result<void> Config::set(const std::string& name, const std::string& value, const std::string& origin) {
  auto found = std::find_if(values_.begin(), values_.end(),
                            [&](const SettingValue& item) { return name == item.info->name; });
  if (found == values_.end()) {
    std::string near = nearest(name);
    return base::invalid("unknown setting " + name + (near.empty() ? "" : "; did you mean " + near + "?"));
  }
  base::Result<std::string> kept = checked_value(*found->info, value);
  if (!kept) return kept.error();
  found->value = *kept;
  found->origin = origin;
  if (kept->empty()) return {};
  std::int64_t wanted = std::strtoll(kept->c_str(), nullptr, 10);
  // With none every build would wait for ever.
  if ((name == "max_tasks" || name == "local_slots") && wanted < 1)
    return base::invalid(name + ": at least 1");
  if (name == "max_remote") {
    if (wanted < 1) return base::invalid("max_remote: at least 1; \"goma\": \"local\" calls nobody");
    if (wanted > kMaxRemote) {
      found->value = std::to_string(kMaxRemote);
      found->origin += ", bounded";
    }
  }
  return {};
}

void Config::compute_defaults(const std::vector<std::string>& env) {
  std::string uid = std::to_string(::geteuid());
  std::string cache = home_folder(env, "XDG_CACHE_HOME", ".cache");
  std::string state = home_folder(env, "XDG_STATE_HOME", ".local/state");
  for (SettingValue& item : values_) {
    if (item.value.starts_with("~/") && std::string_view(item.info->type) == "file") {
      if (auto home = compiler::variable(env, "HOME")) item.value = base::join(*home, item.value.substr(2));
    }
    if (!item.value.empty()) continue;
    std::string name = item.info->name;
    if (name == "lock_name") item.value = "goma_compiler_proxy.lock" + socket_suffix();
    if (name == "cache_dir")
      item.value = cache.empty() ? "/tmp/goma_cache_" + uid : base::join(cache, "goma");
    if (name == "state_dir")
      item.value = state.empty() ? "/tmp/goma_state_" + uid : base::join(state, "goma");
    if (name == "local_slots") item.value = std::to_string(base::processor_count());
    if (name == "max_remote") item.value = std::to_string(kMaxRemote);
    if (name == "tmp_dir") {
      std::string run(compiler::variable(env, "XDG_RUNTIME_DIR").value_or(""));
      // gomacc finds the daemon by the same rule.
      struct stat status;
      bool ours = !run.empty() && ::stat(run.c_str(), &status) == 0 && status.st_uid == ::geteuid();
      item.value = ours ? base::join(run, "goma") : "/tmp/goma_" + uid;
    }
    if (!item.value.empty()) item.origin = "auto";
  }
}

std::string Config::socket_suffix() const {
  std::string name = text("socket_name");
  for (const SettingInfo& info : setting_table()) {
    if (std::string_view(info.name) == "socket_name" && name == info.fallback) return {};
  }
  std::replace(name.begin(), name.end(), '/', '_');
  return "." + name;
}

std::string Config::own_path(const char* name) const {
  return base::join(text("tmp_dir"), name + socket_suffix());
}

std::string Config::text(const char* name) const {
  for (const SettingValue& item : values_) {
    if (std::string_view(name) == item.info->name) return item.value;
  }
  return {};
}

std::int64_t Config::number(const char* name) const { return std::strtoll(text(name).c_str(), nullptr, 10); }

bool Config::flag(const char* name) const {
  std::string value = text(name);
  return !value.empty() && std::string("tTyY1").find(value[0]) != std::string::npos;
}

SettingPairs Config::pairs(const char* name) const {
  base::Result<SettingPairs> pairs = parse_pairs(text(name));
  return pairs ? *pairs : SettingPairs{};
}

std::string Config::json() const {
  nlohmann::json list = nlohmann::json::array();
  for (const SettingValue& item : values_) {
    list.push_back({{"name", item.info->name},
                    {"value", shown_value(*item.info, item.value)},
                    {"origin", item.origin},
                    {"meaning", item.info->meaning}});
  }
  return list.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}
