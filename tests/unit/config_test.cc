#include "config.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "fake/temp_dir.h"

namespace {

std::string origin_of(const Config& config, const std::string& name) {
  for (const SettingValue& value : config.values()) {
    if (name == value.info->name) return value.origin;
  }
  return "none";
}

}  // namespace

TEST_CASE("every setting has a default, a variable and a meaning") {
  for (const SettingInfo& info : setting_table()) {
    CHECK(std::string(info.variable).starts_with("GOMA_"));
    CHECK(std::string(info.meaning).size() > 10);
  }
  base::Result<Config> config = Config::load({"HOME=/home/me"});
  REQUIRE(config.ok());
  CHECK(config->number("port") == 8088);
  CHECK(config->text("cache_dir") == "/home/me/.cache/goma");
  CHECK(config->text("state_dir") == "/home/me/.local/state/goma");
  CHECK(config->text("tmp_dir") == "/tmp/goma_" + std::to_string(::geteuid()));
  CHECK(config->number("local_slots") >= 1);
  CHECK(origin_of(*config, "cache_dir") == "auto");
}

TEST_CASE("the environment goes before the file, the file before the default") {
  fake::TempDir dir;
  dir.write("goma/config.json", "{\"port\": 9000, \"cache_size\": \"2G\" /* a comment */}");
  std::string home = "XDG_CONFIG_HOME=" + dir.path();
  base::Result<Config> file = Config::load({home});
  REQUIRE(file.ok());
  CHECK(file->number("port") == 9000);
  CHECK(file->number("cache_size") == 2LL << 30);
  CHECK(origin_of(*file, "port") == dir / "goma/config.json");
  base::Result<Config> both = Config::load({home, "GOMA_COMPILER_PROXY_PORT=9001"});
  CHECK(both->number("port") == 9001);
  CHECK(origin_of(*both, "port") == "environment GOMA_COMPILER_PROXY_PORT");
}

TEST_CASE("Goma's own output cache variable goes before the folder of all caches") {
  base::Result<Config> config = Config::load({"GOMA_LOCAL_OUTPUT_CACHE_DIR=/b", "GOMA_CACHE_DIR=/a"});
  CHECK(config->text("cache_dir") == "/b");
  CHECK(Config::load({"GOMA_CACHE_DIR=/a"})->text("cache_dir") == "/a");
}

TEST_CASE("an unknown key is an error that names the nearest one") {
  fake::TempDir dir;
  dir.write("goma/config.json", "{\"cache_dirr\": \"/x\"}");
  base::Result<Config> config = Config::load({"XDG_CONFIG_HOME=" + dir.path()});
  REQUIRE(!config.ok());
  CHECK(config.error().message.find("did you mean cache_dir?") != std::string::npos);
  CHECK(config.error().message.find(dir / "goma/config.json") != std::string::npos);
}

TEST_CASE("bad values are errors") {
  fake::TempDir dir;
  for (const char* text : {"[1]", "{\"port\": \"x\"}", "{\"port\": -1}", "{\"cache_size\": \"5 apples\"}",
                           "{\"port\": {}}", "{", "{\"goma\": \"cloud\"}"}) {
    dir.write("goma/config.json", text);
    CHECK_MESSAGE(!Config::load({"XDG_CONFIG_HOME=" + dir.path()}).ok(), text);
  }
  CHECK(!Config::load({"GOMA_COMPILER_PROXY_PORT=http"}).ok());
}

TEST_CASE("an unknown variable is remembered, a known one of gomacc is not") {
  base::Result<Config> config = Config::load({"GOMA_FOO=1", "GOMA_DISABLED=1", "HOME=/x"});
  REQUIRE(config.ok());
  CHECK(config->unknown_variables() == std::vector<std::string>{"GOMA_FOO"});
}

TEST_CASE("the runtime folder is used only when it is ours") {
  fake::TempDir dir;
  CHECK(Config::load({"XDG_RUNTIME_DIR=" + dir.path()})->text("tmp_dir") == dir / "goma");
  CHECK(Config::load({"XDG_RUNTIME_DIR=/nonexistent"})->text("tmp_dir").starts_with("/tmp/goma_"));
}

TEST_CASE("the mode is automatic unless it is named") {
  CHECK(Config::load({})->text("goma").empty());
  CHECK(Config::load({"GOMA_MODE=cache-only"})->text("goma") == "cache-only");
  base::Result<Config> wrong = Config::load({"GOMA_MODE=cloud"});
  REQUIRE(!wrong.ok());
  CHECK(wrong.error().message.find("cluster, cache-only, local, none") != std::string::npos);
}

TEST_CASE("platform and headers are objects in files and pairs in the environment") {
  fake::TempDir dir;
  dir.write("goma/config.json",
            "{\"platform\": {\"b\": 2, \"a\": \"x,y\"}, \"headers\": {\"x-api\": \"hush\"}, \"port\": 1}");
  base::Result<Config> config = Config::load({"XDG_CONFIG_HOME=" + dir.path()});
  REQUIRE(config.ok());
  CHECK(config->pairs("platform") == SettingPairs{{"a", "x,y"}, {"b", "2"}});
  CHECK(config->pairs("headers") == SettingPairs{{"x-api", "hush"}});
  CHECK(config->json().find("hush") == std::string::npos);
  CHECK(Config::load({"GOMA_PLATFORM=OSFamily=linux"})->pairs("platform") ==
        SettingPairs{{"OSFamily", "linux"}});
  for (const char* text :
       {"{\"platform\": {\"a\": []}}", "{\"platform\": [\"a\"]}", "{\"silo\": {\"a\": \"b\"}}"}) {
    dir.write("goma/config.json", text);
    CHECK_MESSAGE(!Config::load({"XDG_CONFIG_HOME=" + dir.path()}).ok(), text);
  }
}

TEST_CASE("an endpoint of ours keeps the variables of other programs out") {
  std::vector<std::string> env = {"RBE_service=rbe.example.com:1", "RBE_instance=theirs",
                                  "RBE_exec_root=/src"};
  CHECK(Config::load(env)->text("endpoint") == "grpcs://rbe.example.com:1");
  CHECK(Config::load(env)->text("instance") == "theirs");
  CHECK(Config::load(env)->text("exec_root") == "/src");
  fake::TempDir dir;
  dir.write("goma/config.json", "{\"http_cache\": \"http://localhost:1\", \"exec_root\": \"/ours\"}");
  env.push_back("XDG_CONFIG_HOME=" + dir.path());
  CHECK(Config::load(env)->text("endpoint").empty());
  CHECK(Config::load(env)->text("instance").empty());
  CHECK(Config::load(env)->text("exec_root") == "/ours");
  dir.write("goma/config.json", "{\"endpoint\": \"\"}");
  CHECK(Config::load(env)->text("endpoint").empty());
}

TEST_CASE("GOMA_ENDPOINT goes before GOMA_SERVER_HOST, and that before the files") {
  fake::TempDir dir;
  dir.write("goma/config.json", "{\"endpoint\": \"grpc://file:1\"}");
  std::vector<std::string> env = {"XDG_CONFIG_HOME=" + dir.path(), "GOMA_SERVER_HOST=old"};
  CHECK(Config::load(env)->text("endpoint") == "grpcs://old:443");
  CHECK(Config::load(env)->unknown_variables().empty());
  env.push_back("GOMA_ENDPOINT=grpc://new:1");
  CHECK(Config::load(env)->text("endpoint") == "grpc://new:1");
}

TEST_CASE("the calls in flight never pass the cluster's bound") {
  std::int64_t bound = Config::load({})->number("max_remote");
  CHECK((bound == 200 || bound == 50));
  CHECK(Config::load({"GOMA_MAX_REMOTE=7"})->number("max_remote") == 7);
  base::Result<Config> many = Config::load({"GOMA_MAX_REMOTE=1000"});
  CHECK(many->number("max_remote") == bound);
  CHECK(origin_of(*many, "max_remote") == "environment GOMA_MAX_REMOTE, bounded");
  CHECK(!Config::load({"GOMA_MAX_REMOTE=0"}).ok());
}

TEST_CASE("no setting can make every build wait for ever") {
  for (const char* name : {"GOMA_MAX_ACTIVE_TASKS", "GOMA_LOCAL_SLOTS"}) {
    CAPTURE(name);
    CHECK(!Config::load({std::string(name) + "=0"}).ok());
    CHECK(Config::load({std::string(name) + "=1"}).ok());
  }
}

TEST_CASE("daemons on several sockets may share a folder") {
  base::Result<Config> usual = Config::load({"GOMA_TMP_DIR=/t"});
  CHECK(usual->text("lock_name") == "goma_compiler_proxy.lock");
  CHECK(usual->own_path("goma_token") == "/t/goma_token");
  base::Result<Config> other = Config::load({"GOMA_TMP_DIR=/t", "GOMA_COMPILER_PROXY_SOCKET_NAME=b.ipc"});
  CHECK(other->text("lock_name") == "goma_compiler_proxy.lock.b.ipc");
  CHECK(other->own_path("goma_token") == "/t/goma_token.b.ipc");
  CHECK(Config::load({"GOMA_TMP_DIR=/t", "GOMA_COMPILER_PROXY_SOCKET_NAME=/a/b"})->own_path("private") ==
        "/t/private._a_b");
  CHECK(Config::load({"GOMA_COMPILER_PROXY_SOCKET_NAME=b", "GOMA_COMPILER_PROXY_LOCK_FILENAME=mine"})
            ->text("lock_name") == "mine");
}

TEST_CASE("a certificate needs its key, and files may be named from home") {
  CHECK(!Config::load({"GOMA_TLS_CERT=/c.pem"}).ok());
  base::Result<Config> config = Config::load({"GOMA_TLS_CERT=~/c.pem", "GOMA_TLS_KEY=/k.pem", "HOME=/me"});
  REQUIRE(config.ok());
  CHECK(config->text("tls_cert") == "/me/c.pem");
}

TEST_CASE("no secret is shown with the settings") {
  base::Result<Config> config = Config::load({"GOMA_HTTP_CACHE=https://me:hush@host/",
                                              "GOMA_CREDENTIAL_HELPER=/h --key=hush", "GOMA_HEADERS=a=hush"});
  REQUIRE(config.ok());
  CHECK(config->json().find("hush") == std::string::npos);
  CHECK(config->text("http_cache") == "https://me:hush@host/");
}
