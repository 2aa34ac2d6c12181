"""How much time and processor the product adds to an engine: many compiles of one second each, many at a
time, on casd with the waiting runner; against bare clients in the same minutes. With --own the engine is the
tests' own, which is faster than any client. scripts/bench --cluster shows it.

scale.py [--own] [--actions N] [--parallel P] [--jobs J]
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'fake'), os.path.join(HERE, '..', '..', 'scripts', 'lib')]
from engine import FakeEngine  # noqa: E402
from engines import Casd, probe  # noqa: E402
from private_daemon import BUILD, GOMACC, PrivateDaemon  # noqa: E402
from processes import descendants  # noqa: E402
from stages import say  # noqa: E402

# In memory where there is a file system for it: ext4 takes long to make files where many were deleted in the
# last minutes, as by the run before. A bare client makes none, and the engine's store fewer for it.
MEMORY = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None

HEADERS = ['algorithm', 'functional', 'map', 'memory', 'string', 'unordered_map', 'vector']


class Checkout:
    """Units that all read the same headers."""

    def __init__(self, count):
        self.folder = Path(tempfile.mkdtemp(prefix='scale', dir=MEMORY)).resolve()
        (self.folder / 'all.h').write_text(''.join(f'#include <{name}>\n' for name in HEADERS))
        for number in range(count):
            (self.folder / f'u{number}.cc').write_text(f'#include "all.h"\nint f{number}() {{ return 0; }}\n')
        for path in self.folder.iterdir():
            os.utime(path, (1_600_000_000, 1_600_000_000))
        words = ['g++', '-M', 'u0.cc']
        listed = subprocess.run(words, cwd=self.folder, capture_output=True, text=True, check=True).stdout
        self.reads = [name for name in listed.replace('\\\n', ' ').split()[1:] if name != 'u0.cc']

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Pass:
    """All units once through gomacc, `parallel` at a time, in the current folder, into a folder of its own as
    a build from scratch does. One thread and plain spawns: a build system's shells, or Python's threads,
    would cost more than what is measured."""

    def __init__(self, count, name, env, parallel):
        os.mkdir(name)
        self.failed, self.client = 0, 0.0
        running, number, program = set(), 0, str(GOMACC)
        began = time.monotonic()
        while running or number < count:
            while number < count and len(running) < parallel:
                words = ['g++', f'-DPASS={name}', '-c', f'u{number}.cc', '-o', f'{name}/u{number}.o']
                running.add(os.posix_spawn(program, [program, *words], env))
                number += 1
            pid, status, usage = os.wait4(-1, 0)
            if pid in running:
                running.remove(pid)
                self.failed += status != 0
                self.client += usage.ru_utime + usage.ru_stime
        self.seconds = time.monotonic() - began


class MostRunners(threading.Thread):
    """The most actions that casd runs at once, looked at again and again."""

    def __init__(self, casd):
        super().__init__(daemon=True)
        self.casd, self.most, self.stopping = casd, 0, threading.Event()

    def run(self):
        while not self.stopping.wait(0.5):
            self.most = max(self.most, len(descendants(self.casd.pid('casd'))))

    def stop(self):
        self.stopping.set()
        self.join()
        return self.most


class SlowCasd:
    """casd, whose actions take no time until it is told."""

    def __init__(self, reads, jobs):
        self.casd = Casd(runner='waiting', jobs=jobs, seconds=0, reads=reads, within=MEMORY)
        self.casd.start()
        self.endpoint = self.casd.endpoint

    def take(self, seconds):
        self.casd.seconds = seconds
        self.casd.restart()

    def watch(self):
        self.watcher = MostRunners(self.casd)
        self.watcher.start()

    def most(self):
        return self.watcher.stop()

    def close(self):
        self.casd.close()


class Own:
    """The same of the tests' own engine, which runs as many as it is given."""

    def __init__(self, reads, _):
        self.engine = FakeEngine(BUILD, reads)
        self.endpoint = self.engine.endpoint
        self.seconds = 0

    def take(self, seconds):
        self.seconds = seconds
        self.engine.ask(seconds)

    def watch(self):
        self.engine.ask(self.seconds)

    def most(self):
        return self.engine.ask(self.seconds)['most_at_once']

    def close(self):
        self.engine.close()


def processor_seconds(pid):
    return time.clock_gettime((~pid << 3) | 2)


def peak_megabytes(pid):
    for line in Path(f'/proc/{pid}/status').read_text().splitlines():
        if line.startswith('VmHWM:'):
            return int(line.split()[1]) / 1024
    return 0.0


def start_daemon(checkout, endpoint, folder):
    return PrivateDaemon(
        folder,
        GOMA_MODE='cluster',
        GOMA_ENDPOINT=endpoint,
        GOMA_PLATFORM='ISA=x86-64,OSFamily=linux',
        GOMA_TOOLCHAIN='image',
        GOMA_WORKERS_IDENTICAL='true',
        GOMA_EXEC_ROOT=checkout.folder,
        GOMA_USE_LOCAL='false',
        GOMA_FALLBACK='false',
    )


def measure_on(engine, daemon, actions, parallel, bare_runs):
    words = ['bench', '--actions', actions, '--parallel', parallel, '--channels', 4]

    def bare(*more):
        return probe(engine.endpoint, *words, *more)

    Pass(actions, 'warm', daemon.env, 32)
    engine.take(1)
    Pass(parallel, 'again', daemon.env, parallel)  # finds the engine again
    bare_ones = [bare() for _ in range(bare_runs // 2)]
    whole_ones = [bare('--whole') for _ in range(bare_runs // 2)]
    results = daemon.settled_status()['results']
    used = processor_seconds(daemon.pid())
    engine.watch()
    ours = Pass(actions, 'measured', daemon.env, parallel)
    most = engine.most()
    used = processor_seconds(daemon.pid()) - used
    after = daemon.settled_status()['results']
    whole_ones += [bare('--whole') for _ in range(bare_runs - len(whole_ones))]
    bare_ones += [bare() for _ in range(bare_runs - len(bare_ones))]

    def mean(ones, name):
        return sum(one[name] for one in ones) / max(bare_runs, 1)

    return {
        'actions': actions,
        'parallel': parallel,
        'results': {n: after[n] - results[n] for n in after if after[n] != results[n]},
        'failed': ours.failed,
        'seconds': ours.seconds,
        'bare_seconds': mean(bare_ones, 'seconds'),
        'whole_seconds': mean(whole_ones, 'seconds'),
        'client_ms': 1000 * (ours.client + used) / actions,
        'gomacc_ms': 1000 * ours.client / actions,
        'daemon_ms': 1000 * used / actions,
        'bare_ms': 1000 * mean(bare_ones, 'client_cpu') / actions,
        'whole_ms': 1000 * mean(whole_ones, 'client_cpu') / actions,
        'peak_megabytes': peak_megabytes(daemon.pid()),
        'most_at_once': most,
    }


def measure(actions, parallel, jobs, bare_runs=2, own=False):
    """What a user would want to know, by name. Without bare runs theirs are 0."""
    if not GOMACC.exists():
        raise FileNotFoundError(GOMACC)
    checkout = Checkout(actions)
    engine = (Own if own else SlowCasd)(checkout.reads, jobs)
    daemon = start_daemon(checkout, engine.endpoint, Path(tempfile.mkdtemp(prefix='scaled', dir=MEMORY)))
    here = os.getcwd()
    try:
        os.chdir(checkout.folder)
        return measure_on(engine, daemon, actions, parallel, bare_runs)
    finally:
        os.chdir(here)
        daemon.stop()
        shutil.rmtree(daemon.folder, ignore_errors=True)
        engine.close()
        checkout.close()


def main(argv):
    parser = argparse.ArgumentParser(
        prog='scripts/bench --cluster', description='Compares a build on a cluster with a bare client.'
    )
    parser.add_argument('--own', action='store_true', help="with the tests' own engine instead of casd")
    parser.add_argument('--actions', type=int, default=2000)
    parser.add_argument('--parallel', type=int, help='compiles that are wanted at once (100; 200 with --own)')
    parser.add_argument('--jobs', type=int, default=100, help='that casd runs at once')
    arguments = parser.parse_args(argv)
    parallel = arguments.parallel or (200 if arguments.own else 100)
    got = measure(arguments.actions, parallel, arguments.jobs, own=arguments.own)
    say(f'{got["actions"]} compiles of 1 s, {got["parallel"]} at a time: {got["results"]}')
    say(f'  {got["seconds"]:.1f} s')
    for name, what in (
        ('bare', 'a client that only executes what was sent before'),
        ('whole', 'a client that looks up, sends, executes and reads each'),
    ):
        say(f'  {got["seconds"] / got[name + "_seconds"]:.3f} times {got[name + "_seconds"]:.1f} s of {what}')
    say(
        f'  processor for each: {got["client_ms"]:.2f} ms (gomacc {got["gomacc_ms"]:.2f}, daemon '
        f'{got["daemon_ms"]:.2f}), of those clients {got["bare_ms"]:.2f} and {got["whole_ms"]:.2f} ms'
    )
    say(f'  the daemon at most {got["peak_megabytes"]:.0f} MB; at most {got["most_at_once"]} ran at once')
    return 0 if got['results'] == {'remote_exec': got['actions']} and not got['failed'] else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
