"""`meson install` puts everything where a user, GN and a package expect it, and the result works from
there."""

import json
import os
import signal
import subprocess
import unittest
import urllib.request

from product import BUILD, TOP, ProductCase, is_running, wait_until

EXPECTED = [
    'bin/gomacc',
    'bin/compiler_proxy',
    'bin/goma_ctl.py',
    'bin/goma_auth.py',
    'bin/goma_figures.py',
    'bin/goma_report.py',
    'lib/goma/gcc',
    'lib/goma/g++',
    'lib/goma/clang',
    'lib/goma/clang++',
    'share/man/man1/gomacc.1',
    'share/man/man1/compiler_proxy.1',
    'share/man/man1/goma_ctl.1',
    'share/man/man1/goma_auth.1',
    'share/man/man5/goma-config.5',
    'share/doc/goma/README.md',
]


class Install(ProductCase):
    def setUp(self):
        super().setUp()
        self.stop_daemon()
        destination = self.path('destination')
        command = ['meson', 'install', '-C', BUILD, '--no-rebuild', '--destdir', destination]
        got = self.run_in(command, cwd=TOP)
        self.assertEqual(0, got.returncode, got.stderr.decode())
        options = json.loads(self.run_in(['meson', 'introspect', BUILD, '--buildoptions'], cwd=TOP).stdout)
        self.prefix = destination + next(o['value'] for o in options if o['name'] == 'prefix')

    def test_every_file_is_in_its_place(self):
        for name in EXPECTED:
            with self.subTest(name):
                self.assertTrue(os.path.exists(os.path.join(self.prefix, name)))

    def test_gomacc_needs_no_library(self):
        got = self.run_in(['readelf', '-dl', os.path.join(self.prefix, 'bin/gomacc')])
        self.assertEqual(0, got.returncode)
        self.assertNotIn(b'NEEDED', got.stdout)
        self.assertNotIn(b'INTERP', got.stdout)

    def test_a_masqueraded_compiler_starts_the_daemon_that_was_installed_with_it(self):
        self.write('a.c', 'int a;\n')
        env = {**self.env, 'PATH': f'{self.prefix}/lib/goma:{os.environ["PATH"]}'}
        del env['GOMA_COMPILER_PROXY_BINARY']
        subprocess.run(['gcc', '-c', 'a.c', '-o', 'a.o'], cwd=self.work, env=env, check=True, timeout=60)
        with urllib.request.urlopen(f'http://127.0.0.1:{self.port()}/api/v1/status', timeout=60) as answer:
            pid = json.load(answer)['pid']
        try:
            self.assertEqual(f'{self.prefix}/bin/compiler_proxy', os.readlink(f'/proc/{pid}/exe'))
            self.assertEqual(['local_exec'], [task['result'] for task in self.tasks()])
        finally:
            os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not is_running(pid), 'the daemon ends')


if __name__ == '__main__':
    unittest.main()
