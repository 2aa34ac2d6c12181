"""A demo's verdict rests on these: which objects differ, which compiles ended otherwise, when a plain build
may be used again."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / 'scripts' / 'lib'))
import builds  # noqa: E402
import cluster_demo  # noqa: E402
import demo  # noqa: E402
import run_tests  # noqa: E402
from projects import Project  # noqa: E402


class Folders(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.top = Path(temporary.name)


class Objects(Folders):
    def test_another_byte_and_a_missing_file_are_differences(self):
        for folder, names in (('plain', 'abc'), ('mine', 'ab')):
            (self.top / folder).mkdir()
            for name in names:
                (self.top / folder / name).write_text(name)
        (self.top / 'mine' / 'b').write_text('B')
        self.assertEqual((1, ['b', 'c']), builds.same_objects('abc', self.top / 'plain', self.top / 'mine'))


class AtOnce(Folders):
    def test_only_compilers_that_a_second_look_finds_again_ran_at_one_moment(self):
        counter = builds.CompilerCount()
        looks = [{1, 2}, {1, 2}, {2, 3, 4, 5}, {4, 5, 6}]
        with mock.patch.object(counter, 'look', side_effect=looks), mock.patch.object(
            counter.stopping, 'wait', side_effect=[False, False, True]
        ):
            counter.run()
        self.assertEqual(2, counter.most)
        with mock.patch.object(counter, 'look', return_value={4, 5, 6}), mock.patch.object(
            counter.stopping, 'wait', side_effect=[False, True]
        ):
            counter.run()
        self.assertEqual(3, counter.most)

    def test_a_compiler_is_seen_while_it_runs(self):
        (self.top / 'cc1plus').symlink_to('/bin/sleep')
        child = subprocess.Popen([self.top / 'cc1plus', '60'])
        try:
            self.assertIn(child.pid, {pid for pid, _ in builds.CompilerCount.look()})
        finally:
            child.kill()
            child.wait()
        self.assertNotIn(child.pid, {pid for pid, _ in builds.CompilerCount.look()})

    def process(self, pid, *words, parent=None, name='clang++-14', state='R'):
        folder = self.top / str(pid)
        folder.mkdir()
        parent = os.getpid() if parent is None else parent
        (folder / 'stat').write_text(f'{pid} ({name}) {state} {parent} {"0 " * 30}')
        (folder / 'cmdline').write_bytes(b'\0'.join(word.encode() for word in words) + b'\0')

    def test_a_clang_compiles_in_its_driver_or_below_it(self):
        self.process(1, 'clang++', '-c', 'x.cc')
        self.process(2, 'clang++', 'x.o')
        self.process(3, 'clang++', '-c', 'y.cc')
        self.process(4, 'clang++', '-cc1', 'y.cc', parent=3)
        self.process(5, 'clang++', '-c', 'z.cc', state='Z')
        self.process(6, 'clang++', '-c', 'of-others.cc', parent=0)
        self.process(7, 'ninja', '-c', name='ninja')
        self.assertEqual({1, 4}, {pid for pid, _ in builds.CompilerCount.look(self.top)})

    def test_what_a_daemon_asks_a_compiler_is_no_compile(self):
        self.process(11, 'compiler_proxy', name='compiler_proxy')
        self.process(12, 'g++', '-E', parent=11, name='g++')
        self.process(13, 'cc1plus', '-E', parent=12, name='cc1plus')
        self.process(14, 'cc1plus', 'x.cc', name='cc1plus')
        self.assertEqual({14}, {pid for pid, _ in builds.CompilerCount.look(self.top)})


class Reasons(unittest.TestCase):
    ENDED = (
        {'source': 'b.cc', 'result': 'local_exec', 'reason': 'remote: outside_input: /x.h'},
        {'source': 'a.cc', 'result': 'remote_exec', 'reason': ''},
        {'source': 'a2.cc', 'result': 'failed', 'reason': ''},
        {'source': 'c.cc', 'result': 'local_exec', 'reason': 'remote: workers_folder: in c.o'},
    )

    def others(self, *, version, toolchain='image'):
        """What is held against a build by a compiler that says this of itself, and what rightly ran here."""
        arguments = demo.parse(['--cluster', '--compiler=cxx', f'--toolchain={toolchain}'])
        told = subprocess.CompletedProcess([], 0, stdout=version)
        with mock.patch.object(cluster_demo.subprocess, 'run', return_value=told), mock.patch.object(
            cluster_demo, 'PrivateDaemon'
        ) as started:
            made = cluster_demo.ClusterDemo(arguments)
            cluster_demo.make_machine('first', mock.Mock(), toolchain, made.names_folder)
        daemon = mock.Mock(get=mock.Mock(return_value=json.dumps({'ended': self.ENDED})))
        here = set()
        others = made.others(daemon, 7, ('remote_exec',), here)
        self.assertIn('after=7', daemon.get.call_args.args[0])
        return others, here, started.call_args.kwargs['GOMA_FALLBACK']

    def test_compiles_that_ended_otherwise_are_named_with_the_reason(self):
        others = [
            'a2.cc: failed, no reason given',
            'b.cc: local_exec, remote: outside_input: /x.h',
            'c.cc: local_exec, remote: workers_folder: in c.o',
        ]
        for version, toolchain in (
            ('g++ (Debian 12.2.0) 12.2.0', 'image'),
            ('Debian clang version 19.1.4', 'image'),
            ('Debian clang version 14.0.6', 'chroot'),
        ):
            self.assertEqual((others, set(), 'false'), self.others(version=version, toolchain=toolchain))

    def test_what_an_old_clang_cannot_make_elsewhere_is_made_here(self):
        others, here, fallback = self.others(version='Debian clang version 14.0.6\nTarget: x86_64')
        self.assertEqual({'c.cc'}, here)
        self.assertEqual(['a2.cc', 'b.cc'], [other.split(':')[0] for other in others])
        self.assertEqual('true', fallback)


class Plain(Folders):
    def build_plain(self, *words):
        made = builds.Builds(demo.parse(list(words)), stages=9)
        made.folder = self.top
        project = Project('a b', Path('/source'), ['-DX=1'])
        built = self.top / 'a-b'

        def configure(*_):
            built.mkdir()
            return ['x.o', 'y.o']

        with mock.patch.object(builds, 'configure', configure), mock.patch.object(
            builds, 'run', return_value=(2.5, 0)
        ) as run, mock.patch('stages.say'):
            result = made.build_plain(project)
        self.assertEqual((['x.o', 'y.o'], 2.5, self.top / 'a-b.plain'), result)
        return run.called

    def test_is_used_again_only_with_the_same_options_and_when_told(self):
        self.assertTrue(self.build_plain('--compiler', 'g++'))
        self.assertTrue(self.build_plain('--compiler', 'g++'))
        self.assertFalse(self.build_plain('--compiler', 'g++', '--reuse-plain'))
        self.assertTrue(self.build_plain('--compiler', 'g++', '--flags=-O1', '--reuse-plain'))
        self.assertFalse(self.build_plain('--compiler', 'g++', '--flags=-O1', '--reuse-plain'))


class Arguments(unittest.TestCase):
    def test_a_cluster_is_casd_unless_named(self):
        self.assertIsNone(demo.parse([]).cluster)
        self.assertEqual('casd', demo.parse(['--cluster']).cluster)
        self.assertEqual('buildgrid', demo.parse(['--cluster=buildgrid']).cluster)

    def test_those_of_a_full_run_are_understood(self):
        asked = [demo.parse(words) for words in run_tests.DEMOS]
        self.assertEqual(
            [('g++', '-O0 -g'), ('g++', '-O2'), ('clang++-14', '-O0 -g'), ('clang++-14', '-O2')],
            [(arguments.compiler, arguments.flags) for arguments in asked],
        )

    def test_the_engine_fits_the_toolchain(self):
        for toolchain, runner in (('image', 'hosttools'), ('chroot', 'bubblewrap')):
            arguments = argparse.Namespace(cluster='casd', toolchain=toolchain)
            with mock.patch.object(cluster_demo.engines, 'can_hide', return_value=True):
                engine, hide = cluster_demo.make_engine(arguments)
            self.addCleanup(engine.close)
            self.assertEqual((runner, toolchain == 'image'), (engine.runner, hide is not None))


if __name__ == '__main__':
    unittest.main()
