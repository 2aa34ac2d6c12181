#include "inputs/resolver.h"

#include <doctest/doctest.h>

#include "fake/scan_fixture.h"

using inputs::FoundBy;
using inputs::Resolved;
using inputs::StartKind;

namespace {

struct ResolverFixture {
  fake::ScanFixture scan;
  std::unique_ptr<inputs::Resolver> resolver;
  inputs::NodeId cwd = inputs::kNoNode;

  void make(compiler::Family family) {
    inputs::Trail trail;
    scan.command.family = family;
    cwd = scan.index.find("/w", trail).node;
    auto path = inputs::make_search_path(scan.command, scan.dialect, scan.env, scan.index, cwd, trail);
    REQUIRE(path);
    inputs::SearchConfig config{family, family == compiler::Family::gcc, cwd, std::move(*path)};
    resolver =
        std::make_unique<inputs::Resolver>(scan.index, scan.lists.vocabulary().headers, std::move(config));
  }
  const Resolved& find(std::string_view name, StartKind kind, std::uint16_t after = 0,
                       const inputs::IncluderDirectory* includer = nullptr) {
    scan.index.refresh();
    return resolver->resolve(scan.lists.vocabulary().headers.intern(name), {kind, after}, includer,
                             scan.index.epoch());
  }
};

}  // namespace

TEST_CASE("the keys of searches differ in each of their parts, and in where one part ends") {
  using inputs::SearchConfig;
  const inputs::SearchDirectory one{"a", 12, false, false};
  const inputs::SearchDirectory two{"3b", 4, false, false};
  const SearchConfig plain{compiler::Family::gcc, false, 1, {{one, two}, 0, {one, two}}};
  auto differs = [&](auto change) {
    SearchConfig other = plain;
    change(other);
    return other.key() != plain.key();
  };
  CHECK_FALSE(differs([](SearchConfig&) {}));
  CHECK(differs([](SearchConfig& c) { c.family = compiler::Family::clang; }));
  CHECK(differs([](SearchConfig& c) { c.canonical_system_headers = true; }));
  CHECK(differs([](SearchConfig& c) { c.cwd = 2; }));
  CHECK(differs([](SearchConfig& c) { c.path.angle_begin = 1; }));
  CHECK(differs([](SearchConfig& c) { c.path.directories[0].name = "c"; }));
  CHECK(differs([](SearchConfig& c) { c.path.directories[0].node = 13; }));
  CHECK(differs([](SearchConfig& c) { c.path.directories[0].system = true; }));
  CHECK(differs([](SearchConfig& c) { c.path.directories[0].by_flag = true; }));
  CHECK(differs([](SearchConfig& c) { std::swap(c.path.directories[0], c.path.directories[1]); }));
  CHECK(differs([](SearchConfig& c) { c.path.touched.pop_back(); }));
  CHECK(differs([](SearchConfig& c) {
    c.path.touched.insert(c.path.touched.begin(), c.path.directories.back());
    c.path.directories.pop_back();
  }));
  // A number and the name after it could be cut in another place.
  CHECK(differs([](SearchConfig& c) {
    c.path.directories[0].node = 123;
    c.path.directories[1].name = "b";
  }));
}

TEST_CASE_FIXTURE(ResolverFixture, "a header is found in the first directory that has it") {
  scan.files.write("/w/a/x.h", "");
  scan.files.write("/w/b/x.h", "");
  scan.files.make_directory("/w/a/dir");
  scan.files.write("/w/b/dir", "");
  scan.angle("a");
  scan.angle("b");
  make(compiler::Family::gcc);
  CHECK(find("x.h", StartKind::angle).path == "a/x.h");
  CHECK(find("x.h", StartKind::after, 0).path == "b/x.h");
  CHECK(find("x.h", StartKind::after, 1).by == FoundBy::nothing);
  CHECK(find("dir", StartKind::angle).path == "b/dir");
  CHECK(find("none", StartKind::angle).by == FoundBy::nothing);
  CHECK(find("/w/b/x.h", StartKind::angle).by == FoundBy::absolute_path);
}

TEST_CASE_FIXTURE(ResolverFixture, "an answer is given anew when a file appears, changes its kind or goes") {
  scan.files.write("/w/b/x.h", "");
  scan.files.make_directory("/w/a");
  scan.angle("a");
  scan.angle("b");
  make(compiler::Family::gcc);
  CHECK(find("x.h", StartKind::angle).path == "b/x.h");
  scan.files.write("/w/a/x.h", "");
  CHECK(find("x.h", StartKind::angle).path == "a/x.h");
  scan.files.remove("/w/a/x.h");
  scan.files.make_directory("/w/a/x.h");
  CHECK(find("x.h", StartKind::angle).path == "b/x.h");
  scan.files.remove("/w/b/x.h");
  CHECK(find("x.h", StartKind::angle).by == FoundBy::nothing);
}

TEST_CASE_FIXTURE(ResolverFixture, "quotes look beside the includer first") {
  scan.files.write("/w/sub/x.h", "");
  scan.files.write("/w/a/y.h", "");
  scan.angle("a");
  make(compiler::Family::gcc);
  inputs::Trail trail;
  const auto* sub = resolver->includer_directory("sub/", scan.index.find("/w/sub", trail).node, false);
  CHECK(find("x.h", StartKind::includer, 0, sub).path == "sub/x.h");
  CHECK(find("x.h", StartKind::includer, 0, sub).by == FoundBy::includer);
  CHECK(find("y.h", StartKind::includer, 0, sub).path == "a/y.h");
  CHECK(find("x.h", StartKind::angle).by == FoundBy::nothing);
}

TEST_CASE_FIXTURE(ResolverFixture, "paths are put together as each compiler does") {
  scan.files.write("/w/x.h", "");
  scan.files.write("/w/a/y.h", "");
  scan.angle("./a/");
  make(compiler::Family::gcc);
  const auto* here = resolver->includer_directory("", cwd, false);
  CHECK(find("x.h", StartKind::includer, 0, here).path == "x.h");
  CHECK(find("y.h", StartKind::angle).path == "./a/y.h");
  CHECK(find("y.h", StartKind::angle).depfile_name == "a/y.h");
  make(compiler::Family::clang);
  here = resolver->includer_directory(".", cwd, false);
  CHECK(find("x.h", StartKind::includer, 0, here).path == "./x.h");
  CHECK(find("x.h", StartKind::includer, 0, here).parent_name == ".");
  CHECK(find("y.h", StartKind::angle).parent_name == "./a");
}

TEST_CASE_FIXTURE(ResolverFixture, "gcc: a system header takes its real path when that is shorter") {
  scan.files.write("/r/x.h", "");
  scan.files.make_directory("/w/deep/er");
  scan.files.link("/w/deep/er/link", "/r");
  scan.search(compiler::SearchDir::Kind::system, "deep/er/link");
  make(compiler::Family::gcc);
  CHECK(find("x.h", StartKind::angle).path == "/r/x.h");
  make(compiler::Family::clang);
  CHECK(find("x.h", StartKind::angle).path == "deep/er/link/x.h");
}

TEST_CASE_FIXTURE(ResolverFixture, "a look-up that fails is told from one that finds nothing") {
  scan.files.link("/w/a/loop.h", "loop.h");
  scan.angle("a");
  make(compiler::Family::gcc);
  CHECK(find("loop.h", StartKind::angle).broken);
  CHECK(find(std::string(300, 'x'), StartKind::angle).broken);
}

TEST_CASE_FIXTURE(ResolverFixture, "gcc: a precompiled header is met before the plain one, not behind it") {
  scan.files.write("/w/a/x.h", "");
  scan.files.write("/w/b/x.h.gch", "");
  scan.angle("a");
  scan.angle("b");
  make(compiler::Family::gcc);
  inputs::Trail trail;
  const inputs::Id name = scan.lists.vocabulary().headers.intern("x.h");
  CHECK_FALSE(resolver->meets_precompiled(name, {StartKind::angle}, nullptr, trail));
  scan.files.write("/w/a/x.h.gch", "");
  scan.index.refresh();
  CHECK(resolver->meets_precompiled(name, {StartKind::angle}, nullptr, trail));
}

TEST_CASE("a depfile has no leading dot and slash") {
  CHECK(inputs::depfile_spelling("./a.h") == "a.h");
  CHECK(inputs::depfile_spelling("././/a/./b.h") == "a/./b.h");
  CHECK(inputs::depfile_spelling("../a.h") == "../a.h");
  CHECK(inputs::depfile_spelling(".hidden") == ".hidden");
}

TEST_CASE_FIXTURE(ResolverFixture, "the directory of an answer is made once for each use") {
  scan.files.write("/w/a/sub/x.h", "");
  scan.angle("a");
  make(compiler::Family::gcc);
  const Resolved& found = find("sub/x.h", StartKind::angle);
  const inputs::IncluderDirectory* plain = resolver->directory_of(found, false);
  const inputs::IncluderDirectory* canonical = resolver->directory_of(found, true);
  CHECK(plain->prefix == "a/sub/");
  CHECK(plain->node == found.parent);
  CHECK_FALSE(plain->canonical);
  CHECK(canonical->canonical);
  CHECK(resolver->directory_of(found, false) == plain);
  CHECK(resolver->directory_of(found, true) == canonical);
  CHECK(resolver->includer_directory("a/sub/", found.parent, false) == plain);
}

TEST_CASE_FIXTURE(ResolverFixture,
                  "answers stay in place under one number, and are dropped when there are too many") {
  scan.files.write("/w/a/x.h", "");
  scan.angle("a");
  make(compiler::Family::gcc);
  const std::uint32_t number = resolver->number();
  const Resolved& first = find("x.h", StartKind::angle);
  scan.files.remove("/w/a/x.h");
  // Void, but still there for who knows of it.
  CHECK(&find("x.h", StartKind::angle) != &first);
  resolver->begin(1);
  CHECK(resolver->number() == number);
  CHECK(first.path == "a/x.h");
  CHECK_FALSE(scan.index.valid(first.snapshot));
  for (int i = 0; i <= 100'000; ++i) find("n" + std::to_string(i) + ".h", StartKind::angle);
  CHECK(resolver->number() == number);
  resolver->begin(1);
  CHECK(resolver->number() != number);
  make(compiler::Family::gcc);
  CHECK(resolver->number() > number + 1);
}
