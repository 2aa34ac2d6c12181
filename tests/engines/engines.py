"""The engines of the tests: buildbox-casd and BuildGrid here, nginx and certificates by import.

    with Casd(runner='hosttools') as casd:
        ... casd.endpoint, an address as GOMA_ENDPOINT takes it ...

tests/engines/install puts the programs in place. Every engine listens at a port of its own on the loopback
interface, keeps its content over stop() and start(), and removes it when it is closed.
"""

import json
import os
import random
import secrets
import signal
import subprocess

from certificates import Certificates, make_token  # noqa: F401
from nginx import HttpCache, Nginx, Proxy  # noqa: F401
from postgres import Postgres
from processes import (  # noqa: F401
    BUILDBOX,
    HERE,
    LIMIT,
    PROGRAMS,
    PYTHON,
    Engine,
    EngineFailed,
    can_hide,
    free_port,
    wait_for,
)

PLATFORM = {'OSFamily': 'linux', 'ISA': 'x86-64'}
# Its answer to a worker names all jobs in gRPC metadata; with more it is too long.
MOST_JOBS = 20


def installed():
    return os.path.exists(os.path.join(PROGRAMS, 'database', 'made'))


def probe(endpoint, *words, instance='', check=True, limit=600, idle=False):
    """Runs probe.py against an address and returns what it printed, as a value. idle: as of Engine."""
    argv = ['chrt', '--idle', '0'] if idle else []
    argv += [PYTHON, '-B', os.path.join(HERE, 'probe.py'), '--endpoint', endpoint, '--instance', instance]
    got = subprocess.run([*argv, *map(str, words)], capture_output=True, text=True, timeout=limit)
    if check and got.returncode != 0:
        raise EngineFailed(f'probe {" ".join(map(str, words))[:200]}: {got.stderr[-1000:]}')
    return json.loads(got.stdout) if got.stdout.strip() else None


def answers(endpoint, instance='', idle=False):
    """Whether a server does within two seconds."""
    return probe(endpoint, 'wait', '--limit', 2, instance=instance, check=False, idle=idle) is not None


def _clean(**more):
    """Actions inherit the environment of what runs them, so it names no language or character set."""
    path = f'{BUILDBOX}:/usr/local/bin:/usr/bin:/bin'
    return {'HOME': '/nonexistent', 'PATH': path, **more}


def _runner(name):
    words = [f'--buildbox-run={BUILDBOX}/buildbox-run-{name}']
    return [*words, '--runner-arg=--staging-mode=copy-or-link', '--runner-arg=--log-level=warning']


class Blobs:
    """Content-addressed files on disk, as AB/CDEF... below a folder, looked at and damaged from outside."""

    def __init__(self, folder):
        self.folder = folder

    def digests(self):
        found = set()
        for folder, _, names in os.walk(self.folder):
            found |= {os.path.basename(folder) + name for name in names}
        return {digest for digest in found if len(digest) == 64}

    def path(self, digest):
        return os.path.join(self.folder, digest[:2], digest[2:])

    def delete(self, digests):
        for digest in digests:
            try:
                os.unlink(self.path(digest))
            except FileNotFoundError:
                pass  # evicted meanwhile

    def delete_some(self, share, seed):
        """Deletes this share of all blobs (0 to 1); returns how many."""
        all_digests = sorted(self.digests())
        chosen = random.Random(seed).sample(all_digests, round(len(all_digests) * share))
        self.delete(chosen)
        return len(chosen)


class Casd(Engine):
    """buildbox-casd: storage, action cache and, unless the runner is None, execution in one process.

    runner: None, 'hosttools' (the host's own files), 'bubblewrap' (the input root is the root) or 'waiting'
    (a compile takes `seconds` and no processor, and reads its source and the files of the list `reads`; see
    waiting_runner.cc). hide: a folder that actions see empty. quota: bytes as '500M', beyond which the oldest
    go. static: the program from the wheel, without execution of its own. within: as of Engine.
    The instance name is always empty.
    """

    def __init__(self, runner='hosttools', jobs=4, hide=None, port=None, unix=False, **options):
        super().__init__(options.pop('within', None))
        self.runner, self.jobs, self.hide = runner, jobs, hide
        self.quota = options.pop('quota', None)
        self.seconds, self.reads = options.pop('seconds', 1), options.pop('reads', [])
        self.static = options.pop('static', False)
        self.more = options.pop('arguments', [])
        if options:
            raise TypeError(f'unknown: {", ".join(options)}')
        self.port = None if unix else port or free_port()
        self.bind = f'unix:{self.path("socket")}' if unix else f'127.0.0.1:{self.port}'
        self.endpoint = self.bind if unix else f'grpc://{self.bind}'
        self.instance = ''
        self.blobs = Blobs(self.path('store', 'cas', 'objects'))
        self.results = Blobs(self.path('store', 'actioncache', 'objects'))

    def begin(self):
        program = os.path.join(PROGRAMS, 'static' if self.static else BUILDBOX, 'buildbox-casd')
        argv = [program, f'--bind={self.bind}', '--log-level=warning']
        if self.quota:
            argv.append(f'--quota-high={self.quota}')
        if self.runner:
            runner = self.waiting_runner() if self.runner == 'waiting' else _runner(self.runner)
            argv += [*runner, f'--jobs={self.jobs}']
        env = _clean(
            WAITING_SECONDS=str(self.seconds),
            WAITING_STORE=self.blobs.folder,
            WAITING_READS=self.path('reads'),
            WAITING_RUNNER=f'{BUILDBOX}/buildbox-run-hosttools',
        )
        self.spawn('casd', [*argv, *self.more, self.path('store')], env, self.hide)
        self.wait_up('casd', lambda: answers(self.endpoint, idle=self.idle))

    def waiting_runner(self):
        with open(self.path('reads'), 'w') as out:
            out.write(''.join(f'{name}\n' for name in self.reads))
        program, source = self.path('waiting_runner'), os.path.join(HERE, '..', 'tools', 'waiting_runner.cc')
        if not os.path.exists(program):
            subprocess.run(['g++', '-std=c++20', '-O1', source, '-o', program, '-lcrypto'], check=True)
        return [f'--buildbox-run={program}']


class Workers(Engine):
    """buildbox workers of a BuildGrid, with one local cache for all of them."""

    def __init__(self, port, count=2, jobs=4, runner='hosttools', platform=None, hide=None):
        super().__init__()
        self.port, self.count, self.jobs, self.runner, self.hide = port, count, jobs, runner, hide
        if jobs > MOST_JOBS:
            raise ValueError(f'a worker takes {MOST_JOBS} jobs at most; have more workers')
        self.platform = PLATFORM if platform is None else platform

    def begin(self):
        remote, socket = f'http://127.0.0.1:{self.port}', self.path('casd.sock')
        if not self.alive('casd'):
            argv = [f'{BUILDBOX}/buildbox-casd', f'--remote={remote}', '--instance=workers']
            argv += ['--quota-high=4G', f'--bind=unix:{socket}', '--log-level=warning', self.path('casd')]
            self.spawn('casd', argv, _clean())
            self.wait_up('casd', lambda: os.path.exists(socket))
        for number in range(1, self.count + 1):
            if not self.alive(f'worker{number}'):
                self.start_worker(number, remote, socket)

    def start_worker(self, number, remote, socket):
        argv = [f'{BUILDBOX}/buildbox-worker', f'--bots-remote={remote}', '--bots-instance=workers']
        argv += [f'--cas-remote=unix:{socket}', *_runner(self.runner), f'--concurrent-jobs={self.jobs}']
        # It may lose its server again and again, and is to come back at once.
        argv += ['--bots-retry-limit=600', '--bots-retry-delay=100', '--bots-request-timeout=30']
        argv += ['--max-wait-time=10', '--graceful-shutdown-timeout=3', '--log-level=warning']
        for item in self.platform.items():
            argv += ['--platform', '='.join(item)]
        self.spawn(f'worker{number}', [*argv, f'w{number}'], _clean(), self.hide)

    def kill_worker(self, number):
        self.end(f'worker{number}', signal.SIGKILL)

    def stop(self):
        for name in self.running:  # all at once: each takes its time
            if self.alive(name):
                self.running[name].terminate()
        super().stop()


class BuildGrid(Engine):
    """BuildGrid with a PostgreSQL and workers of its own. Instances: '', main, team/a.

    access: None (everybody may do everything); 'jwt': token() makes credentials for maint (all), writer
    (cache) and reader (cache, read only) of main and team/a, while '' is read by anybody and ignores tokens;
    'headers': who it is stands in x-request-actor, set by a proxy (nginx.Proxy), nobody may read.
    certificates: a second port with TLS; ask_client: which demands a client certificate.
    workers, jobs, runner, platform, hide: see Workers; workers=0 leaves everything in the queue.
    """

    def __init__(self, workers=2, jobs=4, runner='hosttools', platform=None, hide=None, **options):
        super().__init__()
        self.access = options.pop('access', None)
        self.certificates = options.pop('certificates', None)
        self.server_name = options.pop('server_certificate', 'server')
        self.ask_client = options.pop('ask_client', False)
        self.update_seconds = options.pop('update_seconds', 30)
        if options:
            raise TypeError(f'unknown: {", ".join(options)}')
        self.port, self.tls_port = free_port(), free_port() if self.certificates else None
        self.endpoint = f'grpc://127.0.0.1:{self.port}'
        self.tls_endpoint = f'grpcs://localhost:{self.tls_port}' if self.certificates else None
        self.instance = 'main'
        self.secret = secrets.token_hex(32)
        self.database = Postgres()
        self.workers = Workers(self.port, workers, jobs, runner, platform, hide)
        self.blobs = Blobs(self.path('store', 'cas', 'objects'))

    def token(self, subject, seconds=3600, audience='goma'):
        return make_token(self.secret, subject, seconds, audience)

    def begin(self):
        self.database.start()
        self.start_server()
        if self.workers.count:
            self.start_workers()

    def start_server(self):
        if self.alive('buildgrid'):
            return
        config = self.write_config()
        bgd = os.path.join(os.path.dirname(PYTHON), 'bgd')
        env = {**os.environ, 'PYTHONUNBUFFERED': '1'}
        self.spawn('buildgrid', [bgd, 'server', 'start', config], env)
        self.wait_up('buildgrid', lambda: answers(self.endpoint, 'workers', self.idle))

    def start_workers(self):
        """Returns when a worker has run something."""
        self.workers.start()
        try:
            probe(self.endpoint, 'worker', '--limit', LIMIT, instance='workers', idle=self.idle)
        except EngineFailed as failure:
            raise EngineFailed(f'{failure}\n{self.workers.log("worker1")}') from None

    def write_config(self):
        with open(os.path.join(HERE, 'buildgrid.yml')) as file:
            text = file.read()
        words = {
            'PORT': self.port,
            'TLS': self.tls_text(),
            'ACCESS': self.access_text(),
            'DATABASE': self.database.url,
            'STORE': self.path('store'),
            'UPDATE_SECONDS': self.update_seconds,
        }
        for name, value in words.items():
            text = text.replace(f'@{name}@', str(value))
        return self.write('buildgrid.yml', text)

    def write(self, name, text):
        with open(self.path(name), 'w', opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
            out.write(text)
        return self.path(name)

    def tls_text(self):
        if not self.certificates:
            return ''
        lines = ['  - !channel', f'    address: "127.0.0.1:{self.tls_port}"', '    insecure-mode: false']
        lines += ['    credentials:', f'      tls-server-key: {self.certificates.key(self.server_name)}']
        lines.append(f'      tls-server-cert: {self.certificates.certificate(self.server_name)}')
        if self.ask_client:
            lines.append(f'      tls-client-certs: {self.certificates.certificate("ca")}')
        return '\n'.join(lines)

    def access_text(self):
        if not self.access:
            return ''
        with open(os.path.join(HERE, 'access.yml')) as file:
            text = file.read()
        by_token = self.access == 'jwt'
        text = text.replace('@WHO@', 'subject' if by_token else 'actor')
        # Without the entry's first field it is for everybody.
        reader = 'subject: "^reader$"\n      requests:' if by_token else 'requests:'
        text = text.replace('@READER@\n      requests:', reader)
        anybody = '\n  allow:\n    - requests: *read' if by_token else '*main'
        text = text.replace(' @ANYBODY@', anybody if by_token else f' {anybody}')
        path = self.write('access.yml', text)
        lines = ['authorization:', f'  method: {self.access}', f'  acl-config: {path}']
        if by_token:
            secret = self.write('secret', self.secret)
            lines += ['  algorithm: hs256', f'  secret: {secret}', '  audience: goma']
        open_to_all = '["", workers]' if by_token else '[workers]'
        lines.append(f'  allow-unauthenticated-instances: {open_to_all}')
        return '\n'.join(lines)

    def stop(self):
        self.workers.stop()
        self.stop_server()
        self.database.stop()

    def kill(self):
        self.workers.kill()
        super().kill()
        self.database.kill()

    def stop_server(self):
        self.end('buildgrid', limit=20)

    def kill_server(self):
        """The server alone: the queue is in the database, and the workers wait for it to come back."""
        self.end('buildgrid', signal.SIGKILL)

    def close(self):
        super().close()
        self.workers.close()
        self.database.close()
