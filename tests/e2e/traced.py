"""Which files a compile really reads, measured with strace over its whole process tree."""

import os
import re
import shutil
import subprocess
import tempfile

CALLS = 'open,openat,openat2,creat,stat,lstat,newfstatat,statx,execve'
# call("path", ...) = result, or call(folder, "path", ...) = result; a descriptor is shown with its file.
CALL = re.compile(
    rb'^(\w+)\((?:[^,"<]*(?:<(.*?)>)?, )?"((?:[^"\\]|\\.)*)", (.*)\) += (-?\d+)(?:<(.*)>)?', re.S
)
OPENS = (b'open', b'openat', b'openat2', b'creat')
WRITES = (b'O_WRONLY', b'O_RDWR', b'O_CREAT', b'O_TRUNC')
# What the compilers and the C library look at for their own sake.
SYSTEM = re.compile(r'^/(?:etc|proc|dev|sys)/|^/usr/(?:lib|share)/locale/|/gconv/|/specs$')


def unescape(text):
    """The bytes behind strace's C escapes, as a path."""
    simple = {b'n': b'\n', b't': b'\t', b'r': b'\r', b'v': b'\v', b'f': b'\f'}

    def one(match):
        code = match.group(1)
        return bytes([int(code, 8)]) if code.isdigit() else simple.get(code, code)

    return os.fsdecode(re.sub(rb'\\([0-7]{1,3}|.)', one, text, flags=re.S))


class Trace:
    """What one compile did: its exit status, its messages, and the regular files that it read."""

    def __init__(self, argv, cwd, env, limit=600):
        self.argv, self.cwd = argv, cwd
        self.opened, self.looked_at, self.written = set(), set(), set()
        folder = tempfile.mkdtemp(prefix='gomatrace')
        depfile = os.path.join(folder, 'deps')
        try:
            strace = ['strace', '-ff', '--seccomp-bpf', '-qq', '-y', '-s', '8192', '-e', 'signal=none']
            strace += ['-e', f'trace={CALLS}', '-o', os.path.join(folder, 'trace')]
            got = subprocess.run(
                [*strace, *argv, '-MD', '-MF', depfile],
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=limit,
            )
            self.status, self.errors = got.returncode, got.stderr.decode(errors='replace')
            for name in sorted(os.listdir(folder)):
                if name.startswith('trace'):
                    with open(os.path.join(folder, name), 'rb') as lines:
                        self.take(lines)
            self.reported = self.read_depfile(depfile)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def take(self, lines):
        for line in lines:
            match = CALL.match(line)
            if not match:
                continue
            call, base, path, rest, result, opened = match.groups()
            if int(result) < 0 or not path:
                continue
            base = unescape(base) if base else self.cwd
            spelled = os.path.join(base, unescape(path))
            if call in OPENS:
                # A file that is gone by now was a temporary of the compile.
                real = unescape(opened or b'')
                wrote = call == b'creat' or any(flag in rest for flag in WRITES)
                (self.written if wrote else self.opened).add((spelled, real))
            elif call == b'execve':
                self.written.add((spelled, os.path.realpath(spelled)))
            elif b'mode=S_IFREG' in rest:
                self.looked_at.add((spelled, os.path.realpath(spelled)))

    def read_depfile(self, path):
        """The physical paths that the compiler itself reported."""
        if not os.path.exists(path):
            return set()
        with open(path, 'rb') as file:
            text = file.read().replace(b'\\\n', b' ')
        found = set()
        for word in re.findall(rb'(?:\\.|[^\s\\])+', text.partition(b':')[2], re.S):
            name = os.fsdecode(re.sub(rb'\\([ #\\])', rb'\1', word).replace(b'$$', b'$'))
            found.add(os.path.realpath(os.path.join(self.cwd, name)))
        return found

    def inputs(self):
        """Files that were opened, and those that were only looked at but which the compiler says it used."""
        written = {real for _, real in self.written}
        used = {pair for pair in self.looked_at if pair[1] in self.reported}
        return {
            real
            for spelled, real in self.opened | used
            if real not in written and self.is_input(spelled, real)
        }

    def is_input(self, spelled, real):
        if not os.path.isfile(real):
            return False
        if any(spelled in word or real in word for word in self.argv[1:]):
            return True
        if SYSTEM.search(spelled) or SYSTEM.search(real):
            return False
        with open(real, 'rb') as file:
            return file.read(4) != b'\x7fELF'
