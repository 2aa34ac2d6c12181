"""goma_ctl.py and goma_auth.py, as people and scripts call them."""

import hashlib
import json
import os
import re
import shutil
import signal
import socket
import stat
import sys
import tarfile
import unittest

from product import GOMACC, PROXY, TOP, ProductCase, is_running, wait_until

SCRIPTS = os.path.join(TOP, 'scripts')
PARTS = ('goma_ctl.py', 'goma_auth.py', 'goma_figures.py', 'goma_report.py')


class Ctl(ProductCase):
    """Laid out as installed: both scripts beside both programs."""

    def setUp(self):
        super().setUp()
        self.stop_daemon()
        self.bin = self.path('bin')
        os.mkdir(self.bin)
        scripts = [os.path.join(SCRIPTS, name) for name in PARTS]
        for source in (GOMACC, PROXY, *scripts):
            shutil.copy(source, self.bin)
        # Not named, so that it must be found.
        del self.env['GOMA_COMPILER_PROXY_BINARY']
        self.addCleanup(self.ctl, 'ensure_stop')

    def ctl(self, *words, env=None, script='goma_ctl.py'):
        return self.run_in([sys.executable, os.path.join(self.bin, script), *words], env=env, text=True)

    def good(self, *words, **options):
        got = self.ctl(*words, **options)
        self.assertEqual(0, got.returncode, got.stdout + got.stderr)
        return got.stdout

    def pid(self):
        return json.loads(self.get('/api/v1/status'))['pid']

    def socket_made(self):
        """When the socket was made, in ns; None while there is none."""
        try:
            return os.stat(os.path.join(self.env['GOMA_TMP_DIR'], 'goma.ipc')).st_ctime_ns
        except FileNotFoundError:
            return None

    def alive(self):
        return self.ctl('status').returncode != 3

    def compile(self, name='a.c', *flags):
        self.write(name, f'int {name[0]};\n')
        got = self.run_in([GOMACC, 'gcc', *flags, '-c', name], env={'GOMA_START_COMPILER_PROXY': 'false'})
        self.assertEqual(0, got.returncode, got.stderr)

    def test_ensure_start_starts_once(self):
        first = self.good('ensure_start')
        self.assertIn('Now goma is ready!', first)
        self.assertRegex(first, r'compiler proxy \(pid=\d+\) status: http://127\.0\.0\.1:\d+ ok')
        pid = self.pid()
        self.assertIn('goma is already running.', self.good('ensure_start'))
        self.assertIn('goma is already running.', self.good('start'))
        self.assertEqual(pid, self.pid())
        self.assertEqual(f'{self.bin}/compiler_proxy', os.readlink(f'/proc/{pid}/exe'))

    def test_restart_gives_a_new_daemon(self):
        self.good('start')
        pid = self.pid()
        self.assertIn('Now goma is ready!', self.good('restart'))
        self.assertNotEqual(pid, self.pid())
        self.assertFalse(is_running(pid))

    def test_stop_ends_it_and_ensure_stop_waits(self):
        self.good('start')
        self.assertIn('goma is stopping.', self.good('stop'))
        wait_until(lambda: not self.alive(), 'the daemon is gone')
        self.assertIn('goma is not running.', self.good('stop'))
        self.good('start')
        pid = self.pid()
        self.assertIn('goma is stopped.', self.good('ensure_stop'))
        self.assertFalse(is_running(pid))
        self.assertIn('goma is not running.', self.good('ensure_stop'))

    def test_a_failed_start_tells_the_reason(self):
        with open(self.path('file'), 'w'):
            pass
        got = self.ctl('ensure_start', env={'GOMA_TMP_DIR': self.path('file')})
        self.assertEqual(1, got.returncode)
        self.assertIn('Failed to start compiler_proxy.', got.stderr)
        self.assertGreater(len(got.stderr.splitlines()), 1)

    def test_status_tells_by_its_exit_code(self):
        self.assertEqual(3, self.ctl('status').returncode)
        self.assertEqual(3, self.ctl().returncode)
        self.good('start')
        self.assertRegex(self.good('status'), r'^compiler proxy \(pid=\d+\) status: \S+ ok\n$')
        self.assertEqual(self.good('status'), self.good())

    def test_ensure_start_replaces_a_daemon_with_other_settings_or_another_program(self):
        self.good('start')
        pid = self.pid()
        self.assertIn('already running', self.good('ensure_start', env={'GOMA_CACHE_SIZE': ''}))
        changed = {'GOMA_SILO': 'other'}
        self.assertIn('the setting silo has changed', self.good('ensure_start', env=changed))
        self.assertNotEqual(pid, self.pid())
        pid = self.pid()
        self.assertIn('already running', self.good('ensure_start', env=changed))
        self.assertIn('the setting silo has changed', self.good('ensure_start'))
        shutil.copy(PROXY, self.path('bin', 'newer'))
        os.rename(self.path('bin', 'newer'), self.path('bin', 'compiler_proxy'))
        self.assertIn('another program runs', self.good('ensure_start'))
        self.assertIn('already running', self.good('ensure_start'))

    def test_a_daemon_that_hangs_is_told_and_replaced(self):
        self.good('start')
        pid = self.pid()
        os.kill(pid, signal.SIGSTOP)
        try:
            got = self.ctl('status')
            self.assertEqual(1, got.returncode)
            self.assertIn(f'pid={pid}) does not answer', got.stdout)
            self.assertIn('Now goma is ready!', self.good('ensure_start'))
        finally:
            if is_running(pid):
                os.kill(pid, signal.SIGKILL)
        self.assertNotEqual(pid, self.pid())
        pid = self.pid()
        os.kill(pid, signal.SIGSTOP)
        self.assertIn('goma is stopped.', self.good('ensure_stop'))
        self.assertFalse(is_running(pid))

    def test_a_daemon_without_a_page_serves_and_can_be_stopped(self):
        with socket.socket() as taken:
            taken.bind(('127.0.0.1', 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            env = {'GOMA_COMPILER_PROXY_PORT': port, 'GOMA_COMPILER_PROXY_NUM_FIND_PORTS': '1'}
            self.assertIn('has no status page', self.good('ensure_start', env=env))
            self.assertIn('already running', self.good('ensure_start', env=env))
            self.assertIn('has no status page', self.good('status', env=env))
            self.compile()
            self.assertIn('goma is stopped.', self.good('ensure_stop', env=env))
            self.assertEqual(3, self.ctl('status', env=env).returncode)

    def test_two_sockets_in_one_folder(self):
        self.good('start')
        other = {'GOMA_COMPILER_PROXY_SOCKET_NAME': 'b.ipc'}
        try:
            self.good('start', env=other)
            self.assertNotEqual(self.good('status'), self.good('status', env=other))
            self.good('ensure_stop')
            self.assertEqual(0, self.ctl('status', env=other).returncode)
            self.good('stop', env=other)
            wait_until(lambda: self.ctl('status', env=other).returncode == 3, 'the other one is gone')
        finally:
            self.good('ensure_stop', env=other)

    def test_the_folder_of_the_socket_may_be_cleared_away(self):
        self.good('start')
        pid = self.pid()
        old = self.socket_made()
        # What the daemon puts there anew while the old files go is left.
        shutil.rmtree(self.env['GOMA_TMP_DIR'], ignore_errors=True)
        wait_until(lambda: self.socket_made() not in (None, old), 'it listens again')
        wait_until(lambda: self.ctl('status').returncode == 0, 'it serves again')
        self.assertEqual(pid, self.pid())
        self.compile('b.c')
        self.compile('b.c')
        self.assertEqual('local_hit', self.last()['result'])
        self.good('stop')

    def test_the_token_is_for_this_user_only(self):
        self.good('start')
        path = os.path.join(self.env['GOMA_TMP_DIR'], 'goma_token')
        self.assertEqual(0o600, stat.S_IMODE(os.stat(path).st_mode))

    def test_statistics_in_three_forms(self):
        self.good('start')
        self.compile()
        os.unlink(os.path.join(self.work, 'a.o'))
        self.compile()
        text = self.good('stat')
        self.assertRegex(text, r'Tasks: +2 ended, 0 running')
        self.assertRegex(text, r'Hits: +1 / 2 \(50\.00 %\)')
        self.assertNotIn('Time by phase', text)
        self.assertIn('Time by phase:', self.good('stat', '-v'))
        self.assertEqual(1, json.loads(self.good('stat', '--json'))['results']['local_hit'])
        self.assertTrue(self.good('stat', '--goma').startswith('request: total=2 success=2 failure=0\n'))
        self.assertIn('handler_time local_hit: count=1', self.good('histogram'))

    def test_settings_with_their_origin(self):
        self.good('start')
        flags = json.loads(self.good('showflags'))
        self.assertEqual(self.path('cache'), flags['GOMA_LOCAL_OUTPUT_CACHE_DIR'])
        shown = self.good('config', 'show')
        self.assertRegex(shown, r'cache_dir +\S+/cache +environment GOMA_LOCAL_OUTPUT_CACHE_DIR')
        self.assertRegex(shown, r'(?m)^goma +default$')
        self.assertRegex(shown, r'(?m)^max_remote +\d+ +auto$')
        self.assertIn(self.path('cache'), self.good('cache', 'show'))

    def test_jsonstatus_is_json_with_and_without_a_daemon(self):
        notice = json.loads(self.good('jsonstatus'))['notice'][0]
        self.assertEqual('COMPILER_PROXY_UNREACHABLE', notice['compile_error'])
        self.good('start')
        self.good('jsonstatus', self.path('status.json'))
        with open(self.path('status.json')) as file:
            self.assertIn('infra_status', json.load(file)['notice'][0])

    def test_small_questions(self):
        self.assertEqual(f'{self.bin}\n', self.good('goma_dir'))
        self.assertRegex(self.good('version'), r'^goma \d+\.\d+\.\d+ .*protocol \d+\)\n$')
        self.assertEqual(self.good('version'), self.good('--version'))
        alone = int(self.good('jobs'))
        self.assertGreaterEqual(alone, 9)
        self.good('start')
        self.assertIn(f'{self.bin}/compiler_proxy', self.good('version'))
        self.assertGreaterEqual(int(self.good('jobs')), 9)

    def test_questions_to_a_daemon_that_does_not_run_say_what_to_do(self):
        for words in (['stat'], ['histogram'], ['showflags'], ['config', 'show'], ['cache', 'show']):
            with self.subTest(words):
                got = self.ctl(*words)
                self.assertEqual(3, got.returncode)
                self.assertIn('goma_ctl.py ensure_start', got.stderr)

    def test_what_is_no_command_is_a_usage_error(self):
        for line in ('nonsense', 'stat x', 'status x', 'config', 'config x', 'cache x'):
            words = line.split()
            with self.subTest(line):
                got = self.ctl(*words)
                self.assertEqual(2, got.returncode)
                self.assertIn('usage: goma_ctl.py', got.stderr)
        self.assertIn('usage: goma_ctl.py', self.good('--help'))

    def report(self, env):
        path = self.path('report.tgz')
        self.good('report', path, env=env)
        self.assertEqual(0o600, stat.S_IMODE(os.stat(path).st_mode))
        with tarfile.open(path) as archive:
            return {m.name: archive.extractfile(m).read().decode() for m in archive.getmembers()}

    def test_a_report_hides_secrets_and_works_without_a_daemon(self):
        env = {
            'GOMA_API_TOKEN': 'hunter2',
            'GOMA_ENDPOINT': 'https://me:hunter3@host/x',
            'GOMA_HEADERS': 'x-buildbuddy-api-key=hunter5,cookie=hunter6,x-mine=hunter7',
            'GOMA_CREDENTIAL_HELPER': '/bin/helper --key hunter8',
            'GOMA_REMARK': 'authorization=Bearer hunter9',
        }
        found = self.report(env)
        self.assertIn('does not run', found['goma-report/status.txt'])
        self.good('start')
        self.compile('a.c', '-DMY_SECRET=hunter4')
        os.unlink(self.path('report.tgz'))
        found = self.report(env)
        self.assertIn('request: total=1', found['goma-report/statz.txt'])
        everything = '\n'.join(found.values())
        self.assertIn('GOMA_API_TOKEN=[hidden]', everything)
        self.assertIsNone(re.search('hunter[2-9]', everything))
        self.assertNotIn(self.env['HOME'], everything)

    def test_a_report_follows_no_link(self):
        target = self.path('target')
        os.symlink(target, self.path('report.tgz'))
        self.good('report', self.path('report.tgz'))
        self.assertFalse(os.path.exists(target))

    def test_audit_compares_the_files(self):
        self.assertIn('nothing to compare', self.good('audit'))
        sums = {}
        for name in ('gomacc', 'goma_ctl.py'):
            with open(os.path.join(self.bin, name), 'rb') as file:
                sums[name] = hashlib.sha256(file.read()).hexdigest()
        with open(os.path.join(self.bin, 'sha256.json'), 'w') as file:
            json.dump(sums, file)
        self.assertIn('2 of 2', self.good('audit'))
        with open(os.path.join(self.bin, 'gomacc'), 'ab') as file:
            file.write(b'x')
        got = self.ctl('audit')
        self.assertEqual(1, got.returncode)
        self.assertIn('gomacc: ', got.stdout)

    def test_two_daemons_side_by_side(self):
        self.good('start')
        other = {'GOMA_TMP_DIR': self.path('tmp2')}
        try:
            self.good('start', env=other)
            self.assertNotEqual(self.good('status'), self.good('status', env=other))
            self.good('ensure_stop')
            self.assertEqual(0, self.ctl('status', env=other).returncode)
        finally:
            self.good('ensure_stop', env=other)

    def test_auth_without_a_cluster(self):
        def auth(*words, env=None):
            return self.ctl(*words, env=env, script='goma_auth.py')

        got = auth('info')
        self.assertEqual(1, got.returncode)
        self.assertTrue(got.stdout.startswith('Not logged in\n'))
        self.assertIn('needs no login', got.stdout)
        self.assertEqual(1, auth('login').returncode)
        self.assertEqual(0, auth('logout').returncode)
        self.assertEqual(0, auth('config').returncode)
        self.assertEqual(2, auth('nonsense').returncode)
        self.assertIn('cluster:8980', auth('info', env={'GOMA_ENDPOINT': 'cluster:8980'}).stdout)


class Checkout(ProductCase):
    def test_it_finds_the_programs_of_a_checkout(self):
        # Only its own idea of where they are; this build may be elsewhere.
        top = self.path('checkout')
        os.makedirs(os.path.join(top, 'scripts'))
        for name in PARTS:
            shutil.copy(os.path.join(SCRIPTS, name), os.path.join(top, 'scripts'))
        script = os.path.join(top, 'scripts', 'goma_ctl.py')
        got = self.run_in([sys.executable, script, 'status'], text=True)
        self.assertEqual(1, got.returncode)
        self.assertIn('build or install it first', got.stderr)
        for folder, program in (('gomacc', GOMACC), ('proxy', PROXY)):
            os.makedirs(os.path.join(top, 'build', folder))
            os.symlink(program, os.path.join(top, 'build', folder, os.path.basename(program)))
        got = self.run_in([sys.executable, script, 'status'], text=True)
        self.assertEqual(0, got.returncode, got.stderr)
        self.assertIn(f'pid={self.daemon.pid}', got.stdout)


if __name__ == '__main__':
    unittest.main()
