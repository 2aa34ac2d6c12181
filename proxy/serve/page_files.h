// The files of the status page, put into the program at build time. There are none in a build without it.
#pragma once

#include <cstddef>
#include <string_view>

namespace serve {

struct PageFile {
  std::string_view path;   // "/static/app.js"
  std::string_view type;   // the Content-Type
  std::string_view etag;   // with its quotes
  std::string_view bytes;  // gzipped
};

extern const PageFile kPageFiles[];
extern const std::size_t kPageFileCount;

}  // namespace serve
