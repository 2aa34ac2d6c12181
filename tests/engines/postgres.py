"""A private PostgreSQL: a unix socket in its own folder, no durability, ended by its id."""

import os
import pwd
import shutil
import signal
import subprocess

from processes import PROGRAMS, PYTHON, Engine, EngineFailed, is_root

MADE = os.path.join(PROGRAMS, 'database', 'data')
# What makes it quick and unsafe: the data of a test is worth nothing once the machine has crashed.
SETTINGS = {
    'listen_addresses': '',
    'fsync': 'off',
    'synchronous_commit': 'off',
    'full_page_writes': 'off',
    'max_connections': '200',
    'jit': 'off',
}


def _bin():
    top = '/usr/lib/postgresql'
    return os.path.join(top, max(os.listdir(top), key=int), 'bin')


def _user():
    """PostgreSQL refuses to run as root."""
    if not is_root():
        return None
    try:
        return pwd.getpwnam('postgres')
    except KeyError:
        return pwd.getpwnam('nobody')


class Postgres(Engine):
    """One database, `goma`, with one user of that name."""

    def __init__(self, empty=False):
        super().__init__()
        self.empty = empty
        self.data = self.path('data')
        # psycopg2 by name: with another driver, notifications do not arrive.
        self.url = f'postgresql+psycopg2://goma@/goma?host={self.folder}'

    def as_user(self, argv):
        user = _user()
        if user is None:
            return argv
        return ['setpriv', f'--reuid={user.pw_uid}', f'--regid={user.pw_gid}', '--clear-groups', *argv]

    def run(self, program, *words):
        argv = self.as_user([os.path.join(_bin(), program), *words])
        got = subprocess.run(argv, cwd='/', capture_output=True, text=True, timeout=60)
        if got.returncode != 0:
            raise EngineFailed(f'{program}: {got.stderr[-500:]}')
        return got.stdout

    def make_data(self):
        user = _user()
        if user is not None:
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        if not self.empty and os.access(MADE, os.R_OK | os.X_OK):
            subprocess.run(['cp', '-a', '--reflink=auto', MADE, self.data], check=True, timeout=60)
        else:
            words = ['-U', 'goma', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N']
            self.run('initdb', '-D', self.data, *words)

    def begin(self):
        if not os.path.exists(self.data):
            self.make_data()
        elif os.path.exists(os.path.join(self.data, 'postmaster.pid')):
            os.unlink(os.path.join(self.data, 'postmaster.pid'))
        words = [word for item in SETTINGS.items() for word in ('-c', '='.join(item))]
        argv = [os.path.join(_bin(), 'postgres'), '-D', self.data, '-k', self.folder, *words]
        self.spawn('postgres', self.as_user(argv))
        ready = [os.path.join(_bin(), 'pg_isready'), '-q', '-U', 'goma', '-h', self.folder]
        self.wait_up('postgres', lambda: subprocess.run(ready, timeout=60).returncode == 0)
        if not self.query('postgres', "select 1 from pg_database where datname = 'goma'"):
            self.run('createdb', '-h', self.folder, '-U', 'goma', 'goma')
            self.add_tables()

    def query(self, database, text):
        return self.run('psql', '-qAt', '-h', self.folder, '-U', 'goma', database, '-c', text).strip()

    def add_tables(self):
        bgd = os.path.join(os.path.dirname(PYTHON), 'bgd')
        got = subprocess.run([bgd, 'migrate', 'apply', self.url], capture_output=True, text=True, timeout=120)
        if got.returncode != 0:
            raise EngineFailed(f'the tables: {got.stderr[-500:]}')

    def stop(self):
        # An interrupt is a fast shutdown: SIGTERM would wait until every client has left.
        self.end('postgres', signal.SIGINT)

    def save(self, folder):
        """Stops, and keeps the data for others to copy."""
        self.stop()
        shutil.copytree(self.data, os.path.join(folder, 'data'), symlinks=True)
        if (user := _user()) is not None:
            subprocess.run(
                ['chown', '-R', f'{user.pw_uid}:{user.pw_gid}', os.path.join(folder, 'data')], check=True
            )
