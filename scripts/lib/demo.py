"""The demo, after scripts/setup: builds the projects three times in the same folder (plain, cold, warm),
since -g puts the folder's path into every object, and compares what the builds and the daemon say with
what is claimed."""

import argparse
import os
import shutil
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from private_daemon import GOMACC, PrivateDaemon  # noqa: E402
from projects import all_projects, configure, slug  # noqa: E402
from stages import TOP, StageFailed, Stages, duration, fail, run, say  # noqa: E402

COMPILERS = {'cc1', 'cc1plus', 'cc1obj', 'cc1objplus'}


@dataclass
class Outcome:
    """What one project's three builds showed."""

    name: str
    compiles: int = 0
    seconds: dict = field(default_factory=dict)
    identical: dict = field(default_factory=dict)
    tasks: dict = field(default_factory=dict)  # by build: results of the daemon's tasks
    most_compilers: int = 0


class CompilerCount(threading.Thread):
    """Looks every quarter of a second how many compilers run below this process, and keeps the most."""

    def __init__(self):
        super().__init__(daemon=True)
        self.most, self.stopping = 0, threading.Event()

    def run(self):
        while not self.stopping.wait(0.25):
            self.most = max(self.most, self.count())

    def stop(self):
        self.stopping.set()
        self.join()
        return self.most

    @staticmethod
    def count():
        parent, compilers = {}, []
        for entry in os.listdir('/proc'):
            if entry.isdigit():
                try:
                    stat = Path('/proc', entry, 'stat').read_text()
                    name, rest = (
                        stat[stat.index('(') + 1 : stat.rindex(')')],
                        stat[stat.rindex(')') + 2 :].split(),
                    )
                    parent[int(entry)] = int(rest[1])
                    if name in COMPILERS or name.startswith('clang') and _is_cc1(entry):
                        compilers.append(int(entry))
                except (OSError, ValueError):
                    continue
        return sum(1 for pid in compilers if _below(pid, os.getpid(), parent))


def _is_cc1(pid):
    return b'\0-cc1\0' in Path('/proc', pid, 'cmdline').read_bytes()


def _below(pid, ancestor, parent):
    for _ in range(64):
        if pid == ancestor:
            return True
        pid = parent.get(pid, 0)
    return False


def same_objects(objects, plain, folder):
    """How many objects have the bytes of the plain build's, and the names of the others."""
    different = [
        name
        for name in objects
        if not (folder / name).is_file() or (plain / name).read_bytes() != (folder / name).read_bytes()
    ]
    return len(objects) - len(different), different


def task_results(before, after):
    return {name: after['results'][name] - before['results'].get(name, 0) for name in after['results']}


class Demo:
    def __init__(self, arguments):
        self.arguments = arguments
        self.folder = TOP / '.deps' / 'demo'
        self.stages = Stages(7)
        self.options = list(arguments.cmake)
        if arguments.compiler:
            cxx = arguments.compiler
            cc = cxx.replace('clang++', 'clang').replace('g++', 'gcc')
            self.options += [f'-DCMAKE_CXX_COMPILER={cxx}', f'-DCMAKE_C_COMPILER={cc}']
        if arguments.flags is not None:
            self.options += [f'-DCMAKE_CXX_FLAGS={arguments.flags}', f'-DCMAKE_C_FLAGS={arguments.flags}']
        else:
            self.options += [f'-DCMAKE_BUILD_TYPE={arguments.build_type}']
        self.failures = []

    def claim(self, held, text):
        if not held:
            self.failures.append(text)

    def build(self, project, what, daemon):
        """One build from an empty folder; returns the objects it compiles and the seconds ninja took."""
        folder = self.folder / slug(project)
        shutil.rmtree(folder, ignore_errors=True)
        self.stages.begin(f'{project.name}: {what}')
        env = daemon.env if daemon else None
        objects = configure(project, folder, self.options, GOMACC if daemon else None, env)
        jobs = self.arguments.jobs if daemon else os.cpu_count()
        seconds, _ = run(['ninja', '-C', folder, f'-j{jobs}'], f'{what.split()[0]}-{slug(project)}', env=env)
        return objects, seconds

    def build_plain(self, project, outcome):
        objects, outcome.seconds['plain'] = self.build(project, 'plain build, without gomacc', None)
        self.stages.done(f'{len(objects)} compiles')
        plain = self.folder / f'{slug(project)}.plain'
        shutil.rmtree(plain, ignore_errors=True)
        (self.folder / slug(project)).rename(plain)
        outcome.compiles = len(objects)
        return plain

    def build_with(self, daemon, project, outcome, plain, what):
        before = daemon.status() if daemon.port() else {'results': {}}
        counter = CompilerCount()
        counter.start()
        try:
            text = {'cold': 'cold, through gomacc with an empty cache', 'warm': 'warm, from an empty folder'}[
                what
            ]
            objects, outcome.seconds[what] = self.build(project, text, daemon)
        finally:
            outcome.most_compilers = max(outcome.most_compilers, counter.stop())
        status = daemon.settled_status()
        tasks = outcome.tasks[what] = task_results(before, status)
        same, different = same_objects(objects, plain, self.folder / slug(project))
        outcome.identical[what] = same
        self.stages.done(f'{tasks["local_hit"]} of {len(objects)} hits')
        self.claim(
            not different,
            f"{project.name}, {what}: {len(different)} objects differ from the plain build's, "
            f'such as {", ".join(different[:3])}',
        )
        self.claim(
            sum(tasks.values()) == len(objects),
            f'{project.name}, {what}: the daemon saw {sum(tasks.values())} of {len(objects)} compiles',
        )
        if what == 'warm':
            others = {name: count for name, count in tasks.items() if count and name != 'local_hit'}
            self.claim(
                tasks['local_hit'] == len(objects) and not others,
                f'{project.name}, warm: {tasks["local_hit"]} of {len(objects)} were hits; others: {others}; '
                f'reasons: {status["reasons"]}',
            )
        return status

    def run(self, daemon):
        self.stages.begin('fetch the source of the projects')
        projects = all_projects()
        self.stages.done()
        outcomes, status = [], None
        for project in projects:
            outcome = Outcome(project.name)
            outcomes.append(outcome)
            plain = self.build_plain(project, outcome)
            for what in ('cold', 'warm'):
                status = self.build_with(daemon, project, outcome, plain, what)
        self.verdict(outcomes, status, daemon)

    def verdict(self, outcomes, status, daemon):
        say()
        say(
            f'{"":14} {"compiles":>8} {"hit rate":>9} {"plain":>9} {"cold":>9} {"warm":>9} {"speed-up":>9}'
            '  objects byte-identical'
        )
        total = Outcome('together', sum(o.compiles for o in outcomes))
        for what in ('plain', 'cold', 'warm'):
            total.seconds[what] = sum(o.seconds[what] for o in outcomes)
        total.tasks['warm'] = {'local_hit': sum(o.tasks['warm']['local_hit'] for o in outcomes)}
        total.identical = {what: sum(o.identical[what] for o in outcomes) for what in ('cold', 'warm')}
        for o in [*outcomes, total]:
            times = ''.join(f' {o.seconds[what]:7.1f} s' for what in ('plain', 'cold', 'warm'))
            say(
                f'{o.name:14} {o.compiles:8} {100 * o.tasks["warm"]["local_hit"] / o.compiles:7.1f} %{times}'
                f' {o.seconds["cold"] / o.seconds["warm"]:7.1f} x'
                f'  cold {o.identical["cold"]} of {o.compiles}, warm {o.identical["warm"]} of {o.compiles}'
            )
        slots, most = status['slots']['limit'], max(o.most_compilers for o in outcomes)
        self.claim(most <= slots, f'{most} compilers ran at once, more than the {slots} local slots')
        mismatches = status['tasks']['mismatches']
        self.claim(mismatches == 0, f'{mismatches} compiles read a file that the scan had not found')
        say()
        say(
            f'speed-up is cold over warm, links included; ninja -j{self.arguments.jobs}; '
            f'at most {most} compilers ran at once ({slots} local slots)'
        )
        say(
            f'page: {daemon.url()}'
            + ('' if self.arguments.keep else ' (until this script ended; --keep keeps it)')
        )
        for text in self.failures:
            fail(text)
        identical = total.identical['cold'] + total.identical['warm']
        say()
        say(
            f'verdict: {"FAILED" if self.failures else "ok"}: {total.compiles} compiles, '
            f'{100 * total.tasks["warm"]["local_hit"] / total.compiles:.1f} % hits, '
            f'cold {duration(total.seconds["cold"])}, warm {duration(total.seconds["warm"])}, '
            f'objects byte-identical {identical} of {2 * total.compiles}'
        )


def parse(argv):
    parser = argparse.ArgumentParser(
        prog='scripts/demo',
        description='Builds real projects through gomacc, cold '
        'and warm, and compares every object with a build without it.',
    )
    parser.add_argument('--keep', action='store_true', help='leave the daemon running, to look at its page')
    parser.add_argument('--compiler', metavar='CXX', help='g++, clang++-14, ... (default: what CMake finds)')
    parser.add_argument('--build-type', default='Debug', help='CMAKE_BUILD_TYPE (default: Debug)')
    parser.add_argument('--flags', help='these flags and no build type, such as "-O2"')
    parser.add_argument('--jobs', type=int, default=200, help="ninja's -j with gomacc (default: 200)")
    parser.add_argument(
        '--cmake', action='append', default=[], metavar='-DX=Y', help='one more word for CMake'
    )
    return parser.parse_args(argv)


def main(argv):
    arguments = parse(argv)
    demo = Demo(arguments)
    daemon = PrivateDaemon(TOP / '.deps' / 'demo-daemon')
    try:
        demo.run(daemon)
    except StageFailed as failure:
        fail(str(failure))
        return 1
    except KeyboardInterrupt:
        fail('interrupted')
        return 130
    finally:
        if arguments.keep and daemon.pid():
            say(
                f'the daemon runs on: process {daemon.pid()}; use it with GOMA_TMP_DIR={daemon.tmp_dir}, '
                f'end it with kill {daemon.pid()}'
            )
        elif not daemon.stop():
            fail('the daemon did not end by itself within ten seconds')
            demo.failures.append('stop')
    return 1 if demo.failures else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
