"""gomacc itself, against a daemon that the tests play: see tests/fake/daemon.py.

The variable GOMACC names the program under test.
"""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'fake'))
import daemon as fake  # noqa: E402

GOMACC = os.path.realpath(os.environ.get('GOMACC', 'build/gomacc/gomacc'))
LIMIT = 60


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
        return subprocess.Popen([program, *words], env={**self.env, **(env or {})}, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, **options)

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


class Forms(Case):
    def test_without_arguments_prints_usage_and_fails(self):
        for words in ([], ['-c', 'foo.c'], ['--goma-verify-command'], ['--explain'], ['']):
            result = self.gomacc(*words)
            self.assertEqual((result.returncode, result.stdout), (1, b''), words)
            self.assertTrue(result.stderr.startswith(b'usage: gomacc'), words)

    def test_help_and_version_go_to_standard_output(self):
        self.assertTrue(self.gomacc('--help').stdout.startswith(b'usage: gomacc'))
        result = self.gomacc('--version')
        self.assertRegex(result.stdout, rb'^gomacc [0-9.]+ \(protocol 1, .*\)\n$')
        self.assertEqual((result.returncode, result.stderr), (0, b''))

    def test_the_compiler_may_be_named_or_given_by_path(self):
        self.compiler('echo "compiled $0 $*"', 'gcc')
        for first in ('gcc', os.path.join(self.bin, 'gcc'), '../bin/gcc', './../bin/gcc'):
            self.assert_ran_locally(self.gomacc(first, '-c', 'x.c'))
        self.assert_ran_locally(self.gomacc('--goma-verify-command=version', 'gcc', '-c', 'x.c'))

    def test_masquerades_as_a_relative_or_absolute_link_or_a_copy(self):
        self.compiler(name='gcc')
        masks = self.path('masks')
        os.mkdir(masks)
        link = os.path.join(masks, 'gcc')
        for make in (lambda: os.symlink(GOMACC, link),
                     lambda: os.symlink(os.path.relpath(GOMACC, masks), link),
                     lambda: shutil.copy(GOMACC, link)):
            make()
            env = {'PATH': masks + ':' + self.env['PATH']}
            for program in (link, '../masks/gcc'):
                self.assert_ran_locally(self.gomacc('-c', 'x.c', program=program, env=env))
            self.assert_ran_locally(self.gomacc('gcc', '-c', 'x.c', env=env))
            os.unlink(link)

    def test_a_masked_compiler_is_called_by_its_path_so_that_it_finds_its_own_files(self):
        real = self.script('gcc', 'tr "\\0" " " < /proc/$$/cmdline')
        masks = self.path('masks')
        os.mkdir(masks)
        os.symlink(GOMACC, os.path.join(masks, 'gcc'))
        result = self.gomacc('gcc', '-c', 'x.c', env={'PATH': masks + ':' + self.env['PATH']})
        self.assertIn(f' {real} -c x.c'.encode(), result.stdout)

    def test_never_takes_itself_for_a_compiler(self):
        os.symlink(GOMACC, os.path.join(self.bin, 'only-gomacc'))
        for name in ('only-gomacc', os.path.join(self.bin, 'only-gomacc'), 'gomacc'):
            result = self.gomacc(name, '-c', 'x.c', env={'PATH': self.bin})
            self.assertEqual((result.returncode, result.stdout), (127, b''), name)
            self.assertTrue(result.stderr.startswith(b'gomacc: '), result.stderr)

    def test_two_copies_in_path_do_not_call_each_other_for_ever(self):
        copies = [self.path('a'), self.path('b')]
        for copy in copies:
            os.mkdir(copy)
            shutil.copy(GOMACC, os.path.join(copy, 'gcc'))
        result = self.gomacc('gcc', '-c', 'x.c', env={'PATH': ':'.join(copies)})
        self.assertEqual(result.returncode, 127)
        self.compiler(name='gcc')
        self.assert_ran_locally(
            self.gomacc('gcc', '-c', 'x.c', env={'PATH': ':'.join(copies) + ':' + self.env['PATH']}))

    def test_a_compiler_that_is_missing_or_not_executable(self):
        with open(os.path.join(self.bin, 'plain'), 'w'):
            pass
        for name, code in (('nosuchcc', 127), ('/nosuch/cc', 127), ('plain', 126),
                           (os.path.join(self.bin, 'plain'), 126), (self.bin, 126)):
            result = self.gomacc(name, '-c', 'x.c')
            self.assertEqual((result.returncode, result.stdout), (code, b''), name)
            self.assertTrue(result.stderr.startswith(b'gomacc: '))

    def test_a_script_without_interpreter_line_runs(self):
        with open(os.path.join(self.bin, 'bare'), 'w') as out:
            out.write('echo bare "$1"\n')
        os.chmod(os.path.join(self.bin, 'bare'), 0o755)
        self.assertEqual(self.gomacc('bare', 'one').stdout, b'bare one\n')

    def test_an_empty_path_element_is_the_working_directory(self):
        self.script(os.path.join(self.work, 'herecc'), 'echo here')
        self.assertEqual(self.gomacc('herecc', env={'PATH': '/nosuch:'}).stdout, b'here\n')

    def test_a_working_directory_that_was_removed_is_no_obstacle(self):
        gone = self.path('gone')
        os.mkdir(gone)
        shutil.copy('/bin/echo', os.path.join(self.bin, 'gcc'))
        result = subprocess.run(['/bin/sh', '-c', f'rmdir {gone}; exec {GOMACC} gcc -c x.c'], cwd=gone,
                                env=self.env, capture_output=True)
        self.assertEqual((result.returncode, result.stdout), (0, b'-c x.c\n'))


class Asking(Case):
    def test_what_cannot_be_cached_never_reaches_the_daemon(self):
        self.compiler()
        daemon = self.daemon(lambda peer: peer.send(fake.done(9)))
        for words in ('x.o -o x', '-c x.c -E', '-M x.c -c', '-MM -c x.c', '-### -c x.c', '-v -c x.c',
                      '--version', '-dumpversion', '-dumpmachine -c x.c', '-print-search-dirs -c x.c',
                      '-print-file-name=x', '-c -x c -'):
            result = self.gomacc('fakecc', *words.split())
            self.assert_ran_locally(result, words)
        self.assertEqual(daemon.connections, 0)
        for words in ('-c x.c', '-S x.c', '-fsyntax-only x.c', '@args', '-MD -c x.c', '-Mno-modules -c x.c'):
            self.assertEqual(self.gomacc('fakecc', *words.split()).returncode, 9, words)
        self.assertEqual(daemon.connections, 6)

    def test_disabled_runs_the_compiler_and_never_asks(self):
        compiler = self.compiler()
        daemon = self.daemon(lambda peer: peer.send(fake.done(9)))
        for name in ('fakecc', compiler):
            self.assert_ran_locally(self.gomacc(name, '-c', 'x.c', env={'GOMA_DISABLED': '1'}))
        self.assertEqual(daemon.connections, 0)
        for off in ('', '0', 'false'):
            self.assertEqual(self.gomacc('fakecc', '-c', 'x.c', env={'GOMA_DISABLED': off}).returncode, 9)
        link = os.path.join(self.bin, 'maskcc')
        os.symlink(GOMACC, link)
        result = self.gomacc('-c', 'x.c', program=link, env={'GOMA_DISABLED': 'true'})
        self.assertEqual(result.returncode, 127)

    def test_an_unknown_variable_is_harmless(self):
        self.compiler()
        self.assert_ran_locally(self.gomacc('fakecc', '-c', 'x.c', env={'GOMA_FOO': '1'}))

    def test_a_compiler_that_calls_gomacc_again_gets_the_plain_compiler(self):
        self.compiler()
        self.compiler(f'exec {GOMACC} fakecc "$@"', 'outer')
        daemon = self.daemon(lambda peer: (peer.expect(fake.COMPILE), peer.send(
            fake.run(['outer', '-c', 'x.c'])), peer.expect(fake.FINISHED), peer.send(fake.frame(fake.STORED))))
        self.assert_ran_locally(self.gomacc('outer', '-c', 'x.c'))
        self.assertEqual(daemon.connections, 1)

    def test_the_request_tells_all_about_the_command(self):
        compiler = self.compiler()
        seen = []
        self.daemon(lambda peer: (seen.append(peer.expect(fake.COMPILE)), peer.send(fake.done())))
        odd = b'\xff\xfe'.decode(errors='surrogateescape')
        self.gomacc('fakecc', '-c', 'x.c', '-D' + 'long' * 10000, env={'ODD': odd, 'EMPTY': ''}, umask=0o27)
        self.gomacc('../bin/fakecc', '-c', 'x.c')
        request = seen[0]
        self.assertEqual(request.argv, ['fakecc', '-c', 'x.c', '-D' + 'long' * 10000])
        self.assertEqual((request.directory, request.compiler), (os.path.realpath(self.work), compiler))
        self.assertEqual((request.umask, request.streams, request.purpose), (0o27, 0, 0))
        self.assertIn(b'ODD=\xff\xfe', request.env)
        self.assertIn(b'EMPTY=', request.env)
        self.assertEqual(len(request.env), len(self.env) + 2)
        self.assertEqual(os.path.realpath(seen[1].compiler), compiler)
        self.assertEqual(seen[1].argv[0], '../bin/fakecc')

    def test_done_gives_streams_and_exit_code(self):
        self.compiler('echo must not run; exit 5')
        red = b'\x1b[01;31mred\x1b[m\x1b[K \x1b]8;;http://x\x07link\x1b]8;;\x1b\\ \x1b[2Jkept\x1b'
        plain = b'red link \x1b[2Jkept\x1b'
        for strip, out, err in ((0, red, red), (1, plain, red), (2, red, plain), (3, plain, plain)):
            daemon = self.daemon(lambda peer, s=strip: (peer.expect(fake.COMPILE),
                                                        peer.send(fake.done(3, red, red, s))))
            result = self.gomacc('fakecc', '-c', 'x.c')
            self.assertEqual((result.returncode, result.stdout, result.stderr), (3, out, err))
            daemon.listener.shutdown(2)
            os.unlink(os.path.join(self.folder, 'goma.ipc'))

    def test_a_large_result_arrives_whole(self):
        self.compiler('exit 5')
        big = os.urandom(7 << 20)
        self.daemon(lambda peer: (peer.expect(fake.COMPILE), peer.send(fake.done(0, big, big))))
        result = self.gomacc('fakecc', '-c', 'x.c')
        self.assertTrue(result.stdout == big and result.stderr == big)

    def test_refused_runs_the_compiler(self):
        self.compiler()
        self.daemon(lambda peer: (peer.expect(fake.COMPILE), peer.send(fake.refuse())))
        self.assert_ran_locally(self.gomacc('fakecc', '-c', 'x.c'))
        self.assert_ran_locally(self.gomacc('fakecc', '@x'), '@x')

    def test_refused_by_an_ending_daemon_asks_again(self):
        self.compiler('exit 5')
        daemon = self.daemon(lambda peer: (peer.expect(fake.COMPILE), peer.send(fake.refuse(True))),
                             lambda peer: (peer.expect(fake.COMPILE), peer.send(fake.done(4))))
        self.assertEqual(self.gomacc('fakecc', '-c', 'x.c').returncode, 4)
        self.assertEqual(daemon.connections, 2)

    def test_port_prints_the_daemons_answer(self):
        result = self.gomacc('port', '2')
        self.assertEqual((result.returncode, result.stdout), (1, b''))
        self.assertIn(b'GOMA: port request failed. connect_success: ', result.stderr)
        self.daemon(lambda peer: (peer.expect(fake.QUERY), peer.send(fake.done(0, b'8088\n'))))
        for words in (['port'], ['port', '2']):
            result = self.gomacc(*words)
            self.assertEqual((result.returncode, result.stdout, result.stderr), (0, b'8088\n', b''))

    def test_explain_and_print_inputs_ask_and_never_compile(self):
        self.compiler('echo must not run')
        for option in ('--explain', '--print-inputs'):
            result = self.gomacc(option, 'fakecc', '-c', 'x.c')
            self.assertEqual((result.returncode, result.stdout), (3, b''))
            self.assertIn(b'no daemon', result.stderr)
        seen = []
        self.daemon(lambda peer: (seen.append(peer.expect(fake.COMPILE)),
                                  peer.send(fake.done(3, b'text\n', b'why\n'))))
        for purpose, option in ((1, '--explain'), (2, '--print-inputs')):
            # Even what would never be asked about.
            result = self.gomacc(option, 'fakecc', '-E', 'x.c')
            self.assertEqual((result.returncode, result.stdout, result.stderr), (3, b'text\n', b'why\n'))
            self.assertEqual((seen[-1].purpose, seen[-1].argv), (purpose, ['fakecc', '-E', 'x.c']))


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


class Running(Told):
    def test_reports_status_streams_time_and_outputs(self):
        self.compiler('echo out; echo err >&2; echo object > x.o; ln -s x.o link; mkdir folder; exit 0')
        told = self.serve(outputs=['x.o', 'missing', 'link', 'folder', os.path.join(self.work, 'x.o')])
        result = self.gomacc('fakecc', '-c', 'x.c')
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, b'out\n', b'err\n'))
        report, = told
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
        self.serve(lambda peer: told.append(peer.expect(fake.FINISHED)), lambda peer: self.assertTrue(peer.gone()))
        result = self.gomacc('fakecc', '-c', 'x.c')
        self.assertEqual((result.returncode, result.stderr), (7, b'bad\n'))
        self.assertEqual(told[0].wait_status, 7 << 8)

    def test_when_the_daemon_owes_a_file_and_is_lost_the_command_runs_again_silently(self):
        self.compiler('echo run; echo "$*" >> log; exit "$(cat code)"')
        run = lambda: fake.run(['fakecc', 'other'], capture=False, again_if_lost=True)  # noqa: E731
        self.daemon(
            lambda peer: (peer.expect(fake.COMPILE), peer.send(run()), peer.expect(fake.FINISHED)),
            lambda peer: (peer.expect(fake.COMPILE), peer.send(run()), peer.expect(fake.FINISHED),
                          peer.send(fake.frame(fake.STORED))),
            lambda peer: (peer.expect(fake.COMPILE), peer.send(run()), peer.expect(fake.FINISHED)))
        log = os.path.join(self.work, 'log')
        for code, runs in ((0, 'other\n-c x.c\n'), (0, 'other\n'), (6, 'other\n')):
            with open(os.path.join(self.work, 'code'), 'w') as out:
                out.write(str(code))
            result = self.gomacc('fakecc', '-c', 'x.c')
            self.assertEqual((result.returncode, result.stdout), (code, b'run\n'))
            with open(log) as lines:
                self.assertEqual(lines.read(), runs)
            os.unlink(log)

    def test_passes_through_without_capturing(self):
        self.compiler('readlink /proc/$$/fd/1; read line; echo "$line"')
        told = []
        self.serve(lambda peer: told.append(peer.expect(fake.FINISHED)), capture=False)
        with open(self.path('in'), 'w+') as stdin, open(self.path('out'), 'w+') as stdout:
            stdin.write('from stdin\n')
            stdin.seek(0)
            subprocess.run([GOMACC, 'fakecc', '-c', 'x.c'], cwd=self.work, env=self.env, stdin=stdin,
                           stdout=stdout, check=True)
            self.settle()
            stdout.seek(0)
            self.assertEqual(stdout.read(), self.path('out') + '\nfrom stdin\n')
        self.assertEqual((told[0].out, told[0].wait_status), (b'', 0))

    def test_strips_colour_while_relaying_and_reports_it(self):
        self.compiler(r"printf '\033[01;31mred\033[m'; sleep 0.1; printf '\033['; sleep 0.1; printf '1mx' ;"
                      r"printf '\033[32mgreen\033[K' >&2; printf 'end\033[3' ")
        told = self.serve(strip=1)
        result = self.gomacc('fakecc', '-c', 'x.c')
        self.assertEqual((result.stdout, result.stderr), (b'redxend\x1b[3', b'\x1b[32mgreen\x1b[K'))
        self.assertEqual(told[0].out, b'\x1b[01;31mred\x1b[m\x1b[1mxend\x1b[3')

    def test_big_interleaved_output_arrives_whole_and_in_order(self):
        self.script('fakecc', 'import os\nfor i in range(512):\n'
                    '    os.write(1, b"%07d\\n" % i * 512)\n    os.write(2, b"%06d!\\n" % i * 512)\n',
                    sys.executable)
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
        self.assertLess(len(told[0].out), 12 << 20)

    def test_a_slow_reader_gets_everything(self):
        self.compiler('head -c 300000 /dev/zero; echo end')
        self.serve()
        process = self.start('fakecc', '-c', 'x.c')
        time.sleep(1.5)
        out, _ = process.communicate(timeout=LIMIT)
        self.assertTrue(out.endswith(b'end\n'))
        self.assertEqual((len(out), process.returncode), (300004, 0))

    def test_a_reader_that_left_is_met_as_the_compiler_would(self):
        self.script('fakecc', 'import os, signal\nsignal.signal(signal.SIGPIPE, signal.SIG_DFL)\n'
                    'while True: os.write(1, b"x" * 65536)\n', sys.executable)
        told = []
        self.serve(lambda peer: told.append(peer.expect(fake.FINISHED)))
        process = self.start('fakecc', '-c', 'x.c')
        process.stdout.read(10)
        process.stdout.close()
        self.assertEqual(process.wait(LIMIT), -signal.SIGPIPE)
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
        self.serve(lambda peer: told.append(peer.expect(fake.FINISHED)),
                   outputs=['x.o', os.path.join(self.work, 'y.d'), 'old.o', 'link', 'missing'])
        result = self.gomacc('fakecc', '-c', 'x.c')
        self.assertEqual(result.returncode, -signal.SIGSEGV)
        self.assertEqual(sorted(os.listdir(self.work)), ['link', 'old.o', 'other', 'target'])
        self.assertEqual(told[0].wait_status & 0x7f, signal.SIGSEGV)
        self.assertEqual(told[0].outputs[0], (0, 0, 0, 0))

    def test_inherits_exactly_the_descriptors_of_the_parent(self):
        self.script('fakecc', 'import os\nprint(*[fd for fd in range(50) if os.path.exists(f"/proc/self/fd/{fd}")'
                    ' and not os.readlink(f"/proc/self/fd/{fd}").startswith("/proc")])', sys.executable)
        self.serve()
        read, write = os.pipe()
        result = self.gomacc('fakecc', '-c', 'x.c', pass_fds=(read, write))
        plain = subprocess.run(['fakecc', '-c', 'x.c'], env=self.env, pass_fds=(read, write), check=True,
                               stdin=subprocess.DEVNULL, capture_output=True,
                               executable=os.path.join(self.bin, 'fakecc'))
        os.close(read)
        os.close(write)
        self.assertEqual(result.stdout, plain.stdout)

    def test_closed_standard_streams_stay_closed(self):
        self.compiler('ls -l /proc/$$/fd > list')
        self.serve(capture=False)
        subprocess.run(['/bin/sh', '-c', f'{GOMACC} fakecc -c x.c <&- >&-'], cwd=self.work, env=self.env,
                       check=True, stderr=subprocess.DEVNULL, timeout=LIMIT)
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
        self.script('fakecc', 'import signal\nprint(*[signal.getsignal(s) == signal.SIG_IGN for s in '
                    '(signal.SIGINT, signal.SIGCHLD, signal.SIGHUP)], signal.pthread_sigmask(0, []))', sys.executable)
        self.serve()

        def ignore():
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

        result = self.gomacc('fakecc', '-c', 'x.c', preexec_fn=ignore)
        self.assertEqual((result.returncode, result.stdout), (0, b'False True True set()\n'))


class Ending(Told):
    """What ends a compile that runs."""

    # The driver dies of a signal, as g++ does; what it started does not even notice, as cc1plus may.
    STUBBORN = ('(trap "" TERM INT HUP; echo half > x.o; touch ready; while :; do sleep 0.05; done) & '
                'echo $! > pid; wait')

    def wait_for(self, name):
        deadline = time.monotonic() + LIMIT
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
            process = self.start('-c', f'{GOMACC} fakecc -c x.c; exit 99', program='/bin/sh', start_new_session=True)
            self.wait_for('ready')
            before = time.monotonic()
            os.killpg(process.pid, end)
            process.communicate(timeout=LIMIT)
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
            process.communicate(timeout=LIMIT)
            self.assertEqual(process.returncode, -signal.SIGTERM)
            self.assertFalse(os.path.exists(os.path.join(self.work, 'x.o')))
            self.assert_dead()
            os.unlink(os.path.join(self.work, 'ready'))

    def test_without_a_daemon_a_signal_ends_all_too(self):
        self.compiler(self.STUBBORN)
        process = self.start('fakecc', '-c', 'x.c')
        self.wait_for('ready')
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=LIMIT)
        self.assertEqual(process.returncode, -signal.SIGINT)
        self.assert_dead()

    def test_children_from_before_are_not_touched(self):
        self.compiler(self.STUBBORN)
        process = self.start('-c', f'sleep 30 & echo $! > stranger; exec {GOMACC} fakecc -c x.c', program='/bin/sh')
        self.wait_for('ready')
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(LIMIT), -signal.SIGTERM)
        self.assert_dead()
        with open(os.path.join(self.work, 'stranger')) as pid:
            os.kill(int(pid.read()), signal.SIGKILL)  # raises when it is gone
        process.communicate()

    def test_stop_ends_the_compile_and_shows_the_daemons_result_once(self):
        self.compiler('echo shared; ' + self.STUBBORN)
        states = []
        self.serve(lambda peer: self.wait_for('ready'),
                   lambda peer: peer.send(fake.frame(fake.WAITING)),
                   lambda peer: peer.send(fake.frame(fake.STOP)),
                   lambda peer: peer.expect(fake.STOPPED),
                   lambda peer: states.append(os.path.exists(os.path.join(self.work, 'x.o'))),
                   lambda peer: self.assert_dead(),
                   lambda peer: peer.send(fake.done(0, b'shared\nrest\n', b'warning\n')), outputs=['x.o'])
        result = self.gomacc('fakecc', '-c', 'x.c')
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, b'shared\nrest\n', b'warning\n'))
        self.assertEqual(states, [False])

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


class Failing(Case):
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
        self.assert_compiles(lambda peer: (peer.expect(fake.COMPILE), peer.send(run), peer.expect(fake.FINISHED)))

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
            self.assert_compiles(lambda peer, a=answer: (peer.expect(fake.COMPILE), peer.send(a), peer.gone()))

    def test_a_request_too_large_for_a_frame_is_compiled_locally(self):
        self.compiler('echo compiled -c x.c')
        daemon = self.daemon(lambda peer: peer.receive())
        # The system bounds one argument to 128 KiB and all together to a quarter of the stack's limit.
        grow = 'ulimit -s 131072; exec "$@" -c x.c $(head -c 17000000 /dev/zero | tr "\\0" x | fold -w 100000)'
        result = self.gomacc('-c', grow, 'sh', GOMACC, 'fakecc', program='/bin/sh')
        if b'too long' in result.stderr or b'imit' in result.stderr:
            self.skipTest('no way to make an argument list this large')
        self.assert_ran_locally(result)
        daemon.listener.shutdown(2)

    def test_a_daemon_that_never_answers_is_left_alone_after_15_s(self):
        self.compiler()
        daemon = self.daemon(lambda peer: (peer.expect(fake.COMPILE), peer.send(fake.frame(fake.WAITING)),
                                           self.assertTrue(peer.gone())))
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


class Folders(Case):
    def answer(self, peer):
        peer.receive()
        peer.send(fake.done(4, b'1\n'))

    def test_tmp_dir_follows_the_variables(self):
        runtime = self.path('run')
        os.mkdir(runtime)
        base = {'GOMA_TMP_DIR': ''}
        for env, expected in (({}, self.folder), ({'GOMA_TMP_DIR': 'rel'}, os.path.join(self.work, 'rel')),
                              ({**base, 'XDG_RUNTIME_DIR': runtime}, runtime + '/goma'),
                              ({**base, 'XDG_RUNTIME_DIR': '/nosuch'}, f'/tmp/goma_{os.geteuid()}'),
                              (base, f'/tmp/goma_{os.geteuid()}')):
            self.assertEqual(self.gomacc('tmp_dir', env=env).stdout.decode(), expected + '\n')

    def test_a_missing_folder_is_made_closed_to_others(self):
        self.compiler()
        made = self.path('made')
        self.gomacc('fakecc', '-c', 'x.c', env={'GOMA_TMP_DIR': made}, umask=0o777)
        self.assertEqual(stat.S_IMODE(os.stat(made).st_mode), 0o700)

    def test_a_folder_open_to_others_or_a_file_is_not_used(self):
        self.compiler()
        self.daemon(self.answer)
        other = self.path('file')
        with open(other, 'w'):
            pass
        link = self.path('link')
        os.symlink(self.folder, link)
        os.chmod(self.folder, 0o755)
        for folder, why in ((self.folder, b'0700'), (other, b'not a folder'), (link, b'not a folder'),
                            ('/nosuch/folder', b'cannot be made')):
            env = {'GOMA_TMP_DIR': folder}
            self.assert_ran_locally(self.gomacc('fakecc', '-c', 'x.c', env=env))
            result = self.gomacc('port', env=env)
            self.assertEqual((result.returncode, result.stdout), (1, b''))
            self.assertIn(why, result.stderr)
            self.assertEqual(self.gomacc('--explain', 'fakecc', '-c', 'x.c', env=env).returncode, 3)
        os.chmod(self.folder, 0o700)
        self.assertEqual(self.gomacc('fakecc', '-c', 'x.c').returncode, 4)

    @unittest.skipUnless(os.geteuid() == 0, 'needs another user')
    def test_a_folder_of_another_user_is_not_used(self):
        self.compiler()
        daemon = self.daemon(self.answer)
        shutil.copy(GOMACC, self.path('gomacc'))
        os.chmod(self.top, 0o755)
        os.chmod(self.bin, 0o755)
        os.chmod(self.work, 0o755)
        for mode in (0o700, 0o777):
            os.chmod(self.folder, mode)
            before = sorted(os.listdir(self.folder))
            become = ['--reuid=65534', '--regid=65534', '--clear-groups', self.path('gomacc')]
            self.assert_ran_locally(self.gomacc(*become, 'fakecc', '-c', 'x.c', program='/usr/bin/setpriv'))
            result = self.gomacc(*become, 'port', program='/usr/bin/setpriv')
            self.assertEqual(result.returncode, 1)
            self.assertEqual(sorted(os.listdir(self.folder)), before)
        self.assertEqual(daemon.connections, 0)

    def test_socket_paths_of_any_length(self):
        self.compiler('exit 5')
        long = os.path.join(self.folder, 'x' * 120)
        os.mkdir(long, 0o700)
        self.daemon(self.answer, name=os.path.join(long, 'goma.ipc'))
        self.daemon(self.answer, name=os.path.join(long, 'other'))
        self.daemon(self.answer, name=os.path.join(self.folder, 'named'))
        for env in ({'GOMA_TMP_DIR': long}, {'GOMA_COMPILER_PROXY_SOCKET_NAME': 'named'},
                    {'GOMA_COMPILER_PROXY_SOCKET_NAME': os.path.join(self.folder, 'named')},
                    {'GOMA_COMPILER_PROXY_SOCKET_NAME': os.path.join(long, 'other')}):
            self.assertEqual(self.gomacc('fakecc', '-c', 'x.c', env=env).returncode, 4, env)
        self.compiler()
        self.assert_ran_locally(
            self.gomacc('fakecc', '-c', 'x.c', env={'GOMA_COMPILER_PROXY_SOCKET_NAME': 'n' * 200}))


class Starting(Case):
    # A daemon that notes how it was started, answers every compile with exit code 4, and ends by itself.
    PROXY = '''
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
'''

    def setUp(self):
        super().setUp()
        self.log = self.path('log')
        self.env['GOMA_START_COMPILER_PROXY'] = 'true'

    def proxy(self, answers, name='proxy'):
        fakes = os.path.dirname(os.path.abspath(fake.__file__))
        return self.script(name, self.PROXY.format(fakes=fakes, log=self.log, answers=answers), sys.executable)

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
            process.communicate(timeout=LIMIT)
            codes.append(process.returncode)
        self.assertEqual(codes, [4] * 8)
        line, = self.starts()
        # A new session without a process of its own in it but the daemon, and no descriptor of ours: the
        # three standard ones and the one that lists them are gone by the time of the look.
        self.assertTrue(line.startswith("['--daemon'] / True 3 "), line)

    def test_the_daemon_is_found_beside_gomacc_or_in_the_build_folder(self):
        self.compiler('exit 5')
        place = self.path('b', 'gomacc')
        os.makedirs(place)
        os.makedirs(self.path('b', 'proxy'))
        program = shutil.copy(GOMACC, os.path.join(place, 'gomacc'))
        self.proxy(1, self.path('b', 'proxy', 'compiler_proxy'))
        self.assertEqual(self.gomacc('fakecc', '-c', 'x.c', program=program).returncode, 4)
        shutil.move(self.path('b', 'proxy', 'compiler_proxy'), os.path.join(place, 'compiler_proxy'))
        link = self.path('b', 'gomacc-link')
        os.symlink(program, link)
        os.symlink(program, self.path('b', 'fakecc'))
        for start in ({'program': program}, {'program': program, 'env': {'GOMA_COMPILER_PROXY_BINARY': 'compiler_proxy'}}):
            self.wait_until_gone()
            self.assertEqual(self.gomacc('fakecc', '-c', 'x.c', **start).returncode, 4)
        self.wait_until_gone()
        self.assertEqual(self.gomacc('-c', 'x.c', program=self.path('b', 'fakecc')).returncode, 4)
        self.assertEqual(len(self.starts()), 4)

    def wait_until_gone(self):
        deadline = time.monotonic() + LIMIT
        while os.path.exists(os.path.join(self.folder, 'goma.ipc')):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)

    def test_a_socket_that_nobody_listens_on_starts_a_daemon(self):
        self.compiler('exit 5')
        stale = fake.Daemon(os.path.join(self.folder, 'goma.ipc'), lambda peer: None)
        stale.close()
        os.rename(os.path.join(self.folder, 'goma.ipc'), os.path.join(self.folder, 'stale'))
        env = {'GOMA_COMPILER_PROXY_BINARY': self.script(
            'proxy2', f'rm -f "$GOMA_TMP_DIR/goma.ipc"; exec {self.proxy(1)} "$@"')}
        os.rename(os.path.join(self.folder, 'stale'), os.path.join(self.folder, 'goma.ipc'))
        self.assertEqual(self.gomacc('fakecc', '-c', 'x.c', env=env).returncode, 4)

    def test_failed_starts_are_spaced_out(self):
        self.compiler()
        env = {'GOMA_COMPILER_PROXY_BINARY': self.script('proxy', f'echo start >> {self.log}; exit 1')}
        mark = os.path.join(self.folder, 'gomacc.failed')
        now = int(time.time())
        for starts, delay, before in ((1, 1, None), (2, 2, 1), (3, 4, 2), (4, 60, 60), (4, None, -50), (5, 1, -1000)):
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
        self.assert_ran_locally(self.gomacc('fakecc', '-c', 'x.c', env={'GOMA_COMPILER_PROXY_BINARY': '/nosuch'}))

    def test_no_daemon_is_started_when_told_so(self):
        self.compiler()
        env = {'GOMA_COMPILER_PROXY_BINARY': self.proxy(1), 'GOMA_START_COMPILER_PROXY': 'false'}
        self.assert_ran_locally(self.gomacc('fakecc', '-c', 'x.c', env=env))
        self.assertEqual(self.starts(), [])


class Sharing(Case):
    def test_without_a_daemon_no_more_compilers_run_than_there_are_processors(self):
        self.compiler(f'echo + >> {self.top}/log; sleep 0.1; echo - >> {self.top}/log')
        processor = min(os.sched_getaffinity(0))
        pin = lambda: os.sched_setaffinity(0, {processor})  # noqa: E731
        processes = [self.start('fakecc', '-c', 'x.c', preexec_fn=pin) for _ in range(6)]
        for process in processes:
            process.communicate(timeout=LIMIT)
            self.assertEqual(process.returncode, 0)
        with open(self.path('log')) as log:
            self.assertEqual(log.read(), '+\n-\n' * 6)

    def test_who_waits_for_a_processor_finds_a_daemon_that_came(self):
        self.compiler('touch ready; while [ ! -e go ]; do sleep 0.02; done; exit 5')
        processor = min(os.sched_getaffinity(0))
        pin = lambda: os.sched_setaffinity(0, {processor})  # noqa: E731
        first = self.start('fakecc', '-c', 'x.c', preexec_fn=pin)
        deadline = time.monotonic() + LIMIT
        while not os.path.exists(os.path.join(self.work, 'ready')):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        second = self.start('fakecc', '-c', 'x.c', preexec_fn=pin)
        self.daemon(lambda peer: (peer.expect(fake.COMPILE), peer.send(fake.done(4))))
        second.communicate(timeout=LIMIT)
        self.assertEqual(second.returncode, 4)
        with open(os.path.join(self.work, 'go'), 'w'):
            pass
        first.communicate(timeout=LIMIT)
        self.assertEqual(first.returncode, 5)


if __name__ == '__main__':
    unittest.main()
