#include "remote_parts.h"

#include <doctest/doctest.h>

#include "fake/temp_dir.h"

namespace {

using Env = std::vector<std::string>;

struct Fixture {
  fake::TempDir dir;
  cache::Store store{{dir / "cache", 0}, base::real_clock()};

  base::Result<std::unique_ptr<RemoteParts>> make(const Env& more) {
    Env env{"HOME=" + dir.path()};
    env.insert(env.end(), more.begin(), more.end());
    base::Result<Config> config = Config::load(env);
    if (!config) return config.error();
    base::Result<remote::KeySettings> key = key_settings(*config);
    if (!key) return key.error();
    return RemoteParts::make(*config, env, *key, store);
  }

  remote::Mode mode(const Env& more) {
    base::Result<std::unique_ptr<RemoteParts>> parts = make(more);
    REQUIRE(parts.ok());
    return *parts ? (*parts)->tier().mode() : remote::Mode::local;
  }
};

}  // namespace

TEST_CASE("without an endpoint there is no remote side, and in the modes local and none neither") {
  Fixture f;
  CHECK(*f.make({}) == nullptr);
  CHECK(*f.make({"GOMA_ENDPOINT=grpc://127.0.0.1:1", "GOMA_MODE=local"}) == nullptr);
  CHECK(*f.make({"GOMA_ENDPOINT=grpc://127.0.0.1:1", "GOMA_MODE=none"}) == nullptr);
}

TEST_CASE("the mode follows from the endpoint and the credentials") {
  Fixture f;
  CHECK((f.mode({"GOMA_ENDPOINT=grpcs://rbe.example.com"}) == remote::Mode::cache_only));
  CHECK((f.mode({"GOMA_ENDPOINT=grpcs://rbe.example.com", "GOMA_HEADERS=authorization=Bearer x"}) ==
         remote::Mode::cluster));
  CHECK((f.mode({"GOMA_ENDPOINT=grpcs://rbe.example.com", "GOMA_HEADERS=authorization=Bearer x",
                 "GOMA_MODE=cache-only"}) == remote::Mode::cache_only));
  // An engine on this machine needs none.
  CHECK((f.mode({"GOMA_ENDPOINT=grpc://127.0.0.1:1"}) == remote::Mode::cluster));
  CHECK((f.mode({"GOMA_HTTP_CACHE=https://cache.example.com/goma"}) == remote::Mode::cache_only));
}

TEST_CASE("storage, action cache and scheduler may have addresses of their own, and no other") {
  Fixture f;
  const Env three = {"GOMA_CAS_ENDPOINT=grpc://127.0.0.1:1", "GOMA_AC_ENDPOINT=grpc://127.0.0.1:1",
                     "GOMA_EXECUTOR_ENDPOINT=grpc://127.0.0.1:2"};
  CHECK((f.mode(three) == remote::Mode::cluster));
  base::Result<Config> config = Config::load({"HOME=" + f.dir.path(), three[0], three[1], three[2]});
  REQUIRE(config.ok());
  CHECK(key_settings(*config)->list_outside);
  // One that is missing is named.
  base::Result<std::unique_ptr<RemoteParts>> parts = f.make({three[0], three[1]});
  REQUIRE(!parts.ok());
  CHECK(parts.error().message.find("endpoint") != std::string::npos);
}

TEST_CASE("a setting that makes no sense is named") {
  Fixture f;
  CHECK(f.make({"GOMA_ENDPOINT=grpc://127.0.0.1:1", "GOMA_INSTANCE=a/blobs"}).error().message.find("blobs") !=
        std::string::npos);
  CHECK(!f.make({"GOMA_ENDPOINT=grpc://127.0.0.1:1", "GOMA_TOOLCHAIN=house"}).ok());
}

TEST_CASE("the settings decide what keys are made of") {
  Fixture f;
  base::Result<Config> config =
      Config::load({"HOME=" + f.dir.path(), "GOMA_PLATFORM=Pool=x", "GOMA_TOOLCHAIN=chroot", "GOMA_SILO=s"});
  REQUIRE(config.ok());
  base::Result<remote::KeySettings> key = key_settings(*config);
  REQUIRE(key.ok());
  CHECK(key->chroot);
  CHECK(!key->list_outside);
  CHECK(key->silo == "s");
  CHECK(key->platform == std::vector<std::pair<std::string, std::string>>{{"Pool", "x"}});
}

TEST_CASE("workers are alike where the configuration or an image says so") {
  Fixture f;
  const std::string endpoint = "GOMA_ENDPOINT=grpc://127.0.0.1:1";
  CHECK(!(*f.make({endpoint, "GOMA_TOOLCHAIN=image"}))->side().workers_alike);
  CHECK((*f.make({endpoint, "GOMA_WORKERS_IDENTICAL=true"}))->side().workers_alike);
  std::string image = "GOMA_PLATFORM=container-image=docker://x@sha256:" + std::string(64, 'a');
  CHECK((*f.make({endpoint, image}))->side().workers_alike);
}
