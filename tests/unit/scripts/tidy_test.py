"""Each rule of scripts/tidy.py finds the fault it is for, and passes a tree without it."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / 'scripts'))
import tidy  # noqa: E402


def found(rule, tree):
    return [f'{path}:{line}' for path, line, _ in rule(tree)]


class IncludeOrder(unittest.TestCase):
    def test_a_module_includes_itself_and_those_before_it(self):
        self.assertEqual(
            [],
            found(
                tidy.include_order,
                {
                    'proxy/task/run.cc': '#include "task/run.h"\n#include "base/fd.h"\n#include <string>\n',
                    'proxy/main.cc': '#include "serve/listener.h"\n#include "config.h"\n',
                    'gomacc/main.cc': '#include "wire/protocol.h"\n#include "sys.h"\n',
                },
            ),
        )

    def test_a_module_that_includes_a_later_one_is_found(self):
        self.assertEqual(
            ['proxy/base/gate.cc:2'],
            found(
                tidy.include_order, {'proxy/base/gate.cc': '#include "base/gate.h"\n#include "task/run.h"\n'}
            ),
        )

    def test_a_module_that_includes_what_is_mains_is_found(self):
        self.assertEqual(
            ['proxy/task/run.cc:1'], found(tidy.include_order, {'proxy/task/run.cc': '#include "config.h"\n'})
        )

    def test_gomacc_including_more_than_base_and_wire_is_found(self):
        self.assertEqual(
            ['gomacc/main.cc:1'], found(tidy.include_order, {'gomacc/main.cc': '#include "task/run.h"\n'})
        )

    def test_an_include_by_way_of_the_parent_folder_is_found(self):
        self.assertEqual(
            ['proxy/base/gate.cc:1'],
            found(tidy.include_order, {'proxy/base/gate.cc': '#include "../base/gate.h"\n'}),
        )


class Sizes(unittest.TestCase):
    def test_a_file_of_600_lines_passes_and_one_more_is_found(self):
        self.assertEqual([], found(tidy.file_sizes, {'proxy/a.cc': 'x;\n' * 600}))
        self.assertEqual(['proxy/a.cc:1'], found(tidy.file_sizes, {'proxy/a.cc': 'x;\n' * 601}))

    def test_a_line_of_110_characters_passes_and_one_more_is_found(self):
        self.assertEqual([], found(tidy.file_sizes, {'scripts/setup': 'x' * 110 + '\n'}))
        self.assertEqual(['scripts/setup:1'], found(tidy.file_sizes, {'scripts/setup': 'x' * 111 + '\n'}))

    def function(self, lines):
        return 'namespace a {\nint f(int x) {\n' + 'if (x) { g("}"); }  // {\n' * (lines - 2) + '}\n}\n'

    def test_a_function_of_70_lines_passes_and_one_more_is_found(self):
        self.assertEqual([], found(tidy.function_sizes, {'proxy/a.cc': self.function(70)}))
        self.assertEqual(['proxy/a.cc:2'], found(tidy.function_sizes, {'proxy/a.cc': self.function(71)}))

    def test_a_long_method_a_long_constructor_and_a_long_operator_are_found(self):
        body = 'x();\n' * 70
        tree = {
            'proxy/a.h': f'class A {{\n void f() const {{\n{body}}}\n}};\n',
            'proxy/b.cc': f'A::A(int x)\n    : x_(x), y_{{2}} {{\n{body}}}\n',
            'proxy/c.cc': f'bool operator<(A a, A b) {{\n{body}}}\n',
        }
        self.assertEqual(
            {'proxy/a.h:2', 'proxy/b.cc:1', 'proxy/c.cc:1'}, set(found(tidy.function_sizes, tree))
        )

    def test_a_long_table_is_no_function(self):
        self.assertEqual(
            [],
            found(
                tidy.function_sizes,
                {'proxy/a.cc': 'const Row kRows[] = {\n' + '{"a", f(1)},\n' * 100 + '};\n'},
            ),
        )

    def test_a_long_python_function_is_found(self):
        self.assertEqual(['a.py:1'], found(tidy.function_sizes, {'a.py': 'def f():\n' + '    g()\n' * 70}))

    def struct(self, members):
        return (
            'struct S {\n'
            + ''.join(f'  std::map<int, int> m{i} = {{}};\n' for i in range(members))
            + '  int f(int) const;\n  static int s;\n  using X = int;\n  void g() { int local; }\n};\n'
        )

    def test_a_struct_of_15_members_passes_and_one_more_is_found(self):
        self.assertEqual([], found(tidy.struct_sizes, {'proxy/a.h': self.struct(15)}))
        self.assertEqual(['proxy/a.h:1'], found(tidy.struct_sizes, {'proxy/a.h': self.struct(16)}))

    def test_members_on_one_line_and_behind_annotations_are_counted(self):
        text = (
            'struct S {\n  int a = f(1), b, c;\n  std::function<void(int)> d;\n  int e_ GUARDED_BY(m_);\n};\n'
        )
        struct = tidy.cpp_outline.outline(text).structs[0]
        self.assertEqual(['a', 'b', 'c', 'd', 'e_'], struct.members)


class BannedCalls(unittest.TestCase):
    SAMPLES = [
        'system("ls")',
        'popen(p, "r")',
        'fork()',
        'worker.detach()',
        'std::thread t(f)',
        'sprintf(b, "x")',
        'strcpy(a, b)',
        'atoi(text)',
        'std::stoi(text)',
        'std::regex r',
        'std::filesystem::remove(p)',
        'using namespace std',
        'std::cout << 1',
        'printf("x")',
        'std::this_thread::sleep_for(x)',
        'throw Error()',
        'std::getenv("HOME")',
        'std::chrono::steady_clock::now()',
    ]

    def test_each_banned_call_is_found_in_the_daemon(self):
        for sample in self.SAMPLES:
            with self.subTest(sample):
                self.assertEqual(
                    ['proxy/task/a.cc:2'],
                    found(tidy.banned_calls, {'proxy/task/a.cc': f'void f() {{\n  {sample};\n}}\n'}),
                )

    def test_every_entry_of_the_table_has_a_sample(self):
        samples = [('proxy/task/a.cc', f'  {sample};\n') for sample in self.SAMPLES]
        samples += [
            ('proxy/task/a.cc', '#include <format>\n'),
            ('scripts/a.sh', 'pkill x\n'),
            ('scripts/a.py', 'run(x, shell=True)\n'),
            ('scripts/a.py', 'except:\n'),
        ]
        hit = {instead for path, text in samples for _, _, instead in tidy.banned_calls({path: text})}
        self.assertEqual(set(), {entry[3] for entry in tidy.BANNED} - hit)

    def test_comments_literals_and_longer_names_do_not_count(self):
        self.assertEqual(
            [],
            found(
                tidy.banned_calls,
                {
                    'proxy/task/a.cc': '// throw it away, system()\nauto x = "fork()"; my_system(1);\n'
                    'snprintf(b, n, "x"); '
                    'clock.sleep(3); spawner.system(2); std::thread::id id;\n'
                },
            ),
        )

    def test_the_exceptions_of_the_table_hold(self):
        self.assertEqual(
            [],
            found(
                tidy.banned_calls,
                {
                    'proxy/config.cc': 'auto x = getenv("GOMA_DIR");\n',
                    'proxy/base/clock.cc': 'return std::chrono::steady_clock::now();\n',
                },
            ),
        )


class Text(unittest.TestCase):
    def test_leftovers_are_found(self):
        for sample in [
            '// FIXME',
            '# TODO: x',
            '#if 0',
            '<<<<<<< HEAD',
            '// NOLINT',
            '-----BEGIN RSA PRIVATE KEY-----',
            'password = "hunter2hunter2"',
            'open("/work/main")',
            '// see issue 7',
            'TEST_CASE("x" * doctest::skip())',
        ]:
            with self.subTest(sample):
                self.assertEqual(['proxy/a.cc:1'], found(tidy.leftovers, {'proxy/a.cc': sample + '\n'}))

    def test_a_silenced_check_with_its_name_and_reason_passes(self):
        self.assertEqual(
            [],
            found(
                tidy.leftovers, {'proxy/a.cc': 'int x;  // NOLINT(bugprone-x): the system call wants it so\n'}
            ),
        )

    def test_whitespace_faults_are_found(self):
        for text, where in [('a', 1), ('a \nb\n', 1), ('a\n\tb\n', 2), ('a\r\n', 1)]:
            with self.subTest(text):
                self.assertIn(f'proxy/a.cc:{where}', found(tidy.whitespace, {'proxy/a.cc': text}))
        self.assertEqual([], found(tidy.whitespace, {'proxy/a.cc': 'a\n  b\n', 'x.md': 'hard break  \n'}))

    def test_a_header_without_prose_or_pragma_is_found(self):
        good = '// What gomacc and the daemon say to each other. Any thread.\n#pragma once\n'
        self.assertEqual([], found(tidy.header_prose, {'proxy/a.h': good}))
        self.assertEqual(['proxy/a.h:1'], found(tidy.header_prose, {'proxy/a.h': '#pragma once\n' + good}))
        self.assertEqual(['proxy/a.h:1'], found(tidy.header_prose, {'proxy/a.h': '// A.\n#pragma once\n'}))
        self.assertEqual(
            ['proxy/a.h:1'], found(tidy.header_prose, {'proxy/a.h': good.replace('#pragma', '//')})
        )


class Files(unittest.TestCase):
    MAIN = {'proxy/main.cc': ''}

    def test_a_source_without_a_test_is_found(self):
        tree = {**self.MAIN, 'proxy/base/a.cc': '', 'proxy/base/b.cc': '', 'tests/unit/base/b_test.cc': ''}
        self.assertEqual(['proxy/base/a.cc:1'], found(tidy.untested_sources, tree))

    def test_an_exception_for_a_file_that_is_gone_is_found(self):
        self.assertEqual(['scripts/tidy.py:1'], found(tidy.untested_sources, {}))

    def test_a_source_that_no_build_file_names_is_found(self):
        tree = {
            'proxy/base/meson.build': "static_library('base', 'a.cc')",
            'proxy/base/a.cc': '',
            'proxy/base/b.cc': '',
        }
        self.assertEqual(['proxy/base/b.cc:1'], found(tidy.dead_files, tree))

    def test_a_source_that_a_loop_names_is_no_dead_one(self):
        self.assertEqual(
            [],
            found(
                tidy.dead_files,
                {
                    'tests/unit/a/meson.build': "foreach n : ['x']\n  executable('@0@_test.cc'.format(n))\n",
                    'tests/unit/a/x_test.cc': '',
                },
            ),
        )

    def test_a_header_that_nothing_includes_is_found(self):
        tree = {
            'proxy/base/a.h': '',
            'proxy/base/b.h': '',
            'proxy/base/a.cc': '#include "base/a.h"\n',
            'proxy/base/meson.build': "'a.cc'",
        }
        self.assertEqual(['proxy/base/b.h:1'], found(tidy.dead_files, tree))


if __name__ == '__main__':
    unittest.main()
