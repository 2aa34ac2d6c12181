"""How much time and processor the product adds to an engine: many compiles of one second each, many at a
time, on casd with the waiting runner; by turns with bare clients. With --own the engine is the tests' own,
which is faster than any client. scripts/bench --cluster shows it.

scale.py [--own] [--actions N] [--parallel P] [--jobs J] [--rounds N]
"""

import argparse
import os
import shutil
import statistics
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


def take_turn(engine, daemon, actions, parallel, name, bare):
    """All units once, and between two bare clients: a machine changes its speed, so that only what was
    measured in the same minute can be compared."""
    words = ['bench', '--actions', actions, '--parallel', parallel, '--channels', 4]
    turn = {'bare': probe(engine.endpoint, *words)} if bare else {}
    before = processor_seconds(daemon.pid())
    engine.watch()
    ours = Pass(actions, name, daemon.env, parallel)
    turn['most_at_once'] = engine.most()
    turn['daemon'] = processor_seconds(daemon.pid()) - before
    turn['gomacc'], turn['seconds'], turn['failed'] = ours.client, ours.seconds, ours.failed
    if bare:
        turn['whole'] = probe(engine.endpoint, *words, '--whole')
    return turn


def measure_on(engine, daemon, actions, parallel, rounds, bare):
    Pass(actions, 'warm', daemon.env, 32)
    engine.take(1)
    Pass(min(parallel, actions), 'again', daemon.env, parallel)  # finds the engine again
    before = daemon.settled_status()['results']
    turns = [take_turn(engine, daemon, actions, parallel, f'turn{n}', bare) for n in range(rounds)]
    after = daemon.settled_status()['results']

    def each(name, more=None):
        return [turn[name][more] if more else turn[name] for turn in turns]

    def middle_ms(seconds):
        return 1000 * statistics.median(seconds) / actions

    got = {
        'results': {n: after[n] - before[n] for n in after if after[n] != before[n]},
        'failed': sum(each('failed')),
        'seconds': each('seconds'),
        'client_ms': middle_ms(turn['gomacc'] + turn['daemon'] for turn in turns),
        'gomacc_ms': middle_ms(each('gomacc')),
        'daemon_ms': middle_ms(each('daemon')),
        'peak_megabytes': peak_megabytes(daemon.pid()),
        'most_at_once': max(each('most_at_once')),
    }
    for name in ('bare', 'whole') if bare else ():
        got[f'{name}_seconds'] = each(name, 'seconds')
        got[f'{name}_ms'] = middle_ms(each(name, 'client_cpu'))
    return got


def measure(actions, parallel, jobs, rounds=1, bare=False, own=False):
    """What a user would want to know, by name; what is named `seconds` is a list, of all rounds. `bare`: with
    the bare clients."""
    if not GOMACC.exists():
        raise FileNotFoundError(GOMACC)
    checkout = Checkout(actions)
    engine = (Own if own else SlowCasd)(checkout.reads, jobs)
    daemon = start_daemon(checkout, engine.endpoint, Path(tempfile.mkdtemp(prefix='scaled', dir=MEMORY)))
    here = os.getcwd()
    try:
        os.chdir(checkout.folder)
        return measure_on(engine, daemon, actions, parallel, rounds, bare)
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
    parser.add_argument('--rounds', type=int, default=3, help='of which the medians are compared')
    arguments = parser.parse_args(argv)
    if arguments.rounds < 1:
        parser.error('--rounds: at least 1')
    parallel = arguments.parallel or (200 if arguments.own else 100)
    got = measure(
        arguments.actions, parallel, arguments.jobs, arguments.rounds, bare=True, own=arguments.own
    )

    def show(seconds):
        ones = ', '.join(f'{one:.1f}' for one in seconds)
        return f'{statistics.median(seconds):.1f} s ({ones})' if len(seconds) > 1 else f'{ones} s'

    say(f'{arguments.actions} compiles of 1 s, {parallel} at a time: {got["results"]}')
    say(f'  {show(got["seconds"])}')
    for name, what in (
        ('bare', 'a client that only executes what was sent before'),
        ('whole', 'a client that looks up, sends, executes and reads each'),
    ):
        ratio = statistics.median(got['seconds']) / statistics.median(got[f'{name}_seconds'])
        say(f'  {ratio:.3f} times {show(got[f"{name}_seconds"])} of {what}')
    say(
        f'  processor for each: {got["client_ms"]:.2f} ms (gomacc {got["gomacc_ms"]:.2f}, daemon '
        f'{got["daemon_ms"]:.2f}), of those clients {got["bare_ms"]:.2f} and {got["whole_ms"]:.2f} ms'
    )
    say(f'  the daemon at most {got["peak_megabytes"]:.0f} MB; at most {got["most_at_once"]} ran at once')
    executed = {'remote_exec': arguments.actions * arguments.rounds}
    return 0 if got['results'] == executed and not got['failed'] else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
