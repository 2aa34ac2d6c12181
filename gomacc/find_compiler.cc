#include "find_compiler.h"

#include <climits>

#include "text.h"

namespace gomacc {
namespace {

const char* identity(const sys::FileInfo& info) {
  return join({":", decimal(info.dev), ".", decimal(info.ino), ":"});
}

// The name that a chain of symlinks leads to.
std::string_view physical_name(const char* path, char* buffer) {
  int fd = sys::open(path, O_PATH);
  if (fd < 0) return {};
  int length = sys::read_link(join({"/proc/self/fd/", decimal(static_cast<unsigned>(fd))}), buffer, PATH_MAX);
  sys::close(fd);
  if (length <= 0) return {};
  return base_name({buffer, static_cast<std::size_t>(length)});
}

constexpr std::string_view kUnknown = ":?:";

// The gomacc programs that must not be taken for a compiler.
class Ourselves {
 public:
  explicit Ourselves(const Environment& environment) {
    if (const char* marked = environment.get(kMarker)) marked_ = marked;
    sys::FileInfo own{};
    const char* self = sys::stat("/proc/self/exe", &own) == 0 ? identity(own) : kUnknown.data();
    all_ = join({marked_, self});
  }
  // Without /proc we don't know ourselves. To come back to us then means to go round in circles.
  bool circular() const { return marked_.find(kUnknown) != std::string_view::npos; }
  const char* marker() const { return join({kMarker, "=", all_}); }
  bool nested() const { return !marked_.empty(); }
  bool include(const char* path, const sys::FileInfo& info) const {
    if (all_.find(identity(info)) != std::string_view::npos) return true;
    sys::FileInfo link{};
    if (sys::lstat(path, &link) != 0 || !S_ISLNK(link.mode)) return false;
    char buffer[PATH_MAX];
    return physical_name(path, buffer) == "gomacc";
  }

 private:
  std::string_view marked_;
  std::string_view all_;
};

const char* absolute(std::string_view folder, std::string_view path) {
  while (path.starts_with("./")) path.remove_prefix(2);
  if (path.starts_with('/')) return join({path});
  if (path.empty()) return join({folder});
  return join({folder == "/" ? "" : folder, "/", path});
}

void find_by_path(const char* folder, const Ourselves& ourselves, Compiler& result) {
  const char* program = absolute(folder, result.name);
  sys::FileInfo info{};
  if (sys::stat(program, &info) != 0) {
    result.error = 127;
    result.why = "no such file";
  } else if (ourselves.include(program, info)) {
    result.error = 127;
    result.why = "this is gomacc itself, not a compiler";
  } else if (!S_ISREG(info.mode) || sys::executable(program) != 0) {
    result.error = 126;
    result.why = "not executable";
  } else {
    result.program = program;
  }
}

void find_by_name(const char* folder, const Environment& environment, const Ourselves& ourselves,
                  Compiler& result) {
  const char* path = environment.get("PATH");
  std::string_view rest = path != nullptr ? path : "/bin:/usr/bin";
  bool skipped_ourselves = false;
  result.error = 127;
  result.why = "not found in PATH";
  for (;;) {
    auto colon = rest.find(':');
    std::string_view part = rest.substr(0, colon);
    const char* program = join({absolute(folder, part), "/", result.name});
    sys::FileInfo info{};
    if (sys::stat(program, &info) == 0 && S_ISREG(info.mode)) {
      if (ourselves.include(program, info)) {
        skipped_ourselves = true;
        if (result.error == 127) result.why = "only gomacc itself has this name in PATH";
      } else if (sys::executable(program) == 0) {
        result.error = 0;
        result.program = program;
        // A compiler that looks for its own files, or calls itself, by its name in PATH must not find us.
        if (skipped_ourselves) result.name = program;
        return;
      } else {
        result.error = 126;
        result.why = "not executable";
      }
    }
    if (colon == std::string_view::npos) return;
    rest.remove_prefix(colon + 1);
  }
}

}  // namespace

Compiler find_compiler(const char* name, const char* folder, const Environment& environment) {
  Ourselves ourselves(environment);
  Compiler result;
  result.name = name;
  if (ourselves.circular()) {
    result.error = 127;
    result.why = "leads back to gomacc, which cannot tell without /proc";
  } else if (std::string_view(name).find('/') != std::string_view::npos) {
    find_by_path(folder, ourselves, result);
  } else {
    find_by_name(folder, environment, ourselves, result);
  }
  result.nested = ourselves.nested();
  result.env = environment.with(kMarker, ourselves.marker());
  return result;
}

}  // namespace gomacc
