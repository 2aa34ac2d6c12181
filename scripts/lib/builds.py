"""What the demos do alike: building a real project in one folder again and again, since -g puts the folder's
path into every object, and comparing the objects and the daemon's words with what is claimed."""

import os
import shutil
import threading
from pathlib import Path

from projects import configure, slug
from private_daemon import GOMACC
from stages import TOP, Stages, run

COMPILERS = {'cc1', 'cc1plus', 'cc1obj', 'cc1objplus'}


class CompilerCount(threading.Thread):
    """Looks every quarter of a second how many compilers run below this process, and keeps the most. A look
    takes time, and what it finds first may have ended before it finds the last: only what a second look
    finds again ran at one moment, the one between the two."""

    def __init__(self):
        super().__init__(daemon=True)
        self.most, self.stopping = 0, threading.Event()

    def run(self):
        while not self.stopping.wait(0.25):
            found = self.look()
            if len(found) > self.most:
                self.most = max(self.most, len(found & self.look()))

    def stop(self):
        self.stopping.set()
        self.join()
        return self.most

    @staticmethod
    def look(proc=Path('/proc')):
        """The compilers, each by its id and the time when it began. Those that a daemon asks something
        compile nothing; where this process is the first of a container, a daemon is below it."""
        parent, compilers = {}, set()
        for entry in filter(str.isdigit, os.listdir(proc)):
            try:
                stat = (proc / entry / 'stat').read_text()
                name = stat[stat.index('(') + 1 : stat.rindex(')')]
                rest = stat[stat.rindex(')') + 2 :].split()
                parent[int(entry)] = 0 if name == 'compiler_proxy' else int(rest[1])
                ended = rest[0] in 'ZX'
                if not ended and (name in COMPILERS or name.startswith('clang') and _compiles(proc / entry)):
                    compilers.add((int(entry), rest[19]))
            except (OSError, ValueError):
                continue
        drivers = set(parent.values())  # that left the compile to another process
        return {one for one in compilers if one[0] not in drivers and _below(one[0], os.getpid(), parent)}


def _compiles(process):
    """Of a clang: its driver compiles by itself where there is nothing else to do."""
    words = (process / 'cmdline').read_bytes().split(b'\0')
    return b'-cc1' in words or b'-c' in words


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


class Builds:
    """Base of the demos: `arguments` as demo.py parses them; failures are the claims that did not hold."""

    def __init__(self, arguments, stages):
        self.arguments = arguments
        self.folder = TOP / '.deps' / 'demo'
        self.stages = Stages(stages)
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

    def build(self, project, what, daemon, *, keep_going=False):
        """One build from an empty folder; returns the objects it compiles, the seconds ninja took and whether
        it went well, which only who wants to keep going needs to look at."""
        folder = self.folder / slug(project)
        shutil.rmtree(folder, ignore_errors=True)
        self.stages.begin(f'{project.name}: {what}')
        env = daemon.env if daemon else None
        objects = configure(project, folder, self.options, GOMACC if daemon else None, env)
        jobs = self.arguments.jobs if daemon else os.cpu_count()
        command = ['ninja', '-C', folder, f'-j{jobs}', *(['-k0'] if keep_going else [])]
        name = f'{what.split()[0].strip(",")}-{slug(project)}'
        seconds, status = run(command, name, env=env, check=not keep_going)
        return objects, seconds, status == 0

    def build_plain(self, project):
        """The build without gomacc, kept beside; returns its objects, the seconds it took and its folder."""
        plain = self.folder / f'{slug(project)}.plain'
        made = plain / 'made-with'
        how = '\n'.join(map(str, [*project.options, *self.options]))
        if self.arguments.reuse_plain and made.is_file() and made.read_text().startswith(how + '\n\n'):
            self.stages.skip(f'{project.name}: plain build, without gomacc: the last one is taken')
            seconds, *objects = made.read_text()[len(how) + 2 :].splitlines()
            return objects, float(seconds), plain
        objects, seconds, _ = self.build(project, 'plain build, without gomacc', None)
        self.stages.done(f'{len(objects)} compiles')
        shutil.rmtree(plain, ignore_errors=True)
        (self.folder / slug(project)).rename(plain)
        made.write_text('\n'.join([how, '', str(seconds), *objects]) + '\n')
        return objects, seconds, plain
