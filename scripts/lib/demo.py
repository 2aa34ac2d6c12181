"""The demo, after scripts/setup: builds the projects three times in the same folder (plain, cold, warm), and
compares what the builds and the daemon say with what is claimed. With --cluster see cluster_demo.py."""

import argparse
import sys
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from builds import Builds, CompilerCount, same_objects, task_results  # noqa: E402
from private_daemon import PrivateDaemon  # noqa: E402
from projects import all_projects, slug  # noqa: E402
from stages import TOP, StageFailed, duration, fail, say  # noqa: E402


@dataclass
class Outcome:
    """What one project's three builds showed."""

    name: str
    compiles: int = 0
    seconds: dict = field(default_factory=dict)
    identical: dict = field(default_factory=dict)
    tasks: dict = field(default_factory=dict)  # by build: results of the daemon's tasks
    most_compilers: int = 0


class Demo(Builds):
    def __init__(self, arguments):
        super().__init__(arguments, stages=7)

    def build_with(self, daemon, project, outcome, plain, what):
        before = daemon.status() if daemon.port() else {'results': {}}
        counter = CompilerCount()
        counter.start()
        try:
            text = {'cold': 'cold, through gomacc with an empty cache', 'warm': 'warm, from an empty folder'}[
                what
            ]
            objects, outcome.seconds[what], _ = self.build(project, text, daemon)
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
            objects, outcome.seconds['plain'], plain = self.build_plain(project)
            outcome.compiles = len(objects)
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
        self.claim(most > 0, 'no compiler was seen at work, so how many ran at once is not known')
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
    parser.add_argument('--flags', help='these flags and no build type: --flags=-O2')
    parser.add_argument('--jobs', type=int, default=200, help="ninja's -j with gomacc (default: 200)")
    parser.add_argument(
        '--cmake', action='append', default=[], metavar='-DX=Y', help='one more word for CMake'
    )
    parser.add_argument(
        '--reuse-plain', action='store_true', help='no plain build where the last one had the same options'
    )
    cluster = parser.add_argument_group('a cluster on this machine instead')
    cluster.add_argument(
        '--cluster',
        nargs='?',
        const='casd',
        choices=['casd', 'buildgrid'],
        help='compile on an engine only, then again as a second machine (default: casd)',
    )
    cluster.add_argument(
        '--toolchain',
        choices=['image', 'chroot'],
        default='image',
        help='workers have the compiler, or get it uploaded (default: image)',
    )
    cluster.add_argument('--full', action='store_true', help='googletest, too')
    return parser.parse_args(argv)


def run_here(arguments):
    demo = Demo(arguments)
    daemon = PrivateDaemon(TOP / '.deps' / 'demo-daemon')
    try:
        demo.run(daemon)
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


def main(argv):
    arguments = parse(argv)
    try:
        if arguments.cluster:
            from cluster_demo import run_on_cluster  # needs the engines' programs

            return run_on_cluster(arguments)
        return run_here(arguments)
    except StageFailed as failure:
        fail(str(failure))
        return 1
    except KeyboardInterrupt:
        fail('interrupted')
        return 130


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
