#include "compiler/loader.h"

#include <elf.h>

#include <cstring>

namespace compiler {
namespace {

// A structure at an offset; all zero bytes when the file is too short.
template <class T>
T read_at(std::string_view bytes, std::uint64_t offset) {
  T value{};
  if (offset <= bytes.size() && sizeof(T) <= bytes.size() - offset) {
    std::memcpy(&value, bytes.data() + offset, sizeof value);
  }
  return value;
}

template <class Header, class Segment>
std::string interpreter(std::string_view bytes) {
  Header header = read_at<Header>(bytes, 0);
  for (int i = 0; i < header.e_phnum; ++i) {
    std::uint64_t at =
        static_cast<std::uint64_t>(header.e_phoff) + static_cast<std::uint64_t>(i) * header.e_phentsize;
    Segment segment = read_at<Segment>(bytes, at);
    if (segment.p_type != PT_INTERP) continue;
    if (segment.p_offset > bytes.size() || segment.p_filesz > bytes.size() - segment.p_offset) return "";
    std::string_view path = bytes.substr(segment.p_offset, segment.p_filesz);
    return std::string(path.substr(0, path.find('\0')));
  }
  return "";
}

}  // namespace

bool is_elf(std::string_view bytes) { return bytes.starts_with(std::string_view(ELFMAG, SELFMAG)); }

std::string interpreter_of(std::string_view bytes) {
  if (!is_elf(bytes) || bytes.size() < EI_NIDENT) return "";
  // Programs of another byte order cannot run here.
  if (bytes[EI_CLASS] == ELFCLASS64) return interpreter<Elf64_Ehdr, Elf64_Phdr>(bytes);
  if (bytes[EI_CLASS] == ELFCLASS32) return interpreter<Elf32_Ehdr, Elf32_Phdr>(bytes);
  return "";
}

std::vector<std::string> libraries_in(std::string_view listing) {
  std::vector<std::string> out;
  while (!listing.empty()) {
    std::size_t end = listing.find('\n');
    std::string_view line = listing.substr(0, end);
    listing = end == std::string_view::npos ? "" : listing.substr(end + 1);
    // A name with a slash in it is printed without an arrow.
    std::size_t arrow = line.find(" => ");
    std::string_view path = arrow == std::string_view::npos ? line : line.substr(arrow + 4);
    std::size_t start = path.find_first_not_of(" \t");
    if (start == std::string_view::npos) continue;
    path.remove_prefix(start);
    if (std::size_t address = path.rfind(" (0x"); address != std::string_view::npos) {
      path = path.substr(0, address);
    }
    if (path.starts_with("/")) out.emplace_back(path);
  }
  return out;
}

base::Result<std::vector<std::string>> loaded_by(base::Spawner& spawner, const std::string& program,
                                                 std::string_view bytes, const std::stop_token& stop) {
  std::string loader = interpreter_of(bytes);
  if (loader.empty()) return std::vector<std::string>{};
  base::SpawnRequest request;
  request.argv = {loader, "--list", program};
  request.directory = "/";
  base::Result<base::SpawnOutcome> outcome = spawner.run(request, stop);
  if (!outcome) return outcome.error();
  if (outcome->exit_code != 0) return base::unsupported("compiler: cannot list libraries of " + program);
  std::vector<std::string> libraries = libraries_in(outcome->out);
  if (libraries.empty()) return base::unsupported("compiler: no libraries listed for " + program);
  libraries.push_back(loader);
  return libraries;
}

}  // namespace compiler
