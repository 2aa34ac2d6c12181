"""`gomacc --print-inputs` on compiles whose inputs are hard to name: exact, or refused where that is allowed.

The truth is strace of the real compile, for each compiler on its own, since they differ.
"""

import collections
import os
import sys
import unittest

from hard_inputs import SEARCH
from hard_sides import MACRO_FLAGS, MACROS, SIDE
from hard_texts import ASKING, LEXING, ONCE
from product import COMPILERS, ProductCase
from traced import Trace

REFUSED = 3
GROUPS = {'search': SEARCH, 'asking': ASKING, 'lexing': LEXING, 'once': ONCE, 'side': SIDE}


def words(template, compiler, top):
    """The command for one compiler in one folder."""
    names = {'CXX': compiler, 'CC': compiler.replace('clang++', 'clang').replace('g++', 'gcc')}
    return [names.get(word, word).replace('TOP/', top + '/') for word in template]


class HardInputs(ProductCase):
    def ask(self, argv, cwd, env):
        got = self.goma('--print-inputs', *argv, cwd=cwd, env=env)
        lines = os.fsdecode(got.stdout).splitlines()
        self.assertIn(got.returncode, (0, REFUSED), got.stderr)
        self.assertEqual(lines, sorted(set(lines), key=os.fsencode))
        self.assertTrue(got.returncode == 0 or (not lines and got.stderr))
        return got.returncode, set(lines), got.stderr.decode(errors='replace').strip()

    def lay_out(self, case, folder, compiler):
        for name, text in case.files.items():
            self.write(os.path.join(folder, name), text)
        top = self.path('work', folder)
        for name, target in case.links.items():
            os.makedirs(os.path.dirname(os.path.join(top, name)), exist_ok=True)
            os.symlink(target, os.path.join(top, name))
        for command in case.before:
            done = self.run_in(words(command, compiler, top), cwd=top)
            self.assertEqual(done.returncode, 0, done.stderr)
        return top

    def compiles(self, argv, top, env):
        before = self.listing(top)
        self.trace = Trace(argv, top, {**self.env, **env})
        self.remove_new(before, top)
        return self.trace.status == 0

    def compare(self, argv, top, env, counts, refuse=False, superset=False):
        """Compares the answer with the trace of the compile."""
        wanted = self.trace.inputs()
        self.assertTrue(wanted, f'strace saw nothing: {argv}')
        status, got, message = self.ask(argv, top, env)
        if status == REFUSED:
            counts['refused'] += 1
            self.assertTrue(refuse, f'refused: {argv}: {message}')
            return
        counts['answered'] += 1
        missing, extra = sorted(wanted - got), sorted(got - wanted)
        self.assertEqual(missing, [], f'missing, {argv}')
        if not superset:
            self.assertEqual(extra, [], f'extra, {argv}')

    def run_group(self, group):
        counts = collections.Counter()
        for number, (name, case) in enumerate(GROUPS[group].items()):
            compilers = [c for c in COMPILERS if c.startswith(case.only)]
            took = []
            for compiler in compilers:
                with self.subTest(name, compiler=compiler):
                    top = self.lay_out(case, f'{group}{number}.{compiler}', compiler)
                    argv = words(case.command, compiler, top)
                    if self.compiles(argv, top, case.env):
                        took.append(compiler)
                        self.compare(argv, top, case.env, counts, case.refuse, case.superset)
            with self.subTest(name):
                self.assertTrue(took or not compilers, 'no compiler takes it')
        self.report(group, counts)

    def report(self, what, counts):
        text = ', '.join(f'{name} {count}' for name, count in sorted(counts.items()))
        print(f'\n{what}: {text}', file=sys.stderr)

    def test_where_headers_are_searched(self):
        self.run_group('search')

    def test_what_conditions_ask(self):
        self.run_group('asking')

    def test_how_lines_are_read(self):
        self.run_group('lexing')

    def test_headers_read_once(self):
        self.run_group('once')

    def test_files_beside_the_headers(self):
        self.run_group('side')

    def test_macros_that_flags_set(self):
        counts = collections.Counter()
        lines = [
            f'#if {n} && defined({n}) || 0\n#include "m/{n}.yes.h"\n#endif\n'
            for n in ('__cplusplus', '__LP64__')
        ]
        for name in MACROS:
            lines.append(f'#ifdef {name}\n#include "m/{name}.h"\n#endif\n')
            self.write(f'm/{name}.h', 'extern int value;\n')
        for name in ('__cplusplus', '__LP64__'):
            self.write(f'm/{name}.yes.h', 'extern int value;\n')
        self.write('a.cc', ''.join(lines))
        for compiler in COMPILERS:
            took = 0
            for flag in MACRO_FLAGS:
                with self.subTest(flag, compiler=compiler):
                    argv = [compiler, '-w', *flag.split(','), '-c', 'a.cc', '-o', 'a.o']
                    if self.compiles(argv, self.work, {}):
                        took += 1
                        self.compare(argv, self.work, {}, counts)
            self.assertGreater(took, len(MACRO_FLAGS) // 2, compiler)
        self.report('flags', counts)


if __name__ == '__main__':
    unittest.main()
