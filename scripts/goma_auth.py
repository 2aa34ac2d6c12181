#!/usr/bin/env python3
"""Says whether goma may use a cluster, and who you are there.

usage: goma_auth.py [info|login|logout|config|help]

  info     the state of the login; exit 0 when a cluster can be used
  login    log in to the cluster
  logout   forget the login
  config   print the settings that belong to the account
"""

import os
import sys

OK, FAILED, USAGE = 0, 1, 2
ENDPOINTS = ('GOMA_ENDPOINT', 'GOMA_SERVER_HOST', 'RBE_service', 'SISO_REAPI_ADDRESS')

NO_CLUSTER = 'No cluster is configured. goma caches compiles on this machine, and needs no login for that.'


def configured_endpoint():
    return next((os.environ[name] for name in ENDPOINTS if os.environ.get(name)), None)


def no_cluster_yet(endpoint):
    return f'{endpoint} is set, but this version of goma uses no cluster: there is nothing to log in to.'


def info():
    endpoint = configured_endpoint()
    print('Not logged in')
    print(NO_CLUSTER if endpoint is None else no_cluster_yet(endpoint))
    return FAILED


def login():
    endpoint = configured_endpoint()
    print(NO_CLUSTER if endpoint is None else no_cluster_yet(endpoint), file=sys.stderr)
    return FAILED


def logout():
    print('Not logged in: nothing to forget.')
    return OK


def config():
    endpoint = configured_endpoint()
    if endpoint is not None:
        print(f'GOMA_ENDPOINT={endpoint}')
    return OK


COMMANDS = {'info': info, 'login': login, 'logout': logout, 'config': config}


def main(words):
    if words and words[0] in ('-h', '--help', 'help'):
        print(__doc__)
        return OK
    # Options such as --no-browser belong to a login that opens a browser; there is none to open yet.
    name = words[0] if words else 'info'
    if name not in COMMANDS:
        print(f'goma_auth.py: unknown command {name}\n\n{__doc__}', file=sys.stderr)
        return USAGE
    return COMMANDS[name]()


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
