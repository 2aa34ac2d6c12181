// A file of the store: bytes from outside must be refused, and so must an entry of which one byte is another.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cache/entry_file.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  base::Result<cache::Trailer> trailer = cache::read_trailer(bytes);
  if (trailer) {
    (void)cache::open_blob(trailer->name, std::string(bytes));
    (void)cache::open_outcome(trailer->name, std::string(bytes));
  }
  if (size < 3) return 0;

  std::size_t place = static_cast<std::size_t>(data[0]) << 8 | data[1];
  auto flip = static_cast<char>(data[2] | 1);
  std::string content(bytes.substr(3));
  base::Digest name = base::digest_of(content);
  auto check = [&](std::string file, auto open) {
    base::Result<std::string> opened = open(name, file);
    if (!opened || *opened != content) std::abort();
    file[place % file.size()] ^= flip;
    base::Result<std::string> damaged = open(name, file);
    // A frame has bits that change nothing, so what counts is that no other content comes out.
    if (damaged && *damaged != content) std::abort();
    file.resize(place % file.size());
    if (open(name, file)) std::abort();
  };
  check(cache::seal_blob(name, content), cache::open_blob);
  check(cache::seal_outcome(name, content), cache::open_outcome);
  base::Result<std::string> compressed = cache::seal_compressed(name, content, 1);
  if (!compressed) std::abort();
  if (!compressed->empty()) check(*compressed, cache::open_blob);
  return 0;
}
