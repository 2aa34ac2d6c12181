"""How many tests a runner ran, read from its own words."""

import json
import re
from dataclasses import dataclass, field


@dataclass
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: list = field(default_factory=list)  # "what: why"

    def __iadd__(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        return self

    def __str__(self):
        return f'{self.passed} passed, {self.failed} failed' + (
            f', {len(self.skipped)} skipped' if self.skipped else ''
        )


def of_doctest(text):
    """None when the text holds no summary of doctest's. Skipped means filtered out by whoever ran it."""
    found = re.findall(r'test cases:\s*(\d+)\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed', text)
    if not found:
        return None
    return Counts(sum(int(f[1]) for f in found), sum(int(f[2]) for f in found))


def of_unittest(text):
    """None when the text holds no summary of unittest's. Expects the runner to have been verbose."""
    ran = re.findall(r'(?m)^Ran (\d+) tests? in', text)
    if not ran:
        return None
    wrong = sum(int(n) for n in re.findall(r'\b(?:failures|errors|unexpected successes)=(\d+)', text))
    skipped = re.findall(r"(?m)^(\w+) \([\w.]+\)(?:\n[^\n]*)? \.\.\. skipped ['\"](.*)['\"]$", text)
    unnamed = sum(int(n) for n in re.findall(r'\bskipped=(\d+)', text)) - len(skipped)
    names = [f'{name}: {why}' for name, why in skipped] + ['a test: no reason was read'] * max(0, unnamed)
    # A failing subtest counts for itself, so there can be more failures than tests.
    return Counts(max(0, sum(map(int, ran)) - wrong - len(names)), wrong, names)


def of_meson(log):
    """Of a meson-logs/testlog.json: the cases inside each program, or the program as one test."""
    total, broken = Counts(), []
    for line in log.splitlines():
        test = json.loads(line)
        text = test.get('stdout', '') + '\n' + test.get('stderr', '')
        counts = of_doctest(text) or of_unittest(text) or Counts(passed=1)
        good = test['result'] in ('OK', 'EXPECTEDFAIL')
        if test['result'] == 'SKIP':
            counts = Counts(skipped=[f'{test["name"]}: {text.strip()[-80:]}'])
        elif good and counts.passed + counts.failed == 0:
            good, counts = False, Counts(failed=1)  # a program that ran no test shows nothing
        elif not good and counts.failed == 0:
            counts = Counts(counts.passed if of_doctest(text) or of_unittest(text) else 0, 1)
        if not good and test['result'] != 'SKIP':
            broken.append((test['name'], test['result'], text))
        total += counts
    return total, broken
