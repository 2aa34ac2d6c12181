"""Many compiles at once on a cluster that is faster than the client: the tests' own engine."""

import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'fake'))
from engine import FakeEngine  # noqa: E402
from product import BUILD, GOMACC, LIMIT, ProductCase  # noqa: E402

UNITS = 300
# Calls in flight by the cluster's rule.
MOST = 200


class ClusterLoad(ProductCase):
    def setUp(self):
        words = ['g++', '-M', '-x', 'c++', '/dev/null']
        rule = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        self.engine = FakeEngine(BUILD, rule.split()[2:], gather=MOST)
        self.addCleanup(self.engine.close)
        self.settings = {
            'GOMA_MODE': 'cluster',
            'GOMA_ENDPOINT': self.engine.endpoint,
            'GOMA_TOOLCHAIN': 'image',
            'GOMA_WORKERS_IDENTICAL': 'true',
            'GOMA_USE_LOCAL': 'false',
            'GOMA_FALLBACK': 'false',
        }
        super().setUp()

    def write_project(self):
        rules = [f'rule cxx\n  command = {GOMACC} g++ -c $in -o $out\n']
        for number in range(UNITS):
            self.write(f'u{number}.cc', f'int f{number}() {{ return 0; }}\n')
            rules.append(f'build u{number}.o: cxx u{number}.cc\n')
        self.write('build.ninja', ''.join(rules))
        self.write('.git/HEAD')

    def test_a_build_with_a_thousand_jobs_keeps_200_calls_in_flight_and_no_more(self):
        self.write_project()
        # The first 200 wait for each other, so fewer are never the most; then each stays a while, so that one
        # more would be seen beside them.
        self.engine.ask(0.3)
        got = subprocess.run(
            ['ninja', '-j1000'], cwd=self.work, env=self.env, capture_output=True, text=True, timeout=LIMIT
        )
        self.assertEqual(got.returncode, 0, got.stdout[-3000:])
        self.assertEqual({task['result'] for task in self.tasks()}, {'remote_exec'})
        self.assertEqual(self.engine.ask(0), {'executed': UNITS, 'most_at_once': MOST})


if __name__ == '__main__':
    unittest.main()
