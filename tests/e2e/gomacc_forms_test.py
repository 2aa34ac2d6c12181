"""How gomacc is called, which compiler it finds, and what it asks the daemon."""

import os
import shutil
import stat
import subprocess
import unittest

import gomacc_case
from gomacc_case import fake


class Forms(gomacc_case.Case):
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
        for make in (
            lambda: os.symlink(gomacc_case.GOMACC, link),
            lambda: os.symlink(os.path.relpath(gomacc_case.GOMACC, masks), link),
            lambda: shutil.copy(gomacc_case.GOMACC, link),
        ):
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
        os.symlink(gomacc_case.GOMACC, os.path.join(masks, 'gcc'))
        result = self.gomacc('gcc', '-c', 'x.c', env={'PATH': masks + ':' + self.env['PATH']})
        self.assertIn(f' {real} -c x.c'.encode(), result.stdout)

    def test_never_takes_itself_for_a_compiler(self):
        os.symlink(gomacc_case.GOMACC, os.path.join(self.bin, 'only-gomacc'))
        for name in ('only-gomacc', os.path.join(self.bin, 'only-gomacc'), 'gomacc'):
            result = self.gomacc(name, '-c', 'x.c', env={'PATH': self.bin})
            self.assertEqual((result.returncode, result.stdout), (127, b''), name)
            self.assertTrue(result.stderr.startswith(b'gomacc: '), result.stderr)

    def test_two_copies_in_path_do_not_call_each_other_for_ever(self):
        copies = [self.path('a'), self.path('b')]
        for copy in copies:
            os.mkdir(copy)
            shutil.copy(gomacc_case.GOMACC, os.path.join(copy, 'gcc'))
        result = self.gomacc('gcc', '-c', 'x.c', env={'PATH': ':'.join(copies)})
        self.assertEqual(result.returncode, 127)
        self.compiler(name='gcc')
        self.assert_ran_locally(
            self.gomacc('gcc', '-c', 'x.c', env={'PATH': ':'.join(copies) + ':' + self.env['PATH']})
        )

    def test_a_compiler_that_is_missing_or_not_executable(self):
        with open(os.path.join(self.bin, 'plain'), 'w'):
            pass
        for name, code in (
            ('nosuchcc', 127),
            ('/nosuch/cc', 127),
            ('plain', 126),
            (os.path.join(self.bin, 'plain'), 126),
            (self.bin, 126),
        ):
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
        result = subprocess.run(
            ['/bin/sh', '-c', f'rmdir {gone}; exec {gomacc_case.GOMACC} gcc -c x.c'],
            cwd=gone,
            env=self.env,
            capture_output=True,
        )
        self.assertEqual((result.returncode, result.stdout), (0, b'-c x.c\n'))


class Asking(gomacc_case.Case):
    def test_what_cannot_be_cached_never_reaches_the_daemon(self):
        self.compiler()
        daemon = self.daemon(lambda peer: peer.send(fake.done(9)))
        for words in (
            'x.o -o x',
            '-c x.c -E',
            '-M x.c -c',
            '-MM -c x.c',
            '-### -c x.c',
            '-v -c x.c',
            '--version',
            '-dumpversion',
            '-dumpmachine -c x.c',
            '-print-search-dirs -c x.c',
            '-print-file-name=x',
            '-c -x c -',
        ):
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
        os.symlink(gomacc_case.GOMACC, link)
        result = self.gomacc('-c', 'x.c', program=link, env={'GOMA_DISABLED': 'true'})
        self.assertEqual(result.returncode, 127)

    def test_an_unknown_variable_is_harmless(self):
        self.compiler()
        self.assert_ran_locally(self.gomacc('fakecc', '-c', 'x.c', env={'GOMA_FOO': '1'}))

    def test_a_compiler_that_calls_gomacc_again_gets_the_plain_compiler(self):
        self.compiler()
        self.compiler(f'exec {gomacc_case.GOMACC} fakecc "$@"', 'outer')
        daemon = self.daemon(
            lambda peer: (
                peer.expect(fake.COMPILE),
                peer.send(fake.run(['outer', '-c', 'x.c'])),
                peer.expect(fake.FINISHED),
                peer.send(fake.frame(fake.STORED)),
            )
        )
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
            daemon = self.daemon(
                lambda peer, s=strip: (peer.expect(fake.COMPILE), peer.send(fake.done(3, red, red, s)))
            )
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
        daemon = self.daemon(
            lambda peer: (peer.expect(fake.COMPILE), peer.send(fake.refuse(True))),
            lambda peer: (peer.expect(fake.COMPILE), peer.send(fake.done(4))),
        )
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
        self.daemon(
            lambda peer: (
                seen.append(peer.expect(fake.COMPILE)),
                peer.send(fake.done(3, b'text\n', b'why\n')),
            )
        )
        for purpose, option in ((1, '--explain'), (2, '--print-inputs')):
            # Even what would never be asked about.
            result = self.gomacc(option, 'fakecc', '-E', 'x.c')
            self.assertEqual((result.returncode, result.stdout, result.stderr), (3, b'text\n', b'why\n'))
            self.assertEqual((seen[-1].purpose, seen[-1].argv), (purpose, ['fakecc', '-E', 'x.c']))


class Folders(gomacc_case.Case):
    def answer(self, peer):
        peer.receive()
        peer.send(fake.done(4, b'1\n'))

    def test_tmp_dir_follows_the_variables(self):
        runtime = self.path('run')
        os.mkdir(runtime)
        base = {'GOMA_TMP_DIR': ''}
        for env, expected in (
            ({}, self.folder),
            ({'GOMA_TMP_DIR': 'rel'}, os.path.join(self.work, 'rel')),
            ({**base, 'XDG_RUNTIME_DIR': runtime}, runtime + '/goma'),
            ({**base, 'XDG_RUNTIME_DIR': '/nosuch'}, f'/tmp/goma_{os.geteuid()}'),
            (base, f'/tmp/goma_{os.geteuid()}'),
        ):
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
        for folder, why in (
            (self.folder, b'0700'),
            (other, b'not a folder'),
            (link, b'not a folder'),
            ('/nosuch/folder', b'cannot be made'),
        ):
            env = {'GOMA_TMP_DIR': folder}
            self.assert_ran_locally(self.gomacc('fakecc', '-c', 'x.c', env=env))
            result = self.gomacc('port', env=env)
            self.assertEqual((result.returncode, result.stdout), (1, b''))
            self.assertIn(why, result.stderr)
            self.assertEqual(self.gomacc('--explain', 'fakecc', '-c', 'x.c', env=env).returncode, 3)
        os.chmod(self.folder, 0o700)
        self.assertEqual(self.gomacc('fakecc', '-c', 'x.c').returncode, 4)

    def test_a_folder_of_another_user_is_not_used(self):
        self.compiler()
        if os.geteuid() != 0:
            # Who cannot become another user has a folder of another one, in which anybody can put a socket.
            name = os.path.basename(self.top) + '.ipc'
            self.addCleanup(os.unlink, os.path.join('/tmp', name))
            daemon = self.daemon(self.answer, name=os.path.join('/tmp', name))
            env = {'GOMA_TMP_DIR': '/tmp', 'GOMA_COMPILER_PROXY_SOCKET_NAME': name}
            self.assert_ran_locally(self.gomacc('fakecc', '-c', 'x.c', env=env))
            self.assertIn(b'belongs to another user', self.gomacc('port', env=env).stderr)
            self.assertEqual(daemon.connections, 0)
            return
        daemon = self.daemon(self.answer)
        shutil.copy(gomacc_case.GOMACC, self.path('gomacc'))
        os.chmod(self.top, 0o755)
        os.chmod(self.bin, 0o755)
        os.chmod(self.work, 0o755)
        for mode, why in ((0o700, b'is not accessible'), (0o777, b'belongs to another user')):
            os.chmod(self.folder, mode)
            before = sorted(os.listdir(self.folder))
            become = ['--reuid=65534', '--regid=65534', '--clear-groups', self.path('gomacc')]
            self.assert_ran_locally(self.gomacc(*become, 'fakecc', '-c', 'x.c', program='/usr/bin/setpriv'))
            result = self.gomacc(*become, 'port', program='/usr/bin/setpriv')
            self.assertEqual(result.returncode, 1)
            self.assertIn(why, result.stderr)
            self.assertEqual(sorted(os.listdir(self.folder)), before)
        self.assertEqual(daemon.connections, 0)

    def test_socket_paths_of_any_length(self):
        self.compiler('exit 5')
        long = os.path.join(self.folder, 'x' * 120)
        os.mkdir(long, 0o700)
        self.daemon(self.answer, name=os.path.join(long, 'goma.ipc'))
        self.daemon(self.answer, name=os.path.join(long, 'other'))
        self.daemon(self.answer, name=os.path.join(self.folder, 'named'))
        for env in (
            {'GOMA_TMP_DIR': long},
            {'GOMA_COMPILER_PROXY_SOCKET_NAME': 'named'},
            {'GOMA_COMPILER_PROXY_SOCKET_NAME': os.path.join(self.folder, 'named')},
            {'GOMA_COMPILER_PROXY_SOCKET_NAME': os.path.join(long, 'other')},
        ):
            self.assertEqual(self.gomacc('fakecc', '-c', 'x.c', env=env).returncode, 4, env)
        self.compiler()
        self.assert_ran_locally(
            self.gomacc('fakecc', '-c', 'x.c', env={'GOMA_COMPILER_PROXY_SOCKET_NAME': 'n' * 200})
        )


if __name__ == '__main__':
    unittest.main()
