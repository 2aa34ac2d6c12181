// gomacc stands in front of a compiler and gives its result, from the daemon's cache where that has it.
#include <climits>

#include "child.h"
#include "compile.h"
#include "folder.h"
#include "version.h"

namespace gomacc {
namespace {

constexpr char kUsage[] =
    "usage: gomacc COMPILER ARGUMENTS...     run the compiler, or take its result from the cache\n"
    "       COMPILER ARGUMENTS...            the same, when COMPILER is a symbolic link to gomacc\n"
    "       gomacc --explain COMPILER ARGUMENTS...       tell what would be done\n"
    "       gomacc --print-inputs COMPILER ARGUMENTS...  list the files that the compile would read;\n"
    "                                        exit 3 and the reason when it would not be cached\n"
    "       gomacc port                      print the port of the daemon's status page\n"
    "       gomacc tmp_dir                   print the folder of the daemon's socket\n"
    "       gomacc --version | --help\n"
    "\n"
    "The environment: GOMA_DISABLED=true runs the compiler alone, GOMA_START_COMPILER_PROXY=false starts no\n"
    "daemon, GOMA_TMP_DIR and GOMA_COMPILER_PROXY_SOCKET_NAME tell where its socket is.\n";

[[noreturn]] void say(int fd, std::string_view text, int code) {
  sys::exit(write_all(fd, text) ? code : 125);
}

[[noreturn]] void answer_alone(Wish wish, const char* working_directory, const Environment& environment) {
  if (wish == Wish::help) say(1, kUsage, 0);
  if (wish == Wish::version) {
    say(1, join({"gomacc ", kVersion, " (protocol ", decimal(wire::kProtocol), ", ", kBuiltWith, ")\n"}), 0);
  }
  if (wish == Wish::tmp_dir) say(1, join({folder_path(working_directory, environment), "\n"}), 0);
  if (wish != Wish::port) say(2, kUsage, 1);
  Folder folder = open_folder(working_directory, environment);
  if (folder.problem != nullptr) {
    complain({folder.path, " ", folder.problem});
    sys::exit(1);
  }
  Daemon daemon(folder, environment, working_directory);
  print_port(daemon);
}

int serve(int argc, char** argv, char** env) {
  Environment environment(env);
  Invocation invocation = read_invocation(argc, argv);
  char working_directory[PATH_MAX];
  bool somewhere = sys::current_folder(working_directory, sizeof working_directory) > 0;
  if (!somewhere) working_directory[0] = '\0';

  if (invocation.words.empty()) answer_alone(invocation.wish, working_directory, environment);

  const char* name = invocation.words[0];
  Compiler compiler = find_compiler(name, working_directory, environment);
  if (compiler.error != 0) {
    complain({name, ": ", compiler.why});
    sys::exit(compiler.error);
  }
  invocation.words[0] = compiler.name;

  // From here on there is a compiler to fall back to, and no failure of ours is the user's.
  bool compiles = invocation.wish == Wish::compile;
  if (compiles && (!somewhere || compiler.nested || environment.flag("GOMA_DISABLED", false) ||
                   !may_be_compile(invocation.words))) {
    return become(compiler.program, invocation.words.data(), compiler.env.data());
  }

  Folder folder = open_folder(working_directory, environment);
  Daemon daemon(folder, environment, working_directory);
  Request request{invocation, compiler, environment, working_directory};
  if (compiles) compile(request, folder, daemon);
  consult(request, folder, daemon);
}

}  // namespace
}  // namespace gomacc

int gomacc_main(int argc, char** argv, char** env) { return gomacc::serve(argc, argv, env); }
