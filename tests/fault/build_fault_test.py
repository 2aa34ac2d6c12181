"""Faults while ninja builds: the daemon killed again and again, stopped, unable to start; gomacc interrupted;
the store full, deleted, damaged. Each build must end right, with the objects of a plain build."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'e2e'))
from product import GOMACC, LIMIT, PROXY, ProductCase, wait_until  # noqa: E402

UNITS = 30


def running(name):
    """Ids of the processes of this name, as their first word tells it."""
    found = []
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{pid}/cmdline', 'rb') as file:
                word = file.read().split(b'\0')[0].decode()
        except (OSError, UnicodeDecodeError):
            continue
        if os.path.basename(word).startswith(name):
            found.append(int(pid))
    return found


class Project(ProductCase):
    """A ninja project of small units with one shared header."""

    def setUp(self):
        super().setUp()
        self.write('common.h', '#include <string>\n#include <map>\n#include <vector>\n')
        for i in range(UNITS):
            self.write(
                f'u{i}.cc',
                f'#include "common.h"\nstd::map<std::string, std::vector<int>> m{i};\n'
                f'int f{i}(int x) {{ return x + {i}; }}\n',
            )
        self.write_rules(f'{GOMACC} g++')
        self.reference = self.plain_objects()

    def write_rules(self, compiler):
        rules = [f'cxx = {compiler}', 'rule cxx', '  command = $cxx -O1 -MD -MF $out.d -c $in -o $out',
                 '  depfile = $out.d', '  deps = gcc']
        rules += [f'build out/u{i}.o: cxx u{i}.cc' for i in range(UNITS)]
        self.write('build.ninja', '\n'.join(rules) + '\n')

    def plain_objects(self):
        self.write_rules('g++')
        self.assertEqual(self.ninja(2).returncode, 0)
        objects = self.objects()
        self.clean()
        self.write_rules(f'{GOMACC} g++')
        return objects

    def compilers(self, names=('cc1plus', 'as', 'g++')):
        """Ids of the compilers at work in this project's folder."""
        found = []
        for name in names:
            for pid in running(name):
                try:
                    if os.readlink(f'/proc/{pid}/cwd') == self.work:
                        found.append(pid)
                except OSError:
                    continue
        return found

    def compilers_at_once(self):
        """What a look finds first may have ended before it finds the last, so only what a second look finds
        again ran at one moment."""
        first, second = (set(self.compilers(['cc1plus'])) for _ in range(2))
        return len(first & second)

    def clean(self):
        shutil.rmtree(os.path.join(self.work, 'out'), ignore_errors=True)
        for name in ('.ninja_log', '.ninja_deps'):
            if os.path.exists(os.path.join(self.work, name)):
                os.unlink(os.path.join(self.work, name))

    def objects(self):
        return {n: t for n, t in self.listing(os.path.join(self.work, 'out')).items() if n.endswith('.o')}

    def ninja(self, jobs):
        return self.run_in(['ninja', f'-j{jobs}'])

    def start_ninja(self, jobs):
        return subprocess.Popen(['ninja', f'-j{jobs}'], cwd=self.work, env=self.env, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)

    def finish(self, build):
        output, _ = build.communicate(timeout=LIMIT)
        self.assertEqual(build.returncode, 0, output.decode())
        self.assertEqual(self.objects(), self.reference)

    def build_and_check(self, jobs=64):
        self.clean()
        got = self.ninja(jobs)
        self.assertEqual(got.returncode, 0, got.stdout.decode() + got.stderr.decode())
        self.assertEqual(self.objects(), self.reference)


class Daemon(Project):
    def lock_holder(self):
        try:
            with open(self.path('tmp', 'goma_compiler_proxy.lock')) as lock:
                return int(lock.read() or 0)
        except (OSError, ValueError):
            return 0

    def stop_started(self):
        """Ends the daemon that gomacc started."""
        pid = self.lock_holder()
        if pid in running('compiler_proxy'):
            os.kill(pid, signal.SIGKILL)

    def test_a_killed_daemon_costs_nothing_but_speed(self):
        self.addCleanup(self.stop_started)
        self.kill_daemon()
        kills = 0
        # How often a daemon comes up during one build depends on the machine, so builds go on until it
        # has been killed again and again.
        for _ in range(10):
            self.clean()
            shutil.rmtree(self.path('cache'), ignore_errors=True)
            build = self.start_ninja(64)
            while build.poll() is None:
                pid = self.lock_holder()
                if pid in running('compiler_proxy'):
                    os.kill(pid, signal.SIGKILL)
                    kills += 1
                time.sleep(0.1)
            self.finish(build)
            self.assertEqual(self.compilers(), [])
            if kills > 2:
                break
        self.assertGreater(kills, 2)

    def test_a_stopped_daemon_is_left_alone_after_a_while(self):
        build = self.start_ninja(8)
        wait_until(self.compilers, 'a compiler runs')
        self.daemon.send_signal(signal.SIGSTOP)
        self.finish(build)
        self.daemon.send_signal(signal.SIGCONT)

    def test_without_a_daemon_no_more_compilers_run_than_cores(self):
        self.stop_daemon()
        self.env['GOMA_COMPILER_PROXY_BINARY'] = '/bin/false'
        build = self.start_ninja(64)
        most = 0
        while build.poll() is None:
            most = max(most, self.compilers_at_once())
            time.sleep(0.02)
        self.finish(build)
        self.assertGreater(most, 0)
        self.assertLessEqual(most, len(os.sched_getaffinity(0)))

    def test_with_a_daemon_no_more_compilers_run_than_slots(self):
        build = self.start_ninja(200)
        most = 0
        while build.poll() is None:
            most = max(most, self.compilers_at_once())
            time.sleep(0.02)
        self.finish(build)
        self.assertGreater(most, 0)
        self.assertLessEqual(most, len(os.sched_getaffinity(0)))

    def test_ctrl_c_leaves_no_compiler_and_no_half_object(self):
        build = self.start_ninja(64)
        wait_until(self.compilers, 'a compiler runs')
        os.killpg(build.pid, signal.SIGINT)
        wait_until(lambda: not self.compilers(), 'no compiler is left', 3)
        build.communicate(timeout=LIMIT)
        for name, text in self.objects().items():
            self.assertEqual(text, self.reference[name], name)
        self.assertIsNone(self.daemon.poll())
        self.build_and_check()


class Store(Project):
    def entries(self):
        walk = os.walk(self.path('cache'))
        return [os.path.join(folder, name) for folder, _, names in walk for name in names]

    def test_a_deleted_store_is_made_again(self):
        self.build_and_check()
        shutil.rmtree(self.path('cache'))
        self.build_and_check()
        self.build_and_check()
        self.assertEqual({t['result'] for t in self.tasks()[-UNITS:]}, {'local_hit'})

    def test_flipped_bytes_are_noticed(self):
        self.build_and_check()
        for number, path in enumerate(self.entries()):
            os.chmod(path, 0o600)
            with open(path, 'r+b') as file:
                size = os.path.getsize(path)
                if size == 0:
                    continue
                file.seek(number * 131 % size)
                byte = file.read(1)
                file.seek(-1, os.SEEK_CUR)
                file.write(bytes([byte[0] ^ 0x40]))
        self.build_and_check()
        self.build_and_check()
        self.assertEqual({t['result'] for t in self.tasks()[-UNITS:]}, {'local_hit'})

    def test_objects_are_never_shared_with_the_store(self):
        self.build_and_check()
        self.build_and_check()
        for name in self.objects():
            path = os.path.join(self.work, 'out', name)
            self.assertEqual(os.stat(path).st_nlink, 1)
            with open(path, 'ab') as out:
                out.write(b'strip')
        self.build_and_check()

    def test_a_full_disk_means_no_caching_and_a_message(self):
        small = tempfile.mkdtemp(prefix='full', dir=self.top)
        mount = ['mount', '-t', 'tmpfs', '-o', 'size=300k', 'tmpfs', small]
        mounted = subprocess.run(mount, capture_output=True)
        if mounted.returncode != 0:
            self.skipTest('cannot mount a tmpfs here')
        self.addCleanup(subprocess.run, ['umount', '-l', small])
        self.stop_daemon()
        self.env.update(GOMA_LOCAL_OUTPUT_CACHE_DIR=os.path.join(small, 'cache'), GOMA_CACHE_SIZE='1G')
        self.start_daemon()
        self.build_and_check()
        self.build_and_check()
        self.assertIn('o space', self.get('/api/v1/status'))

    def test_two_daemons_share_one_store(self):
        other = dict(self.env, GOMA_TMP_DIR=self.path('tmp2'))
        log = open(self.path('daemon2.log'), 'wb')
        null = subprocess.DEVNULL
        second = subprocess.Popen([PROXY], env=other, stdin=null, stdout=log, stderr=log, cwd='/')
        self.addCleanup(log.close)
        self.addCleanup(self.stop_daemon, second)
        self.build_and_check()
        first_env, self.env = self.env, other
        wait_until(lambda: self.port(), 'the second daemon is up')
        self.build_and_check()
        self.assertEqual({t['result'] for t in self.tasks()[-UNITS:]}, {'local_hit'})
        self.env = first_env


class Inputs(Project):
    def test_a_header_that_changes_while_it_compiles_is_not_kept(self):
        slow = '#include "common.h"\n' + ''.join(
            f'std::map<std::string, std::map<int, std::vector<char[{i + 1}]>>> v{i};\n' for i in range(150)
        )
        self.write('last.h', '#define LAST 1\n')
        self.write('slow.cc', '#include "last.h"\n' + slow + 'int last = LAST;\n')
        argv = [GOMACC, 'g++', '-c', 'slow.cc', '-o', 'slow.o']
        run = subprocess.Popen(argv, cwd=self.work, env=self.env, stdin=subprocess.DEVNULL)
        wait_until(self.compilers, 'the compiler runs')
        with open(os.path.join(self.work, 'last.h'), 'w') as out:
            out.write('#define LAST 2\n')
        self.assertEqual(run.wait(LIMIT), 0)
        self.assertRegex(self.last()['reason'], '^input_(changed|too_new)')
        self.write('last.h', '#define LAST 2\n')
        for _ in range(2):
            self.assertEqual(self.run_in(argv).returncode, 0)
            cached = self.read('slow.o')
            self.assertEqual(self.run_in(argv[1:]).returncode, 0)
            self.assertEqual(self.read('slow.o'), cached)

    def test_an_ancestor_moved_away_and_another_moved_in(self):
        for name, number in (('tree', 1), ('other', 2)):
            self.write(f'{name}/deep/er/h.h', f'#define H {number}\n')
        self.write('h.cc', '#include <h.h>\nint h = H;\n')
        argv = ['g++', '-Itree/deep/er', '-c', 'h.cc', '-o', 'h.o']
        self.assertEqual(self.compile_three_times(argv)[1], 'local_hit')
        os.rename(os.path.join(self.work, 'tree'), os.path.join(self.work, 'gone'))
        os.rename(os.path.join(self.work, 'other'), os.path.join(self.work, 'tree'))
        self.compile_three_times(argv)
        shutil.rmtree(os.path.join(self.work, 'tree'))
        os.rename(os.path.join(self.work, 'gone'), os.path.join(self.work, 'tree'))
        self.compile_three_times(argv)


class Many(ProductCase):
    def test_a_thousand_jobs_at_once(self):
        rules = ['rule cc', f'  command = {GOMACC} gcc -c $in -o $out']
        for i in range(1000):
            self.write(f'c{i}.c', f'int f{i}(void) {{ return {i}; }}\n')
            rules.append(f'build out/c{i}.o: cc c{i}.c')
        self.write('build.ninja', '\n'.join(rules) + '\n')
        for round_ in ('cold', 'warm'):
            shutil.rmtree(os.path.join(self.work, 'out'), ignore_errors=True)
            got = self.run_in(['ninja', '-j1000'])
            self.assertEqual(got.returncode, 0, got.stdout[-3000:])
            self.assertEqual(len(os.listdir(os.path.join(self.work, 'out'))), 1000, round_)
        self.assertEqual({t['result'] for t in self.tasks()[-1000:]}, {'local_hit'})


if __name__ == '__main__':
    unittest.main()
