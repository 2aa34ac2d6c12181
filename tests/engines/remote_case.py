"""The product with a real engine: a project of small units, built plainly and through gomacc in the same
folder, and what the daemon and the engine say of it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'e2e'))
from engines import can_hide  # noqa: E402
from product import GOMACC, LIMIT, ProductCase, wait_until  # noqa: E402, F401

FULL = os.environ.get('GOMA_TEST_FULL') == '1'
UNITS = 30
# Standard headers, an own one by a relative path, a template instantiated in each, and an assertion that
# keeps the file's spelling. Small, as each is compiled again and again.
UNIT = """#include "{up}include/common.h"
#include <cassert>
namespace {{ int twice(int x) {{ return 2 * x; }} }}
std::vector<int> v{number};
int f{number}(int x) {{ assert(x > {number}); return twice(x) + static_cast<int>(v{number}.size()); }}
"""
HEADER = '#pragma once\n#include <vector>\ninline int shared(int x) { return x + 1; }\n'
RULES = """cxx = {compiler}
flags = {flags}
rule cxx
  command = $cxx $flags -MD -MF $out.d -c $in -o $out
"""


_plain = {}


class Project:
    """One checkout with a ninja project of `units` units."""

    def __init__(self, case, folder, units=UNITS):
        self.case, self.folder, self.units = case, folder, units
        self.write_header(HEADER)
        for number in range(units):
            self.put(f'src/u{number}.cc', UNIT.format(number=number, up='../'))

    def write_header(self, text):
        self.header = text
        self.put('include/common.h', text)

    def put(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w') as out:
            out.write(text)
        os.utime(path, (1_600_000_000, 1_600_000_000))  # old enough to be sure that it does not change
        return path

    def rules(self, compiler, flags):
        lines = [
            f'build out/u{number}.o: cxx src/u{number}.cc | include/common.h' for number in range(self.units)
        ]
        self.put('build.ninja', RULES.format(compiler=compiler, flags=flags) + '\n'.join(lines) + '\n')

    def clean(self):
        shutil.rmtree(os.path.join(self.folder, 'out'), ignore_errors=True)
        for name in ('.ninja_log', '.ninja_deps'):
            if os.path.exists(os.path.join(self.folder, name)):
                os.unlink(os.path.join(self.folder, name))

    def outputs(self):
        """Objects and depfiles, by name."""
        return self.case.listing(os.path.join(self.folder, 'out'))

    def plain(self, compiler='g++', flags='-O1', name=''):
        """What the compiler itself makes; later builds use the same words behind gomacc. A name makes the
        same compiles others, by a macro of which their outputs know nothing."""
        key = (compiler, flags, self.units, self.folder if '-g' in flags else None, self.header)
        self.clean()
        if key not in _plain:
            self.rules(compiler, flags)
            got = self.ninja(len(os.sched_getaffinity(0)))
            self.case.assertEqual(0, got.returncode, got.stdout.decode())
            _plain[key] = self.outputs()
            self.clean()
        self.rules(f'{GOMACC} {compiler}', f'{flags} -DGOMA_TEST_{name}' if name else flags)
        return _plain[key]

    def ninja(self, jobs):
        return self.case.run_in(['ninja', f'-j{jobs}'], cwd=self.folder)

    def start_ninja(self, jobs):
        return subprocess.Popen(
            ['ninja', f'-j{jobs}'],
            cwd=self.folder,
            env=self.case.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )


class RemoteCase(ProductCase):
    """A daemon with the settings that remote() gives, and one engine for all tests of the class. Checkouts
    lie below one folder, which the engine's actions see empty, so that a path of it can only come from a
    mistake."""

    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.checkouts = os.path.realpath(tempfile.mkdtemp(prefix='checkouts'))
        cls.addClassCleanup(shutil.rmtree, cls.checkouts, ignore_errors=True)
        cls.hide = cls.checkouts if can_hide() else None
        cls.start_engines()

    @classmethod
    def start_engines(cls):
        """Enters what all tests of the class share."""

    def remote(self):
        """The settings of the remote side."""
        raise NotImplementedError

    def setUp(self):
        checkout = tempfile.mkdtemp(dir=self.checkouts)
        self.addCleanup(shutil.rmtree, checkout, ignore_errors=True)
        self.settings = {
            'GOMA_EXEC_ROOT': checkout,
            'no_proxy': '127.0.0.1,localhost',
            # While the endpoint is not known yet, free processors would race it, and counts would differ.
            'GOMA_USE_LOCAL': 'false',
            **self.remote(),
        }
        super().setUp()
        self.work = checkout

    def start_daemon(self):
        super().start_daemon()
        self.seen = {}

    def new_machine(self, **settings):
        """The daemon of somebody else: no local cache, nothing known; other settings where given (None
        removes one)."""
        self.stop_daemon()
        for name in ('cache', 'state'):
            shutil.rmtree(self.path(name), ignore_errors=True)
        for name, value in settings.items():
            self.env.pop(name, None)
            if value is not None:
                self.env[name] = value
        self.start_daemon()

    def status(self):
        return json.loads(self.get('/api/v1/status'))

    def new_results(self):
        """How many tasks came to which result since the last call, once all have ended."""
        wait_until(lambda: self.status()['tasks']['active'] == 0, 'all tasks have ended')
        now = self.status()['results']
        new = {name: count - self.seen.get(name, 0) for name, count in now.items()}
        self.seen = now
        return {name: count for name, count in new.items() if count}

    def assert_results(self, **wanted):
        got = self.new_results()
        self.assertEqual(wanted, got, f'reasons: {self.status()["reasons"]}\n{self.daemon_log()[-2000:]}')

    def build(self, project, reference, jobs=64):
        """A build from scratch that must end right."""
        project.clean()
        got = project.ninja(jobs)
        self.assertEqual(0, got.returncode, got.stdout.decode(errors='replace')[-3000:])
        self.assert_same(project, reference)
        return got

    def finish(self, build, project, reference):
        """Waits for a build that must end right; returns when it ended, on the monotonic clock."""
        output, _ = build.communicate(timeout=LIMIT)
        ended = time.monotonic()
        self.assertEqual(0, build.returncode, output.decode(errors='replace')[-3000:])
        self.assert_same(project, reference)
        return ended

    def assert_same(self, project, reference):
        found = project.outputs()
        self.assertEqual(sorted(reference), sorted(found))
        different = [name for name in reference if reference[name] != found[name]]
        self.assertEqual([], different, 'not the bytes of the plain build')
