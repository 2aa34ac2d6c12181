"""Many compiles at once. How fast it is depends on the machine and is for scripts/bench --cluster to show;
that nothing is lost and limits hold is shown here."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from remote_case import FULL  # noqa: E402
from scale import measure  # noqa: E402

ACTIONS = 2000 if FULL else 260


class Scale(unittest.TestCase):
    def test_no_more_than_200_run_at_once_however_many_are_wanted(self):
        got = measure(ACTIONS, 260, 260)
        self.assertEqual(({'remote_exec': ACTIONS}, 0), (got['results'], got['failed']), got)
        self.assertLessEqual(got['most_at_once'], 200, got)
        self.assertLess(got['peak_megabytes'], 150, got)


if __name__ == '__main__':
    unittest.main()
