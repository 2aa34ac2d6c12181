// A runner for buildbox-casd that compiles nothing: it waits, and then hands in an object and a depfile that
// look right. So what a load test measures is the client and the engine, on any machine. Actions that make no
// object are given to the real runner. Called as casd calls its runners; its environment:
//
//   WAITING_SECONDS   how long a compile takes
//   WAITING_STORE     casd's folder of blobs, in which the results are put
//   WAITING_READS     a file that lists what every compile reads besides its source, one name a line
//   WAITING_RUNNER    the real runner
#include <openssl/sha.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);  // one thread, before anything else
  return value == nullptr ? "" : value;
}

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

// Walks over the fields of one message of the wire format; enough of it for Action and Command.
struct Field {
  unsigned number = 0;
  std::string_view bytes;
};

std::uint64_t varint(std::string_view& rest) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; !rest.empty() && shift < 64; shift += 7) {
    auto byte = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if ((byte & 0x80U) == 0) break;
  }
  return value;
}

std::vector<Field> fields(std::string_view rest) {
  std::vector<Field> found;
  while (!rest.empty()) {
    std::uint64_t tag = varint(rest);
    Field field{static_cast<unsigned>(tag >> 3U), {}};
    if ((tag & 7U) == 0) {
      varint(rest);
    } else {
      std::size_t size = std::min<std::size_t>(varint(rest), rest.size());
      field.bytes = rest.substr(0, size);
      rest.remove_prefix(size);
    }
    found.push_back(field);
  }
  return found;
}

std::vector<std::string> all(std::string_view message, unsigned number) {
  std::vector<std::string> values;
  for (const Field& field : fields(message)) {
    if (field.number == number) values.emplace_back(field.bytes);
  }
  return values;
}

std::string first(std::string_view message, unsigned number) {
  std::vector<std::string> values = all(message, number);
  return values.empty() ? "" : values.front();
}

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U) out += static_cast<char>((value & 0x7fU) | 0x80U);
  out += static_cast<char>(value);
}

void put(std::string& out, unsigned number, const std::string& bytes) {
  put_varint(out, (number << 3U) | 2U);
  put_varint(out, bytes.size());
  out += bytes;
}

std::string blob_path(const std::string& hash) {
  return variable("WAITING_STORE") + "/" + hash.substr(0, 2) + "/" + hash.substr(2);
}

// The Digest of the content, which is in the store from now on.
std::string store(const std::string& content) {
  unsigned char hash[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(content.data()), content.size(), hash);
  std::string name;
  for (unsigned char byte : hash) {
    name += "0123456789abcdef"[byte >> 4U];
    name += "0123456789abcdef"[byte & 15U];
  }
  std::string path = blob_path(name), incoming = path + "." + std::to_string(::getpid());
  std::ofstream(incoming, std::ios::binary) << content;
  ::chmod(incoming.c_str(), 0444);
  ::rename(incoming.c_str(), path.c_str());
  std::string digest;
  put(digest, 1, name);
  put_varint(digest, 2U << 3U);
  put_varint(digest, content.size());
  return digest;
}

bool ends_with(const std::string& text, const char* end) { return std::string_view(text).ends_with(end); }

std::string depfile(const std::vector<std::string>& arguments, const std::string& object) {
  std::string text = object + ":";
  for (const std::string& word : arguments) {
    if (ends_with(word, ".cc") || ends_with(word, ".c")) text += " " + word;
  }
  std::istringstream reads(read_file(variable("WAITING_READS")));
  for (std::string name; std::getline(reads, name);) text += " \\\n " + name;
  return text + "\n";
}

std::string result_of(const std::string& command) {
  std::vector<std::string> outputs = all(command, 7);
  std::string object;
  for (const std::string& path : outputs) {
    if (ends_with(path, ".o")) object = path;
  }
  std::string result;
  for (const std::string& path : outputs) {
    std::string file;
    put(file, 1, path);
    bool is_object = path == object;
    put(file, 2, store(is_object ? "\177ELF not really, for " + path : depfile(all(command, 1), object)));
    put(result, 2, file);
  }
  std::string metadata;
  put(metadata, 1, "waiting");
  put(result, 9, metadata);
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  std::string action, result;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word == "--validate-parameters" || word == "--version") return 0;
    if (word.starts_with("--action=")) action = read_file(word.substr(9));
    if (word.starts_with("--action-result=")) result = word.substr(16);
  }
  std::string command = read_file(blob_path(first(first(action, 1), 1)));
  bool compiles = false;
  for (const std::string& path : all(command, 7)) compiles = compiles || ends_with(path, ".o");
  if (!compiles) {
    std::string runner = variable("WAITING_RUNNER"), staging = "--staging-mode=copy-or-link";
    std::vector<char*> words(argv, argv + argc);
    words[0] = runner.data();
    words.push_back(staging.data());
    words.push_back(nullptr);
    ::execv(runner.c_str(), words.data());
    return 1;
  }
  ::poll(nullptr, 0, static_cast<int>(std::strtod(variable("WAITING_SECONDS").c_str(), nullptr) * 1000));
  std::ofstream(result, std::ios::binary) << result_of(command);
  return 0;
}
