#include "compiler/search_path.h"

#include <doctest/doctest.h>

namespace {

compiler::Draft draft_with(const char* path) {
  compiler::Draft draft;
  draft.command.search.push_back({compiler::SearchDir::Kind::angle, path});
  return draft;
}

}  // namespace

TEST_CASE("= and $SYSROOT stand for the sysroot, -isysroot before --sysroot") {
  compiler::Draft draft = draft_with("=/inc");
  draft.command.search.push_back({compiler::SearchDir::Kind::system, "$SYSROOT/inc"});
  draft.command.search.push_back({compiler::SearchDir::Kind::quote, "plain=x"});
  draft.sysroot = "/root";
  REQUIRE(compiler::apply_sysroot(draft).ok());
  CHECK(draft.command.search[0].path == "/root/inc");
  CHECK(draft.command.search[1].path == "/root/inc");
  CHECK(draft.command.search[2].path == "plain=x");

  compiler::Draft other = draft_with("=/inc");
  other.sysroot = "/root";
  other.header_sysroot = "/headers";
  REQUIRE(compiler::apply_sysroot(other).ok());
  CHECK(other.command.search[0].path == "/headers/inc");
}

TEST_CASE("an unknown sysroot is refused") {
  compiler::Draft draft = draft_with("=/inc");
  CHECK(compiler::apply_sysroot(draft).error().label() == "sysroot_prefix");
  draft.sysroot = "/root";
  draft.command.family = compiler::Family::clang;
  CHECK(compiler::apply_sysroot(draft).error().label() == "sysroot_prefix");
}
