// A gcc and a clang made of a few small files and answers.
#pragma once

#include <elf.h>

#include <cstring>
#include <string>
#include <string_view>

#include "compiler/command.h"
#include "fake/fake_files.h"
#include "fake/fake_spawner.h"

namespace fake {

inline constexpr const char* kLoader = "/lib/ld.so";

// An ELF program that asks for kLoader and holds `text`.
inline std::string elf_program(std::string_view text) {
  std::string interpreter(kLoader);
  interpreter += '\0';
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  Elf64_Phdr segment{};
  segment.p_type = PT_INTERP;
  segment.p_offset = sizeof header + sizeof segment;
  segment.p_filesz = interpreter.size();
  std::string out(reinterpret_cast<const char*>(&header), sizeof header);
  out.append(reinterpret_cast<const char*>(&segment), sizeof segment);
  return out + interpreter + std::string(text);
}

struct Compilers {
  FakeFiles files;
  FakeSpawner spawner;

  Compilers() {
    files.write(kLoader, "loader");
    files.write("/lib/libc.so", "libc");
    files.write("/gcc/bin/g++", elf_program("COLLECT_GCC"));
    files.link("/usr/bin/g++", "/gcc/bin/g++");
    files.write("/gcc/lib/cc1plus", elf_program("cc1plus"));
    files.write("/usr/bin/as", elf_program("as"));
    files.write("/gcc/lib/lto-wrapper", "lto");
    for (const char* program : {"/gcc/bin/g++", "/gcc/lib/cc1plus", "/usr/bin/as", "/llvm/bin/clang"}) {
      spawner.answer(std::string(kLoader) + " --list " + program,
                     {0, "\tlibc.so => /lib/libc.so (0x1)\n", ""});
    }
    answer("/usr/bin/g++", "--version", "g++ 12\nCopyright Free Software Foundation, Inc.\n");
    answer("/usr/bin/g++", "-dumpmachine", "x86_64-linux-gnu\n");
    answer("/usr/bin/g++", "-print-search-dirs",
           "install: /gcc/lib/\nprograms: =/gcc/lib/:/gcc/tools/\nlibraries: =/gcc/lib/:/lib/\n");
    answer("/usr/bin/g++", "-print-prog-name=cc1plus", "/gcc/lib/cc1plus\n");
    answer("/usr/bin/g++", "-print-prog-name=as", "as\n");
    answer("/usr/bin/g++", "-print-file-name=specs", "specs\n");
    answer("/usr/bin/g++", "-print-prog-name=lto-wrapper", "/gcc/lib/lto-wrapper\n");
    answer("/usr/bin/g++", "-print-file-name=liblto_plugin.so", "liblto_plugin.so\n");

    files.write("/llvm/bin/clang", elf_program("CCC_OVERRIDE_OPTIONS"));
    files.link("/usr/bin/clang++", "/llvm/bin/clang");
    files.write("/llvm/lib/clang/14/share/asan_ignorelist.txt", "list");
    files.write("/llvm/lib/clang/14/share/README.txt", "no list of options");
    answer("/usr/bin/clang++", "--version", "Debian clang version 14.0.6\nTarget: x86_64-pc-linux-gnu\n");
    answer("/usr/bin/clang++", "-dumpmachine", "x86_64-pc-linux-gnu\n");
    answer("/usr/bin/clang++", "-print-resource-dir", "/llvm/lib/clang/14\n");
  }

  void answer(const std::string& program, const std::string& question, const std::string& out) {
    spawner.answer(program + " " + question, {0, out, ""});
  }

  static compiler::Command gcc() {
    compiler::Command command;
    command.compiler = "/usr/bin/g++";
    command.directory = "/work";
    command.family = compiler::Family::gcc;
    command.language = compiler::Language::cxx;
    return command;
  }
  static compiler::Command clang() {
    compiler::Command command = gcc();
    command.compiler = "/usr/bin/clang++";
    command.family = compiler::Family::clang;
    return command;
  }
};

}  // namespace fake
