"""The counts of a verdict are those of the runners: no failure, no skip and no empty run gets lost."""

import json
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / 'scripts' / 'lib'))
import counts  # noqa: E402

DOCTEST = '[doctest] test cases: 12 | 11 passed | 1 failed | 0 skipped\n'
UNITTEST = """test_a (x.A.test_a) ... ok
test_b (x.A.test_b) ... skipped 'needs root'
test_c (x.A.test_c) ... FAIL
test_d (x.A.test_d)
What it shows. ... skipped 'no disk'
----------------------------------------------------------------------
Ran 4 tests in 0.001s

FAILED (failures=1, skipped=2)
"""


def meson(result, stdout):
    return json.dumps({'name': 'unit x', 'result': result, 'stdout': stdout})


class Counting(unittest.TestCase):
    def test_doctest(self):
        self.assertEqual('11 passed, 1 failed', str(counts.of_doctest(DOCTEST)))
        self.assertIsNone(counts.of_doctest('hello'))

    def test_unittest_names_what_it_skipped(self):
        got = counts.of_unittest(UNITTEST)
        self.assertEqual('1 passed, 1 failed, 2 skipped', str(got))
        self.assertEqual(['test_b: needs root', 'test_d: no disk'], got.skipped)

    def test_a_skip_whose_reason_was_not_read_is_still_a_skip(self):
        self.assertEqual(
            '2 passed, 0 failed, 1 skipped', str(counts.of_unittest('Ran 3 tests in 1s\n\nOK (skipped=1)'))
        )

    def test_meson_adds_up_the_cases_of_its_programs(self):
        log = meson('OK', DOCTEST.replace('11 passed | 1', '12 passed | 0')) + '\n' + meson('OK', 'x')
        total, broken = counts.of_meson(log)
        self.assertEqual(('13 passed, 0 failed', []), (str(total), broken))

    def test_a_program_that_crashed_after_its_cases_is_a_failure(self):
        total, broken = counts.of_meson(meson('FAIL', DOCTEST.replace('11 passed | 1', '12 passed | 0')))
        self.assertEqual(('12 passed, 1 failed', 1), (str(total), len(broken)))
        total, broken = counts.of_meson(meson('TIMEOUT', ''))
        self.assertEqual(('0 passed, 1 failed', 1), (str(total), len(broken)))

    def test_a_program_that_ran_no_case_is_a_failure(self):
        total, broken = counts.of_meson(
            meson('OK', '[doctest] test cases: 0 | 0 passed | 0 failed | 0 skipped')
        )
        self.assertEqual(('0 passed, 1 failed', 1), (str(total), len(broken)))


if __name__ == '__main__':
    unittest.main()
