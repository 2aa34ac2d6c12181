#!/usr/bin/env python3
"""Says whether goma may use a cluster, and keeps the login for it.

usage: goma_auth.py [info|login|logout|config|help]

  info                    the state of the login; exit 0 when the cluster or its cache can be used, 4 when a
                          login is needed for that, 1 when it cannot be used for another reason
  login                   keep a token: read from standard input, or typed in
  login --token-file FILE
                          use the token that FILE holds, and whatever it holds later
  login --helper COMMAND  ask COMMAND for tokens whenever one is needed; it prints JSON, as the credential
                          helpers of reclient and Bazel do
  logout                  forget the login
  config                  print the settings that belong to the account

Tokens are never taken from the command line, where other users could read them. The daemon notices a login at
once; it need not be restarted.
"""

import base64
import binascii
import datetime
import getpass
import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
import time

OK, FAILED, USAGE, LOGIN_NEEDED = 0, 1, 2, 4
ENDPOINTS = ('GOMA_ENDPOINT', 'GOMA_SERVER_HOST', 'GOMA_HTTP_CACHE', 'RBE_service', 'SISO_REAPI_ADDRESS')
CONFIG_KEYS = ('endpoint', 'executor_endpoint', 'cas_endpoint', 'http_cache')
HELPER_LIMIT_S = 30
LARGEST_TOKEN = 16 * 1024

NO_CLUSTER = 'No cluster is configured. goma caches compiles on this machine, and needs no login for that.'


class Failure(Exception):
    """Ends the command with a message for the user."""

    def __init__(self, message, status=FAILED):
        super().__init__(message)
        self.status = status


# The login, a file that only its owner can read.


def state_folder():
    if os.environ.get('GOMA_STATE_DIR'):
        return os.environ['GOMA_STATE_DIR']
    base = os.environ.get('XDG_STATE_HOME') or os.path.expanduser('~/.local/state')
    return os.path.join(base, 'goma')


def login_path():
    return os.path.join(state_folder(), 'auth.json')


def read_login():
    """What is kept, or None."""
    try:
        with open(login_path(), encoding='utf-8') as file:
            login = json.load(file)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else 'it is no JSON'
        raise Failure(f'the login cannot be read: {login_path()}: {reason}') from None
    return login if isinstance(login, dict) else None


def write_login(login):
    os.makedirs(state_folder(), mode=0o700, exist_ok=True)
    # mkstemp makes it for its owner alone; others never see it in part.
    handle, partial = tempfile.mkstemp(dir=state_folder(), prefix='.auth-')
    try:
        with os.fdopen(handle, 'w', encoding='utf-8') as file:
            json.dump({'version': 1, 'since': int(time.time()), **login}, file, indent=1)
            file.write('\n')
        os.replace(partial, login_path())
    except BaseException:
        os.unlink(partial)
        raise


# Tokens.


def claims_of(token):
    """What a JSON web token says of itself; nothing for other tokens."""
    parts = token.split('.')
    if len(parts) != 3:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + '=' * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}


def principal_of(token):
    claims = claims_of(token)
    names = (claims.get(key) for key in ('email', 'preferred_username', 'sub'))
    return next((name for name in names if isinstance(name, str) and name.isprintable()), '')


def expiry_of(token):
    expires = claims_of(token).get('exp')
    return int(expires) if isinstance(expires, (int, float)) and 0 < expires < 1e11 else 0


def checked_token(text, where):
    token = text.strip()
    if token.lower().startswith('bearer '):
        token = token[7:].strip()
    if not token:
        raise Failure(f'{where} holds no token')
    if len(token) > LARGEST_TOKEN or not re.fullmatch(r'[\x21-\x7e]+', token):
        raise Failure(f'{where} holds something else than one token')
    return token


def read_token():
    if sys.stdin.isatty():
        return checked_token(getpass.getpass('Token: '), 'the input')
    return checked_token(sys.stdin.read(LARGEST_TOKEN + 1), 'the input')


# Helpers.


def run_helper(command, more=()):
    """The JSON object that it prints, or None; and why not."""
    question = json.dumps({'uri': 'https://' + (host_of(configured_endpoint()) or 'localhost') + '/'})
    try:
        got = subprocess.run(
            [*command, *more], input=question, capture_output=True, text=True, timeout=HELPER_LIMIT_S
        )
    except subprocess.TimeoutExpired:
        return None, f'it took longer than {HELPER_LIMIT_S} s'
    except OSError as error:
        return None, error.strerror
    if got.returncode != 0:
        return None, f'it ended with exit code {got.returncode}: {got.stderr.strip()[:500]}'
    try:
        answer = json.loads(got.stdout)
    except ValueError:
        return None, 'what it printed is no JSON'
    if not isinstance(answer, dict) or not (answer.get('token') or answer.get('headers')):
        return None, 'what it printed has neither a token nor headers'
    return answer, ''


def checked_helper(text):
    words = shlex.split(text)
    program = shutil.which(words[0]) if words else None
    if program is None:
        raise Failure(f'the helper {words[0] if words else text!r} is not found')
    command = [os.path.abspath(program), *words[1:]]
    answer, first_reason = run_helper(command)
    if answer is None and command[-1] != 'get':
        answer, _ = run_helper(command, ['get'])
    if answer is None:
        raise Failure(f'the helper {command[0]} gives no token: {first_reason}')
    return command, answer


# What the daemon and the configuration say.


def host_of(endpoint):
    text = re.sub(r'^[a-z]+://', '', endpoint or '')
    return re.sub(r':\d+$', '', text.split('/')[0].rpartition('@')[2])


def without_user(endpoint):
    return re.sub(r'//[^/@]*@', '//', endpoint)


def endpoint_of_files():
    home = os.environ.get('XDG_CONFIG_HOME') or os.path.expanduser('~/.config')
    for path in (os.path.join(home, 'goma', 'config.json'), '/etc/goma/config.json'):
        try:
            with open(path, encoding='utf-8') as file:
                # Comments stand on lines of their own here; the daemon itself tells what is wrong otherwise.
                settings = json.loads(re.sub(r'(?m)^\s*//.*$', '', file.read()))
        except (OSError, ValueError):
            continue
        for key in CONFIG_KEYS:
            if isinstance(settings, dict) and isinstance(settings.get(key), str) and settings[key]:
                return settings[key]
    return None


def configured_endpoint():
    by_variable = next((os.environ[name] for name in ENDPOINTS if os.environ.get(name)), None)
    return by_variable or endpoint_of_files()


def daemon_remote():
    """The remote side as the daemon that runs sees it; None when there is none to ask."""
    try:
        import goma_ctl

        daemon = goma_ctl.Daemon.find()
        return daemon.json('/api/v1/status').get('remote') if daemon else None
    except Exception:  # noqa: BLE001 - whatever is wrong with it, the login can still be told
        return None


def time_text(seconds):
    if not seconds:
        return 'unknown'
    return datetime.datetime.fromtimestamp(seconds).astimezone().strftime('%Y-%m-%d %H:%M:%S %Z')


class State:
    """Everything that `info` tells."""

    def __init__(self, login, remote, endpoint, now):
        credentials = (remote or {}).get('credentials') or {}
        backends = (remote or {}).get('backends') or []
        token = (login or {}).get('token') or ''
        self.since = (login or {}).get('since') or 0
        self.expires = credentials.get('expires_ms', 0) // 1000 or (login or {}).get('expires') or 0
        self.principal = (login or {}).get('principal') or principal_of(token)
        self.cluster = ', '.join(b['address'] for b in backends) or without_user(endpoint or '')
        self.problem = credentials.get('problem') or ''
        self.expired = bool(self.expires) and self.expires <= now
        self.logged_in = bool(credentials.get('usable')) if remote else bool(login) and not self.expired
        self.access = self._access(remote, backends)
        self._why_not(remote, backends)

    def _access(self, remote, backends):
        if remote is None:
            return 'unknown: goma is not running' if self.cluster else 'None'
        reachable = [b for b in backends if b['breaker'] == 'closed']
        if remote.get('mode') == 'cluster' and any(b['rights']['execute'] for b in reachable):
            return 'Cache & Execute'
        cached = remote.get('mode') in ('cluster', 'cache-only')
        return 'Cache Only' if cached and any(b['rights']['read'] for b in reachable) else 'None'

    def _why_not(self, remote, backends):
        reasons = [(remote or {}).get('because')]
        reasons += [b.get('refusal') or b.get('last_error') for b in backends]
        for reason in reasons:
            if reason and not self.problem:
                self.problem = reason

    @property
    def status(self):
        if self.expired:
            return 'Expired'
        return 'Logged in' if self.logged_in else 'Not logged in'

    @property
    def exit_code(self):
        if not self.cluster:
            return FAILED
        if self.access in ('Cache & Execute', 'Cache Only'):
            return OK
        if self.access == 'None':
            return FAILED if self.logged_in else LOGIN_NEEDED
        return OK if self.logged_in else LOGIN_NEEDED

    def lines(self):
        if self.logged_in and self.principal:
            yield f'Login as {self.principal}'
        elif not self.logged_in:
            yield 'Not logged in'
        if not self.cluster:
            yield NO_CLUSTER
            return
        yield f'Status:    {self.status}'
        yield f'Since:     {time_text(self.since)}'
        yield f'Expires:   {time_text(self.expires)}'
        yield f'Cluster:   {self.cluster}'
        yield f'Principal: {self.principal or "unknown"}'
        yield f'Access:    {self.access}'
        if self.problem:
            yield f'Problem:   {self.problem}'
        if self.exit_code == OK:
            yield f'Ready to use Goma service at {self.cluster}'
        elif self.exit_code == LOGIN_NEEDED:
            yield 'To log in: goma_auth.py login'


# The commands.


def info(_words):
    state = State(read_login(), daemon_remote(), configured_endpoint(), time.time())
    print('\n'.join(state.lines()))
    return state.exit_code


def login(words):
    # Options of the original that belong to a login by browser have no effect.
    words = [word for word in words if word not in ('--no-browser', '--browser')]
    if not words:
        if configured_endpoint() is None and daemon_remote() in (None, {}):
            raise Failure(NO_CLUSTER)
        token = read_token()
        if expiry_of(token) and expiry_of(token) <= time.time():
            raise Failure(f'the token has expired: {time_text(expiry_of(token))}')
        write_login({'token': token, 'expires': expiry_of(token), 'principal': principal_of(token)})
    elif len(words) == 2 and words[0] == '--token-file':
        path = os.path.abspath(words[1])
        try:
            with open(path, encoding='utf-8') as file:
                token = checked_token(file.read(LARGEST_TOKEN + 1), path)
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else 'it is no text'
            raise Failure(f'{path}: {reason}') from None
        if mode & 0o077:
            print(f'warning: others can read {path}: chmod 600 {shlex.quote(path)}', file=sys.stderr)
        write_login({'token_file': path, 'principal': principal_of(token)})
    elif len(words) == 2 and words[0] == '--helper':
        command, answer = checked_helper(words[1])
        token = answer.get('token') if isinstance(answer.get('token'), str) else ''
        write_login({'helper': command, 'principal': principal_of(token)})
    else:
        raise Failure(f'login: unknown option {words[0]}\n\n{__doc__}', USAGE)
    kept = read_login() or {}
    print(f'Login as {kept.get("principal") or "unknown"}, kept in {login_path()}')
    return OK


def logout(_words):
    try:
        os.unlink(login_path())
    except FileNotFoundError:
        print('Not logged in: nothing to forget.')
        return OK
    except OSError as error:
        raise Failure(f'{login_path()}: {error.strerror}') from None
    print('Logged out.')
    return OK


def config(_words):
    endpoint = configured_endpoint()
    if endpoint is not None:
        print(f'GOMA_ENDPOINT={without_user(endpoint)}')
    return OK


COMMANDS = {'info': info, 'login': login, 'logout': logout, 'config': config}


def main(words):
    if words and words[0] in ('-h', '--help', 'help'):
        print(__doc__)
        return OK
    name = words[0] if words else 'info'
    if name not in COMMANDS:
        print(f'goma_auth.py: unknown command {name}\n\n{__doc__}', file=sys.stderr)
        return USAGE
    try:
        return COMMANDS[name](words[1:])
    except Failure as failure:
        print(failure if failure.status == FAILED else f'goma_auth.py: {failure}', file=sys.stderr)
        return failure.status


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
