"""A compiler_proxy of a script's own: started by the first gomacc that runs in `env`, with its own socket
folder, cache, state and configuration, so that the user's daemon is neither used nor disturbed. Ended by
process id."""

import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from stages import TOP, clean_environment

# Tests of another build, such as one with a sanitizer, name its folder here.
BUILD = Path(os.environ.get('GOMA_TEST_BUILD', TOP / 'build'))
GOMACC = BUILD / 'gomacc' / 'gomacc'
PROXY = BUILD / 'proxy' / 'compiler_proxy'


class PrivateDaemon:
    def __init__(self, folder, **settings):
        """`folder` keeps cache and state; whatever an earlier run left there is removed."""
        shutil.rmtree(folder, ignore_errors=True)
        self.folder = Path(folder)
        self.folder.mkdir(parents=True)
        # The path of a unix socket is short: not below the checkout, which may lie deep.
        self.tmp_dir = Path(tempfile.mkdtemp(prefix='goma-'))
        self.settings = {
            'GOMA_TMP_DIR': self.tmp_dir,
            'GOMA_LOCAL_OUTPUT_CACHE_DIR': self.folder / 'cache',
            'GOMA_STATE_DIR': self.folder / 'state',
            'XDG_CONFIG_HOME': self.folder / 'config',
            'GOMA_COMPILER_PROXY_BINARY': PROXY,
            **settings,
        }
        self.env = clean_environment(**self.settings)

    def port(self):
        """The port of the page, or None when no daemon answers."""
        got = subprocess.run([GOMACC, 'port'], env=self.env, capture_output=True, text=True, timeout=30)
        return int(got.stdout) if got.returncode == 0 and got.stdout.strip().isdigit() else None

    def url(self):
        return f'http://localhost:{self.port()}/'

    def get(self, path):
        with urllib.request.urlopen(f'http://127.0.0.1:{self.port()}{path}', timeout=30) as answer:
            return answer.read().decode('utf-8', 'replace')

    def status(self):
        return json.loads(self.get('/api/v1/status'))

    def settled_status(self, seconds=30):
        """The status once no task is under way any more."""
        end = time.monotonic() + seconds
        while True:
            status = self.status()
            if status['tasks']['active'] == 0 or time.monotonic() > end:
                return status
            time.sleep(0.1)

    def pid(self):
        """The process that listens on the socket, or None."""
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(5)
            try:
                peer.connect(str(self.tmp_dir / 'goma.ipc'))
                pid, _, _ = struct.unpack('3i', peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            except OSError:
                return None
        return pid

    def stop(self):
        """Ends the daemon, at once if it does not end by itself within ten seconds. True if it ended by
        itself."""
        pid, graceful = self.pid(), True
        if pid:
            handle = os.pidfd_open(pid)
            try:
                signal.pidfd_send_signal(handle, signal.SIGTERM)
                if not _ended(handle, 10):
                    graceful = False
                    signal.pidfd_send_signal(handle, signal.SIGKILL)
                    _ended(handle, 10)
            finally:
                os.close(handle)
        shutil.rmtree(self.tmp_dir, ignore_errors=True)
        return graceful


def _ended(handle, seconds):
    return bool(select.select([handle], [], [], seconds)[0])
