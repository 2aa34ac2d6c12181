// compiler_proxy: the composition root. Builds the parts, hands them to each other, serves until told to
// stop.

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <atomic>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/files.h"
#include "base/log.h"
#include "base/machine.h"
#include "base/path.h"
#include "base/spawn.h"
#include "cache/store.h"
#include "compiler/dialect.h"
#include "compiler/identity.h"
#include "config.h"
#include "inputs/file_index.h"
#include "inputs/scanner.h"
#include "remote_parts.h"
#include "serve/detach.h"
#include "serve/http.h"
#include "serve/listener.h"
#include "serve/status.h"
#include "serve/token.h"
#include "task/compile.h"
#include "task/history.h"
#include "task/services.h"

extern char** environ;

namespace {

// How long running tasks are waited for at a stop. gomacc finishes its compile without us, so no build is
// lost when this passes.
constexpr std::chrono::seconds kDrainLimit{600};

std::atomic<serve::Listener*> listener_to_stop{nullptr};

void on_stop_signal(int) {
  if (serve::Listener* listener = listener_to_stop.load()) listener->stop();
}

void handle_signals() {
  struct sigaction action {};
  action.sa_handler = on_stop_signal;
  for (int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaction(signal, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

std::vector<std::string> environment() {
  std::vector<std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) out.emplace_back(*entry);
  return out;
}

// Every waiting gomacc is a descriptor. posix_spawn passes the raised limit on to probes only, which do not
// mind; compilers run in gomacc, with the user's limits.
void raise_limits() {
  rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
#ifdef __GLIBC__
  // Hundreds of arenas keep hundreds of MiB after a burst of tasks; a few per core are as fast.
  ::mallopt(M_ARENA_MAX, 2 * base::processor_count() + 2);
#endif
}

// Private depfiles of a daemon that was killed are of no use to anybody.
void clear_private_folder(const std::string& folder) {
  ::mkdir(folder.c_str(), 0700);
  if (base::Result<std::vector<base::DirEntry>> entries = base::real_files().list(folder)) {
    for (const base::DirEntry& entry : *entries) ::unlink(base::join(folder, entry.name).c_str());
  }
}

std::string version_text() {
#if defined(__clang__)
  std::string compiler = "clang " __clang_version__;
#else
  std::string compiler = "g++ " __VERSION__;
#endif
  return std::string(GOMA_VERSION) + " (" + compiler + ", protocol " + std::to_string(wire::kProtocol) + ")";
}

std::string log_path(const Config& config) {
  return base::join(config.text("state_dir"), "compiler_proxy.log");
}

// The status page: what it shows of the service, what it answers, and the server.
struct Page {
  std::string token;  // empty: no POST is taken
  std::unique_ptr<base::Http> feed_http;
  std::unique_ptr<serve::ServiceFeed> feed;
  std::optional<serve::Status> status;
  std::unique_ptr<serve::HttpServer> server;
};

// What a task works with, built once.
struct Parts {
  Parts(const Config& config, const remote::KeySettings& key)
      : identifier(base::real_files(), base::real_spawner(), config.text("state_dir")),
        dialects(base::real_files(), base::real_spawner(), config.text("state_dir")),
        index(base::real_files(), base::real_clock()),
        scanner(index, dialects),
        store({config.text("cache_dir"), config.number("cache_size")}, base::real_clock()),
        gates{base::Gate(base::processor_count()), base::Gate(static_cast<int>(config.number("local_slots"))),
              static_cast<int>(config.number("local_slots"))},
        neighbours(base::real_files()),
        services{base::real_files(),
                 base::real_clock(),
                 index,
                 identifier,
                 scanner,
                 store,
                 history,
                 gates,
                 memo,
                 compiler_watch,
                 neighbours,
                 key,
                 config.own_path("private"),
                 config.text("goma") != "none"} {}

  compiler::Identifier identifier;
  compiler::Dialects dialects;
  inputs::FileIndex index;
  inputs::Scanner scanner;
  cache::Store store;
  task::History history;
  task::Gates gates;
  task::UnitMemo memo;
  task::CompilerWatch compiler_watch;
  task::Neighbours neighbours;
  task::Services services;
};

// What the listener and the pages work with, built once.
class Daemon {
 public:
  Daemon(const Config& config, const remote::KeySettings& key)
      : config_(config),
        key_(key),
        parts_(config, key),
        listener_(
            {config.text("tmp_dir"), config.text("socket_name"), config.text("lock_name"), GOMA_VERSION,
             static_cast<std::size_t>(config.number("max_tasks")), [this] { write_token_again(); }},
            [this](const task::Request& request, task::Client& client, const std::stop_token& stop) {
              return task::serve(parts_.services, request, client, stop);
            },
            [this] { return port_.load(); }) {}

  base::Result<void> open() {
    base::Result<std::unique_ptr<RemoteParts>> remote =
        RemoteParts::make(config_, environment(), key_, parts_.store);
    if (!remote) return remote.error();
    remote_ = std::move(*remote);
    if (remote_) parts_.services.remote = &remote_->side();
    base::Result<void> opened = listener_.open();
    if (!opened) return opened;
    clear_private_folder(config_.own_path("private"));
    open_page();
    return {};
  }

  void serve_until_stopped() {
    listener_to_stop = &listener_;
    listener_.accept_until_stopped(std::chrono::seconds(config_.number("idle_limit")));
    listener_.drain(kDrainLimit);
    listener_to_stop = nullptr;
  }

 private:
  // Without a page everything else still works.
  void open_page() {
    if (std::string url = config_.text("status_url"); !url.empty()) {
      page_.feed_http = base::make_http(1);
      page_.feed = std::make_unique<serve::ServiceFeed>(*page_.feed_http, url);
    }
    base::Result<std::string> token = serve::make_token(config_.own_path("goma_token"));
    if (token) page_.token = *token;
    if (!token) base::log(base::LogLevel::warning, "no token: " + token.error().message);
    page_.status.emplace(sources());
    serve::HttpOptions options;
    options.address = config_.text("listen_addr");
    options.first_port = static_cast<int>(config_.number("port"));
    options.ports = static_cast<int>(config_.number("ports"));
    options.token = page_.token;
    page_.server = std::make_unique<serve::HttpServer>(
        options, [this](const serve::HttpRequest& request) { return page_.status->handle(request); });
    base::Result<int> port = page_.server->start();
    if (port) {
      port_ = *port;
      base::log(base::LogLevel::info, "status page: http://localhost:" + std::to_string(*port));
    } else {
      base::log(base::LogLevel::warning, "no status page: " + port.error().message);
    }
  }

  void write_token_again() {
    if (page_.token.empty()) return;
    base::Result<void> written = serve::write_token(config_.own_path("goma_token"), page_.token);
    if (!written) base::log(base::LogLevel::warning, "no token: " + written.error().message);
  }

  serve::StatusSources sources() {
    serve::StatusSources out{};
    out.history = &parts_.history;
    out.store = &parts_.store;
    out.version = version_text();
    out.token = page_.token;
    out.socket_path = listener_.socket_path();
    out.log_path = log_path(config_);
    out.port = [this] { return port_.load(); };
    out.local_slots = [this] { return parts_.gates.local.limit(); };
    out.local_running = [this] { return parts_.gates.local.inside(); };
    out.local_waiting = [this] { return parts_.gates.local.waiting(); };
    out.settings_json = [this] { return config_.json(); };
    out.health = [] { return std::string("ok"); };
    out.remote = [this] {
      if (remote_) return remote_->tier().state();
      remote::TierState state;
      if (config_.text("goma") == "none") state.mode = remote::Mode::none;
      return state;
    };
    if (page_.feed) out.service = [this] { return page_.feed->state(); };
    out.quit = [this] { listener_.stop(); };
    return out;
  }

  const Config& config_;
  const remote::KeySettings key_;
  Parts parts_;
  std::unique_ptr<RemoteParts> remote_;
  std::atomic<int> port_{0};
  serve::Listener listener_;
  Page page_;  // last: its handlers use the rest
};

int usage() {
  std::puts(
      "usage: compiler_proxy [--daemon | --settings | --version]\n"
      "Serves gomacc until it is told to stop (goma_ctl ensure_stop) or idle for hours.\n"
      "  --daemon   leave the terminal; the exit status tells whether it serves\n"
      "  --settings print the settings that a daemon would have now, without secrets, as JSON\n"
      "  --version  print the version\n"
      "Settings: GOMA_* variables, $XDG_CONFIG_HOME/goma/config.json, /etc/goma/config.json;\n"
      "see goma-config(5).");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  bool detach = false;
  bool show = false;
  for (int i = 1; i < argc; ++i) {
    std::string_view word = argv[i];
    if (word == "--daemon") {
      detach = true;
    } else if (word == "--settings") {
      show = true;
    } else if (word == "--version") {
      std::printf("compiler_proxy %s\n", version_text().c_str());
      return 0;
    } else if (word == "--help" || word == "-h") {
      return usage();
    } else {
      std::fprintf(stderr, "compiler_proxy: unknown argument %s; see --help\n", argv[i]);
      return 2;
    }
  }
  base::Result<Config> config = Config::load(environment());
  if (!config) {
    std::fprintf(stderr, "compiler_proxy: %s\n", config.error().message.c_str());
    return 2;
  }
  if (show) {
    std::puts(config->json().c_str());
    return 0;
  }
  base::Result<remote::KeySettings> key = key_settings(*config);
  if (!key) {
    std::fprintf(stderr, "compiler_proxy: %s\n", key.error().message.c_str());
    return 2;
  }
  std::optional<serve::Detached> detached;
  if (detach) detached.emplace();
  ::umask(077);
  raise_limits();
  handle_signals();
  base::make_folders(config->text("state_dir"));
  if (detach) base::log_to(log_path(*config));
  for (const std::string& name : config->unknown_variables()) {
    base::log(base::LogLevel::warning, name + " means nothing to this version");
  }

  Daemon daemon(*config, *key);
  base::Result<void> opened = daemon.open();
  if (!opened) {
    base::log(base::LogLevel::error, opened.error().message);
    if (detached) detached->report(opened.error().message);
    return 1;
  }
  if (detached) detached->report("");
  base::log(base::LogLevel::info, "compiler_proxy " + version_text() + " serves");
  daemon.serve_until_stopped();
  base::log(base::LogLevel::info, "compiler_proxy ends");
  return 0;
}
