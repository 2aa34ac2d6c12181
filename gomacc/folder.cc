#include "folder.h"

#include "text.h"

namespace gomacc {
namespace {

constexpr std::size_t kMaxSocketPath = 107;

const char* check(const char* path) {
  // The user's umask may have taken away even our own rights.
  if (sys::make_folder(path) == 0) sys::change_mode(path, 0700);
  int fd = sys::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (fd == -ENOTDIR || fd == -ELOOP) return "is not a folder";
  if (fd == -ENOENT) return "cannot be made";
  if (fd == -EACCES) return "is not accessible: it must belong to you and have mode 0700";
  if (fd < 0) return "cannot be opened";
  sys::FileInfo info{};
  const char* problem = nullptr;
  if (sys::fstat(fd, &info) != 0) {
    problem = "cannot be examined";
  } else if (info.uid != sys::effective_uid()) {
    problem = "belongs to another user";
  } else if ((info.mode & 0777) != 0700) {
    problem = "must have mode 0700";
  }
  sys::close(fd);
  return problem;
}

// The descriptor that a shortened path names stays open for as long as gomacc runs.
const char* reachable(std::string_view path) {
  if (path.size() <= kMaxSocketPath) return path.data();
  int fd = sys::open(join({parent(path)}), O_PATH | O_DIRECTORY);
  if (fd < 0) return path.data();
  return join({"/proc/self/fd/", decimal(static_cast<unsigned>(fd)), "/", base_name(path)});
}

}  // namespace

const char* folder_path(const char* working_directory, const Environment& environment) {
  if (const char* own = environment.filled("GOMA_TMP_DIR")) {
    return own[0] == '/' ? own : join({working_directory, "/", own});
  }
  if (const char* runtime = environment.filled("XDG_RUNTIME_DIR")) {
    sys::FileInfo info{};
    if (runtime[0] == '/' && sys::stat(runtime, &info) == 0 && info.uid == sys::effective_uid()) {
      return join({runtime, "/goma"});
    }
  }
  return join({"/tmp/goma_", decimal(sys::effective_uid())});
}

Folder open_folder(const char* working_directory, const Environment& environment) {
  Folder folder;
  folder.path = folder_path(working_directory, environment);
  folder.problem = check(folder.path);
  const char* name = environment.filled("GOMA_COMPILER_PROXY_SOCKET_NAME");
  if (name == nullptr) name = "goma.ipc";
  folder.socket_path = name[0] == '/' ? name : in_folder(folder, name);
  if (folder.problem == nullptr) folder.socket = reachable(folder.socket_path);
  return folder;
}

const char* in_folder(const Folder& folder, std::string_view name) { return join({folder.path, "/", name}); }

}  // namespace gomacc
