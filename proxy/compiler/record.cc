#include "compiler/record.h"

#include <nlohmann/json.hpp>
#include <system_error>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"

namespace compiler {
namespace {

using Json = nlohmann::json;

// Raised when the meaning of a field, or what a probe asks, changes.
constexpr int kVersion = 1;

// Reads fields and remembers whether one was missing or of another type; never throws.
class Reader {
 public:
  explicit Reader(const Json& json) : json_(json) {}

  std::string text(const char* name) {
    auto found = json_.find(name);
    if (found == json_.end() || !found->is_string()) return fail<std::string>();
    return found->get<std::string>();
  }
  std::int64_t number(const char* name) {
    auto found = json_.find(name);
    if (found == json_.end() || !found->is_number_integer()) return fail<std::int64_t>();
    return found->get<std::int64_t>();
  }
  bool flag(const char* name) {
    auto found = json_.find(name);
    if (found == json_.end() || !found->is_boolean()) return fail<bool>();
    return found->get<bool>();
  }
  const Json& list(const char* name) {
    static const Json empty = Json::array();
    auto found = json_.find(name);
    if (found != json_.end() && found->is_array()) return *found;
    failed_ = true;
    return empty;
  }
  std::vector<std::string> texts(const char* name) {
    std::vector<std::string> out;
    for (const Json& item : list(name)) {
      if (item.is_string()) {
        out.push_back(item.get<std::string>());
      } else {
        failed_ = true;
      }
    }
    return out;
  }
  bool failed() const { return failed_; }
  void fail_if(bool condition) { failed_ = failed_ || condition; }

 private:
  template <class T>
  T fail() {
    failed_ = true;
    return T{};
  }

  const Json& json_;
  bool failed_ = false;
};

Json stamps_to_json(const std::vector<Stamp>& stamps) {
  Json out = Json::array();
  for (const Stamp& stamp : stamps) {
    const base::FileStat& stat = stamp.stat;
    out.push_back({{"path", stamp.path},
                   {"type", static_cast<int>(stat.type)},
                   {"mode", stat.mode},
                   {"links", stat.links},
                   {"dev", static_cast<std::int64_t>(stat.dev)},
                   {"ino", static_cast<std::int64_t>(stat.ino)},
                   {"size", stat.size},
                   {"mtime", stat.mtime_ns},
                   {"ctime", stat.ctime_ns}});
  }
  return out;
}

std::vector<Stamp> stamps_from_json(Reader& record) {
  std::vector<Stamp> out;
  for (const Json& item : record.list("stamps")) {
    if (!item.is_object()) {
      record.fail_if(true);
      continue;
    }
    Reader reader(item);
    Stamp stamp;
    stamp.path = reader.text("path");
    stamp.stat.type = static_cast<base::FileType>(reader.number("type"));
    stamp.stat.mode = static_cast<std::uint32_t>(reader.number("mode"));
    stamp.stat.links = static_cast<std::uint32_t>(reader.number("links"));
    stamp.stat.dev = static_cast<std::uint64_t>(reader.number("dev"));
    stamp.stat.ino = static_cast<std::uint64_t>(reader.number("ino"));
    stamp.stat.size = reader.number("size");
    stamp.stat.mtime_ns = reader.number("mtime");
    stamp.stat.ctime_ns = reader.number("ctime");
    record.fail_if(reader.failed());
    out.push_back(std::move(stamp));
  }
  return out;
}

std::string dump(const Json& json) {
  // Bytes that are not UTF-8 come back as replacement characters, which would be other paths.
  std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.find("\xef\xbf\xbd") == std::string::npos ? text : "";
}

// The object in a record of this version and key.
std::optional<Json> open_record(std::string_view key, const std::string& text) {
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  Reader reader(json);
  bool ours = reader.number("version") == kVersion && reader.text("key") == key && !reader.failed();
  if (!ours) return std::nullopt;
  return json;
}

}  // namespace

std::string record_path(const std::string& folder, std::string_view key) {
  return folder + "/" + base::digest_of(key).hex() + ".json";
}

std::string to_text(std::string_view key, const CompilerRecord& record) {
  const Compiler& compiler = record.compiler;
  Json parts = Json::array();
  for (const Part& part : compiler.parts) {
    parts.push_back({{"path", part.path}, {"hash", part.digest.hex()}, {"size", part.digest.size}});
  }
  return dump({{"version", kVersion},
               {"key", key},
               {"driver", compiler.driver},
               {"family", static_cast<int>(compiler.family)},
               {"version_line", compiler.version},
               {"target", compiler.target},
               {"parts", parts},
               {"absent", compiler.absent},
               {"fingerprint", compiler.fingerprint.hex()},
               {"fingerprint_size", compiler.fingerprint.size},
               {"stamps", stamps_to_json(record.stamps)}});
}

std::optional<CompilerRecord> compiler_from_text(std::string_view key, const std::string& text) {
  std::optional<Json> json = open_record(key, text);
  if (!json) return std::nullopt;
  Reader reader(*json);
  CompilerRecord record;
  record.compiler.driver = reader.text("driver");
  record.compiler.family = reader.number("family") == 0 ? Family::gcc : Family::clang;
  record.compiler.version = reader.text("version_line");
  record.compiler.target = reader.text("target");
  for (const Json& item : reader.list("parts")) {
    if (!item.is_object()) return std::nullopt;
    Reader part(item);
    base::Result<base::Digest> digest = base::parse_digest(part.text("hash"), part.number("size"));
    std::string path = part.text("path");
    if (part.failed() || !digest) return std::nullopt;
    record.compiler.parts.push_back({std::move(path), *digest});
  }
  record.compiler.absent = reader.texts("absent");
  base::Result<base::Digest> fingerprint =
      base::parse_digest(reader.text("fingerprint"), reader.number("fingerprint_size"));
  record.stamps = stamps_from_json(reader);
  if (reader.failed() || !fingerprint) return std::nullopt;
  record.compiler.fingerprint = *fingerprint;
  return record;
}

std::string to_text(std::string_view key, const DialectRecord& record) {
  Json directories = Json::array();
  for (const BuiltinDir& directory : record.dialect.directories) {
    directories.push_back({{"path", directory.path}, {"framework", directory.framework}});
  }
  return dump({{"version", kVersion},
               {"key", key},
               {"predefined", record.dialect.predefined},
               {"directories", directories},
               {"builtin_names", record.dialect.builtin_names},
               {"includes_stdc_predef", record.dialect.includes_stdc_predef},
               {"answers", record.answers},
               {"stamps", stamps_to_json(record.stamps)}});
}

std::optional<DialectRecord> dialect_from_text(std::string_view key, const std::string& text) {
  std::optional<Json> json = open_record(key, text);
  if (!json) return std::nullopt;
  Reader reader(*json);
  DialectRecord record;
  record.dialect.id = 0;
  record.dialect.predefined = reader.text("predefined");
  for (const Json& item : reader.list("directories")) {
    if (!item.is_object()) return std::nullopt;
    Reader directory(item);
    BuiltinDir entry;
    entry.path = directory.text("path");
    entry.framework = directory.flag("framework");
    if (directory.failed()) return std::nullopt;
    record.dialect.directories.push_back(std::move(entry));
  }
  record.dialect.builtin_names = reader.texts("builtin_names");
  record.dialect.includes_stdc_predef = reader.flag("includes_stdc_predef");
  auto answers = json->find("answers");
  if (answers == json->end() || !answers->is_object()) return std::nullopt;
  for (const auto& [question, value] : answers->items()) {
    if (!value.is_number_integer()) return std::nullopt;
    record.answers[question] = value.get<std::int64_t>();
  }
  record.stamps = stamps_from_json(reader);
  if (reader.failed()) return std::nullopt;
  return record;
}

void keep_record(const std::string& path, const std::string& text) {
  if (text.empty()) return;
  base::make_folders(std::string(base::directory_name(path)));
  base::Result<void> written = base::write_file_atomic(path, text, 0600);
  if (!written)
    base::log(base::LogLevel::warning, "cannot keep a probe's result: " + written.error().message);
}

}  // namespace compiler
