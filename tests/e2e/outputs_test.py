"""Every file that a compiler writes is known and restored: the folder after a hit is the folder after a plain
compile, for each option that makes the compilers write something beside the object."""

import os
import re
import unittest

from product import COMPILERS, GOMACC, ProductCase

GCC, CLANG = 'g++', 'clang++'
# Compilers, and the words between the compiler and the source. "{o}" is the output's name.
COMMANDS = [
    ('', '-c {s}'),
    ('', '-c {s} -o out/x.cc.o'),
    ('', '-c {s} -oout/x.o'),
    ('', '-S {s}'),
    ('', '-S {s} -o x.s -g'),
    ('', '-fsyntax-only {s}'),
    ('', '-MD -MT out/x.o -MF out/x.d -c {s} -o out/x.o'),
    ('', '-MD -c {s} -o out/x.o'),
    ('', '-MD -c {s}'),
    ('', '-MMD -c {s} -o out/x.o'),
    ('', '-MMD -MP -MF deps -c {s} -o out/x.o'),
    ('', '-MD -MP -MQ a$b -MT c -c {s} -o out/x.o'),
    ('', '-Wp,-MD,out/x.d -c {s} -o out/x.o'),
    ('', '-Wp,-MMD,out/x.d -c {s} -o out/x.o'),
    ('', '-MD -MF/dev/null -c {s} -o out/x.o'),
    ('', '-g -gsplit-dwarf -c {s} -o out/x.o'),
    ('', '-g -gsplit-dwarf -c {s}'),
    ('', '-O2 -fstack-usage -c {s} -o out/x.o'),
    (GCC, '-fcallgraph-info -c {s} -o out/x.o'),
    ('', '-save-temps -c {s} -o out/x.o'),
    ('', '-save-temps=obj -c {s} -o out/x.o'),
    ('', '-Wa,-adhln=list.txt -c {s} -o out/x.o'),
    (GCC, '-fdump-tree-original -c {s} -o out/x.o'),
    (CLANG, '--serialize-diagnostics x.dia -c {s} -o out/x.o'),
    ('', '-O2 -fsave-optimization-record -c {s} -o out/x.o'),
    (GCC, '-O2 -fopt-info-inline=opt.txt -c {s} -o out/x.o'),
    (GCC, '-aux-info proto.txt -c {s} -o out/x.o'),
    (CLANG, '-save-stats -c {s} -o out/x.o'),
    (CLANG, '-MJ compile.json -c {s} -o out/x.o'),
    ('', '-g3 -gz -c {s} -o out/x.o'),
    ('', '-O2 -fPIC -fvisibility=hidden -ffunction-sections -pthread -c {s} -o out/x.o'),
    ('', '-std=c++20 -Wall -Wextra -c {s} -o out/x.o'),
    ('', '-Iinc -isystem sys -iquote q -include inc/pre.h -c {s} -o out/x.o'),
    ('', '-frandom-seed=1 --coverage -c {s} -o out/x.o'),
    (GCC, '-frecord-gcc-switches -g -c {s} -o out/x.o'),
    (CLANG, '-grecord-gcc-switches -g -c {s} -o out/x.o'),
    ('', '@args.rsp -c {s} -o out/x.o'),
    ('', '-x c++ -c other.txt -o out/x.o'),
    ('', '-c -o out/x.o -- {s}'),
    ('', '-Xclang -O1 -c {s} -o out/x.o'),
    ('', '-fdiagnostics-color=always -Wall -c {s} -o out/x.o'),
    ('', '-fsanitize=address -g -c {s} -o out/x.o'),
    ('', '-march=native -O2 -c {s} -o out/x.o'),
    ('', '-c pre.ii -o out/x.o'),
    ('', '-c asm.S -g -o out/x.o'),
    ('', '-c plain.s -o out/x.o'),
    ('', '-c "a file$ #1.cc" -o "out/a file.o"'),
    ('', '-E {s} -o x.ii'),
    ('', '-c {s} -o /dev/null'),
    ('', '-c {s} -o nowhere/x.o'),
    ('', '-c missing.cc'),
    ('', '-c {s} {s}'),
    ('', '-I'),
    ('', '-c'),
    ('', '-c {s} -fno-such-flag'),
    ('', '-flto -c {s} -o out/x.o -frandom-seed=1'),
]
# Their bytes differ from run to run even without a cache.
NOT_REPRODUCIBLE = ('-flto', '-save-stats', '-ftime-trace', '-fsave-optimization-record')


class Outputs(ProductCase):
    def setUp(self):
        super().setUp()
        self.write('x.cc', '#include "inc/a.h"\n#include <vector>\nstruct S { virtual ~S(); };\nS::~S() {}\n'
                           'int f(int n) { int unused; std::vector<int> v(n); return v.size() + A; }\n')
        self.write('inc/a.h', '#pragma once\n#define A 1\ninline int twice(int x) { return 2 * x; }\n')
        self.write('inc/pre.h', '#define PRE 1\n')
        self.write('args.rsp', '-DX="1 2" -O1\n-Iinc')
        self.write('other.txt', 'int other;\n')
        self.write('pre.ii', '# 1 "x.cc"\nint p = 1;\n')
        self.write('inc/c.h', '#define A 1\n')
        self.write('asm.S', '#include "inc/c.h"\n.globl s\ns: .long A\n')
        self.write('plain.s', '.globl s\ns: .long 1\n')
        self.write('a file$ #1.cc', 'int odd;\n')
        for name in ('out', 'sys', 'q'):
            os.mkdir(os.path.join(self.work, name))

    def words(self, text):
        found = re.findall(r'"([^"]*)"|(\S+)', text.replace('{s}', 'x.cc'))
        return [a or b for a, b in found]

    def test_every_output_is_restored(self):
        for compiler in COMPILERS:
            for only, text in COMMANDS:
                if only and not compiler.startswith(only):
                    continue
                with self.subTest(compiler=compiler, command=text):
                    same = not any(flag in text for flag in NOT_REPRODUCIBLE)
                    self.compile_three_times([compiler, *self.words(text)], same_bytes=same)

    def test_ordinary_commands_are_hits(self):
        for compiler in COMPILERS:
            for text in (
                '-c {s}', '-c {s} -o out/x.cc.o', '-S {s}', '-fsyntax-only {s}',
                '-MD -MF out/x.d -c {s} -o out/x.o', '-MMD -c {s} -o out/x.o',
                '-g -gsplit-dwarf -c {s} -o out/x.o', '-fstack-usage -c {s} -o out/x.o',
                '-O2 -g -std=c++20 -Wall -Iinc -DX=1 -c {s} -o out/x.o',
                '@args.rsp -c {s} -o out/x.o', '-c pre.ii -o out/x.o',
                '-x c++ -c other.txt -o out/x.o', '-Wp,-MMD,out/x.d -c {s} -o out/x.o',
                '-frandom-seed=1 --coverage -c {s} -o out/x.o', '-c asm.S -o out/x.o',
                '-fdiagnostics-color=always -Wall -c {s} -o out/x.o',
                '-fsanitize=undefined -c {s} -o out/x.o',
            ):
                with self.subTest(compiler=compiler, command=text):
                    results = self.compile_three_times([compiler, *self.words(text)])
                    self.assertEqual(results[1], 'local_hit', self.last())

    def test_time_trace_is_restored(self):
        for compiler in COMPILERS[1:]:
            argv = [compiler, '-ftime-trace', '-c', 'x.cc', '-o', 'out/x.o']
            before = self.listing()
            self.assertEqual(self.goma(*argv).returncode, 0)
            first = self.read('out/x.json')
            self.remove_new(before)
            self.assertEqual(self.goma(*argv).returncode, 0)
            self.assertEqual(self.last()['result'], 'local_hit')
            self.assertEqual(self.read('out/x.json'), first)

    def test_the_mode_and_time_of_an_object_are_a_compilers(self):
        argv = ['g++', '-c', 'x.cc', '-o', 'out/x.o']
        path = os.path.join(self.work, 'out/x.o')
        for umask in (0o022, 0o077):
            for wrapper in ([], [GOMACC], [GOMACC]):
                if os.path.exists(path):
                    os.unlink(path)
                old = os.umask(umask)
                try:
                    self.run_in([*wrapper, *argv])
                finally:
                    os.umask(old)
                status = os.stat(path)
                self.assertEqual(status.st_mode & 0o777, 0o666 & ~umask)
                self.assertGreater(status.st_mtime, os.stat(os.path.join(self.work, 'x.cc')).st_mtime)

    def test_a_link_or_a_device_as_output_is_the_compilers_business(self):
        left = []
        for wrapper in ([], [GOMACC], [GOMACC]):
            link, target = (os.path.join(self.work, 'out', name) for name in ('link.o', 'elsewhere.o'))
            for path in (link, target):
                if os.path.lexists(path):
                    os.unlink(path)
            os.symlink('elsewhere.o', link)
            got = self.run_in([*wrapper, 'g++', '-c', 'x.cc', '-o', 'out/link.o'])
            left.append((got.returncode, os.path.islink(link), os.path.exists(target)))
        self.assertEqual(left[0], left[1])
        self.assertEqual(left[0], left[2])


if __name__ == '__main__':
    unittest.main()
