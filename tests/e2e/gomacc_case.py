"""What the tests of gomacc share: a folder, a compiler and a daemon that the test plays.

The variable GOMACC names the program under test.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'fake'))
import daemon as fake  # noqa: E402

GOMACC = os.path.realpath(os.environ.get('GOMACC', 'build/gomacc/gomacc'))
LIMIT = 60
# A test run that was started in the background of a script inherits ignored signals, and so would what it
# tests. A handler of our own is not inherited.
signal.signal(signal.SIGINT, signal.default_int_handler)
for number in (signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
    signal.signal(number, signal.SIG_DFL)


class Case(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.mkdtemp(prefix='gm')
        self.addCleanup(shutil.rmtree, self.top, ignore_errors=True)
        self.daemons = []
        self.folder = self.path('d')
        self.bin = self.path('bin')
        self.work = self.path('work')
        for name in (self.folder, self.bin, self.work):
            os.mkdir(name, 0o700)
        self.env = {
            'PATH': self.bin + ':' + os.environ['PATH'],
            'GOMA_TMP_DIR': self.folder,
            'GOMA_START_COMPILER_PROXY': 'false',
        }

    def path(self, *names):
        return os.path.join(self.top, *names)

    def script(self, name, body, interpreter='/bin/sh'):
        path = name if name.startswith('/') else os.path.join(self.bin, name)
        with open(path, 'w') as out:
            out.write(f'#!{interpreter}\n{body}\n')
        os.chmod(path, 0o755)
        return path

    def compiler(self, body='echo compiled "$0" "$@"', name='fakecc'):
        return self.script(name, body)

    def daemon(self, *scripts, name=None):
        daemon = fake.Daemon(name or os.path.join(self.folder, 'goma.ipc'), *scripts)
        self.daemons.append(daemon)
        self.addCleanup(daemon.close)
        return daemon

    def start(self, *words, program=GOMACC, env=None, **options):
        options.setdefault('cwd', self.work)
        options.setdefault('stdin', subprocess.DEVNULL)
        return subprocess.Popen(
            [program, *words],
            env={**self.env, **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )

    def gomacc(self, *words, **options):
        process = self.start(*words, **options)
        try:
            out, err = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        self.settle()
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def settle(self):
        """Waits until the daemons have dealt with all that gomacc said before it went."""
        for daemon in self.daemons:
            daemon.settle()

    def assert_ran_locally(self, result, words='-c x.c'):
        self.assertEqual((result.returncode, result.stderr), (0, b''))
        self.assertIn(words.encode(), result.stdout)
        self.assertTrue(result.stdout.startswith(b'compiled '), result.stdout)


class Told(Case):
    def serve(self, *conversation, outputs=(), capture=True, strip=0, argv=None):
        """A daemon that says `run` and then plays `conversation`; gives the list of what gomacc reported."""
        told = []

        def script(peer):
            request = peer.expect(fake.COMPILE)
            peer.send(fake.run(argv or request.argv, outputs, capture, strip))
            for step in conversation:
                step(peer)
            if not conversation:
                told.append(peer.expect(fake.FINISHED))
                peer.send_to_whoever_listens(fake.frame(fake.STORED))

        self.daemon(script)
        return told
