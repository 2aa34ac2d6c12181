"""Runs the steps of a long script one after the other and tells the user where it is.

Each step says what runs, which of how many, and how long it took; a step that runs a command keeps its
output in .deps/log/NAME.log, shows ninja's or the tests' own "n/m" every ten seconds, and the end of the
log on failure.
"""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
LOGS = TOP / '.deps' / 'log'
TELL_SECONDS = 10
SHOWN_LINES = 25


class StageFailed(Exception):
    """A command of a step failed; its message is for the user and holds the end of the log."""


def say(text=''):
    print(text, flush=True)


def duration(seconds):
    return f'{seconds:.1f} s' if seconds < 60 else f'{int(seconds) // 60} min {int(seconds) % 60:02} s'


def tail(path, lines=SHOWN_LINES):
    with open(path, 'rb') as log:
        log.seek(max(0, path.stat().st_size - 64 * 1024))
        text = log.read().decode('utf-8', 'replace')
    return '\n'.join('    ' + line for line in text.splitlines()[-lines:])


def progress(log):
    """The last "[n/m]" or "n/m test" of a log, or nothing."""
    with open(log, 'rb') as file:
        file.seek(max(0, log.stat().st_size - 4096))
        found = re.findall(r'(?m)^\s*\[?(\d+/\d+)[\] ]', file.read().decode('utf-8', 'replace'))
    return f'[{found[-1]}] ' if found else ''


def clean_environment(**more):
    """The user's environment without what would change a build behind our back."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(('GOMA_', 'CCACHE_', 'NINJA_', 'CMAKE_'))
        and name not in ('MAKEFLAGS', 'DESTDIR')
    }
    return {**kept, 'NINJA_STATUS': '[%f/%t] ', **{name: str(value) for name, value in more.items()}}


class Stages:
    def __init__(self, total):
        self.total, self.number, self.began = total, 0, time.monotonic()

    def begin(self, what):
        self.number += 1
        self.started = time.monotonic()
        say(f'[{self.number}/{self.total}] {what} ...')

    def done(self, note=''):
        took = time.monotonic() - self.started
        say(f'      done in {duration(took)}{", " + note if note else ""}')
        return took

    def skip(self, what):
        self.number += 1
        say(f'[{self.number}/{self.total}] {what}')


def run(command, name, *, cwd=TOP, env=None, timeout=3600, check=True):
    """Runs a command into the log `name`; returns (seconds, exit status). Ends it and all it started on a
    time-out or when this script is interrupted."""
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f'{name}.log'
    began = told = time.monotonic()
    with open(log, 'wb') as out:
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=cwd,
            env=env or clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            while True:
                try:
                    status = process.wait(timeout=0.1 if time.monotonic() - began < 5 else 0.5)
                    break
                except subprocess.TimeoutExpired:
                    now = time.monotonic()
                    if now - told >= TELL_SECONDS:
                        told = now
                        say(f'      {progress(log)}{duration(now - began)}')
                    if now - began > timeout:
                        raise StageFailed(
                            f'no end after {duration(timeout)}: {name}\nThe end of {log}:\n{tail(log)}'
                        ) from None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                try:
                    process.wait(timeout=10)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
    if check and status != 0:
        raise StageFailed(
            f'{" ".join(str(word) for word in command[:4])} ... ended with status {status}\n'
            f'The end of {log}:\n{tail(log)}'
        )
    return time.monotonic() - began, status


def fail(text):
    say()
    print(f'FAILED: {text}', file=sys.stderr, flush=True)
