#include "remote_parts.h"

#include "base/path.h"
#include "compiler/environment.h"
#include "remote/capabilities.h"
#include "remote/credentials_chain.h"
#include "remote/endpoint.h"
#include "remote/http_cache.h"
#include "remote/platform.h"
#include "remote/reapi.h"

namespace {

base::Result<remote::Toolchain> toolchain_of(const std::string& word) {
  // `auto` is `inside` where the compiler lies in the exec root, which is judged for each compile.
  if (word == "auto" || word == "inside" || word.empty()) return remote::Toolchain::inside;
  if (word == "image") return remote::Toolchain::image;
  if (word == "chroot") return remote::Toolchain::chroot;
  return base::invalid("toolchain: \"" + word + "\" is not one of auto, inside, image, chroot");
}

std::optional<remote::Mode> wanted_mode(const Config& config) {
  std::string word = config.text("goma");
  for (remote::Mode mode :
       {remote::Mode::cluster, remote::Mode::cache_only, remote::Mode::local, remote::Mode::none}) {
    if (word == remote::to_string(mode)) return mode;
  }
  return std::nullopt;
}

remote::TlsFiles tls_files(const Config& config) {
  return {config.text("tls_ca"), config.text("tls_cert"), config.text("tls_key"),
          config.text("tls_server_name")};
}

std::string netrc_path(const std::vector<std::string>& env) {
  if (auto path = compiler::variable(env, "NETRC"); path && !path->empty()) return std::string(*path);
  auto home = compiler::variable(env, "HOME");
  return home && base::is_absolute(*home) ? base::join(*home, ".netrc") : "";
}

std::unique_ptr<remote::Credentials> credentials_for(const remote::Endpoint& endpoint, const Config& config,
                                                     const std::vector<std::string>& env) {
  remote::CredentialOptions options;
  options.host = endpoint.host;
  options.secure = endpoint.tls || endpoint.local;
  options.authorization_file = config.text("authorization_file");
  options.headers = config.text("headers");
  options.user = endpoint.user;
  options.helper = config.text("credential_helper");
  options.login_path = base::join(config.text("state_dir"), "auth.json");
  options.netrc_path = netrc_path(env);
  options.env = env;
  return remote::make_credentials(options, base::real_spawner(), base::real_files(), base::real_clock());
}

// Storage, action cache and scheduler may each have an address of their own.
bool has_engine(const Config& config) {
  for (const char* name : {"endpoint", "cas_endpoint", "ac_endpoint", "executor_endpoint"}) {
    if (!config.text(name).empty()) return true;
  }
  return false;
}

// The endpoint in the setting `name`, else in `endpoint`.
base::Result<remote::Endpoint> endpoint_of(const Config& config, const char* name) {
  std::string text = config.text(name);
  std::string setting = text.empty() ? "endpoint" : name;
  base::Result<remote::Endpoint> endpoint =
      remote::parse_endpoint(text.empty() ? config.text("endpoint") : text);
  if (!endpoint) return base::invalid(setting + ": " + endpoint.error().message);
  return endpoint;
}

struct Engine {
  std::unique_ptr<remote::Backend> backend;
  remote::Endpoint executor;
};

base::Result<Engine> make_engine(const Config& config, std::optional<remote::Mode> wanted,
                                 const std::vector<std::string>& env,
                                 std::unique_ptr<remote::Credentials>& credentials) {
  remote::ReapiOptions options;
  for (auto& [name, place] : {std::pair<const char*, remote::Endpoint*>{"cas_endpoint", &options.cas},
                              {"ac_endpoint", &options.action_cache},
                              {"executor_endpoint", &options.executor}}) {
    base::Result<remote::Endpoint> endpoint = endpoint_of(config, name);
    if (!endpoint) return endpoint.error();
    *place = *endpoint;
  }
  options.instance = config.text("instance");
  if (base::Result<void> good = remote::check_instance(options.instance); !good) return good.error();
  options.may_execute = wanted != remote::Mode::cache_only;
  options.may_update = config.text("upload") != "never";
  options.tls = tls_files(config);
  options.compression = config.flag("compression");
  credentials = credentials_for(options.executor, config, env);
  return Engine{remote::make_reapi(options, *credentials, base::real_clock()), options.executor};
}

}  // namespace

base::Result<remote::KeySettings> key_settings(const Config& config) {
  base::Result<std::vector<std::pair<std::string, std::string>>> platform =
      remote::parse_platform(config.text("platform"));
  if (!platform) return platform.error();
  base::Result<remote::Toolchain> toolchain = toolchain_of(config.text("toolchain"));
  if (!toolchain) return toolchain.error();
  remote::KeySettings key;
  key.exec_root = config.text("exec_root");
  key.silo = config.text("silo");
  key.platform = *platform;
  key.chroot = *toolchain == remote::Toolchain::chroot;
  key.list_outside = has_engine(config) && !key.chroot;
  return key;
}

base::Result<std::unique_ptr<RemoteParts>> RemoteParts::make(const Config& config,
                                                             const std::vector<std::string>& env,
                                                             const remote::KeySettings& key,
                                                             cache::Store& store) {
  std::unique_ptr<RemoteParts> parts;
  std::optional<remote::Mode> wanted = wanted_mode(config);
  std::string http_cache = config.text("http_cache");
  if (!has_engine(config) && http_cache.empty()) return parts;
  if (wanted == remote::Mode::local || wanted == remote::Mode::none) return parts;

  parts.reset(new RemoteParts);
  remote::TierOptions options;
  options.wanted = wanted;
  options.max_in_flight = static_cast<int>(config.number("max_remote"));
  std::unique_ptr<remote::Backend> engine;
  if (has_engine(config)) {
    base::Result<Engine> made = make_engine(config, wanted, env, parts->credentials_);
    if (!made) return made.error();
    engine = std::move(made->backend);
    options.needs_no_headers = made->executor.local || !config.text("tls_cert").empty();
  }
  std::unique_ptr<remote::Backend> http;
  if (!http_cache.empty()) {
    base::Result<remote::Endpoint> address = remote::parse_endpoint(http_cache);
    if (!address) return base::invalid("http_cache: " + address.error().message);
    parts->http_ = base::make_http(options.max_in_flight);
    parts->http_credentials_ = credentials_for(*address, config, env);
    remote::HttpCacheOptions cache_options;
    cache_options.endpoint = *address;
    cache_options.tls = {config.text("tls_ca"), config.text("tls_cert"), config.text("tls_key")};
    cache_options.may_update = config.text("upload") != "never";
    http =
        remote::make_http_cache(cache_options, *parts->http_, *parts->http_credentials_, base::real_clock());
  }
  remote::Credentials* credentials =
      parts->credentials_ ? parts->credentials_.get() : parts->http_credentials_.get();
  parts->tier_ = std::make_unique<remote::Tier>(options, std::move(engine), std::move(http), credentials);
  parts->confirmer_ = std::make_unique<remote::Confirmer>(key, parts->tier_->gate(), base::real_clock());
  parts->times_ = std::make_unique<task::Times>(base::real_clock());
  parts->build_ids_ = std::make_unique<remote::BuildIds>(base::real_files());
  parts->share_ = std::make_unique<task::Share>(*parts->tier_, store);
  parts->pool_ =
      std::make_unique<base::ThreadPool>("remote", static_cast<std::size_t>(config.number("max_tasks")));
  base::Result<remote::Toolchain> toolchain = toolchain_of(config.text("toolchain"));
  if (!toolchain) return toolchain.error();
  bool alike = config.flag("workers_identical") || remote::pins_image(key);
  parts->side_ = std::make_unique<task::RemoteSide>(
      task::RemoteSide{*parts->tier_, *parts->confirmer_, *parts->pool_, *parts->times_, *parts->share_,
                       *parts->build_ids_, *toolchain, alike});
  return parts;
}

RemoteParts::~RemoteParts() {
  if (confirmer_) confirmer_->end();
}
