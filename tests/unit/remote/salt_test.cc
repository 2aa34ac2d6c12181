#include "remote/salt.h"

#include "unit/remote/project.h"

namespace {

std::string hash_of(const std::string& text) {
  base::Digest digest = base::digest_of(text);
  return {digest.hash.begin(), digest.hash.end()};
}

std::string line(const std::string& path, const std::string& hex) {
  return path + std::string(1, '\0') + hex + "\n";
}

}  // namespace

TEST_CASE("the salt is the SHA-256 of sorted lines") {
  remote::Salt salt(remote::KeySettings{});
  base::Digest one = base::digest_of("one");
  salt.add("/b", one);
  salt.add("/a", one);
  salt.add("/b", one);
  salt.add_name("/absent");
  CHECK(salt.finish() == hash_of(line("/a", one.hex()) + line("/absent", "") + line("/b", one.hex())));
}

TEST_CASE("a silo is the first line, and without any line there is no salt") {
  remote::KeySettings settings;
  CHECK(remote::Salt(settings).finish() == "");
  settings.silo = "zoo";
  CHECK(remote::Salt(settings).finish() == hash_of("zoo\n"));
  remote::Salt salt(settings);
  salt.add_name("/a");
  CHECK(salt.finish() == hash_of("zoo\n" + line("/a", "")));
}

TEST_CASE("of the compiler only what does not travel is salt") {
  Project project;
  project.compiler.parts = {{"/usr/bin/cc1", base::digest_of("cc1")},
                            {project.root + "/cc1", base::digest_of("x")}};
  project.compiler.absent = {"/usr/specs", project.root + "/specs"};
  remote::Salt salt(remote::KeySettings{});
  auto below_root = [&](const std::string& path) { return path.starts_with(project.root + "/"); };
  REQUIRE(salt.add_compiler(project.command(kPlain), project.compiler, below_root));
  CHECK(salt.finish() ==
        hash_of(line("/usr/bin/cc1", base::digest_of("cc1").hex()) + line("/usr/specs", "")));
}

TEST_CASE("-march=native is keyed by what it means here") {
  Project project;
  Words words = plus(kPlain, {"-march=native"});
  CHECK(project.try_action(words).error().label() == "native_cpu");
  project.compiler.native = "-march=znver3 -mavx2";
  base::Digest here = project.key(words);
  project.compiler.native = "-march=skylake";
  CHECK(project.key(words) != here);
  // Without the flag the processor counts for nothing.
  base::Digest plain = project.key(kPlain);
  project.compiler.native = "";
  CHECK(project.key(kPlain) == plain);
}
