"""The key: everything that can change an output is in it. Each row fails when its flag, variable or file is
left out, because the second command would then be answered with the first one's object."""

import os
import shutil
import subprocess
import unittest

from product import GOMACC, ProductCase

CXX = ('g++', 'clang++-14')
SOURCE = '''
#include <assert.h>
#include "a.h"
inline int twice(int x) { return 2 * x; }
struct S { virtual ~S() {} char c : 7; };
int value = A;
const char *file = __FILE__;
int f(int x, const char *p) { assert(x); S s; if (p[0] < 0) return twice(x) + (int)sizeof(s); return A; }
'''
HEADER = '''
#ifndef A
#define A 1
#endif
#if __has_include("c.h")
#include "c.h"
#endif
#include "o.h"
'''
# Pairs of arguments for the same source; the outputs differ, or may.
FLAGS = [
    ('-O0', '-O2'), ('-O2', '-Os'), ('', '-g'), ('-g', '-g1'), ('-g', '-gdwarf-4'), ('', '-DA=2'),
    ('-DB=1', '-DB=2'), ('-DA=2', '-DA=2 -UA'), ('-std=c++14', '-std=c++20'), ('', '-fPIC'),
    ('', '-fno-exceptions'), ('', '-fno-rtti'), ('', '-funsigned-char'),
    ('', '-fvisibility=hidden'), ('', '-ffunction-sections'), ('', '-fdata-sections'),
    ('', '-mavx2'), ('-march=x86-64', '-march=haswell'), ('', '-fstack-protector-all'),
    ('', '-fsanitize=undefined'), ('', '-DNDEBUG'), ('', '-pthread'), ('', '-Werror'),
    ('-Wall', '-Wextra -Wall'), ('', '-fno-inline'), ('', '-fomit-frame-pointer'),
    ('-Ione', '-Itwo'), ('-Ione -Itwo', '-Itwo -Ione'), ('', '-include b.h'), ('', '-imacros b.h'),
    ('-iquote one', '-iquote two'), ('-isystem one', '-isystem two'), ('', '-ffile-prefix-map=x=y'),
    ('-g', '-g -fdebug-prefix-map=/=/other'), ('', '-fmacro-prefix-map=x=y'), ('', '-fwrapv'),
    ('', '-ffast-math'), ('', '-fno-strict-aliasing'), ('', '-x c'), ('', '-fshort-enums'),
    ('', '-fpack-struct'), ('', '-fcommon'), ('', '-fno-plt'), ('', '-Wa,--noexecstack'),
    ('', '-gz'), ('', '-fno-asynchronous-unwind-tables'),
]
VARIABLES = [
    ('CPATH', 'one', 'two'), ('CPLUS_INCLUDE_PATH', 'one', 'two'), ('SOURCE_DATE_EPOCH', '1', '1000000000'),
    ('PWD', None, 'link'), ('PWD', None, '/proc/self/cwd'), ('PWD', 'link', '/proc/thread-self/cwd'),
    ('LC_ALL', 'C', 'C.UTF-8'),
]
# Sources of which the bytes of data.bin, or of inc.s, become a part.
ASSEMBLES = {
    'capitals.s': '\t.data\n.INCBIN "data.bin"\n',
    'capitals.S': '\t.data\n.Include "inc.s"\n',
    'capitals.cc': 'asm(".data\\n.INCBIN \\"data.bin\\"\\n.text");\n',
    'comment.s': '# Generated from tables/*.tbl; do not edit\n\t.data\n.incbin "data.bin"\n',
    'remark.s': '\tnop # see gen/*.py\n\t.data\n.include "inc.s"\n',
    'joined.s': '# ends so \\\n.incbin "data.bin"\n',
    'included.s': '.include "outer.s"\n',
    'stringify.cc': '#define PULL(sym, file) asm(".data\\n" #sym ":\\n.include \\"" file "\\"\\n.text\\n")\n'
    'PULL(tab, "inc.s");\n',
    'bare.S': '#define PULL .include\n\t.data\n\tPULL "inc.s"\n',
}


class Key(ProductCase):
    def setUp(self):
        super().setUp()
        self.write('x.cc', SOURCE)
        self.write('a.h', HEADER)
        self.write('o.h', '')
        self.write('b.h', 'extern int b;\n#define B 3\n')
        self.write('one/o.h', '#define O 1\nint o1;\n')
        self.write('two/o.h', '#define O 2\nint o2;\n')
        os.symlink('.', os.path.join(self.work, 'link'))

    def plain(self, argv, env=None):
        before = self.listing()
        got = self.run_in(argv, env=env)
        files = {n: t for n, t in self.listing().items() if n not in before}
        self.remove_new(before)
        return got.returncode, got.stdout, got.stderr, files

    def cached(self, argv, env=None):
        return self.plain([GOMACC, *argv], env)

    def check_pair(self, first, second, first_env=None, second_env=None):
        """Each of two commands is compiled, then asked again; each must be answered with its own outputs."""
        for argv, env in ((first, first_env), (second, second_env), (first, first_env), (second, second_env)):
            self.assertEqual(self.cached(argv, env), self.plain(argv, env), argv)

    def test_each_flag_is_in_the_key(self):
        for compiler in CXX:
            for first, second in FLAGS:
                with self.subTest(compiler=compiler, first=first, second=second):
                    base = [compiler, '-c', 'x.cc', '-o', 'x.o']
                    self.check_pair([*base, *first.split()], [*base, *second.split()])

    def test_each_variable_is_in_the_key(self):
        for compiler in CXX:
            for name, first, second in VARIABLES:
                with self.subTest(compiler=compiler, variable=name):
                    argv = [compiler, '-g', '-c', 'x.cc', '-o', 'x.o']
                    envs = []
                    for value in (first, second):
                        if name == 'PWD' and value:
                            value = os.path.join(self.work, value)
                        envs.append({name: value} if value is not None else {})
                    self.check_pair(argv, argv, *envs)

    def test_each_file_is_in_the_key(self):
        argv = ['g++', '-c', 'x.cc', '-o', 'x.o']
        changes = [
            lambda: self.write('x.cc', SOURCE + 'int more;\n'),
            lambda: self.write('a.h', '#define A 7\n#include "o.h"\n'),
            lambda: self.write('c.h', '#define C\nint c;\n'),
            lambda: self.write('o.h', 'int o;\n'),
            lambda: os.unlink(os.path.join(self.work, 'o.h')),
            lambda: self.write('o.h', 'int again;\n'),
        ]
        for number, change in enumerate(changes):
            with self.subTest(number):
                change()
                self.assertEqual(self.cached(argv), self.plain(argv))
                self.assertEqual(self.cached(argv), self.plain(argv))

    def check_change(self, argv, change):
        """A file that the outputs depend on changes between two compiles; each must get its own."""
        before = self.plain(argv)
        for _ in range(2):
            self.assertEqual(self.cached(argv), before, argv)
        change()
        after = self.plain(argv)
        self.assertNotEqual(before, after, argv)
        self.assertEqual(self.cached(argv), after, argv)

    def test_files_that_only_the_assembler_reads_count(self):
        self.write('outer.s', '# of /* all\n.include "inc.s"\n')
        numbers = iter(range(1, 1000))

        def change():
            number = next(numbers)
            self.write('data.bin', f'{number}')
            self.write('inc.s', f'\t.long {number}\n')

        cases = [(name, []) for name in ASSEMBLES]
        cases += [('macro.cc', ['-DEMBED=asm(".data\\n.incbin \\"data.bin\\"\\n.text")'])]
        self.write('macro.cc', 'EMBED;\n')
        for name, text in ASSEMBLES.items():
            self.write(name, text)
        for compiler in CXX:
            for name, more in cases:
                with self.subTest(compiler=compiler, source=name):
                    change()
                    self.check_change([compiler, *more, '-c', name, '-o', 'x.o'], change)

    def test_the_program_that_splits_debug_information_counts(self):
        tool = self.path('bin', 'objcopy')
        argv = ['g++', '-g', '-gsplit-dwarf', '-c', 'x.cc', '-o', 'x.o']
        env = {'PATH': f'{self.path("bin")}:{self.env["PATH"]}'}
        for result in ('local_exec', 'local_hit'):
            self.cached(argv, env)
            self.assertEqual(result, self.last()['result'], self.last()['reason'])
        os.mkdir(self.path('bin'))
        shutil.copy2(os.path.realpath(shutil.which('objcopy')), tool)
        with open(tool, 'ab') as file:
            file.write(b'another')
        self.cached(argv, env)
        self.assertEqual('local_exec', self.last()['result'], self.last()['reason'])

    def test_a_bind_mount_of_the_working_directory_may_be_its_name(self):
        """Both compilers know a folder by device and inode, so PWD may lead there by another mount."""
        unshare = ['unshare', '-m' if os.geteuid() == 0 else '-Urm']
        if subprocess.run([*unshare, 'mount', '--bind', '/', '/'], capture_output=True).returncode != 0:
            self.skipTest('no mount namespace of its own can be made here')
        os.mkdir(self.path('other'))
        script = f'''
            set -e
            mount --bind {self.work} {self.path('other')}
            cd {self.path('other')}
            for pwd in {self.path('other')} {self.work} {self.path('other')}; do
              PWD=$pwd "$2" -g -c x.cc -o plain.o
              PWD=$pwd "$1" "$2" -g -c x.cc -o cached.o
              cmp plain.o cached.o
              cp plain.o "plain-$(basename $pwd).o"
            done
            if cmp -s plain-work.o plain-other.o; then echo the names make no difference; exit 1; fi
        '''
        for compiler in CXX:
            with self.subTest(compiler):
                # A daemon of this mount namespace, which ends with it.
                env = {'GOMA_TMP_DIR': self.path('inner'), 'GOMA_STATE_DIR': self.path('inner-state')}
                words = ['--fork', '--pid', '--kill-child', '--mount-proc']
                got = self.run_in([*unshare, *words, 'sh', '-c', script, 'sh', GOMACC, compiler], env=env)
                self.assertEqual(0, got.returncode, got.stdout + got.stderr)

    def test_the_version_of_apples_systems_counts(self):
        self.write('ios.c', 'int f(void) { return 1; }\n')
        argv = ['clang-14', '--target=arm64-apple-darwin', '-c', 'ios.c', '-o', 'x.o']
        for name in ('IPHONEOS', 'TVOS', 'WATCHOS', 'MACOSX'):
            with self.subTest(name):
                env = {f'{name}_DEPLOYMENT_TARGET': '13.0'}
                self.assertNotEqual(self.plain(argv), self.plain(argv, env))
                self.check_pair(argv, argv, {}, env)
        settings = '{"Version": "%s", "MaximumDeploymentTarget": "%s.99"}'
        self.write('SDK/SDKSettings.json', settings % ('11.0', '11.0'))
        argv = ['clang-14', '--target=arm64-apple-macosx11', '-isysroot', 'SDK', '-c', 'ios.c', '-o', 'x.o']
        self.check_change(argv, lambda: self.write('SDK/SDKSettings.json', settings % ('12.3', '12.3')))

    def test_a_header_that_appears_earlier_on_the_path_counts(self):
        self.write('y.cc', '#include <o.h>\nint o = O;\n')
        argv = ['g++', '-Izero', '-Ione', '-c', 'y.cc', '-o', 'y.o']
        self.check_pair(argv, argv)
        self.write('zero/o.h', '#define O 9\n')
        self.assertEqual(self.cached(argv), self.plain(argv))

    def test_the_compiler_counts_by_its_content(self):
        real = os.path.realpath(shutil.which('g++'))
        tool = self.path('bin', 'g++')
        os.mkdir(self.path('bin'))
        shutil.copy2(real, tool)
        # The driver looks for its parts beside itself.
        os.symlink('/usr/lib', self.path('lib'))
        argv = [tool, '-c', 'x.cc', '-o', 'x.o']
        self.check_pair(argv, argv)
        self.assertEqual(self.last()['result'], 'local_hit')
        with open(tool, 'ab') as out:
            out.write(b'\0')
        self.assertEqual(self.cached(argv), self.plain(argv))
        self.assertEqual(self.last()['result'], 'local_exec')

    def copy_with_library(self, program, library, tool):
        """A copy of a program that loads a copy of one of its libraries. Returns the latter's path."""
        listing = subprocess.run(['ldd', program], capture_output=True, text=True, check=True).stdout
        line = next(line for line in listing.splitlines() if library in line)
        name, real = line.split()[0], line.split()[2]
        # A path of the same length takes the name's place in the program, where the loader reads it.
        copy = '/tmp/' + f'{os.getpid()}'.ljust(len(name) - 5, '_')
        self.addCleanup(lambda: os.path.exists(copy) and os.unlink(copy))
        shutil.copy2(real, copy)
        with open(program, 'rb') as file:
            code = file.read()
        self.assertIn(name.encode(), code)
        os.makedirs(os.path.dirname(tool), exist_ok=True)
        with open(tool, 'wb') as out:
            out.write(code.replace(name.encode(), copy.encode()))
        os.chmod(tool, 0o755)
        return copy

    def check_library_counts(self, argv, library):
        """Something appended to a library changes nothing that it does, and makes it another one."""
        self.check_pair(argv, argv)
        self.assertEqual(self.last()['result'], 'local_hit')
        with open(library, 'ab') as out:
            out.write(b'\0')
        self.assertEqual(self.cached(argv), self.plain(argv))
        self.assertEqual(self.last()['result'], 'local_exec')
        self.cached(argv)
        self.assertEqual(self.last()['result'], 'local_hit')

    def test_the_library_that_holds_clang_counts(self):
        tool = self.path('llvm', 'bin', 'clang++')
        real = os.path.realpath(shutil.which('clang++-14'))
        library = self.copy_with_library(real, 'libclang-cpp', tool)
        # It finds its own headers relative to itself.
        os.symlink(os.path.join(os.path.dirname(real), '..', 'lib'), self.path('llvm', 'lib'))
        self.check_library_counts([tool, '-c', 'x.cc', '-o', 'x.o'], library)

    def test_the_library_that_holds_the_assembler_counts(self):
        tool = self.path('as', 'as')
        library = self.copy_with_library(os.path.realpath(shutil.which('as')), 'libbfd', tool)
        self.check_library_counts(['g++', f'-B{self.path("as")}/', '-c', 'x.cc', '-o', 'x.o'], library)

    def test_what_changes_nothing_is_not_in_the_key(self):
        argv = ['g++', '-Wall', '-c', 'x.cc', '-o', 'x.o']
        self.cached(argv)
        for more in (['-fdiagnostics-color=always'], ['-fdiagnostics-color=never']):
            self.cached([*argv, *more])
            self.assertEqual(self.last()['result'], 'local_hit', more)
        self.cached(argv, {'EDITOR': 'ed', 'MAKEFLAGS': '-j2', 'NINJA_STATUS': 'x'})
        self.assertEqual(self.last()['result'], 'local_hit')
        os.utime(os.path.join(self.work, 'a.h'))
        self.cached(argv)
        self.assertEqual(self.last()['result'], 'local_hit')

    def test_date_and_time_are_never_kept(self):
        for name in ('__DATE__', '__TIME__', '__TIMESTAMP__'):
            self.write('t.cc', f'const char *t = {name};\n')
            self.goma('g++', '-c', 't.cc')
            self.goma('g++', '-c', 't.cc')
            self.assertEqual(self.last()['result'], 'passthrough')
            self.assertTrue(self.last()['reason'].startswith('time_macro'))

    def test_the_time_in_a_directive_that_shows_it_is_never_kept(self):
        for text in (
            '#ident __TIME__\nint x;\n',
            '#pragma message("built " __DATE__ " " __TIME__)\nint x;\n',
            '#define BUILT __DATE__\n#pragma message(BUILT)\nint x;\n',
        ):
            with self.subTest(text):
                self.write('t.cc', text)
                self.goma('g++', '-c', 't.cc')
                self.goma('g++', '-c', 't.cc')
                self.assertEqual(self.last()['result'], 'passthrough')
                self.assertTrue(self.last()['reason'].startswith('time_macro'))

    def test_native_code_is_keyed_by_what_it_expands_to(self):
        argv = ['g++', '-march=native', '-c', 'x.cc', '-o', 'x.o']
        self.check_pair(argv, [a.replace('native', 'x86-64') for a in argv])


class Checkouts(ProductCase):
    """A second checkout in another folder shares entries when nothing names the folder."""

    def checkout(self, name):
        top = self.path(name)
        shutil.copytree(self.work, top)
        for folder, _, files in os.walk(top):
            for file in files:
                os.utime(os.path.join(folder, file), (1_600_000_000, 1_600_000_000))
        return top

    def setUp(self):
        super().setUp()
        self.write('.git/HEAD', '')
        self.write('src/x.cc', '#include <vector>\n#include "a.h"\nint f() { int unused; return A; }\n')
        self.write('include/a.h', '#pragma once\n#define A 1\n')
        self.one, self.two = self.checkout('one'), self.checkout('a/much/longer/name')

    def build(self, top, compiler, flags, wrapper):
        out = os.path.join(top, 'out')
        shutil.rmtree(out, ignore_errors=True)
        os.mkdir(out)
        argv = [*wrapper, compiler, *[flag.replace('@', top) for flag in flags], '-o', 'x.o', '-c']
        got = self.run_in([*argv, os.path.join(top, 'src/x.cc')], cwd=out)
        return got.returncode, got.stdout, got.stderr, self.listing(out)

    def check(self, compiler, flags, shared):
        for top in (self.one, self.two):
            plain = self.build(top, compiler, flags, [])
            cold = self.build(top, compiler, flags, [GOMACC])
            result = self.last()['result']
            warm = self.build(top, compiler, flags, [GOMACC])
            self.assertEqual(cold, plain)
            self.assertEqual(warm, plain)
            self.assertEqual(self.last()['result'], 'local_hit')
        self.assertEqual(result, 'local_hit' if shared else 'local_exec')

    def test_relative_and_mapped_commands_are_shared(self):
        for compiler in CXX:
            for flags in (
                ['-I@/include', '-O2', '-ffile-prefix-map=@=.'],
                ['-I@/include', '-O2', '-g', '-ffile-prefix-map=@=.', '-MD', '-MT', 'x.o', '-MF', 'x.d'],
                ['-I@/include', '-O2', '-g', '-ffile-prefix-map=@/=', '-Wall', '-MMD', '-MF', 'x.d'],
                ['-I../include', '-O0', '-g', '-ffile-prefix-map=@=/src', '-MD', '-MF', 'x.d', '-MP'],
            ):
                with self.subTest(compiler=compiler, flags=flags):
                    self.check(compiler, flags, True)

    def test_commands_that_name_their_folder_are_not_shared_but_right(self):
        for compiler in CXX:
            for flags in (['-I@/include', '-g'], ['-I@/include', '-DROOT="@"']):
                with self.subTest(compiler=compiler, flags=flags):
                    self.check(compiler, flags, False)


if __name__ == '__main__':
    unittest.main()
