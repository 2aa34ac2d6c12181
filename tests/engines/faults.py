"""How long a build takes while its cluster fails, against the same build by the compiler alone in the same
minute: what the remote side does not give must not cost more than a little. Every fault of faults_test.py,
with units that take longer, so that the ratio is one of builds and not of beginnings. The engines get only
what processor is left, since a cluster's are not those of the user. scripts/bench --faults shows it.

faults.py [--only WORD] [--rounds N]
"""

import argparse
import os
import statistics
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', '..', 'scripts', 'lib')]
import faults_test  # noqa: E402
from engines import BuildGrid, Casd, Workers  # noqa: E402
from stages import say  # noqa: E402

# More than this is too much.
BOUND = 1.1
HEADERS = ['algorithm', 'functional', 'iostream', 'map', 'memory', 'regex', 'set', 'string', 'vector']
HEADER = (
    '#pragma once\n'
    + ''.join(f'#include <{name}>\n' for name in HEADERS)
    + 'inline int shared(int x) { return x + 1; }\n'
    'static std::size_t found(const std::string& text) {\n'
    '  std::map<std::string, std::set<std::string>> seen;\n'
    '  std::regex word("[a-z]+");\n'
    '  for (std::sregex_iterator at(text.begin(), text.end(), word), end; at != end; ++at)\n'
    '    seen[at->str()].insert(at->suffix());\n'
    '  return seen.size();\n'
    '}\n'
    'static std::size_t (*const use)(const std::string&) = found;\n'
    'inline std::size_t used() { return use("a b"); }\n'
)


class Recorder:
    """What the builds of all tests took, and the plain ones before and after each. Builds that may not use
    the local compiler have nothing to compare with."""

    def __init__(self):
        self.rows, self.plain = [], {}

    def before(self, case):
        header = case.project.header
        if header not in self.plain:
            self.plain[header] = self.local(case)

    def after(self, case, seconds, results):
        if case.env.get('GOMA_MODE') == 'cluster' and case.env['GOMA_USE_LOCAL'] != 'true':
            return
        header = case.project.header
        again = self.local(case)
        local, self.plain[header] = (self.plain[header] + again) / 2, again
        self.rows.append((f'{type(case).__name__}.{case._testMethodName}', local, seconds))
        words = ' '.join(case._testMethodName.removeprefix('test_').split('_'))
        told = ', '.join(f'{count} {name}' for name, count in sorted(results.items()))
        say(f'{words:52} {local:7.1f} s {seconds:7.1f} s {seconds / local:7.3f}  {told}')

    @staticmethod
    def local(case):
        """Seconds of the build by the compiler alone, with as many at once as there are processors."""
        project = case.project
        project.clean()
        with open(os.path.join(project.folder, 'build.ninja')) as file:
            rules = file.read()
        project.rules('g++', '-O1')
        began = time.monotonic()
        got = project.ninja(len(os.sched_getaffinity(0)))
        seconds = time.monotonic() - began
        if got.returncode != 0:
            raise RuntimeError(got.stdout.decode())
        project.put('build.ninja', rules)
        project.clean()
        return seconds


def wanted(only):
    suite = unittest.TestSuite()
    for cases in unittest.defaultTestLoader.loadTestsFromModule(faults_test):
        for case in cases:
            if all(word in f'{type(case).__name__}.{case._testMethodName}' for word in only):
                suite.addTest(case)
    return suite


def main(argv):
    parser = argparse.ArgumentParser(
        prog='scripts/bench --faults', description='Compares builds on a failing cluster with local ones.'
    )
    parser.add_argument(
        '--only', action='append', default=[], metavar='WORD', help='faults whose name holds this word'
    )
    parser.add_argument('--rounds', type=int, default=1, help='the median of so many is told at the end (1)')
    arguments = parser.parse_args(argv)
    recorder = faults_test.FaultCase.recorder = Recorder()
    faults_test.FaultCase.header = HEADER
    faults_test.FaultCase.pause = 0.3
    for engine in (Casd, BuildGrid, Workers):
        engine.idle = True
    say(f'{"fault":52} {"local":>9} {"build":>9} {"ratio":>7}')
    good = True
    for _ in range(arguments.rounds):
        result = unittest.TextTestRunner(verbosity=0, stream=sys.stderr).run(wanted(arguments.only))
        good = good and result.wasSuccessful()
    ratios = {}
    for name, local, seconds in recorder.rows:
        ratios.setdefault(name, []).append(seconds / local)
    medians = {name: statistics.median(some) for name, some in ratios.items()}
    if medians:
        worst = max(medians, key=medians.get)
        many = sum(ratio > BOUND for ratio in medians.values())
        say(f'{many} of {len(medians)} faults cost more than {BOUND} times the local build')
        say(f'most: {medians[worst]:.3f}, {worst}')
    return 0 if good and medians else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
