"""How much time and processor the product adds to an engine: many compiles of one second each, many at a
time, on casd with the waiting runner; against a bare client in the same minute. scripts/bench --cluster shows
it.

scale.py [--actions N] [--parallel P] [--jobs J]
"""

import argparse
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', '..', 'scripts', 'lib')]
from engines import Casd, probe  # noqa: E402
from private_daemon import GOMACC, PrivateDaemon  # noqa: E402
from processes import descendants  # noqa: E402
from stages import say  # noqa: E402

HEADERS = ['algorithm', 'functional', 'map', 'memory', 'string', 'unordered_map', 'vector']


class Checkout:
    """Units that all read the same headers."""

    def __init__(self, count):
        self.folder = Path(tempfile.mkdtemp(prefix='scale')).resolve()
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
    """All units once through gomacc, `parallel` at a time, without ninja and its shells."""

    def __init__(self, checkout, count, name, env, parallel):
        self.left = queue.SimpleQueue()
        for number in range(count):
            self.left.put(['g++', f'-DPASS={name}', '-c', f'u{number}.cc', '-o', f'u{number}.o'])
        self.folder, self.env = checkout.folder, env
        self.failed, self.client, self.lock = 0, 0.0, threading.Lock()
        began = time.monotonic()
        threads = [threading.Thread(target=self.work) for _ in range(parallel)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.seconds = time.monotonic() - began

    def work(self):
        while True:
            try:
                words = self.left.get_nowait()
            except queue.Empty:
                return
            process = subprocess.Popen([GOMACC, *words], cwd=self.folder, env=self.env)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = status
            with self.lock:
                self.failed += status != 0
                self.client += usage.ru_utime + usage.ru_stime


class MostRunners(threading.Thread):
    """The most actions that the engine runs at once, looked at again and again."""

    def __init__(self, casd):
        super().__init__(daemon=True)
        self.casd, self.most, self.stopping = casd, 0, threading.Event()

    def run(self):
        while not self.stopping.wait(0.1):
            self.most = max(self.most, len(descendants(self.casd.pid('casd'))))

    def stop(self):
        self.stopping.set()
        self.join()
        return self.most


def processor_seconds(pid):
    return time.clock_gettime((~pid << 3) | 2)


def peak_megabytes(pid):
    for line in Path(f'/proc/{pid}/status').read_text().splitlines():
        if line.startswith('VmHWM:'):
            return int(line.split()[1]) / 1024
    return 0.0


def start_daemon(checkout, casd, folder):
    return PrivateDaemon(
        folder,
        GOMA_MODE='cluster',
        GOMA_ENDPOINT=casd.endpoint,
        GOMA_PLATFORM='ISA=x86-64,OSFamily=linux',
        GOMA_TOOLCHAIN='image',
        GOMA_WORKERS_IDENTICAL='true',
        GOMA_EXEC_ROOT=checkout.folder,
        GOMA_MAX_ACTIVE_TASKS='2000',
        GOMA_USE_LOCAL='false',
    )


def measure(actions, parallel, jobs, bare_runs=2):
    """What a user would want to know, by name. Without bare runs there is no ratio."""
    if not os.path.isabs(GOMACC) or not GOMACC.exists():
        raise FileNotFoundError(GOMACC)
    checkout = Checkout(actions)
    casd = Casd(runner='waiting', jobs=jobs, seconds=0, reads=checkout.reads)
    daemon = start_daemon(checkout, casd, Path(tempfile.mkdtemp(prefix='scaled')))
    try:
        casd.start()
        Pass(checkout, actions, 'warm', daemon.env, 32)
        casd.seconds = 1
        casd.restart()
        Pass(checkout, parallel, 'again', daemon.env, parallel)  # finds the engine again
        bench = (casd.endpoint, 'bench', '--actions', actions, '--parallel', parallel)
        bare = [probe(*bench) for _ in range(bare_runs // 2)]
        before = daemon.settled_status()['results']
        used, watch = processor_seconds(daemon.pid()), MostRunners(casd)
        watch.start()
        ours = Pass(checkout, actions, 'measured', daemon.env, parallel)
        most = watch.stop()
        after = daemon.settled_status()['results']
        used = processor_seconds(daemon.pid()) - used
        bare += [probe(*bench) for _ in range(bare_runs - len(bare))]
        bare_seconds = sum(one['seconds'] for one in bare) / len(bare) if bare else 0.0
        return {
            'actions': actions,
            'parallel': parallel,
            'results': {n: after[n] - before[n] for n in after if after[n] != before[n]},
            'failed': ours.failed,
            'seconds': ours.seconds,
            'bare_seconds': bare_seconds,
            'ratio': ours.seconds / bare_seconds if bare else None,
            'client_ms': 1000 * (ours.client + used) / actions,
            'gomacc_ms': 1000 * ours.client / actions,
            'daemon_ms': 1000 * used / actions,
            'peak_megabytes': peak_megabytes(daemon.pid()),
            'most_at_once': most,
        }
    finally:
        daemon.stop()
        shutil.rmtree(daemon.folder, ignore_errors=True)
        casd.close()
        checkout.close()


def main(argv):
    parser = argparse.ArgumentParser(description='Compares a build on a cluster with a bare client.')
    parser.add_argument('--actions', type=int, default=2000)
    parser.add_argument('--parallel', type=int, default=100, help='compiles that are wanted at once')
    parser.add_argument('--jobs', type=int, default=100, help='that the engine runs at once')
    arguments = parser.parse_args(argv)
    got = measure(arguments.actions, arguments.parallel, arguments.jobs)
    say(f'{got["actions"]} compiles of 1 s, {got["parallel"]} at a time: {got["results"]}')
    say(f'  {got["seconds"]:.1f} s, a bare client {got["bare_seconds"]:.1f} s: {got["ratio"]:.3f} times')
    say(f'  processor for each: {got["client_ms"]:.2f} ms (gomacc {got["gomacc_ms"]:.2f}, daemon '
        f'{got["daemon_ms"]:.2f})')
    say(f'  the daemon at most {got["peak_megabytes"]:.0f} MB; at most {got["most_at_once"]} ran at once')
    return 0 if got['results'] == {'remote_exec': got['actions']} and not got['failed'] else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
