// What is kept on disk between runs of the daemon, as JSON. A record that cannot be read, for whatever
// reason, is no record: the compiler is asked again.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "compiler/dialect.h"
#include "compiler/identity.h"
#include "compiler/stamp.h"

namespace compiler {

struct CompilerRecord {
  Compiler compiler;
  std::vector<Stamp> stamps;
};

struct DialectRecord {
  Dialect dialect;  // its id is not kept
  std::vector<Stamp> stamps;
  std::map<std::string, std::int64_t> answers;
};

// The file for `key` in a folder of records: named by the key's digest, so any key will do.
std::string record_path(const std::string& folder, std::string_view key);

// Empty when the record cannot be written as JSON (a path that is not UTF-8).
std::string to_text(std::string_view key, const CompilerRecord& record);
std::string to_text(std::string_view key, const DialectRecord& record);

// Nothing when the text is damaged, of another version or of another key.
std::optional<CompilerRecord> compiler_from_text(std::string_view key, const std::string& text);
std::optional<DialectRecord> dialect_from_text(std::string_view key, const std::string& text);

// Writes a record; a failure costs the next run some probes and nothing else, so it is only logged. Does
// nothing when `text` is empty.
void keep_record(const std::string& path, const std::string& text);

}  // namespace compiler
