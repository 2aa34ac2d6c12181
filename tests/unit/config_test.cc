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
