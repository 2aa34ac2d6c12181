#include "remote/pieces.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>

#include "base/zstd.h"
#include "fake/noise.h"
#include "fake/temp_dir.h"

using remote::Cause;
using remote::Source;

namespace {

struct Pass {
  std::string bytes;
  std::size_t pieces = 0;
  std::size_t largest = 0;
  std::optional<remote::Failure> failure;
};

Pass pass(const Source& source, bool zstd, std::size_t most) {
  Pass out;
  auto pieces = remote::make_pieces(source, zstd);
  while (!pieces->done()) {
    remote::Remote<std::string> piece = pieces->next(most);
    if (!piece) {
      out.failure = piece.error();
      return out;
    }
    CHECK(!piece->empty());
    out.bytes += *piece;
    out.pieces += 1;
    out.largest = std::max(out.largest, piece->size());
  }
  CHECK(pieces->next(most)->empty());
  return out;
}

}  // namespace

TEST_CASE("bytes and files come in pieces of the wanted size") {
  fake::TempDir dir;
  std::string bytes = fake::noise(300'000);
  base::Digest digest = base::digest_of(bytes);
  for (const Source& source : {Source{digest, bytes}, Source{digest, "", dir.write("file", bytes)}}) {
    Pass plain = pass(source, false, 100'000);
    CHECK(plain.bytes == bytes);
    CHECK(plain.pieces == 3);
    CHECK(plain.largest == 100'000);
    CHECK(*remote::read_whole(source) == bytes);
  }
}

TEST_CASE("compressed pieces are one frame, the same in each pass") {
  std::string bytes = fake::noise(200'000) + std::string(400'000, 'x');
  Source source{base::digest_of(bytes), bytes};
  Pass first = pass(source, true, 64 << 10);
  CHECK(first.largest <= 64 << 10);
  CHECK(*base::zstd_decompress(first.bytes, bytes.size()) == bytes);
  CHECK(pass(source, true, 1 << 20).bytes == first.bytes);
  CHECK(pass(source, true, 777).bytes == first.bytes);
}

TEST_CASE("a file that changed is found out before its last piece") {
  fake::TempDir dir;
  std::string bytes = fake::noise(300'000);
  base::Digest digest = base::digest_of(bytes);
  std::string other = bytes;
  other[0] ^= 1;
  for (const std::string& now : {other, bytes + "more", bytes.substr(0, 299'999), std::string()}) {
    Source source{digest, "", dir.write("file", now)};
    for (bool zstd : {false, true}) {
      Pass changed = pass(source, zstd, 100'000);
      REQUIRE(changed.failure);
      CHECK(changed.failure->cause == Cause::local);
      CHECK(changed.failure->message.find(source.path) != std::string::npos);
      CHECK(changed.bytes.size() < bytes.size());
    }
    CHECK(remote::read_whole(source).error().cause == Cause::local);
  }
}

TEST_CASE("a file that is gone and bytes of another digest are local failures") {
  fake::TempDir dir;
  Source gone{base::digest_of("x"), "", dir / "gone"};
  CHECK(remote::read_whole(gone).error().cause == Cause::local);
  Source wrong{base::digest_of("abc"), "abd"};
  CHECK(remote::read_whole(wrong).error().cause == Cause::local);
  Source shorter{base::digest_of("abc"), "ab"};
  CHECK(remote::read_whole(shorter).error().cause == Cause::local);
}

TEST_CASE("small blobs and those that are compressed already are not worth compressing") {
  fake::TempDir dir;
  auto compressible = [](const std::string& bytes) {
    return remote::is_compressible({base::digest_of(bytes), bytes});
  };
  CHECK(!compressible(std::string(1'000, 'a')));
  CHECK(compressible(std::string(10'000, 'a')));
  CHECK(!compressible(fake::noise(100'000)));
  CHECK(!compressible(*base::zstd_compress(fake::noise(20'000) + std::string(50'000, 'b'), 3)));
  std::string text(10'000, 'a');
  CHECK(remote::is_compressible({base::digest_of(text), "", dir.write("file", text)}));
  CHECK(!remote::is_compressible({base::digest_of(text), "", dir / "gone"}));
}
