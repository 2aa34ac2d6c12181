"""Compiles on a real cluster, from an empty cache and through remote execution only: every object and every
depfile has the bytes of the compiler's own here."""

import os
import shutil
import subprocess
import tempfile
import unittest

from engines import BuildGrid, Casd
from remote_case import FULL, GOMACC, UNITS, Project, RemoteCase

PLATFORM = 'ISA=x86-64,OSFamily=linux'


class ClusterCase(RemoteCase):
    toolchain = 'image'

    def remote(self):
        return {
            'GOMA_MODE': 'cluster',
            'GOMA_ENDPOINT': self.engine.endpoint,
            'GOMA_INSTANCE': self.engine.instance,
            'GOMA_PLATFORM': PLATFORM,
            'GOMA_TOOLCHAIN': self.toolchain,
            'GOMA_WORKERS_IDENTICAL': 'true',
        }

    def check(self, compiler, flags, jobs=64):
        """Cold: all run remotely. Then as somebody else with an empty cache: all are found."""
        project = Project(self, self.work)
        reference = project.plain(compiler, flags)
        self.build(project, reference, jobs)
        self.assert_results(remote_exec=UNITS)
        self.build(project, reference, jobs)
        self.assert_results(local_hit=UNITS)
        stored, results = self.engine.blobs.digests(), self.results()
        self.new_machine()
        self.build(project, reference, jobs)
        self.assert_results(remote_hit=UNITS)
        self.assertEqual(results, self.results())
        self.assertEqual(set(), self.engine.blobs.digests() - stored)

    def results(self):
        return self.engine.results.digests()

    def same_as_plain(self, source, argv):
        """What the user sees of one compile is what the compiler says. Returns the task's result."""
        self.write('a.cc', source)
        plain = self.run_in(argv)
        remote = self.goma(*argv)
        self.assertEqual(
            (plain.returncode, plain.stdout, plain.stderr), (remote.returncode, remote.stdout, remote.stderr)
        )
        return self.new_results()


class Image(ClusterCase):
    """The workers have the same compiler, and do not have the checkout."""

    @classmethod
    def start_engines(cls):
        cls.engine = cls.enterClassContext(Casd(runner='hosttools', hide=cls.hide))

    def test_gcc(self):
        self.check('g++', '-O1')

    def test_gcc_with_debug_information(self):
        self.check('g++', '-O1 -g')

    def test_clang_19(self):
        for flags in ('-O1', '-O1 -g -Wall') if FULL else ('-O1 -g -Wall',):
            with self.subTest(flags):
                self.check('clang++-19', flags)
                self.new_machine()

    def test_clang_14_keeps_the_paths_of_assertions_local(self):
        self.check('clang++-14', '-O1 -DNDEBUG')

    def test_200_jobs(self):
        self.check('g++', '-O2', jobs=200)

    def test_another_checkout_that_maps_its_prefix_is_a_hit(self):
        flags = '-g -O1 -ffile-prefix-map={}=.'
        project = Project(self, self.work)
        self.build(project, project.plain('g++', flags.format(self.work)))
        self.assert_results(remote_exec=UNITS)
        elsewhere = tempfile.mkdtemp(dir=self.checkouts)
        self.addCleanup(shutil.rmtree, elsewhere, ignore_errors=True)
        other = Project(self, elsewhere)
        reference = other.plain('g++', flags.format(elsewhere))
        self.new_machine(GOMA_EXEC_ROOT=elsewhere)
        self.build(other, reference)
        self.assert_results(remote_hit=UNITS)

    def test_an_error_is_the_compilers_own(self):
        argv = ['g++', '-c', 'a.cc', '-o', 'a.o']
        self.same_as_plain('int f() { return x; }\n', argv)
        self.assertFalse(os.path.exists(os.path.join(self.work, 'a.o')))

    def test_a_warning_is_the_compilers_own(self):
        argv = ['g++', '-Wall', '-c', 'a.cc', '-o', 'a.o']
        got = self.same_as_plain('int f() { int unused; return 1; }\n', argv)
        self.assertEqual({'remote_exec': 1}, got)
        self.assertEqual({'local_hit': 1}, self.same_as_plain('int f() { int unused; return 1; }\n', argv))

    def test_a_worker_with_other_headers_is_not_used(self):
        """A header outside the checkout that the worker does not have as it is here."""
        outside = os.path.join(self.checkouts, 'sdk')
        os.makedirs(outside, exist_ok=True)
        self.addCleanup(shutil.rmtree, outside)
        with open(os.path.join(outside, 'sdk.h'), 'w') as out:
            out.write('#define SDK 1\n')
        argv = ['g++', f'-I{outside}', '-c', 'a.cc', '-o', 'a.o']
        self.assertEqual({'local_exec': 1}, self.same_as_plain('#include "sdk.h"\nint a = SDK;\n', argv))


class Chroot(ClusterCase):
    """The workers have nothing: the compiler travels, and the input root is the root."""

    toolchain = 'chroot'

    @classmethod
    def start_engines(cls):
        cls.engine = cls.enterClassContext(Casd(runner='bubblewrap'))

    def test_gcc(self):
        self.check('g++', '-O1')

    def test_gcc_with_debug_information(self):
        self.check('g++', '-O1 -g')

    def test_clang(self):
        for compiler in ('clang++-19', 'clang++-14') if FULL else ('clang++-19',):
            with self.subTest(compiler):
                self.check(compiler, '-O1 -g')
                self.new_machine()


class Scheduler(ClusterCase):
    """BuildGrid: queue, stages, platform properties, two workers."""

    @classmethod
    def start_engines(cls):
        cls.engine = cls.enterClassContext(BuildGrid(workers=2, hide=cls.hide))

    def results(self):
        """Its action cache is in memory and does not tell what it holds."""
        return None

    def test_gcc_with_debug_information(self):
        self.check('g++', '-O1 -g')

    def test_a_platform_that_the_cluster_does_not_know_means_locally(self):
        self.new_machine(GOMA_PLATFORM='NoSuchProperty=1')
        project = Project(self, self.work, units=3)
        self.build(project, project.plain())
        self.assert_results(local_exec=3)


class UnixSocket(ClusterCase):
    @classmethod
    def start_engines(cls):
        cls.engine = cls.enterClassContext(Casd(runner='hosttools', hide=cls.hide, unix=True))

    def test_an_engine_on_this_machine(self):
        self.check('g++', '-O1')


class Demo(ClusterCase):
    """A real project: googletest, with its own tests in a full run."""

    toolchain = 'image'
    targets = [] if FULL else ['gmock_main']  # with the three libraries below it

    @classmethod
    def start_engines(cls):
        cls.engine = cls.enterClassContext(Casd(runner='hosttools', hide=cls.hide))

    def configure(self, launcher):
        words = ['cmake', '-G', 'Ninja', '-S', '/usr/src/googletest', '-B', 'build']
        words += ['-DCMAKE_BUILD_TYPE=Debug', '-Dgtest_build_tests=ON']
        words.append(f'-DCMAKE_CXX_COMPILER_LAUNCHER={launcher}')
        got = self.run_in(words)
        self.assertEqual(0, got.returncode, got.stderr.decode())
        self.new_results()

    def objects(self):
        return {
            name: text for name, text in self.listing(os.path.join(self.work, 'build')).items()
            if name.endswith('.o') and 'CMakeScratch' not in name
        }

    def test_googletest(self):
        self.configure('')
        jobs = len(os.sched_getaffinity(0))
        words = ['ninja', '-C', 'build', *self.targets]
        subprocess.run([*words, f'-j{jobs}'], cwd=self.work, check=True, capture_output=True)
        reference = self.objects()
        self.assertTrue(reference)
        shutil.rmtree(os.path.join(self.work, 'build'))
        self.configure(GOMACC)
        got = self.run_in([*words, '-j200'])
        self.assertEqual(0, got.returncode, got.stdout.decode()[-3000:])
        self.assertEqual(reference, self.objects())
        self.assert_results(remote_exec=len(reference))


if __name__ == '__main__':
    unittest.main()
