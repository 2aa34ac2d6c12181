"""The commands of the README, as they stand there, in a project that has a build file for each of its
tools."""

import os
import re
import unittest

from product import GOMACC, TOP, ProductCase

CMAKE = 'cmake_minimum_required(VERSION 3.22)\nproject(p C CXX)\nadd_executable(p main.cc part.c)\n'
MESON = "project('p', 'c', 'cpp')\nexecutable('p', 'main.cc', 'part.c')\n"
MAKE = 'p: main.o part.o\n\t$(CXX) -o $@ $^\n'


def blocks():
    """The blocks that are marked as shell, with the heading each stands under."""
    heading, found = '', []
    with open(os.path.join(TOP, 'README.md')) as readme:
        text = readme.read()
    for match in re.finditer(r'(?ms)^#+ ([^\n]*)$|^```sh\n(.*?)^```$', text):
        if match.group(1):
            heading = match.group(1)
        else:
            found.append((heading, match.group(2)))
    return found


class Readme(ProductCase):
    def setUp(self):
        super().setUp()
        self.write('CMakeLists.txt', CMAKE)
        self.write('meson.build', MESON)
        self.write('Makefile', MAKE)
        self.write(
            'main.cc', '#include <string>\nextern "C" int part(void);\nint main() { return part(); }\n'
        )
        self.write('part.c', 'int part(void) { return 0; }\n')
        self.files = self.listing()

    def shell(self, text):
        env = {'PATH': f'{os.path.dirname(GOMACC)}:{os.environ["PATH"]}'}
        got = self.run_in(['bash', '-euo', 'pipefail', '-c', text], env=env)
        self.assertEqual(0, got.returncode, f'{text}\n{got.stdout.decode()}\n{got.stderr.decode()}')
        return got

    def build_anew(self, text):
        """The results of the project's two sources, however often a tool tries the compiler besides."""
        seen = len(self.tasks())
        self.remove_new(self.files)
        self.shell(text)
        ours = [
            task for task in self.tasks()[seen:] if os.path.basename(task['source']) in ('main.cc', 'part.c')
        ]
        return sorted(task['result'] for task in ours)

    def test_each_way_of_building_misses_once_and_then_hits(self):
        builds = [(heading, text) for heading, text in blocks() if '-j200' in text]
        self.assertGreaterEqual(len(builds), 3)
        for heading, text in builds:
            with self.subTest(heading):
                self.build_anew(text)
                self.assertEqual(['local_hit', 'local_hit'], self.build_anew(text))

    def test_the_other_commands_run(self):
        self.shell('gomacc g++ -c main.cc -o main.o')
        others = [text for _, text in blocks() if '-j200' not in text]
        self.assertGreaterEqual(len(others), 3)
        for text in others:
            with self.subTest(text):
                self.shell(text)


if __name__ == '__main__':
    unittest.main()
