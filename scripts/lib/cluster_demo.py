"""The demo of a cluster: an engine on this machine, a build on it alone with local compiles forbidden, and
the same build from another machine's point of view, which finds everything there.

Where the workers have the compiler themselves (--toolchain image) they see the checkout empty if the kernel
lets them, so that a path which escaped rewriting fails instead of being found."""

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass, field

from builds import Builds, same_objects, task_results
from private_daemon import PrivateDaemon
from projects import all_projects, slug
from stages import TOP, StageFailed, duration, fail, say

sys.path.insert(0, str(TOP / 'tests' / 'engines'))
import engines  # noqa: E402

# What each machine's compiles may end as.
EXPECTED = {'first': ('remote_exec', 'remote_hit'), 'second': ('remote_hit',)}
MACHINES = {
    'first': 'cluster only, from an empty cache',
    'second': 'second machine, which has an empty cache of its own',
}
# Of the reason of a compile that ran here because the cluster's result names the folder of the worker.
NAMES_FOLDER = 'remote: workers_folder'
# No more jobs are sent to one worker than processors can take; two workers share them.
JOBS = max(2, os.cpu_count())


@dataclass
class Outcome:
    """What one project's builds showed; by machine where it is a dict."""

    name: str
    compiles: int
    plain_seconds: float
    seconds: dict = field(default_factory=dict)
    identical: dict = field(default_factory=dict)
    tasks: dict = field(default_factory=dict)
    here: set = field(default_factory=set)  # sources that are rightly compiled here


def make_engine(arguments):
    """The engine, not started, and whether the checkout is hidden from its workers."""
    runner = 'hosttools' if arguments.toolchain == 'image' else 'bubblewrap'
    hide = TOP if runner == 'hosttools' and engines.can_hide() else None
    if arguments.cluster == 'buildgrid':
        return engines.BuildGrid(workers=2, jobs=(JOBS + 1) // 2, runner=runner, hide=hide), hide
    return engines.Casd(runner=runner, jobs=JOBS, hide=hide), hide


def names_folder(arguments):
    """Whether the compiler, used by a worker in a folder of its own, writes that folder into some objects,
    past every map of prefixes: clang did until 14. Such results are of no use here."""
    if arguments.toolchain != 'image':
        return False
    compiler = arguments.compiler or os.environ.get('CXX', 'c++')
    told = subprocess.run([compiler, '--version'], capture_output=True, text=True).stdout
    version = re.search(r'clang version (\d+)', told)
    return version is not None and int(version[1]) < 15


def make_machine(name, engine, toolchain, fallback):
    return PrivateDaemon(
        TOP / '.deps' / f'demo-{name}-machine',
        GOMA_ENDPOINT=engine.endpoint,
        GOMA_INSTANCE=engine.instance,
        GOMA_MODE='cluster',
        GOMA_TOOLCHAIN=toolchain,
        GOMA_WORKERS_IDENTICAL='true',
        GOMA_EXEC_ROOT=TOP,
        GOMA_FALLBACK='true' if fallback else 'false',
        GOMA_USE_LOCAL='false',
        no_proxy='127.0.0.1',
    )


class ClusterDemo(Builds):
    def __init__(self, arguments):
        super().__init__(arguments, stages=8 if arguments.full else 5)
        self.names_folder = names_folder(arguments)
        self.outcomes = []

    def build_with(self, daemon, machine, project, outcome, plain):
        before = daemon.status() if daemon.port() else {'results': {}}
        seen = json.loads(daemon.get('/api/v1/tasks?limit=0'))['next'] if before['results'] else 0
        objects, outcome.seconds[machine], good = self.build(
            project, MACHINES[machine], daemon, keep_going=True
        )
        if not daemon.port():
            raise StageFailed(f'{project.name}, {machine} machine: no daemon answers after the build')
        status = daemon.settled_status()
        tasks = outcome.tasks[machine] = task_results(before, status)
        outcome.identical[machine], different = same_objects(objects, plain, self.folder / slug(project))
        self.stages.done(f'{tasks["remote_exec"]} executions, {tasks["remote_hit"]} remote hits')
        where = f'{project.name}, {machine} machine'
        self.claim(good, f'{where}: the build failed, see .deps/log/')
        self.claim(
            not different,
            f"{where}: {len(different)} objects differ from the plain build's or are missing: "
            f'{", ".join(different)}',
        )
        self.claim(
            sum(tasks.values()) == len(objects),
            f'{where}: the daemon saw {sum(tasks.values())} of {len(objects)} compiles',
        )
        others = self.others(daemon, seen, EXPECTED[machine], outcome.here)
        self.claim(
            not others,
            f'{where}: {len(others)} compiles did not end as {" or ".join(EXPECTED[machine])}:\n    '
            + '\n    '.join(others),
        )

    def others(self, daemon, seen, expected, here):
        """The compiles since task `seen` that did not end as expected, each with the daemon's reason. Sources
        that had to be compiled here are added to `here` instead."""
        others = []
        tasks = json.loads(daemon.get(f'/api/v1/tasks?limit=10000&after={seen}'))['ended']
        for task in sorted(tasks, key=lambda task: task['source']):
            if task['result'] in expected:
                continue
            ran_here = task['result'] == 'local_exec' and task['reason'].startswith(NAMES_FOLDER)
            if ran_here and self.names_folder:
                here.add(task['source'])
            else:
                others.append(f'{task["source"]}: {task["result"]}, {task["reason"] or "no reason given"}')
        return others

    def run(self, engine, hide, first, second):
        self.stages.begin('fetch the source of the projects')
        projects = all_projects() if self.arguments.full else all_projects()[:1]
        self.stages.done()
        plain = {}
        for project in projects:
            objects, seconds, plain[project.name] = self.build_plain(project)
            self.outcomes.append(Outcome(project.name, len(objects), seconds))
        self.stages.begin(f'start {self.arguments.cluster}')
        engine.start()
        self.stages.done('workers see this checkout empty' if hide else '')
        for project, outcome in zip(projects, self.outcomes):
            self.build_with(first, 'first', project, outcome, plain[project.name])
        blobs = engine.blobs.digests()
        for project, outcome in zip(projects, self.outcomes):
            self.build_with(second, 'second', project, outcome, plain[project.name])
        written = len(engine.blobs.digests() - blobs)
        self.claim(written == 0, f'the second machine uploaded {written} blobs')
        self.verdict(len(blobs), written, first, second)

    def verdict(self, blobs, written, first, second):
        say()
        say(
            f'{"":14} {"compiles":>8} {"plain":>9} {"cluster":>9} {"second":>9} {"executed":>9}'
            f' {"hit rate":>9}  objects byte-identical'
        )
        for o in self.outcomes:
            hits = 100 * o.tasks['second']['remote_hit'] / o.compiles
            say(
                f'{o.name:14} {o.compiles:8} {o.plain_seconds:7.1f} s {o.seconds["first"]:7.1f} s'
                f' {o.seconds["second"]:7.1f} s {o.tasks["first"]["remote_exec"]:9} {hits:7.1f} %'
                f'  cluster {o.identical["first"]} of {o.compiles},'
                f' second {o.identical["second"]} of {o.compiles}'
            )
        for machine, daemon in (('first', first), ('second', second)):
            mismatches = daemon.status()['tasks']['mismatches']
            self.claim(
                mismatches == 0,
                f'{machine} machine: {mismatches} compiles read a file that the scan had not found',
            )
        say()
        say(
            f'{self.arguments.cluster}, toolchain {self.arguments.toolchain}, ninja -j{self.arguments.jobs}, '
            f'{JOBS} jobs at once on the workers; {blobs} blobs on the cluster, of them {written} '
            'uploaded by the second machine'
        )
        here = sorted(os.path.relpath(source, TOP / '.deps') for o in self.outcomes for source in o.here)
        if here:
            say(
                f'{len(here)} sources were compiled here, as this compiler names the folder of the worker in '
                f'what it makes of them: {", ".join(here)}'
            )
        until = '' if self.arguments.keep else ' (until this script ended; --keep keeps it)'
        say(f'page: {first.url()}, of the second machine {second.url()}{until}')
        for text in self.failures:
            fail(text)
        compiles = sum(o.compiles for o in self.outcomes)
        executed = sum(o.tasks['first']['remote_exec'] for o in self.outcomes)
        hits = sum(o.tasks['second']['remote_hit'] for o in self.outcomes)
        identical = sum(sum(o.identical.values()) for o in self.outcomes)
        say()
        say(
            f'verdict: {"FAILED" if self.failures else "ok"}: {compiles} compiles, {executed} executed '
            f'on the cluster in {duration(sum(o.seconds["first"] for o in self.outcomes))}, second machine '
            f'{100 * hits / compiles:.1f} % remote hits in '
            f'{duration(sum(o.seconds["second"] for o in self.outcomes))}, '
            f'objects byte-identical {identical} of {2 * compiles}'
        )


def keep_running():
    """Engines end with this script, and a daemon without its engine has little to show."""
    say('engine and daemons run until this script is interrupted (Ctrl-C)')
    try:
        signal.pause()
    except KeyboardInterrupt:
        say()


def run_on_cluster(arguments):
    if not engines.installed():
        raise StageFailed('the engines are not installed: run tests/engines/install')
    demo = ClusterDemo(arguments)
    engine, hide = make_engine(arguments)
    machines = [make_machine(name, engine, arguments.toolchain, demo.names_folder) for name in EXPECTED]
    try:
        demo.run(engine, hide, *machines)
        if arguments.keep:
            keep_running()
    except engines.EngineFailed as failure:
        raise StageFailed(str(failure)) from None
    finally:
        for daemon in machines:
            if not daemon.stop():
                fail('a daemon did not end by itself within ten seconds')
                demo.failures.append('stop')
        engine.close()
    return 1 if demo.failures else 0
