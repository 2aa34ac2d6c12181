// A scan of a source and the header beside it, the two split at the first NUL. What a scan says must be the
// same when everything is known already, and when nothing is known of the files and versions before.
#include <cstdlib>
#include <string>
#include <string_view>

#include "fake/scan_fixture.h"

namespace {

std::string scan(fake::ScanFixture& world, std::string_view source, std::string_view header) {
  world.files.forget_asked();
  world.files.write("/w/main.cc", source);
  world.files.write("/w/a.h", header);
  world.files.write("/w/b/a.h", header);
  world.command.macros = {{false, "ON=1"}};
  world.command.search = {{compiler::SearchDir::Kind::angle, "b"}};
  return world.listed();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  compiler::Family family = (data[0] & 1) != 0 ? compiler::Family::clang : compiler::Family::gcc;
  std::string_view source(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::size_t split = source.find('\0');
  std::string_view header = split == std::string_view::npos ? "" : source.substr(split + 1);
  source = source.substr(0, split);

  // To make a world costs more than a scan, so one lives on; the first byte tells when to compare.
  static fake::ScanFixture worlds[] = {fake::ScanFixture(compiler::Family::gcc),
                                       fake::ScanFixture(compiler::Family::clang)};
  fake::ScanFixture& world = worlds[data[0] & 1];
  std::string first = scan(world, source, header);
  if (first.find("main.cc") != 0 && first.find("refused: ") != 0) std::abort();
  if (first == "refused: " || first == "refused: with subtrees") std::abort();
  if (world.listed() != first) std::abort();
  if ((data[0] & 0xfe) != 0) return 0;
  fake::ScanFixture fresh(family);
  if (scan(fresh, source, header) != first) std::abort();
  return 0;
}
