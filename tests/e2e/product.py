"""The product as a user has it: a daemon of its own for each test, real compilers, a work folder.

GOMA_TEST_BUILD names the build folder under test (default: build).
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.request

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
BUILD = os.path.realpath(os.environ.get('GOMA_TEST_BUILD', os.path.join(TOP, 'build')))
GOMACC = os.path.join(BUILD, 'gomacc', 'gomacc')
PROXY = os.path.join(BUILD, 'proxy', 'compiler_proxy')
# scripts/setup --test installs them; without one of them a test fails, and is not left out.
COMPILERS = ('g++', 'clang++-14', 'clang++-19')
# Nothing waits this long unless it hangs.
LIMIT = 300
# A test run that was started in the background of a script inherits ignored signals, and so would what it
# tests. A handler of our own is not inherited.
signal.signal(signal.SIGINT, signal.default_int_handler)
for number in (signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
    signal.signal(number, signal.SIG_DFL)


def wait_until(condition, what, limit=60, pause=0.02):
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f'{what}: not within {limit} s')
        time.sleep(pause)


def is_running(pid):
    """False also for one that ended and whose parent has not noticed, and may never."""
    try:
        with open(f'/proc/{pid}/stat') as file:
            return file.read().rpartition(')')[2].split()[0] != 'Z'
    except OSError:
        return False


class ProductCase(unittest.TestCase):
    """One daemon, one work folder, one cache."""

    maxDiff = None
    settings = {}

    def setUp(self):
        self.top = os.path.realpath(tempfile.mkdtemp(prefix='goma'))
        self.addCleanup(shutil.rmtree, self.top, ignore_errors=True)
        self.work = self.path('work')
        os.mkdir(self.work)
        self.env = {
            'PATH': os.environ['PATH'],
            'HOME': self.path('home'),
            'LANG': 'C.UTF-8',
            'GOMA_TMP_DIR': self.path('tmp'),
            'GOMA_LOCAL_OUTPUT_CACHE_DIR': self.path('cache'),
            'GOMA_STATE_DIR': self.path('state'),
            'GOMA_COMPILER_PROXY_BINARY': PROXY,
            'GOMA_COMPILER_PROXY_PORT': '18088',
            'GOMA_COMPILER_PROXY_NUM_FIND_PORTS': '1000',
            **{k: v for k, v in os.environ.items() if k.startswith(('ASAN_', 'UBSAN_', 'TSAN_'))},
            **self.settings,
        }
        os.mkdir(self.env['HOME'])
        self.daemon = None
        self.start_daemon()

    def path(self, *names):
        return os.path.join(self.top, *names)

    # The daemon.

    def start_daemon(self):
        log = open(self.path('daemon.log'), 'ab')
        self.daemon = subprocess.Popen(
            [PROXY], env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd='/'
        )
        log.close()
        daemon = self.daemon
        self.addCleanup(self.stop_daemon, daemon)
        wait_until(lambda: self.port() or daemon.poll() is not None, 'the daemon is up')
        if daemon.poll() is not None:
            self.fail(f'the daemon ended with {daemon.returncode}:\n{self.daemon_log()}')

    def stop_daemon(self, daemon=None):
        """Ends it; the exit status shows what a sanitizer found."""
        daemon = daemon or self.daemon
        if daemon.poll() is None:
            daemon.send_signal(signal.SIGCONT)
            daemon.terminate()
            daemon.wait(LIMIT)
            self.assertEqual(daemon.returncode, 0, self.daemon_log())

    def kill_daemon(self):
        self.daemon.kill()
        self.daemon.wait()

    def daemon_log(self):
        with open(self.path('daemon.log'), errors='replace') as log:
            return log.read()[-5000:]

    def port(self):
        got = subprocess.run(
            [GOMACC, 'port'],
            env={**self.env, 'GOMA_START_COMPILER_PROXY': 'false'},
            capture_output=True,
            text=True,
        )
        return int(got.stdout) if got.returncode == 0 else None

    def get(self, path):
        url = f'http://127.0.0.1:{self.port()}{path}'
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=60) as answer:
            return answer.read().decode()

    def tasks(self):
        """The ended tasks, oldest first."""
        return sorted(json.loads(self.get('/api/v1/tasks?limit=10000'))['ended'], key=lambda task: task['id'])

    def last(self):
        return self.tasks()[-1]

    # Files and commands.

    def write(self, name, text=''):
        path = os.path.join(self.work, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as out:
            out.write(text if isinstance(text, bytes) else text.encode())
        # A file written in this very instant may still change unseen; what a build finds is older.
        old = time.time() - 10
        os.utime(path, (old, old))
        return path

    def read(self, name, cwd=None):
        with open(os.path.join(cwd or self.work, name), 'rb') as file:
            return file.read()

    def run_in(self, argv, cwd=None, env=None, **options):
        return subprocess.run(
            argv,
            cwd=cwd or self.work,
            env={**self.env, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LIMIT,
            **options,
        )

    def goma(self, *argv, **options):
        return self.run_in([GOMACC, *argv], **options)

    def listing(self, cwd=None):
        """Name and content of every file below the work folder."""
        found = {}
        root = cwd or self.work
        for folder, _, names in os.walk(root):
            for name in names:
                path = os.path.join(folder, name)
                if os.path.isfile(path):
                    with open(path, 'rb') as file:
                        found[os.path.relpath(path, root)] = file.read()
        return found

    def remove_new(self, before, cwd=None):
        for name in set(self.listing(cwd)) - set(before):
            os.unlink(os.path.join(cwd or self.work, name))

    def compile_three_times(self, argv, env=None, same_bytes=True):
        """Plain, cold and warm: what the user sees must be the same each time. Returns the two results."""
        before = self.listing()
        seen = []
        for wrapper in ([], [GOMACC], [GOMACC]):
            self.remove_new(before)
            got = self.run_in([*wrapper, *argv], env=env)
            files = {n: t for n, t in self.listing().items() if n not in before}
            seen.append((got.returncode, got.stdout, got.stderr, files if same_bytes else set(files)))
        self.remove_new(before)
        self.assertEqual(seen[0], seen[1], f'cold: {argv}')
        self.assertEqual(seen[0], seen[2], f'warm: {argv}')
        return [task['result'] for task in self.tasks()[-2:]]
