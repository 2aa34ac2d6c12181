"""gomacc without a daemon, or with one that does not keep to the conversation."""

import os
import shutil
import sys
import time
import unittest

import gomacc_case
from gomacc_case import fake


class Failing(gomacc_case.Case):
    """A daemon that does not keep to the conversation."""

    def assert_compiles(self, *scripts):
        daemon = self.daemon(*scripts)
        self.assert_ran_locally(self.gomacc('fakecc', '-c', 'x.c'))
        daemon.listener.shutdown(2)
        os.unlink(os.path.join(self.folder, 'goma.ipc'))

    def test_a_daemon_that_goes_away_at_any_step(self):
        self.compiler()
        run = fake.run(['fakecc', '-c', 'x.c'])
        for part in (b'', fake.frame(fake.WAITING), run[:3], run[:20], fake.done()[:-1]):
            self.assert_compiles(lambda peer: None)
            self.assert_compiles(lambda peer, p=part: (peer.expect(fake.COMPILE), peer.send(p)))
        self.assert_compiles(lambda peer: (peer.expect(fake.COMPILE), peer.send(run)))
        self.assert_compiles(
            lambda peer: (peer.expect(fake.COMPILE), peer.send(run), peer.expect(fake.FINISHED))
        )

    def test_a_daemon_that_died_is_replaced_once(self):
        self.compiler('exit 5')
        self.daemon(lambda peer: None, lambda peer: (peer.expect(fake.COMPILE), peer.send(fake.done(4))))
        self.assertEqual(self.gomacc('fakecc', '-c', 'x.c').returncode, 4)

    def test_malformed_answers(self):
        self.compiler()
        huge = b'\xff\xff\xff\xff'
        answers = [
            fake.frame(fake.DONE, fake.done()[8:], protocol=2),
            huge + fake.done()[4:],
            fake.frame(99),
            fake.frame(fake.STORED),
            fake.frame(fake.DONE),
            fake.frame(fake.DONE, fake.done()[8:-1]),
            fake.frame(fake.DONE, fake.done()[8:] + b'x'),
            fake.frame(fake.DONE, fake.done()[8:-1] + b'x'),
            fake.frame(fake.REFUSE),
            fake.run([]),
            fake.frame(fake.RUN, b'\1\0\0' + huge),
            fake.frame(fake.RUN, b'\1\0\0\1\0\0\0' + huge),
            fake.frame(fake.RUN, fake.run(['fakecc'])[8:] + b'x'),
        ]
        for answer in answers:
            self.assert_compiles(
                lambda peer, a=answer: (peer.expect(fake.COMPILE), peer.send(a), peer.gone())
            )

    def test_a_daemon_that_never_answers_is_left_alone_after_15_s(self):
        self.compiler()
        daemon = self.daemon(
            lambda peer: (
                peer.expect(fake.COMPILE),
                peer.send(fake.frame(fake.WAITING)),
                self.assertTrue(peer.gone()),
            )
        )
        self.assert_ran_locally(self.gomacc('fakecc', '-c', 'x.c'))
        self.assertEqual(daemon.connections, 1)
        # The next compile has heard of it.
        self.assert_ran_locally(self.gomacc('fakecc', '-c', 'x.c'))
        self.assertEqual(daemon.connections, 1)
        daemon.listener.shutdown(2)
        os.unlink(os.path.join(self.folder, 'goma.ipc'))
        # A new daemon is given its chance, here made surely younger than the mark.
        past = time.time() - 5
        os.utime(os.path.join(self.folder, 'gomacc.silent'), (past, past))
        self.daemon(lambda peer: (peer.expect(fake.COMPILE), peer.send(fake.done(4))))
        self.assertEqual(self.gomacc('fakecc', '-c', 'x.c').returncode, 4)


class Starting(gomacc_case.Case):
    # A daemon that notes how it was started, answers every compile with exit code 4, and ends by itself.
    PROXY = """
import os, socket, sys
sys.path.insert(0, {fakes!r})
import daemon as fake
folder = os.environ['GOMA_TMP_DIR']
fds = [fd for fd in os.listdir('/proc/self/fd') if os.path.exists('/proc/self/fd/' + fd)]
with open({log!r}, 'a') as out:
    print(sys.argv[1:], os.getcwd(), os.getsid(0) == os.getpid(), len(fds), os.getpid(), file=out)
listener = socket.socket(socket.AF_UNIX)
listener.bind(folder + '/goma.ipc')
listener.listen(100)
listener.settimeout(20)
for _ in range({answers}):
    connection, _ = listener.accept()
    peer = fake.Peer(connection)
    if peer.receive()[0] is not None: peer.send(fake.done(4))
os.unlink(folder + '/goma.ipc')
"""

    def setUp(self):
        super().setUp()
        self.log = self.path('log')
        self.env['GOMA_START_COMPILER_PROXY'] = 'true'

    def proxy(self, answers, name='proxy'):
        fakes = os.path.dirname(os.path.abspath(fake.__file__))
        return self.script(
            name, self.PROXY.format(fakes=fakes, log=self.log, answers=answers), sys.executable
        )

    def starts(self):
        if not os.path.exists(self.log):
            return []
        with open(self.log) as log:
            return log.read().splitlines()

    def test_many_at_once_start_one_daemon(self):
        self.compiler('exit 5')
        env = {'GOMA_COMPILER_PROXY_BINARY': self.proxy(8)}
        processes = [self.start('fakecc', '-c', 'x.c', env=env) for _ in range(8)]
        codes = []
        for process in processes:
            process.communicate(timeout=gomacc_case.LIMIT)
            codes.append(process.returncode)
        self.assertEqual(codes, [4] * 8)
        (line,) = self.starts()
        # A new session without a process of its own in it but the daemon, and no descriptor of ours: the
        # three standard ones and the one that lists them are gone by the time of the look.
        self.assertTrue(line.startswith("['--daemon'] / True 3 "), line)

    def test_the_daemon_is_found_beside_gomacc_or_in_the_build_folder(self):
        self.compiler('exit 5')
        place = self.path('b', 'gomacc')
        os.makedirs(place)
        os.makedirs(self.path('b', 'proxy'))
        program = shutil.copy(gomacc_case.GOMACC, os.path.join(place, 'gomacc'))
        self.proxy(1, self.path('b', 'proxy', 'compiler_proxy'))
        self.assertEqual(self.gomacc('fakecc', '-c', 'x.c', program=program).returncode, 4)
        shutil.move(self.path('b', 'proxy', 'compiler_proxy'), os.path.join(place, 'compiler_proxy'))
        link = self.path('b', 'gomacc-link')
        os.symlink(program, link)
        os.symlink(program, self.path('b', 'fakecc'))
        for start in (
            {'program': program},
            {'program': program, 'env': {'GOMA_COMPILER_PROXY_BINARY': 'compiler_proxy'}},
        ):
            self.wait_until_gone()
            self.assertEqual(self.gomacc('fakecc', '-c', 'x.c', **start).returncode, 4)
        self.wait_until_gone()
        self.assertEqual(self.gomacc('-c', 'x.c', program=self.path('b', 'fakecc')).returncode, 4)
        self.assertEqual(len(self.starts()), 4)

    def wait_until_gone(self):
        deadline = time.monotonic() + gomacc_case.LIMIT
        while os.path.exists(os.path.join(self.folder, 'goma.ipc')):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)

    def test_a_socket_that_nobody_listens_on_starts_a_daemon(self):
        self.compiler('exit 5')
        stale = fake.Daemon(os.path.join(self.folder, 'goma.ipc'), lambda peer: None)
        stale.close()
        os.rename(os.path.join(self.folder, 'goma.ipc'), os.path.join(self.folder, 'stale'))
        env = {
            'GOMA_COMPILER_PROXY_BINARY': self.script(
                'proxy2', f'rm -f "$GOMA_TMP_DIR/goma.ipc"; exec {self.proxy(1)} "$@"'
            )
        }
        os.rename(os.path.join(self.folder, 'stale'), os.path.join(self.folder, 'goma.ipc'))
        self.assertEqual(self.gomacc('fakecc', '-c', 'x.c', env=env).returncode, 4)

    def test_failed_starts_are_spaced_out(self):
        self.compiler()
        env = {'GOMA_COMPILER_PROXY_BINARY': self.script('proxy', f'echo start >> {self.log}; exit 1')}
        mark = os.path.join(self.folder, 'gomacc.failed')
        now = int(time.time())
        for starts, delay, before in (
            (1, 1, None),
            (2, 2, 1),
            (3, 4, 2),
            (4, 60, 60),
            (4, None, -50),
            (5, 1, -1000),
        ):
            if before is not None:
                # The last failure had a delay of `before`, which has passed; or that much is still to go.
                times = (now - 100 - before, now - 100) if before > 0 else (now, now - before)
                os.utime(mark, times)
            self.assert_ran_locally(self.gomacc('fakecc', '-c', 'x.c', env=env))
            self.assertEqual(len(self.starts()), starts)
            info = os.stat(mark)
            if delay is not None and before != -1000:
                self.assertEqual(int(info.st_mtime) - int(info.st_atime), delay)

    def test_a_daemon_that_cannot_be_started_is_no_obstacle(self):
        self.compiler()
        self.assert_ran_locally(
            self.gomacc('fakecc', '-c', 'x.c', env={'GOMA_COMPILER_PROXY_BINARY': '/nosuch'})
        )

    def test_no_daemon_is_started_when_told_so(self):
        self.compiler()
        env = {'GOMA_COMPILER_PROXY_BINARY': self.proxy(1), 'GOMA_START_COMPILER_PROXY': 'false'}
        self.assert_ran_locally(self.gomacc('fakecc', '-c', 'x.c', env=env))
        self.assertEqual(self.starts(), [])


class Sharing(gomacc_case.Case):
    def test_without_a_daemon_no_more_compilers_run_than_there_are_processors(self):
        self.compiler(f'echo + >> {self.top}/log; sleep 0.1; echo - >> {self.top}/log')
        processor = min(os.sched_getaffinity(0))
        pin = lambda: os.sched_setaffinity(0, {processor})  # noqa: E731
        processes = [self.start('fakecc', '-c', 'x.c', preexec_fn=pin) for _ in range(6)]
        for process in processes:
            process.communicate(timeout=gomacc_case.LIMIT)
            self.assertEqual(process.returncode, 0)
        with open(self.path('log')) as log:
            self.assertEqual(log.read(), '+\n-\n' * 6)

    def test_who_waits_for_a_processor_finds_a_daemon_that_came(self):
        self.compiler('touch ready; while [ ! -e go ]; do sleep 0.02; done; exit 5')
        processor = min(os.sched_getaffinity(0))
        pin = lambda: os.sched_setaffinity(0, {processor})  # noqa: E731
        first = self.start('fakecc', '-c', 'x.c', preexec_fn=pin)
        deadline = time.monotonic() + gomacc_case.LIMIT
        while not os.path.exists(os.path.join(self.work, 'ready')):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        second = self.start('fakecc', '-c', 'x.c', preexec_fn=pin)
        self.daemon(lambda peer: (peer.expect(fake.COMPILE), peer.send(fake.done(4))))
        second.communicate(timeout=gomacc_case.LIMIT)
        self.assertEqual(second.returncode, 4)
        with open(os.path.join(self.work, 'go'), 'w'):
            pass
        first.communicate(timeout=gomacc_case.LIMIT)
        self.assertEqual(first.returncode, 5)


if __name__ == '__main__':
    unittest.main()
