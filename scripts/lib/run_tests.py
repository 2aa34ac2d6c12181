"""The tests, after scripts/setup. Each stage counts what its runner ran; all stages run even when one
fails, and the end names every failure, everything skipped with its reason, and the exact counts."""

import argparse
import os
import random
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from counts import Counts, of_meson, of_unittest  # noqa: E402
from stages import (  # noqa: E402
    LOGS,
    TELL_SECONDS,
    TOP,
    StageFailed,
    Stages,
    clean_environment,
    duration,
    fail,
    run,
    say,
    tail,
)

BUILDS = TOP / 'build-test'
# Meson suites that are stages of their own here.
OTHER_SUITES = [word for suite in ('style', 'e2e', 'fault', 'fuzz') for word in ('--no-suite', suite)]
CORES = len(os.sched_getaffinity(0))
SANITIZERS = {
    'ASAN_OPTIONS': 'detect_stack_use_after_return=1:strict_string_checks=1',
    'UBSAN_OPTIONS': 'print_stacktrace=1:halt_on_error=1',
    # Leaks inside libraries of others; ours are all reported.
    'LSAN_OPTIONS': f'suppressions={TOP}/tests/foreign_leaks.txt:print_suppressions=0',
    # Debian's protobuf and other libraries are not built for it, and would be reported falsely.
    'TSAN_OPTIONS': 'ignore_noninstrumented_modules=1:halt_on_error=1',
}
GCC, CLANG = {'CC': 'gcc', 'CXX': 'g++'}, {'CC': 'clang-14', 'CXX': 'clang++-14'}
# Many sources in one compile: most of what a compile costs is the same headers and templates again. That
# each source compiles by itself is seen by scripts/setup and, for the tests, in a full run.
UNITY = ['--unity=on', '-Dunity_size=12']
# Name, what it is called, compilers, Meson options. Warnings are errors here, and not for users.
CONFIGURATIONS = [
    # Types of unnamed namespaces are no longer those of the file that g++ takes for the main one.
    ('gcc', 'g++, debug', GCC, ['--buildtype=debug', *UNITY, '-Dcpp_args=-Wno-subobject-linkage']),
    (
        'asan',
        'clang++-14, address and undefined-behaviour sanitizers',
        CLANG,
        # The libraries count their edges, so that the fuzzers see which branches an input takes.
        [
            '--buildtype=debug',
            *UNITY,
            '-Doptimization=1',
            '-Db_sanitize=address,undefined',
            '-Db_lundef=false',
            '-Dfuzz=true',
            '-Dcpp_args=-fsanitize=fuzzer-no-link',
        ],
    ),
    (
        'tsan',
        'clang++-14, thread sanitizer',
        CLANG,
        ['--buildtype=debug', *UNITY, '-Doptimization=1', '-Db_sanitize=thread', '-Db_lundef=false'],
    ),
]
ASAN, TSAN = CONFIGURATIONS[1:]
# A further build that finds little which the others do not, so only in a full run.
RELEASE = ('clang', 'clang++-14, release', CLANG, ['--buildtype=release', '-Db_ndebug=false'])
# Only for its compile commands, one for each source.
TIDY = ('tidy', CLANG, ['--buildtype=debug'])
# The tests of the whole product that run once more under a sanitizer: always the short ones, in a full run
# all that need neither the page nor an installation.
SHORT_RUNS = ['smoke_test.py', 'gomacc_*_test.py', 'cluster_load_test.py']
LONG_RUNS = [f'{name}_test.py' for name in ('goma_ctl', 'inputs', 'inputs_hard', 'key', 'outputs')]
# How many files clang-tidy looks at in a run that is not full: those that the seed draws.
TIDY_SAMPLE = 24
# The demos of a full run. With a blank before it, a value that begins with '-' would be taken for an option.
DEMOS = [
    [f'--compiler={cxx}', f'--flags={flags}'] for cxx in ('g++', 'clang++-14') for flags in ('-O0 -g', '-O2')
]


class Tests:
    def __init__(self, arguments):
        self.arguments = arguments
        self.total, self.rows, self.failures = Counts(), [], []
        self.seed = arguments.seed if arguments.seed is not None else random.randrange(1 << 31)
        self.more = {'GOMA_TEST_SEED': self.seed, 'GOMA_TEST_FULL': int(arguments.full), **SANITIZERS}
        self.plan = self.make_plan()
        self.stages = Stages(len(self.plan))

    def make_plan(self):
        plan = [('style', 'format, tidy and the tests of the scripts', self.style)]
        configurations = [*CONFIGURATIONS, RELEASE] if self.arguments.full else CONFIGURATIONS
        for name, what, compilers, options in configurations:
            plan.append(
                (name, f'unit tests: {what}', lambda n=name, c=compilers, o=options: self.unit(n, c, o))
            )
        plan += [
            ('clang-tidy', 'clang-tidy', self.clang_tidy),
            ('fuzz', 'fuzzers, each for a short time', self.fuzz),
            ('e2e', 'end to end: commands, faults, the commands of the README', self.end_to_end),
            ('engines', 'real engines: casd, BuildGrid, nginx', self.engines),
            ('e2e-asan', 'end to end again, under the address sanitizer', lambda: self.sanitized(ASAN)),
            ('e2e-tsan', 'end to end again, under the thread sanitizer', lambda: self.sanitized(TSAN)),
        ]
        for words in DEMOS if self.arguments.full else [[]]:
            plan.append(('demo', ' '.join(['the demo', *words]), lambda w=words: self.demo(w)))
        only = self.arguments.only
        return [stage for stage in plan if not only or stage[0] in only]

    def run_all(self):
        say(f'seed {self.seed} (scripts/test --seed {self.seed} draws the same)')
        for name, what, stage in self.plan:
            self.stages.begin(what)
            known = len(self.failures)
            try:
                counts = stage()
            except StageFailed as failure:
                counts = Counts(failed=1)
                self.failures.append((what, str(failure)))
            if counts.failed and len(self.failures) == known:
                self.failures.append((what, f'see .deps/log/{name}.log'))
            took = self.stages.done(f'{counts}')
            for failed, text in self.failures[known:]:
                fail(f'{failed}\n{text}')
            self.rows.append((what, counts, took))
            self.total += counts

    # Each of the following returns Counts, or raises StageFailed.

    def style(self):
        counts = Counts()
        sources = [
            str(p.relative_to(TOP))
            for top in ('proxy', 'gomacc', 'tests')
            for p in sorted((TOP / top).rglob('*'))
            if p.suffix in ('.cc', '.h')
        ]
        checks = [
            ('format', ['clang-format-14', '--dry-run', '-Werror', *sources]),
            ('tidy', [sys.executable, 'scripts/tidy.py']),
        ]
        for name, command in checks:
            _, status = run(command, name, check=False)
            counts += Counts(passed=int(status == 0), failed=int(status != 0))
            if status != 0:
                self.failures.append(
                    ('format, tidy and the tests of the scripts', tail(LOGS / f'{name}.log'))
                )
        counts += self.python_tests('tests/unit/scripts', 'script-tests')
        return counts

    def build(self, name, compilers, options, targets=()):
        folder = BUILDS / name
        environment = clean_environment(**compilers)
        setup = ['meson', 'setup', folder, '-Dwerror=true', '-Dweb=disabled', *options]
        words, stamp = ' '.join(map(str, setup)), folder / 'configured-by'
        if not stamp.exists() or stamp.read_text() != words:
            shutil.rmtree(folder, ignore_errors=True)
            run(setup, f'{name}-configure', env=environment)
            stamp.write_text(words)
        run(['ninja', '-C', folder, *targets], f'{name}-build', env=environment)
        return folder

    def unit(self, name, compilers, options):
        folder = self.build(name, compilers, options)
        log = folder / 'meson-logs' / 'testlog.json'
        log.unlink(missing_ok=True)
        command = ['meson', 'test', '-C', folder, '--no-rebuild', *OTHER_SUITES, '-t', '4']
        if name == 'tsan':
            command = [*fixed_addresses(), *command]
        run(command, name, env=clean_environment(**self.more), check=False, timeout=1800)
        if not log.exists():
            raise StageFailed(f'meson test wrote no log:\n{tail(LOGS / f"{name}.log")}')
        counts, broken = of_meson(log.read_text())
        for test, result, text in broken:
            end = '\n'.join('    ' + line for line in text.splitlines()[-25:])
            self.failures.append((f'{name}: {test}', f'{result}\n{end}'))
        return counts

    def clang_tidy(self):
        folder = self.build(*TIDY, targets=['generated'])
        sources = sorted(str(p) for top in ('proxy', 'gomacc') for p in (TOP / top).rglob('*.cc'))
        if not self.arguments.full:
            sources = random.Random(self.seed).sample(sources, TIDY_SAMPLE)

        def check(source):
            return finished(['clang-tidy-14', '-p', folder, '--quiet', source], 600)

        counts, failed = of_each(sources, check)
        found = [text for _, text in failed]
        (LOGS / 'clang-tidy.log').write_text('\n'.join(found))
        if found:
            self.failures.append(('clang-tidy', tail(LOGS / 'clang-tidy.log', 40)))
        return counts

    def fuzz(self):
        names = sorted(path.stem for path in (TOP / 'tests' / 'fuzz').glob('*_fuzz.cc'))
        folder = self.build(ASAN[0], *ASAN[2:])
        seconds = 120 if self.arguments.full else 8
        environment = clean_environment(**self.more)

        def check(name):
            corpus, seeds = folder / 'corpus' / name, TOP / 'tests' / 'fuzz' / 'corpus' / name
            corpus.mkdir(parents=True, exist_ok=True)
            command = [folder / 'tests' / 'fuzz' / name, f'-max_total_time={seconds}', f'-seed={self.seed}']
            command += ['-timeout=10', '-rss_limit_mb=2048', f'-artifact_prefix={LOGS}/', corpus]
            command += [seeds] if seeds.is_dir() else []
            return finished(command, seconds + 120, environment)

        counts, failed = of_each(names, check)
        for name, text in failed:
            (LOGS / f'{name}.log').write_text(text)
            self.failures.append((name, tail(LOGS / f'{name}.log')))
        return counts

    def python_tests(self, folder, name, env=None, pattern='*_test.py', prefix=()):
        _, status = run(
            [*prefix, sys.executable, '-m', 'unittest', 'discover', '-v', '-s', folder, '-p', pattern],
            name,
            env=clean_environment(**{**self.more, **(env or {})}),
            check=False,
        )
        log = LOGS / f'{name}.log'
        counts = of_unittest(log.read_text(errors='replace'))
        if counts is None or counts.passed + counts.failed == 0 or (counts.failed == 0 and status != 0):
            raise StageFailed(f'{folder} ended with status {status}\n{tail(log)}')
        if counts.failed:
            self.failures.append((folder, tail(log, 60)))
        return counts

    def end_to_end(self):
        # Everything else that is tested here was built by scripts/setup.
        run(['ninja', '-C', TOP / 'build', 'tests/tools/fake_engine'], 'e2e-build', timeout=1800)
        counts = self.python_tests('tests/e2e', 'e2e')
        counts += self.python_tests('tests/fault', 'fault')
        return counts

    def engines(self):
        """Real engines, from packages. Without a network this is said loudly and nothing more; continuous
        integration, which is there to notice, fails."""
        _, status = run(['tests/engines/install'], 'engines-install', check=False, timeout=3600)
        log = LOGS / 'engines-install.log'
        if status == 75 and not os.environ.get('CI'):
            why = log.read_text(errors='replace').strip().splitlines()[-1]
            say(f'      {why}')
            return Counts(skipped=[f'tests/engines: {why}'])
        if status != 0:
            raise StageFailed(f'tests/engines/install ended with status {status}\n{tail(log)}')
        return self.python_tests('tests/engines', 'engines')

    def sanitized(self, configuration):
        name, _, compilers, options = configuration
        folder = self.build(name, compilers, options)
        prefix = fixed_addresses() if name == 'tsan' else []
        environment = {'GOMA_TEST_BUILD': folder, 'GOMACC': folder / 'gomacc' / 'gomacc'}
        counts = Counts()
        for pattern in [*SHORT_RUNS, *(LONG_RUNS if self.arguments.full else [])]:
            log = f'e2e-{name}-{pattern.removesuffix("_test.py").replace("*", "all")}'
            counts += self.python_tests('tests/e2e', log, environment, pattern, prefix)
        return counts

    def demo(self, words):
        log = 'demo' + ''.join(w.strip('-').replace(' ', '') for w in words)
        _, status = run([sys.executable, 'scripts/lib/demo.py', *words], log, check=False)
        verdict = [
            line for line in (LOGS / f'{log}.log').read_text().splitlines() if line.startswith('verdict:')
        ]
        if status != 0 or not verdict:
            raise StageFailed(tail(LOGS / f'{log}.log', 40))
        say(f'      {verdict[-1]}')
        return Counts(passed=1)


def finished(command, limit, environment=None):
    """Whether the command ended well within `limit` seconds, and what it said."""
    try:
        got = subprocess.run(
            [str(word) for word in command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=limit,
        )
    except subprocess.TimeoutExpired as late:
        return False, f'{(late.stdout or b"").decode(errors="replace")}\nno end after {duration(limit)}'
    return got.returncode == 0, got.stdout.decode(errors='replace')


def of_each(items, check):
    """Counts, and (item, text) of those that failed; as many at once as there are processors."""
    counts, failed = Counts(), []
    began = told = time.monotonic()
    pool = ThreadPoolExecutor(CORES)
    try:
        for number, (item, (good, text)) in enumerate(zip(items, pool.map(check, items)), 1):
            counts += Counts(passed=int(good), failed=int(not good))
            failed += [] if good else [(item, text)]
            if time.monotonic() - told > TELL_SECONDS:
                told = time.monotonic()
                say(f'      [{number}/{len(items)}] {duration(told - began)}')
    finally:
        # After an interrupt nothing more begins.
        pool.shutdown(cancel_futures=True)
    return counts, failed


def fixed_addresses():
    """The thread sanitizer of clang 14 cannot place its shadow when the kernel randomises addresses by
    many bits."""
    works = subprocess.run(['setarch', '-R', 'true'], capture_output=True).returncode == 0
    return ['setarch', '-R'] if works else []


def parse(argv):
    parser = argparse.ArgumentParser(prog='scripts/test', description='Runs the tests.')
    parser.add_argument(
        '--full', action='store_true', help='everything: all compilers and flags, long fuzzing'
    )
    parser.add_argument('--seed', type=int, help='draw the same samples as a run that printed this seed')
    parser.add_argument(
        '--only',
        action='append',
        metavar='STAGE',
        help='only this stage, by name: style, gcc, clang, asan, tsan, clang-tidy, fuzz, e2e, '
        'engines, e2e-asan, e2e-tsan, demo (may be repeated)',
    )
    return parser.parse_args(argv)


def main(argv):
    tests = Tests(parse(argv))
    try:
        tests.run_all()
    except KeyboardInterrupt:
        fail('interrupted')
        return 130
    say()
    for what, counts, took in tests.rows:
        say(f'{what:60} {duration(took):>12}  {counts}')
    for skipped in tests.total.skipped:
        say(f'skipped: {skipped}')
    for what, text in tests.failures:
        fail(f'{what}\n{text}')
    say()
    good = not tests.failures and tests.total.failed == 0
    say(f'verdict: {"ok" if good else "FAILED"}, in {duration(time.monotonic() - tests.stages.began)}')
    say(f'{tests.total}')
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
