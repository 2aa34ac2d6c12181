#include "compiler/record.h"

#include <doctest/doctest.h>

namespace {

compiler::DialectRecord dialect_record() {
  compiler::DialectRecord record;
  record.dialect.id = 7;
  record.dialect.predefined = "#define A \"x\\\"y\"\n";
  record.dialect.directories = {{"/usr/include", false}, {"/fw", true}};
  record.dialect.builtin_names = {"__has_include"};
  record.dialect.includes_stdc_predef = true;
  record.answers = {{"__has_builtin(a)", 1}, {"__has_builtin(b)", compiler::kNoAnswer}};
  compiler::Stamp stamp;
  stamp.path = "/gone";
  record.stamps = {stamp};
  return record;
}

compiler::CompilerRecord compiler_record() {
  compiler::CompilerRecord record;
  record.compiler.driver = "/usr/bin/g++";
  record.compiler.family = compiler::Family::clang;
  record.compiler.version = "v";
  record.compiler.target = "t";
  record.compiler.parts = {{"/usr/bin/g++", base::digest_of("x")}};
  record.compiler.absent = {"/specs"};
  record.compiler.fingerprint = base::digest_of("all");
  compiler::Stamp stamp;
  stamp.path = "/usr/bin/g++";
  stamp.stat.type = base::FileType::regular;
  stamp.stat.mode = 0755;
  stamp.stat.links = 2;
  stamp.stat.dev = 0xffffffffffffffff;
  stamp.stat.ino = 3;
  stamp.stat.size = 4;
  stamp.stat.mtime_ns = -5;
  stamp.stat.ctime_ns = 6;
  record.stamps = {stamp};
  return record;
}

}  // namespace

TEST_CASE("a compiler comes back as it was written") {
  compiler::CompilerRecord record = compiler_record();
  std::optional<compiler::CompilerRecord> back =
      compiler::compiler_from_text("key", compiler::to_text("key", record));
  REQUIRE(back);
  CHECK(back->compiler.driver == record.compiler.driver);
  CHECK(back->compiler.family == record.compiler.family);
  CHECK(back->compiler.parts[0].digest == record.compiler.parts[0].digest);
  CHECK(back->compiler.absent == record.compiler.absent);
  CHECK(back->compiler.fingerprint == record.compiler.fingerprint);
  CHECK(back->stamps[0].path == "/usr/bin/g++");
  CHECK(back->stamps[0].stat == record.stamps[0].stat);
}

TEST_CASE("a dialect comes back as it was written") {
  std::optional<compiler::DialectRecord> back =
      compiler::dialect_from_text("key", compiler::to_text("key", dialect_record()));
  REQUIRE(back);
  CHECK(back->dialect.predefined == dialect_record().dialect.predefined);
  CHECK(back->dialect.directories[1].path == "/fw");
  CHECK(back->dialect.directories[1].framework);
  CHECK(back->dialect.includes_stdc_predef);
  CHECK(back->answers == dialect_record().answers);
}

TEST_CASE("a record of another key, cut short or with a field of another type is none") {
  std::string dialect = compiler::to_text("key", dialect_record());
  std::string compiler = compiler::to_text("key", compiler_record());
  CHECK(!compiler::dialect_from_text("other", dialect));
  CHECK(!compiler::compiler_from_text("other", compiler));
  CHECK(!compiler::dialect_from_text("key", compiler));
  for (std::size_t size = 0; size < dialect.size(); ++size) {
    CHECK(!compiler::dialect_from_text("key", dialect.substr(0, size)));
  }
  for (std::size_t size = 0; size < compiler.size(); ++size) {
    CHECK(!compiler::compiler_from_text("key", compiler.substr(0, size)));
  }
  for (const char* bad :
       {"", "[]", "1", "{}", "{\"version\":1,\"key\":\"key\"}", "{\"version\":\"1\",\"key\":1}"}) {
    CHECK(!compiler::dialect_from_text("key", bad));
    CHECK(!compiler::compiler_from_text("key", bad));
  }
  std::string retyped = compiler;
  retyped.replace(retyped.find("\"parts\":["), 9, "\"parts\":[3,");
  CHECK(!compiler::compiler_from_text("key", retyped));
}

TEST_CASE("what is not UTF-8 is not kept") {
  compiler::CompilerRecord record = compiler_record();
  record.compiler.driver = "/bin/\xff";
  CHECK(compiler::to_text("key", record) == "");
}

TEST_CASE("records are named by their key's digest") {
  CHECK(compiler::record_path("/s", "a/b") == "/s/" + base::digest_of("a/b").hex() + ".json");
  CHECK(compiler::record_path("/s", "a") != compiler::record_path("/s", "b"));
}
