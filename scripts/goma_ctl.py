#!/usr/bin/env python3
"""Controls the goma daemon of this machine.

usage: goma_ctl.py COMMAND

  ensure_start         start the daemon unless it runs already; wait until it serves
  start                start the daemon
  stop                 ask the daemon to end, and return at once
  ensure_stop          end the daemon, and wait until it is gone
  restart              ensure_stop, then start
  status               one line, and what is known of the remote side; exit 0 healthy, 1 unhealthy,
                       3 not running
  stat [-v|--json|--goma]
                       hit rate and cache; -v adds reasons and phases, --goma is the original's text
  histogram            how long the tasks took
  showflags            the GOMA_* variables that the daemon was started with, as JSON
  jsonstatus [FILE]    the daemon's errors as JSON, for build robots
  version              of the program here and of the daemon that runs
  goma_dir             the folder of this script
  jobs                 how many jobs to give ninja or make: ninja -j$(goma_ctl.py jobs)
  cache show           where the cache is, and how full
  config show          every setting, its value and where that comes from
  report [FILE]        writes what a bug report needs, without secrets (default /tmp/goma-report.tgz)
  audit                compares the files here with sha256.json
"""

import getpass
import hashlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request

OK, FAILED, USAGE, NOT_RUNNING = 0, 1, 2, 3
HERE = os.path.dirname(os.path.realpath(__file__))
START_LIMIT_S = 15
STOP_LIMIT_S = 15


class Failure(Exception):
    """Ends the command with a message for the user."""

    def __init__(self, message, status=FAILED):
        super().__init__(message)
        self.status = status


def find_program(name):
    """Beside this script when installed, in build/ in a checkout."""
    folder = {'gomacc': 'gomacc', 'compiler_proxy': 'proxy'}[name]
    for path in (os.path.join(HERE, name), os.path.join(HERE, '..', 'build', folder, name)):
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return os.path.realpath(path)
    raise Failure(f'{name} is neither in {HERE} nor in a build folder; build or install it first')


def ask_gomacc(*words):
    """What gomacc prints, or None when it exits with an error. Starts no daemon for the question."""
    env = {**os.environ, 'GOMA_START_COMPILER_PROXY': 'false'}
    got = subprocess.run(
        [find_program('gomacc'), *words], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    return got.stdout.strip() if got.returncode == 0 else None


class Daemon:
    """The daemon that runs, spoken to over HTTP on loopback."""

    def __init__(self, port):
        self.url = f'http://127.0.0.1:{port}'

    @staticmethod
    def find():
        port = ask_gomacc('port')
        return Daemon(int(port)) if port and port.isdigit() and int(port) > 0 else None

    def fetch(self, path, post=False, limit=10):
        headers = {'X-Goma-Token': self.token()} if post else {}
        request = urllib.request.Request(self.url + path, headers=headers, data=b'' if post else None)
        # A proxy of the environment is never asked for loopback.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=limit) as answer:
            return answer.read().decode('utf-8', 'replace')

    def json(self, path):
        return json.loads(self.fetch(path))

    def token(self):
        path = os.path.join(ask_gomacc('tmp_dir') or '', 'goma_token')
        try:
            with open(path) as file:
                return file.read().strip()
        except OSError as error:
            raise Failure(f'the token of the daemon cannot be read: {path}: {error.strerror}') from None

    def health(self):
        return self.fetch('/healthz').splitlines()[0]

    def pid(self):
        return self.json('/api/v1/status')['pid']


def running_daemon():
    daemon = Daemon.find()
    if daemon is None:
        raise Failure('goma is not running. Start it: goma_ctl.py ensure_start', NOT_RUNNING)
    return daemon


def own_version():
    got = subprocess.run([find_program('compiler_proxy'), '--version'], capture_output=True, text=True)
    return got.stdout.strip().removeprefix('compiler_proxy ')


def log_path():
    state = os.environ.get('GOMA_STATE_DIR')
    if not state:
        base = os.environ.get('XDG_STATE_HOME') or os.path.expanduser('~/.local/state')
        state = os.path.join(base, 'goma')
    return os.path.join(state, 'compiler_proxy.log')


# Starting and stopping.


def status_line(daemon):
    return f'compiler proxy (pid={daemon.pid()}) status: {daemon.url} {daemon.health()}'


def start_daemon():
    """Starts it and waits until it serves. The program leaves the terminal by itself and reports success."""
    command = [find_program('compiler_proxy'), '--daemon']
    try:
        got = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            timeout=START_LIMIT_S * 2,
        )
        reason = got.stderr.strip() if got.returncode != 0 else ''
    except subprocess.TimeoutExpired:
        reason = f'it did not report within {START_LIMIT_S * 2} s'
    end = time.monotonic() + START_LIMIT_S
    while not reason:
        daemon = Daemon.find()
        if daemon is not None:
            print(status_line(daemon))
            print('Now goma is ready!')
            return OK
        if time.monotonic() > end:
            reason = f'it serves no page; see its log, {log_path()}'
        time.sleep(0.02)
    print(f'Failed to start compiler_proxy.\n{reason}', file=sys.stderr)
    return FAILED


def outdated(daemon):
    """Why a daemon that runs is not the one to use, or None."""
    if daemon.fetch('/versionz').strip() != own_version():
        return 'another version runs'
    health = daemon.health()
    return health if health.startswith('error:') else None


def ensure_start():
    daemon = Daemon.find()
    if daemon is not None:
        reason = outdated(daemon)
        if reason is None:
            print(status_line(daemon))
            print('goma is already running.')
            return OK
        print(f'Restarting the daemon: {reason}.')
        stop_and_wait(daemon)
    return start_daemon()


def start():
    if Daemon.find() is not None:
        print('goma is already running.')
        return OK
    return start_daemon()


def stop():
    daemon = Daemon.find()
    if daemon is None:
        print('goma is not running.')
        return OK
    daemon.fetch('/quitquitquit', post=True)
    print('goma is stopping.')
    return OK


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    try:
        with open(f'/proc/{pid}/stat') as file:
            return file.read().rpartition(')')[2].split()[0] != 'Z'
    except OSError:
        return not sys.platform.startswith('linux')


def stop_and_wait(daemon):
    """Asks it to end; after a while ends it by its number, if that is still a program of this user."""
    pid = daemon.pid()
    try:
        daemon.fetch('/quitquitquit', post=True)
    except (Failure, urllib.error.URLError):
        os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + STOP_LIMIT_S
    while is_alive(pid):
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
            end += STOP_LIMIT_S
        time.sleep(0.02)


def ensure_stop():
    daemon = Daemon.find()
    if daemon is None:
        print('goma is not running.')
        return OK
    stop_and_wait(daemon)
    print('goma is stopped.')
    return OK


def restart():
    daemon = Daemon.find()
    if daemon is not None:
        stop_and_wait(daemon)
    return start_daemon()


def status():
    daemon = Daemon.find()
    if daemon is None:
        print('compiler proxy is not running')
        return NOT_RUNNING
    line = status_line(daemon)
    print(line)
    for name, text in remote_facts(daemon.json('/api/v1/status')):
        print(f'  {name + ":":<13} {text}')
    return FAILED if ' error:' in line else OK


# The remote side.


def backend_facts(backend, now_ms):
    yield 'HTTP cache' if backend['kind'] == 'http' else 'endpoint', backend['address']
    if backend['breaker'] == 'closed':
        micros = backend['latency_us']
        latency = f'answers in {time_text(micros)}' if micros else 'not asked yet'
        rights = ', '.join(name for name, granted in backend['rights'].items() if granted)
        yield '', f'{latency}; rights: {rights or "none"}'
    else:
        wait = max(0, backend['open_until_ms'] - now_ms) * 1000
        yield '', f'does not answer; asked again in {time_text(wait)}'
    for key in ('last_error', 'refusal', 'warning'):
        if backend[key]:
            yield '', f'{key.replace("_", " ")}: {backend[key]}'


def credential_text(credentials, now_ms):
    if not credentials['configured']:
        return 'none configured'
    text = credentials['source']
    if credentials['expires_ms']:
        left = credentials['expires_ms'] - now_ms
        text += f', expire in {time_text(left * 1000)}' if left > 0 else ', have expired'
    return text + (f': {credentials["problem"]}' if credentials['problem'] else '')


def remote_facts(now):
    """Name and text of each line about the remote side; nothing where there is none."""
    remote = now['remote']
    if not remote['backends'] and not remote['because']:
        return
    yield 'mode', remote['mode'] + (f' ({remote["because"]})' if remote['because'] else '')
    for backend in remote['backends']:
        yield from backend_facts(backend, now['now_ms'])
    yield 'credentials', credential_text(remote['credentials'], now['now_ms'])
    yield 'in flight', f'{remote["in_flight"]} of {remote["limit"]}, {remote["waiting"]} waiting'
    if remote['service']:
        words = (remote['service']['state'], remote['service']['text'], remote['service']['uptime'])
        yield 'service', ', '.join(word for word in words if word)


# Figures.


def size_text(count):
    for unit in ('B', 'KiB', 'MiB', 'GiB', 'TiB'):
        if count < 1024 or unit == 'TiB':
            return f'{count:.1f} {unit}' if unit != 'B' else f'{count} B'
        count /= 1024


def time_text(micros):
    seconds = micros / 1e6
    if 0 < micros < 1e5:
        return f'{micros / 1e3:.1f} ms'
    if seconds < 60:
        return f'{seconds:.1f} s'
    return f'{int(seconds // 3600)} h {int(seconds % 3600 // 60)} min' if seconds >= 3600 else (
        f'{int(seconds // 60)} min {int(seconds % 60)} s'
    )


def share(part, whole):
    return f'{part} / {whole}' + (f' ({100 * part / whole:.2f} %)' if whole else '')


def print_stat(now, verbose):
    tasks, results, store = now['tasks'], now['results'], now['store']
    print(f'Tasks:             {tasks["ended"]} ended, {tasks["active"]} running')
    print(f'Cacheable:         {share(tasks["cacheable"], tasks["ended"])}')
    print(f'  Hits:            {share(tasks["hits"], tasks["cacheable"])}')
    print(f'    Local:         {share(results["local_hit"], tasks["hits"])}')
    print(f'    Remote:        {share(results["remote_hit"], tasks["hits"])}')
    print(f'  Misses:          {share(tasks["cacheable"] - tasks["hits"], tasks["cacheable"])}')
    if results['remote_exec']:
        print(f'    On cluster:    {share(results["remote_exec"], tasks["cacheable"] - tasks["hits"])}')
    print(f'Not cacheable:     {share(results["passthrough"], tasks["ended"])}')
    print(f'Failed:            {share(results["failed"], tasks["ended"])}')
    print(f'Saved:             {time_text(tasks["saved_us"])} of processor time')
    if store:
        print(f'Cache:             {size_text(store["bytes"])} of {size_text(store["limit_bytes"])}')
        if store['last_error']:
            print(f'  Cannot be written: {store["last_error"]}')
    remote = now['remote']
    if remote['backends']:
        received = sum(backend['received_bytes'] for backend in remote['backends'])
        sent = sum(backend['sent_bytes'] for backend in remote['backends'])
        print(f'Remote:            {remote["mode"]}, {size_text(received)} down, {size_text(sent)} up')
        races = sum(remote['races'].values())
        if races:
            print(f'  Races won:       {share(remote["races"]["remote"], races)} by the cluster')
    if tasks['mismatches']:
        print(f'Scan mismatches:   {tasks["mismatches"]}')
    if not verbose:
        return
    for title, counts, text in (
        ('Reasons why not cached:', now['reasons'], str),
        ('Time by phase:', now['phases_us'], time_text),
    ):
        print(title)
        for name, count in sorted(counts.items(), key=lambda item: -item[1]):
            print(f'  {name.replace("_", " "):<32} {text(count):>12}')


def stat(option=None):
    daemon = running_daemon()
    if option == '--goma':
        print(daemon.fetch('/statz'), end='')
    elif option == '--json':
        print(daemon.fetch('/api/v1/status'), end='')
    else:
        print_stat(daemon.json('/api/v1/status'), option == '-v')
    return OK


def histogram():
    print(running_daemon().fetch('/histogramz'), end='')
    return OK


def showflags():
    lines = running_daemon().fetch('/flagz').splitlines()
    print(json.dumps(dict(line.split('=', 1) for line in lines if '=' in line), indent=2))
    return OK


def jsonstatus(path=None):
    daemon = Daemon.find()
    text = '{"notice":[{"version":1,"compile_error":"COMPILER_PROXY_UNREACHABLE"}]}'
    if daemon is not None:
        try:
            text = daemon.fetch('/errorz').strip()
        except OSError:
            pass  # it ended just now
    if path is None:
        print(text)
    else:
        with open(path, 'w') as file:
            file.write(text + '\n')
    return OK


def version():
    print(f'goma {own_version()}')
    daemon = Daemon.find()
    if daemon is not None:
        print(f'running: {daemon.fetch("/versionz").strip()} ({daemon.fetch("/progz")})')
    return OK


def goma_dir():
    print(HERE)
    return OK


def jobs():
    """Compiles wait in the daemon, so more than there are slots do no harm and keep the slots full."""
    daemon = Daemon.find()
    now = daemon.json('/api/v1/status') if daemon else None
    slots = now['slots']['limit'] if now else len(os.sched_getaffinity(0))
    remote = now['remote']['limit'] if now and now['remote']['mode'] == 'cluster' else 0
    print(max(2 * slots, slots + 8, slots + remote))
    return OK


def cache(word):
    if word != 'show':
        return None
    daemon = running_daemon()
    store = daemon.json('/api/v1/status')['store']
    settings = {item['name']: item['value'] for item in daemon.json('/api/v1/settings')}
    print(f'Folder:   {settings.get("cache_dir", "")}')
    print(f'Size:     {size_text(store["bytes"])} of {size_text(store["limit_bytes"])}')
    print(f'Results:  {store["outcomes"]}')
    print(f'Blobs:    {store["blobs"]}')
    print(f'Evicted:  {store["evicted"]}')
    print(f'Damaged:  {store["damaged"]}')
    if store['last_error']:
        print(f'Error:    {store["last_error"]}')
    return OK


def config(word):
    if word != 'show':
        return None
    for item in running_daemon().json('/api/v1/settings'):
        print(f'{item["name"]:<18} {item["value"]!s:<44} {item["origin"]}')
    return OK


# Reports.

SECRET = re.compile(
    r'(?i)([\w.-]*(?:token|secret|passw|apikey|api_key|credential|authorization)[\w.-]*[=:]\s*)\S+'
)


def redact(text):
    """Hides secrets, the user's name and home folder."""
    text = SECRET.sub(r'\1[hidden]', text)
    text = re.sub(r'://[^/\s@]+@', '://[hidden]@', text)
    home = os.path.expanduser('~')
    if home not in ('/', '~'):
        text = text.replace(home, '~')
    try:
        return re.sub(rf'\b{re.escape(getpass.getuser())}\b', '[user]', text)
    except (KeyError, OSError):
        return text


def collect():
    """Name and text of everything in a report; works without a daemon, and with one that dies meanwhile."""
    found = {'environment.txt': ''.join(
        f'{name}={value}\n' for name, value in sorted(os.environ.items()) if name.startswith('GOMA')
    )}
    try:
        found['version.txt'] = own_version() + '\n'
    except (Failure, OSError) as error:
        found['version.txt'] = f'{error}\n'
    try:
        with open(log_path(), errors='replace') as file:
            found['compiler_proxy.log'] = file.read()[-4_000_000:]
    except OSError as error:
        found['compiler_proxy.log'] = f'{error}\n'
    daemon = Daemon.find()
    pages = ('statz', 'histogramz', 'flagz', 'errorz', 'versionz', 'api/v1/status', 'api/v1/settings')
    for page in pages if daemon else ():
        try:
            found[page.replace('/', '_') + '.txt'] = daemon.fetch('/' + page)
        except OSError as error:
            found[page.replace('/', '_') + '.txt'] = f'{error}\n'
    if daemon is None:
        found['status.txt'] = 'the daemon does not run\n'
    return found


def report(path='/tmp/goma-report.tgz'):
    # A temporary beside it and a rename: nothing that somebody else put there is followed or kept.
    temporary = f'{path}.{os.getpid()}'
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), 'wb') as file:
        with tarfile.open(fileobj=file, mode='w:gz') as archive:
            for name, text in collect().items():
                content = redact(text).encode()
                entry = tarfile.TarInfo(f'goma-report/{name}')
                entry.size, entry.mtime = len(content), int(time.time())
                archive.addfile(entry, io.BytesIO(content))
                print(f'  {name:<28} {size_text(len(content))}')
    os.replace(temporary, path)
    print(f'{path}: look through it before you share it; secrets that were recognised are hidden.')
    return OK


def audit():
    path = os.path.join(HERE, 'sha256.json')
    if not os.path.exists(path):
        print('no sha256.json here: nothing to compare with.')
        return OK
    with open(path) as file:
        wanted = json.load(file)
    bad = 0
    for name, digest in sorted(wanted.items()):
        try:
            with open(os.path.join(HERE, name), 'rb') as file:
                found = hashlib.sha256(file.read()).hexdigest()
        except OSError as error:
            found = error.strerror
        if found != digest:
            bad += 1
            print(f'{name}: {found}, expected {digest}')
    print(f'{len(wanted) - bad} of {len(wanted)} files are as they should be.')
    return FAILED if bad else OK


# Command: the function, and which words may follow it.
COMMANDS = {
    'ensure_start': (ensure_start, 0, 0),
    'start': (start, 0, 0),
    'stop': (stop, 0, 0),
    'ensure_stop': (ensure_stop, 0, 0),
    'restart': (restart, 0, 0),
    'status': (status, 0, 0),
    'stat': (stat, 0, 1),
    'histogram': (histogram, 0, 0),
    'showflags': (showflags, 0, 0),
    'jsonstatus': (jsonstatus, 0, 1),
    'version': (version, 0, 0),
    'goma_dir': (goma_dir, 0, 0),
    'jobs': (jobs, 0, 0),
    'cache': (cache, 1, 1),
    'config': (config, 1, 1),
    'report': (report, 0, 1),
    'audit': (audit, 0, 0),
}


def usage(message):
    print(f'goma_ctl.py: {message}\n\n{__doc__}', file=sys.stderr)
    return USAGE


def main(words):
    # Without a word it tells the status, as Goma's did.
    name, *rest = words or ['status']
    if name in ('-h', '--help', 'help'):
        print(__doc__)
        return OK
    if name == '--version':
        name = 'version'
    if name not in COMMANDS:
        return usage(f'unknown command {name}')
    command, least, most = COMMANDS[name]
    wrong_option = name == 'stat' and rest and rest[0] not in ('-v', '--json', '--goma')
    if wrong_option or not least <= len(rest) <= most:
        return usage(f'{name}: wrong arguments')
    try:
        result = command(*rest)
    except Failure as failure:
        print(f'goma_ctl.py: {failure}', file=sys.stderr)
        return failure.status
    except OSError as error:
        print(f'goma_ctl.py: {error}. See {log_path()}', file=sys.stderr)
        return FAILED
    return usage(f'{name}: wrong arguments') if result is None else result


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
