// The folder of the daemon's socket, of the locks and of the marks by which the gomaccs of one user tell each
// other what they found out.
#pragma once

#include "environment.h"

namespace gomacc {

struct Folder {
  const char* path = "";
  // Null once the folder exists, is ours and closed to others; else why it can't be used.
  const char* problem = nullptr;
  // What to connect to: at most 107 bytes, through /proc/self/fd where the true path is longer.
  const char* socket = "";
  const char* socket_path = "";  // as the user knows it
};

// The name of the folder; touches nothing but what it must look at to choose.
const char* folder_path(const char* working_directory, const Environment& environment);

// Makes the folder if it is missing, and checks it.
Folder open_folder(const char* working_directory, const Environment& environment);

// A file in the folder.
const char* in_folder(const Folder& folder, std::string_view name);

}  // namespace gomacc
