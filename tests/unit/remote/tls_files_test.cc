#include "remote/tls_files.h"

#include <doctest/doctest.h>

#include "fake/certificates.h"
#include "fake/temp_dir.h"
#include "fake/text.h"
#include "remote/connection.h"

namespace {

struct TlsFilesWorld {
  fake::TempDir dir;
  fake::Identity authority{"authority"};
  fake::Identity client{"client", &authority};
  remote::TlsFiles files{dir.write("ca.pem", authority.certificate()),
                         dir.write("client.pem", client.certificate()), dir.write("client.key", client.key()),
                         ""};

  base::Result<remote::TlsTexts> read() const { return remote::read_tls(files, base::real_files()); }
  std::string trouble() const {
    auto texts = read();
    REQUIRE_FALSE(texts.ok());
    return texts.error().message;
  }
};

}  // namespace

TEST_CASE("good files are read") {
  TlsFilesWorld world;
  auto texts = world.read();
  REQUIRE(texts.ok());
  CHECK(texts->ca == world.authority.certificate());
  CHECK(texts->certificate == world.client.certificate());
  CHECK(texts->key == world.client.key());
}

TEST_CASE("nothing configured is nothing read") {
  auto texts = remote::read_tls({}, base::real_files());
  REQUIRE(texts.ok());
  CHECK(texts->ca.empty());
  CHECK(texts->key.empty());
}

TEST_CASE("bad files are told by name, and keys are never shown") {
  TlsFilesWorld world;
  world.dir.write("client.key", fake::Identity("other").key());
  CHECK(fake::holds(world.trouble(), "client.key is not the key of"));
  world.dir.write("client.key", "hush hush");
  CHECK(fake::holds(world.trouble(), "client.key holds no key"));
  CHECK_FALSE(fake::holds(world.trouble(), "hush"));
  world.dir.write("client.pem", "");
  CHECK(fake::holds(world.trouble(), "client.pem holds no certificate"));
  world.dir.write("ca.pem", "not a certificate");
  CHECK(fake::holds(world.trouble(), "ca.pem holds no certificate"));
  world.files.ca = world.dir / "absent.pem";
  CHECK(fake::holds(world.trouble(), "absent.pem"));
}

TEST_CASE("a certificate without its key is refused") {
  TlsFilesWorld world;
  world.files.key.clear();
  CHECK(fake::holds(world.trouble(), "only one is given"));
}

TEST_CASE("the stamp changes when a file is replaced") {
  TlsFilesWorld world;
  auto before = remote::stamp_of(world.files, base::real_files());
  CHECK(remote::stamp_of(world.files, base::real_files()) == before);
  world.dir.write("client.pem", world.client.certificate() + "\n");
  CHECK_FALSE(remote::stamp_of(world.files, base::real_files()) == before);
}
