#!/usr/bin/env python3
"""Controls the goma daemon of this machine.

usage: goma_ctl.py COMMAND

  ensure_start         start the daemon unless it runs already; wait until it serves
  start                start the daemon
  stop                 ask the daemon to end, and return at once
  ensure_stop          end the daemon, and wait until it is gone
  restart              ensure_stop, then start
  status               one line, and what is known of the remote side; exit 0 healthy, 1 unhealthy,
                       3 not running, 4 the credentials are of no use
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

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import goma_figures
import goma_report

OK, FAILED, USAGE, NOT_RUNNING, LOG_IN = 0, 1, 2, 3, 4
HERE = os.path.dirname(os.path.realpath(__file__))
START_LIMIT_S = 15
STOP_LIMIT_S = 10
ASK_LIMIT_S = 30  # gomacc gives a silent daemon 15 s


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
    """What gomacc prints, and what it complains of. Starts no daemon for the question."""
    env = {**os.environ, 'GOMA_START_COMPILER_PROXY': 'false'}
    try:
        got = subprocess.run(
            [find_program('gomacc'), *words], env=env, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=ASK_LIMIT_S,
        )
    except subprocess.TimeoutExpired:
        return '', 'gomacc does not end'
    return got.stdout.strip() if got.returncode == 0 else '', got.stderr


def own_path(name):
    """A file that a daemon has to itself; daemons on several sockets may share the folder."""
    socket = os.environ.get('GOMA_COMPILER_PROXY_SOCKET_NAME') or 'goma.ipc'
    suffix = '' if socket == 'goma.ipc' else '.' + socket.replace('/', '_')
    return os.path.join(ask_gomacc('tmp_dir')[0], name + suffix)


def program_of(pid):
    """The name of a program that runs, or an empty one."""
    try:
        with open(f'/proc/{pid}/comm') as file:
            return file.read().strip()
    except OSError:
        pass
    if sys.platform.startswith('linux'):
        return ''
    got = subprocess.run(['ps', '-p', str(pid), '-o', 'comm='], capture_output=True, text=True)
    return os.path.basename(got.stdout.strip())


def pid_of_lock():
    """The daemon that serves the socket, found without asking it; None when there is none."""
    name = os.environ.get('GOMA_COMPILER_PROXY_LOCK_FILENAME')
    path = os.path.join(ask_gomacc('tmp_dir')[0], name) if name else own_path('goma_compiler_proxy.lock')
    try:
        with open(path) as file:
            pid = int(file.read())
    except (OSError, ValueError):
        return None
    # The number may have gone to another program since.
    return pid if is_alive(pid) and program_of(pid) == 'compiler_proxy' else None


class Daemon:
    """The daemon that runs, spoken to over HTTP on loopback."""

    def __init__(self, port):
        self.url = f'http://127.0.0.1:{port}'

    @staticmethod
    def find():
        return look()[0]

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
        path = own_path('goma_token')
        try:
            with open(path) as file:
                return file.read().strip()
        except OSError as error:
            raise Failure(f'the token of the daemon cannot be read: {path}: {error.strerror}') from None

    def health(self):
        return self.fetch('/healthz').splitlines()[0]

    def pid(self):
        return self.json('/api/v1/status')['pid']


class Mute:
    """A daemon that cannot be spoken to: it hangs, or serves compiles but no page."""

    def __init__(self, pid, hangs):
        self.pid, self.hangs = pid, hangs

    def __str__(self):
        words = 'does not answer' if self.hangs else 'serves, but has no status page'
        return f'compiler proxy (pid={self.pid}) {words}; see its log, {log_path()}'


def look():
    """The daemon that runs, or else a mute one; None for what there is not."""
    port, complaint = ask_gomacc('port')
    if port.isdigit() and int(port) > 0:
        return Daemon(int(port)), None
    pid = pid_of_lock()
    return None, pid and Mute(pid, 'no HTTP port' not in complaint)


def running_daemon():
    daemon, mute = look()
    if mute:
        raise Failure(str(mute))
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


def status_line(daemon, health=None):
    return f'compiler proxy (pid={daemon.pid()}) status: {daemon.url} {health or daemon.health()}'


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
        daemon, mute = look()
        if daemon is not None:
            print(status_line(daemon))
            print('Now goma is ready!')
            return OK
        if mute and not mute.hangs:
            print(mute)
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
    if daemon.fetch('/progz').strip() != find_program('compiler_proxy'):
        return 'another program runs, or an older build of this one'
    health = daemon.health()
    return health if health.startswith('error:') else changed_setting(daemon)


def changed_setting(daemon):
    """In words, or None. What each side worked out by itself may differ with the environment."""
    got = subprocess.run([find_program('compiler_proxy'), '--settings'], capture_output=True, text=True)
    if got.returncode != 0:
        return None  # a daemon with such settings would not start
    there = {item['name']: item for item in daemon.json('/api/v1/settings')}
    for here in json.loads(got.stdout):
        other = there.get(here['name'], {'value': '', 'origin': 'default'})
        values, origins = {here['value'], other['value']}, {here['origin'], other['origin']}
        hidden = '' not in values and any('[hidden]' in value for value in values)
        if len(values) > 1 and not hidden and not origins <= {'auto', 'default'}:
            return f'the setting {here["name"]} has changed'
    return None


def ensure_start():
    daemon, mute = look()
    if daemon is not None:
        reason = outdated(daemon)
        if reason is None:
            print(status_line(daemon))
            print('goma is already running.')
            return OK
        print(f'Restarting the daemon: {reason}.')
        stop_and_wait(daemon)
    elif mute and mute.hangs:
        print(f'Restarting the daemon: {mute}.')
        end_program(mute.pid)
    elif mute:
        print(f'{mute}\ngoma is already running.')
        return OK
    return start_daemon()


def start():
    daemon, mute = look()
    if mute and mute.hangs:
        raise Failure(f'{mute}. Start another: goma_ctl.py restart')
    if daemon or mute:
        print('goma is already running.')
        return OK
    return start_daemon()


def stop():
    daemon, mute = look()
    if daemon is not None:
        daemon.fetch('/quitquitquit', post=True)
    elif mute:
        os.kill(mute.pid, signal.SIGTERM)
    print('goma is stopping.' if daemon or mute else 'goma is not running.')
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


def wait_for_end(pid):
    """After a while it is ended the hard way."""
    end = time.monotonic() + STOP_LIMIT_S
    while is_alive(pid):
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
            end += STOP_LIMIT_S
        time.sleep(0.02)


def end_program(pid):
    os.kill(pid, signal.SIGTERM)
    wait_for_end(pid)


def stop_and_wait(daemon):
    """Asks it to end; after a while ends it by its number, if that is still a program of this user."""
    pid = daemon.pid()
    try:
        daemon.fetch('/quitquitquit', post=True)
    except (Failure, urllib.error.URLError):
        os.kill(pid, signal.SIGTERM)
    wait_for_end(pid)


def end_any():
    """Ends the daemon, whether it can be spoken to or not; False when there is none."""
    daemon, mute = look()
    if daemon is not None:
        stop_and_wait(daemon)
    elif mute:
        end_program(mute.pid)
    return bool(daemon or mute)


def ensure_stop():
    print('goma is stopped.' if end_any() else 'goma is not running.')
    return OK


def restart():
    end_any()
    return start_daemon()


def status():
    daemon, mute = look()
    if mute:
        print(mute)
        return FAILED if mute.hangs else OK
    if daemon is None:
        print('compiler proxy is not running')
        return NOT_RUNNING
    health = daemon.health()
    print(status_line(daemon, health))
    now = daemon.json('/api/v1/status')
    for name, text in goma_figures.remote_facts(now):
        print(f'  {name + ":":<13} {text}')
    credentials = now['remote']['credentials']
    if health.startswith('error:'):
        return FAILED
    return LOG_IN if credentials['configured'] and not credentials['usable'] else OK


def stat(option=None):
    daemon = running_daemon()
    if option == '--goma':
        print(daemon.fetch('/statz'), end='')
    elif option == '--json':
        print(daemon.fetch('/api/v1/status'), end='')
    else:
        goma_figures.print_stat(daemon.json('/api/v1/status'), option == '-v')
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
    size, limit = (goma_figures.size_text(store[key]) for key in ('bytes', 'limit_bytes'))
    print(f'Size:     {size} of {limit}')
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


def collect():
    """Name and text of everything in a report; works without a daemon, and with one that dies meanwhile."""
    found = {'environment.txt': goma_report.environment_text()}
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
    for name, size in goma_report.write_archive(path, collect()).items():
        print(f'  {name:<28} {goma_figures.size_text(size)}')
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
