"""One small compile in each of the ways in which gomacc is called: what a user notices first if it is
broken."""

import os
import unittest

from product import GOMACC, ProductCase

SOURCE = '#include <stdio.h>\n#include "a.h"\nint main(void) { return puts(TEXT) < 0; }\n'
WORDS = ['gcc', '-O1', '-g', '-MD', '-MF', 'a.d', '-c', 'a.c', '-o', 'a.o']


class Smoke(ProductCase):
    def setUp(self):
        super().setUp()
        self.write('a.h', '#define TEXT "hello"\n')
        self.write('a.c', SOURCE)

    def must(self, argv, **options):
        got = self.run_in(argv, **options)
        self.assertEqual(0, got.returncode, got.stderr.decode())
        return got

    def results(self):
        return [task['result'] for task in self.tasks()]

    def test_the_second_compile_is_a_hit_and_nothing_else_differs(self):
        self.assertEqual(['local_exec', 'local_hit'], self.compile_three_times(WORDS))

    def test_a_warning_is_shown_again_on_a_hit(self):
        self.write('a.c', '#warning look here\n' + SOURCE)
        self.assertEqual(['local_exec', 'local_hit'], self.compile_three_times(WORDS))

    def test_a_changed_header_is_a_miss(self):
        self.must([GOMACC, *WORDS])
        self.write('a.h', '#define TEXT "goodbye"\n')
        self.must([GOMACC, *WORDS])
        self.assertEqual(['local_exec', 'local_exec'], self.results())
        self.assertIn(b'goodbye', self.read('a.o'))

    def test_by_a_compilers_name_it_is_that_compiler(self):
        os.mkdir(self.path('bin'))
        os.symlink(GOMACC, self.path('bin', 'gcc'))
        self.must(WORDS, env={'PATH': f'{self.path("bin")}:{os.environ["PATH"]}'})
        self.assertEqual(['local_exec'], self.results())

    def test_an_error_is_the_compilers_own(self):
        self.write('bad.c', 'int f(void) { return x; }\n')
        self.assertNotIn('local_hit', self.compile_three_times(['gcc', '-c', 'bad.c', '-o', 'bad.o']))
        self.assertFalse(os.path.exists(os.path.join(self.work, 'bad.o')))

    def test_what_cannot_be_cached_never_reaches_the_daemon(self):
        for argv in (['gcc', '--version'], ['gcc', '-E', 'a.c'], ['gcc', 'a.c', '-o', 'a']):
            self.must([GOMACC, *argv])
        self.must([GOMACC, *WORDS], env={'GOMA_DISABLED': 'true'})
        self.assertEqual([], self.results())

    def test_print_inputs_lists_what_the_compile_reads(self):
        listed = (
            self.must([GOMACC, '--print-inputs', 'gcc', '-c', 'a.c', '-o', 'a.o'])
            .stdout.decode()
            .splitlines()
        )
        self.assertEqual(sorted(listed), listed)
        for name in (os.path.join(self.work, 'a.c'), os.path.join(self.work, 'a.h'), '/usr/include/stdio.h'):
            self.assertIn(name, listed)
        self.assertFalse(os.path.exists(os.path.join(self.work, 'a.o')))

    def test_the_pages_that_scripts_read(self):
        self.must([GOMACC, *WORDS])
        self.assertEqual(['local_exec'], self.results())
        self.assertIn('request: total=1', self.get('/statz'))
        self.assertTrue(self.get('/healthz').startswith('ok'))
        self.assertEqual(str(self.port()), self.get('/portz').strip())
        self.assertIn('<html', self.get('/').lower())


if __name__ == '__main__':
    unittest.main()
