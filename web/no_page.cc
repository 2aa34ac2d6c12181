#include "serve/page_files.h"

namespace serve {

// An array of no elements is no C++; the count keeps this one from being seen.
const PageFile kPageFiles[1] = {};
const std::size_t kPageFileCount = 0;

}  // namespace serve
