"""What all engines have in common: a private folder, processes that are ended by their id, bounded waits.

Nothing here is left behind: an engine is a context manager, and whatever is still up when the test program
ends is ended then. Engines stay in the test program's process group, so that an interrupt or the end of a
stage reaches them too.
"""

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.realpath(os.path.join(HERE, '..', '..'))
PROGRAMS = os.path.join(TOP, '.deps', 'engines')
BUILDBOX = os.path.join(PROGRAMS, 'buildbox', 'usr', 'bin')
PYTHON = os.path.join(PROGRAMS, 'venv', 'bin', 'python')
# Seconds that any single wait may take; none does unless something is broken.
LIMIT = 60

# Runs a command where a folder is seen empty, but for the programs of the engines if they lie below it.
# Arguments: the programs, an empty folder to hold them meanwhile, the folder to hide, the command.
_HIDE = """set -e
programs=$1 aside=$2 hidden=$3
shift 3
mount --bind "$programs" "$aside"
mount -t tmpfs -o size=1m tmpfs "$hidden"
case $programs/ in "$hidden"/*) mkdir -p "$programs"; mount --bind "$aside" "$programs" ;; esac
umount "$aside"
exec "$@"
"""


class EngineFailed(Exception):
    """An engine did not come up; the message holds the end of its log."""


_given = set()


def free_port():
    """A port of the loopback interface that nobody listens at, and that was not given before."""
    while True:
        with socket.socket() as server:
            server.bind(('127.0.0.1', 0))
            port = server.getsockname()[1]
        if port not in _given:
            _given.add(port)
            return port


def listens(port):
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex(('127.0.0.1', port)) == 0


def wait_for(condition, what, limit=LIMIT):
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            raise EngineFailed(f'{what}: not within {limit} s')
        time.sleep(0.02)


def tail(path, lines=15):
    try:
        with open(path, errors='replace') as log:
            return ''.join(log.readlines()[-lines:])
    except OSError:
        return ''


def is_root():
    return os.getuid() == 0


def can_hide():
    """Whether processes can be started in a mount namespace of their own here."""
    mount = ['unshare', '-m' if is_root() else '-Urm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']
    return subprocess.run(mount, capture_output=True).returncode == 0


def descendants(pid):
    """Ids of all processes below this one."""
    children = {}
    for name in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{name}/stat', errors='replace') as file:
                stat = file.read()
        except OSError:
            continue
        children.setdefault(int(stat[stat.rindex(')') + 2 :].split()[1]), []).append(int(name))
    found, pending = [], [pid]
    while pending:
        below = children.get(pending.pop(), [])
        found += below
        pending += below
    return found


def _signal(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


class Engine:
    """Base of all engines: begin() is what a kind of engine adds."""

    _up = []
    idle = False  # whether its processes run only when nothing else wants the processor

    def __init__(self, within=None):
        """within: the folder in which it makes its own, or None for the usual one."""
        self.folder = tempfile.mkdtemp(prefix='engine', dir=within)
        os.chmod(self.folder, 0o755)  # PostgreSQL and nginx may be another user
        self.running = {}
        if not Engine._up:
            atexit.register(Engine._end_all)
        Engine._up.append(self)

    @classmethod
    def _end_all(cls):
        while cls._up:
            cls._up[-1].close()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def start(self):
        """Returns when the engine answers."""
        try:
            self.begin()
        except BaseException:
            self.kill()
            raise
        return self

    def begin(self):
        raise NotImplementedError

    def stop(self):
        """Asks all processes to end, the last started first."""
        for name in reversed(list(self.running)):
            self.end(name)

    def kill(self):
        """Ends all processes at once, with whatever they run."""
        for name in reversed(list(self.running)):
            self.end(name, signal.SIGKILL)

    def restart(self):
        """The same engine at the same address with the same content."""
        self.stop()
        return self.start()

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        if self in Engine._up:
            Engine._up.remove(self)

    # Processes, by a name of ours.

    def spawn(self, name, argv, env=None, hide=None):
        if hide:
            hide = os.path.realpath(hide)
            if f'{self.folder}/'.startswith(f'{hide}/'):
                raise ValueError(f'{hide} holds the engine')
            aside = self.path('aside')
            os.makedirs(aside, exist_ok=True)
            words = ['unshare', '-m' if is_root() else '-Urm', '--propagation', 'private', 'sh', '-c', _HIDE]
            argv = [*words, 'sh', PROGRAMS, aside, hide, *argv]
        if self.idle:
            argv = ['chrt', '--idle', '0', *argv]
        with open(self.path(f'{name}.log'), 'ab') as log:
            self.running[name] = subprocess.Popen(
                argv, env=env, cwd='/', stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        return self.running[name]

    def alive(self, name):
        return name in self.running and self.running[name].poll() is None

    def wait_up(self, name, condition):
        """Waits until the condition holds, and not longer than the process lives."""
        try:
            wait_for(lambda: not self.alive(name) or condition(), f'{name} answers')
        except EngineFailed as failure:
            raise EngineFailed(f'{failure}\n{self.log(name)}') from None
        if not self.alive(name):
            raise EngineFailed(f'{name} ended with {self.running[name].returncode}:\n{self.log(name)}')

    def log(self, name):
        return tail(self.path(f'{name}.log'))

    def pid(self, name):
        return self.running[name].pid

    def end(self, name, number=signal.SIGTERM, limit=15):
        """Ends a process and what is left below it; asks, waits, and insists."""
        process = self.running.pop(name, None)
        if process is None:
            return
        below = descendants(process.pid) if number == signal.SIGKILL else []
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.send_signal(number)
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            below = descendants(process.pid)
            process.kill()
            process.wait()
        for pid in below:
            _signal(pid, signal.SIGKILL)
