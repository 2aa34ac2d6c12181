"""`gomacc --print-inputs` names exactly the files that the compile reads.

The truth is strace of the real compile. The subjects are translation units made from random sets of the
headers that Debian installs: GOMA_TEST_SEED draws them, and GOMA_TEST_FULL=1 draws many.
"""

import collections
import glob
import os
import random
import re
import sys
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor

from product import COMPILERS, ProductCase
from traced import Trace

SEED = int(os.environ.get('GOMA_TEST_SEED', '1'))
FULL = os.environ.get('GOMA_TEST_FULL') == '1'
UNITS = int(os.environ.get('GOMA_TEST_UNITS', '100' if FULL else '12'))
CORES = len(os.sched_getaffinity(0))
# A unit that the compiler rejects is drawn again, at most so often.
DRAWS = 60

# Flags that change what the headers ask for; one of each line, or none.
FLAGS = [
    ['-std=c++14', '-std=c++17', '-std=gnu++17', '-std=c++20', '-std=gnu++20', '-std=c++2b'],
    ['-O0', '-O1', '-O2', '-O2 -D_FORTIFY_SOURCE=2', '-Os', '-O3 -ffast-math'],
    ['-DNDEBUG', '-D_GLIBCXX_ASSERTIONS', '-D_GLIBCXX_DEBUG', '-D_GLIBCXX_USE_CXX11_ABI=0'],
    ['-pthread', '-D_REENTRANT', '-U_GNU_SOURCE', '-D_FILE_OFFSET_BITS=64'],
    ['-fno-exceptions', '-fno-rtti', '-funsigned-char', '-fPIC', '-fsanitize=address', '-mavx2', '-g'],
    [
        '-isystem sys',
        '-I own',
        '-I own -isystem own',
        '-iquote own',
        '-idirafter own',
        '-include own/first.h',
    ],
    ['-DFMT_HEADER_ONLY', '-DSPDLOG_FMT_EXTERNAL', '-DASIO_STANDALONE', '-DBOOST_ALL_NO_LIB'],
]


def header_pools():
    """For each library the names to include."""

    def below(top, pattern, without=''):
        found = glob.glob(os.path.join(top, pattern), recursive=True)
        names = [os.path.relpath(path, top) for path in sorted(found) if os.path.isfile(path)]
        return [name for name in names if not (without and re.search(without, name))]

    include = '/usr/include'
    newest = max(glob.glob(include + '/c++/*'), key=lambda path: int(os.path.basename(path)))
    pools = {
        'libstdc++': [name for name in below(newest, '*') if '.' not in name],
        'libstdc++ more': below(newest, 'experimental/*') + below(newest, 'ext/*.h*'),
        'boost': below(include, 'boost/*.hpp'),
        'boost more': below(
            include, 'boost/*/**/*.hpp', r'/(?:detail|impl|aux_|preprocessed|python|mpi|compute)/'
        ),
        'absl': below(include, 'absl/**/*.h', r'internal|test|benchmark|mock'),
        'fmt': below(include, 'fmt/*.h'),
        'spdlog': below(include, 'spdlog/**/*.h', r'bundled|win|qt|mongo|systemd|android'),
        'asio': below(include, 'asio.hpp') + below(include, 'asio/*.hpp'),
        'system': below(include, 'sys/*.h') + ['pthread.h', 'netdb.h', 'signal.h', 'math.h', 'wchar.h'],
    }
    return {library: names for library, names in pools.items() if names}


class Draw:
    """Translation units, each by its own random numbers, so that one does not depend on another."""

    def __init__(self):
        self.pools = header_pools()
        # Headers that a compiler does not take; which they are is learned while drawing.
        self.rejected = collections.defaultdict(set)
        self.lock = threading.Lock()

    def unit(self, number, compiler, attempt):
        dice = random.Random(f'{SEED} {number} {attempt}')
        libraries = dice.sample(sorted(self.pools), dice.randint(1, 4))
        wanted, names = dice.randint(3, 16), []
        with self.lock:
            rejected = set(self.rejected[compiler])
        while len(names) < wanted:
            name = dice.choice(self.pools[dice.choice(libraries)])
            if name not in rejected or dice.random() < 0.01:
                names.append(name)
        lines = [f'#include <{name}>' for name in names]
        probed = dice.choice(self.pools[dice.choice(sorted(self.pools))])
        lines += [f'#if __has_include(<{probed}>) && !__has_include(<no/{probed}>)', 'int probed;', '#endif']
        flags = [dice.choice(row).split() for row in FLAGS if dice.random() < 0.6]
        if not any(word.startswith('-std=') for row in flags for word in row):
            flags.append(['-std=c++17'])
        return names, '\n'.join(lines) + '\n', [word for row in flags for word in row]

    def learn(self, compiler, source, names, errors):
        """Takes the header that made the error out of the pool."""
        match = re.search(re.escape(source) + r':(\d+)[:,]', errors)
        if match and int(match.group(1)) <= len(names):
            with self.lock:
                self.rejected[compiler].add(names[int(match.group(1)) - 1])


class InputsCase(ProductCase):
    def ask(self, argv, cwd=None, env=None):
        """Exit status, the answer as a set, and the message."""
        got = self.goma('--print-inputs', *argv, cwd=cwd, env=env)
        lines = os.fsdecode(got.stdout).splitlines()
        if got.returncode == 0:
            # The form of the answer: physical, sorted, each path once.
            self.assertEqual(lines, sorted(set(lines), key=os.fsencode), argv)
            self.assertEqual([line for line in lines if os.path.realpath(line) != line], [], argv)
        else:
            self.assertEqual(lines, [], argv)
        return got.returncode, set(lines), got.stderr.decode(errors='replace').strip()


class FromDebiansHeaders(InputsCase):
    def test_units_of_random_headers(self):
        self.write('own/first.h', '#include "second.h"\n')
        self.write('own/second.h', '#pragma once\n#include <stddef.h>\n')
        self.write('sys/stdint.h', '#include_next <stdint.h>\n')
        self.draw, self.counts = Draw(), collections.Counter()
        jobs = [(number, compiler) for number in range(UNITS) for compiler in COMPILERS]
        with ThreadPoolExecutor(CORES) as pool:
            problems = [text for text in pool.map(lambda job: self.check(*job), jobs) if text]
        counts = ', '.join(f'{what} {count}' for what, count in sorted(self.counts.items()))
        print(f'\nseed {SEED}, {UNITS} units: {counts}', file=sys.stderr)
        self.assertEqual(problems, [], '\n\n'.join(problems))

    def count(self, what, by=1):
        with self.draw.lock:
            self.counts[what] += by

    def check(self, number, compiler):
        source = f'unit{number}.{compiler}.cc'
        for attempt in range(DRAWS):
            names, text, flags = self.draw.unit(number, compiler, attempt)
            self.write(source, text)
            # Only reading is measured: nothing is generated, and the first error ends it.
            trace = Trace(
                [compiler, *flags, '-w', '-Wfatal-errors', '-fsyntax-only', source], self.work, self.env
            )
            if trace.status == 0:
                break
            self.draw.learn(compiler, source, names, trace.errors)
            self.count('drawn again')
        else:
            return f'{compiler}: no unit {number} that compiles in {DRAWS} draws:\n{trace.errors[:500]}'
        argv = [compiler, *flags, '-c', source, '-o', f'{source}.o']
        status, got, message = self.ask(argv)
        wanted = trace.inputs()
        # A truth that is almost empty would let any answer pass.
        if len(wanted) < 4 or os.path.join(self.work, source) not in wanted:
            return f'{argv}: strace saw only {sorted(wanted)}'
        self.count(f'compiled by {compiler}')
        self.count('files', len(wanted))
        missing, extra = sorted(wanted - got), sorted(got - wanted)
        if status == 0 and not missing and not extra:
            return None
        shown = f'{" ".join(argv)}\n{text}'
        if status != 0:
            self.count('refused')
            return f'{shown}status {status}: {message}'
        self.count('missing', len(missing))
        self.count('extra', len(extra))
        return f'{shown}missing {missing}\nextra {extra}'


if __name__ == '__main__':
    unittest.main()
