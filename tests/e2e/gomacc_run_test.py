"""A compile that gomacc runs because the daemon says so, and what ends it."""

import os
import signal
import subprocess
import sys
import time
import unittest

import gomacc_case
from gomacc_case import fake


class Running(gomacc_case.Told):
    def test_reports_status_streams_time_and_outputs(self):
        self.compiler('echo out; echo err >&2; echo object > x.o; ln -s x.o link; mkdir folder; exit 0')
        told = self.serve(outputs=['x.o', 'missing', 'link', 'folder', os.path.join(self.work, 'x.o')])
        result = self.gomacc('fakecc', '-c', 'x.c')
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, b'out\n', b'err\n'))
        (report,) = told
        info = os.stat(os.path.join(self.work, 'x.o'))
        identity = (1, info.st_dev, info.st_ino, info.st_size)
        self.assertEqual(report.outputs, [identity] + [(0, 0, 0, 0)] * 3 + [identity])
        self.assertEqual((report.wait_status, report.out, report.err), (0, b'out\n', b'err\n'))
        self.assertEqual(report.truncated, 0)
        self.assertGreater(report.max_rss_kib, 100)

    def test_runs_the_arguments_that_the_daemon_gives(self):
        self.compiler()
        self.serve(argv=['fakecc', '-fdiagnostics-color=always', '-c', 'x.c'])
        self.assertIn(b' -fdiagnostics-color=always -c x.c', self.gomacc('fakecc', '-c', 'x.c').stdout)

    def test_a_failing_compile_does_not_wait_for_storing(self):
        self.compiler('echo bad >&2; exit 7')
        told = []
        self.serve(
            lambda peer: told.append(peer.expect(fake.FINISHED)), lambda peer: self.assertTrue(peer.gone())
        )
        result = self.gomacc('fakecc', '-c', 'x.c')
        self.assertEqual((result.returncode, result.stderr), (7, b'bad\n'))
        self.assertEqual(told[0].wait_status, 7 << 8)

    def test_when_the_daemon_owes_a_file_and_is_lost_the_command_runs_again_silently(self):
        self.compiler('echo run; echo "$*" >> log; exit "$(cat code)"')
        run = lambda: fake.run(['fakecc', 'other'], capture=False, again_if_lost=True)  # noqa: E731
        self.daemon(
            lambda peer: (peer.expect(fake.COMPILE), peer.send(run()), peer.expect(fake.FINISHED)),
            lambda peer: (
                peer.expect(fake.COMPILE),
                peer.send(run()),
                peer.expect(fake.FINISHED),
                peer.send(fake.frame(fake.STORED)),
            ),
            lambda peer: (peer.expect(fake.COMPILE), peer.send(run()), peer.expect(fake.FINISHED)),
        )
        log = os.path.join(self.work, 'log')
        for code, runs in ((0, 'other\n-c x.c\n'), (0, 'other\n'), (6, 'other\n')):
            with open(os.path.join(self.work, 'code'), 'w') as out:
                out.write(str(code))
            result = self.gomacc('fakecc', '-c', 'x.c')
            self.assertEqual((result.returncode, result.stdout), (code, b'run\n'))
            with open(log) as lines:
                self.assertEqual(lines.read(), runs)
            os.unlink(log)

    def test_a_stop_that_comes_too_late_changes_nothing(self):
        self.compiler('echo run >> log')
        self.serve(
            lambda peer: peer.expect(fake.FINISHED),
            lambda peer: peer.send(
                fake.frame(fake.STOP) + fake.frame(fake.WAITING) + fake.frame(fake.STORED)
            ),
            lambda peer: self.assertTrue(peer.gone()),
        )
        self.assertEqual(self.gomacc('fakecc', '-c', 'x.c').returncode, 0)
        with open(os.path.join(self.work, 'log')) as log:
            self.assertEqual(log.read(), 'run\n')

    def test_passes_through_without_capturing(self):
        self.compiler('readlink /proc/$$/fd/1; read line; echo "$line"')
        told = []
        self.serve(lambda peer: told.append(peer.expect(fake.FINISHED)), capture=False)
        with open(self.path('in'), 'w+') as stdin, open(self.path('out'), 'w+') as stdout:
            stdin.write('from stdin\n')
            stdin.seek(0)
            subprocess.run(
                [gomacc_case.GOMACC, 'fakecc', '-c', 'x.c'],
                cwd=self.work,
                env=self.env,
                stdin=stdin,
                stdout=stdout,
                check=True,
            )
            self.settle()
            stdout.seek(0)
            self.assertEqual(stdout.read(), self.path('out') + '\nfrom stdin\n')
        self.assertEqual((told[0].out, told[0].wait_status), (b'', 0))

    def test_strips_colour_while_relaying_and_reports_it(self):
        self.compiler(
            r"printf '\033[01;31mred\033[m'; sleep 0.1; printf '\033['; sleep 0.1; printf '1mx' ;"
            r"printf '\033[32mgreen\033[K' >&2; printf 'end\033[3' "
        )
        told = self.serve(strip=1)
        result = self.gomacc('fakecc', '-c', 'x.c')
        self.assertEqual((result.stdout, result.stderr), (b'redxend\x1b[3', b'\x1b[32mgreen\x1b[K'))
        self.assertEqual(told[0].out, b'\x1b[01;31mred\x1b[m\x1b[1mxend\x1b[3')

    def test_big_interleaved_output_arrives_whole_and_in_order(self):
        self.script(
            'fakecc',
            'import os\nfor i in range(512):\n'
            '    os.write(1, b"%07d\\n" % i * 512)\n    os.write(2, b"%06d!\\n" % i * 512)\n',
            sys.executable,
        )
        told = self.serve()
        result = self.gomacc('fakecc', '-c', 'x.c')
        out = b''.join(b'%07d\n' % i * 512 for i in range(512))
        err = b''.join(b'%06d!\n' % i * 512 for i in range(512))
        self.assertTrue(result.stdout == out and result.stderr == err)
        self.assertTrue(told[0].out == out and told[0].err == err)

    def test_more_output_than_is_kept_is_shown_but_not_stored(self):
        self.compiler('head -c 14000000 /dev/zero; echo end >&2')
        told = []
        self.serve(lambda peer: told.append(peer.expect(fake.FINISHED)))
        result = self.gomacc('fakecc', '-c', 'x.c')
        self.assertEqual((len(result.stdout), result.stderr), (14000000, b'end\n'))
        self.assertEqual(told[0].truncated, 1)
        self.assertLessEqual(len(told[0].out), 12 << 20)

    def test_a_slow_reader_gets_everything(self):
        self.compiler('head -c 300000 /dev/zero; echo end')
        self.serve()
        process = self.start('fakecc', '-c', 'x.c')
        time.sleep(1.5)
        out, _ = process.communicate(timeout=gomacc_case.LIMIT)
        self.assertTrue(out.endswith(b'end\n'))
        self.assertEqual((len(out), process.returncode), (300004, 0))

    def test_a_reader_that_left_is_met_as_the_compiler_would(self):
        self.script(
            'fakecc',
            'import os, signal\nsignal.signal(signal.SIGPIPE, signal.SIG_DFL)\n'
            'while True: os.write(1, b"x" * 65536)\n',
            sys.executable,
        )
        told = []
        self.serve(lambda peer: told.append(peer.expect(fake.FINISHED)))
        process = self.start('fakecc', '-c', 'x.c')
        process.stdout.read(10)
        process.stdout.close()
        self.assertEqual(process.wait(gomacc_case.LIMIT), -signal.SIGPIPE)
        self.settle()
        process.stderr.close()
        self.assertEqual(told[0].wait_status, signal.SIGPIPE)

    def test_a_compiler_killed_by_a_signal_kills_gomacc_and_leaves_no_partial_output(self):
        for name in ('old.o', 'target'):
            with open(os.path.join(self.work, name), 'w') as out:
                out.write('untouched')
        os.symlink('target', os.path.join(self.work, 'link'))
        self.compiler('echo half > x.o; echo half > $PWD/y.d; echo half > other; kill -SEGV $$')
        told = []
        self.serve(
            lambda peer: told.append(peer.expect(fake.FINISHED)),
            outputs=['x.o', os.path.join(self.work, 'y.d'), 'old.o', 'link', 'missing'],
        )
        result = self.gomacc('fakecc', '-c', 'x.c')
        self.assertEqual(result.returncode, -signal.SIGSEGV)
        self.assertEqual(sorted(os.listdir(self.work)), ['link', 'old.o', 'other', 'target'])
        self.assertEqual(told[0].wait_status & 0x7F, signal.SIGSEGV)
        self.assertEqual(told[0].outputs[0], (0, 0, 0, 0))

    def test_inherits_exactly_the_descriptors_of_the_parent(self):
        self.script(
            'fakecc',
            'import os\nprint(*[fd for fd in range(50) if os.path.exists(f"/proc/self/fd/{fd}")'
            ' and not os.readlink(f"/proc/self/fd/{fd}").startswith("/proc")])',
            sys.executable,
        )
        self.serve()
        read, write = os.pipe()
        result = self.gomacc('fakecc', '-c', 'x.c', pass_fds=(read, write))
        plain = subprocess.run(
            ['fakecc', '-c', 'x.c'],
            env=self.env,
            pass_fds=(read, write),
            check=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            executable=os.path.join(self.bin, 'fakecc'),
        )
        os.close(read)
        os.close(write)
        self.assertEqual(result.stdout, plain.stdout)

    def test_closed_standard_streams_stay_closed(self):
        self.compiler('ls -l /proc/$$/fd > list')
        self.serve(capture=False)
        subprocess.run(
            ['/bin/sh', '-c', f'{gomacc_case.GOMACC} fakecc -c x.c <&- >&-'],
            cwd=self.work,
            env=self.env,
            check=True,
            stderr=subprocess.DEVNULL,
            timeout=gomacc_case.LIMIT,
        )
        with open(os.path.join(self.work, 'list')) as listing:
            numbers = [line.split()[8] for line in listing if ' -> ' in line]
        self.assertNotIn('0', numbers)

    def test_a_process_left_behind_does_not_hold_gomacc_up(self):
        self.compiler('sleep 30 & echo $! > pid; echo object > x.o')
        told = []
        self.serve(lambda peer: told.append(peer.expect(fake.FINISHED)), outputs=['x.o'])
        result = self.gomacc('fakecc', '-c', 'x.c')
        with open(os.path.join(self.work, 'pid')) as pid:
            os.kill(int(pid.read()), signal.SIGKILL)
        self.assertEqual((result.returncode, told[0].truncated), (0, 1))

    def test_ignored_signals_stay_ignored_for_the_compiler(self):
        self.script(
            'fakecc',
            'import signal\nprint(*[signal.getsignal(s) == signal.SIG_IGN for s in '
            '(signal.SIGINT, signal.SIGCHLD, signal.SIGHUP)], signal.pthread_sigmask(0, []))',
            sys.executable,
        )
        self.serve()

        def ignore():
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

        result = self.gomacc('fakecc', '-c', 'x.c', preexec_fn=ignore)
        self.assertEqual((result.returncode, result.stdout), (0, b'False True True set()\n'))


class Ending(gomacc_case.Told):
    """What ends a compile that runs."""

    # The driver dies of a signal, as g++ does; what it started does not even notice, as cc1plus may.
    STUBBORN = (
        '(trap "" TERM INT HUP; echo half > x.o; sh -c "echo \\$PPID" > pid; touch ready; '
        'while :; do sleep 0.05; done) & wait'
    )

    def wait_for(self, name):
        deadline = time.monotonic() + gomacc_case.LIMIT
        while not os.path.exists(os.path.join(self.work, name)):
            self.assertLess(time.monotonic(), deadline, f'{name} did not appear')
            time.sleep(0.01)

    def assert_dead(self):
        with open(os.path.join(self.work, 'pid')) as pid:
            number = int(pid.read())
        try:
            with open(f'/proc/{number}/stat') as info:
                state = info.read().rsplit(')', 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return
        self.assertEqual(state, 'Z', 'a process of the compile is alive')

    def test_interrupting_the_process_group_leaves_no_process_and_no_output(self):
        self.compiler(self.STUBBORN)
        self.serve(lambda peer: self.assertTrue(peer.gone()), outputs=['x.o'])
        for end in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process = self.start(
                '-c',
                f'{gomacc_case.GOMACC} fakecc -c x.c; exit 99',
                program='/bin/sh',
                start_new_session=True,
            )
            self.wait_for('ready')
            before = time.monotonic()
            os.killpg(process.pid, end)
            process.communicate(timeout=gomacc_case.LIMIT)
            # The shell may die before gomacc does.
            deadline = before + 3
            while os.path.exists(os.path.join(self.work, 'x.o')) and time.monotonic() < deadline:
                time.sleep(0.02)
            self.assertFalse(os.path.exists(os.path.join(self.work, 'x.o')), end)
            self.assert_dead()
            os.unlink(os.path.join(self.work, 'ready'))

    def test_a_signal_to_gomacc_alone_ends_all_and_is_its_own_end(self):
        self.compiler(self.STUBBORN)
        self.serve(lambda peer: self.assertTrue(peer.gone()), outputs=['x.o'])
        for capture in (True, False):
            process = self.start('fakecc', '-c', 'x.c')
            self.wait_for('ready')
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=gomacc_case.LIMIT)
            self.assertEqual(process.returncode, -signal.SIGTERM)
            self.assertFalse(os.path.exists(os.path.join(self.work, 'x.o')))
            self.assert_dead()
            os.unlink(os.path.join(self.work, 'ready'))

    def test_without_a_daemon_a_signal_ends_all_too(self):
        self.compiler(self.STUBBORN)
        process = self.start('fakecc', '-c', 'x.c')
        self.wait_for('ready')
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=gomacc_case.LIMIT)
        self.assertEqual(process.returncode, -signal.SIGINT)
        self.assert_dead()

    def test_children_from_before_are_not_touched(self):
        self.compiler(self.STUBBORN)
        process = self.start(
            '-c', f'sleep 30 & echo $! > stranger; exec {gomacc_case.GOMACC} fakecc -c x.c', program='/bin/sh'
        )
        self.wait_for('ready')
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(gomacc_case.LIMIT), -signal.SIGTERM)
        self.assert_dead()
        with open(os.path.join(self.work, 'stranger')) as pid:
            os.kill(int(pid.read()), signal.SIGKILL)  # raises when it is gone
        process.communicate()

    def test_stop_ends_the_compile_and_shows_the_daemons_result_once(self):
        self.compiler('echo shared; ' + self.STUBBORN)
        states = []
        self.serve(
            lambda peer: self.wait_for('ready'),
            lambda peer: peer.send(fake.frame(fake.WAITING)),
            lambda peer: peer.send(fake.frame(fake.STOP)),
            lambda peer: peer.expect(fake.STOPPED),
            lambda peer: states.append(os.path.exists(os.path.join(self.work, 'x.o'))),
            lambda peer: self.assert_dead(),
            lambda peer: peer.send(fake.done(0, b'shared\nrest\n', b'warning\n')),
            outputs=['x.o'],
        )
        result = self.gomacc('fakecc', '-c', 'x.c')
        self.assertEqual(
            (result.returncode, result.stdout, result.stderr), (0, b'shared\nrest\n', b'warning\n')
        )
        self.assertEqual(states, [False])

    def test_after_a_stop_the_daemon_may_have_it_run_once_more(self):
        self.compiler(
            'echo shared; if [ -e ready ]; then echo rest; echo whole > x.o; exit 0; fi; ' + self.STUBBORN
        )
        told = []
        self.serve(
            lambda peer: self.wait_for('ready'),
            lambda peer: peer.send(fake.frame(fake.STOP)),
            lambda peer: peer.expect(fake.STOPPED),
            lambda peer: self.assert_dead(),
            lambda peer: peer.send(fake.run(['fakecc', '-c', 'x.c'], ['x.o'])),
            lambda peer: told.append(peer.expect(fake.FINISHED)),
            lambda peer: peer.send(fake.frame(fake.STORED)),
            outputs=['x.o'],
        )
        result = self.gomacc('fakecc', '-c', 'x.c')
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, b'shared\nrest\n', b''))
        # The daemon gets all that the compiler said, although the user has seen a part of it before.
        self.assertEqual((told[0].wait_status, told[0].out), (0, b'shared\nrest\n'))

    def test_the_daemon_dying_during_the_compile_changes_nothing(self):
        self.compiler('touch ready; while [ ! -e go ]; do sleep 0.02; done; echo done; exit 3')

        def die(peer):
            self.wait_for('ready')
            peer.connection.close()
            with open(os.path.join(self.work, 'go'), 'w'):
                pass

        self.serve(die)
        result = self.gomacc('fakecc', '-c', 'x.c')
        self.assertEqual((result.returncode, result.stdout), (3, b'done\n'))


if __name__ == '__main__':
    unittest.main()
