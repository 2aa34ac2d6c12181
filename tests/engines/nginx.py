"""nginx as the tests need it: a store of the HTTP cache protocol, and a proxy in front of a gRPC server."""

import http.client
import os
import secrets
import signal
import subprocess

from processes import Engine, free_port, is_root, listens

_HEAD = """worker_processes 1;
daemon off;
pid @FOLDER@/nginx.pid;
error_log @FOLDER@/nginx.log warn;
@USER@
events { worker_connections 4096; }
http {
  access_log @FOLDER@/access.log;
  client_body_temp_path @FOLDER@/store/incoming;
  proxy_temp_path @FOLDER@/temp;
  fastcgi_temp_path @FOLDER@/temp;
  uwsgi_temp_path @FOLDER@/temp;
  scgi_temp_path @FOLDER@/temp;
  @LIMITS@
"""

# Uploads become visible by a rename, since both folders are on one file system.
_CACHE = """  server {
    listen 127.0.0.1:@PORT@;
    @TLS@
    root @FOLDER@/store;
    location ~ ^/(ac|cas)/[0-9a-f]+$ {
      dav_methods PUT;
      create_full_put_path on;
      limit_except @FREE@ { auth_basic cache; auth_basic_user_file @FOLDER@/users; }
    }
    location ^~ /private/ {
      alias @FOLDER@/store/;
      auth_basic cache;
      auth_basic_user_file @FOLDER@/users;
    }
    location ^~ /forbidden/ { return 403; }
    location ^~ /broken/ { return 503; }
    location / { return 404; }
  }
}
"""

_PROXY = """  map $http_authorization $who {
    default refused;
    "" "";
    @TOKENS@
  }
  server {
    listen 127.0.0.1:@PORT@ http2;
    @PASS@
  }
  @ENCRYPTED@
}
"""
_PASS_CHECKED = """location / {
      if ($who = refused) { return 401; }
      grpc_set_header x-request-actor $who;
      grpc_set_header authorization "";
      grpc_pass grpc://127.0.0.1:@UPSTREAM@;
    }"""
_PASS = """location / { grpc_pass grpc://127.0.0.1:@UPSTREAM@; }"""


def _fill(text, words):
    for name, value in words.items():
        text = text.replace(f'@{name}@', str(value))
    return text


class Nginx(Engine):
    """Base of both. limits: directives for everything ('client_max_body_size 0; keepalive_requests 100;');
    what is not named there is nginx's own default."""

    def __init__(self, limits='', port=None):
        super().__init__()
        self.limits, self.port = limits, port or free_port()
        os.makedirs(self.path('store', 'incoming'))

    def config(self):
        """The text of the configuration after its common head."""
        raise NotImplementedError

    def write_config(self):
        user = 'user root;' if is_root() else ''
        words = {'FOLDER': self.folder, 'USER': user, 'LIMITS': self.limits}
        with open(self.path('nginx.conf'), 'w', opener=lambda p, f: os.open(p, f, 0o600)) as out:
            out.write(_fill(_HEAD + self.config(), words))

    def begin(self):
        self.write_config()
        argv = ['/usr/sbin/nginx', '-c', self.path('nginx.conf'), '-e', self.path('nginx.log')]
        self.spawn('nginx', argv)
        self.wait_up('nginx', lambda: listens(self.port))

    def change(self, limits):
        """Starts anew at the same address with other limits."""
        self.limits = limits
        self.restart()

    def stop(self):
        # SIGQUIT would wait for open streams.
        self.end('nginx', signal.SIGTERM)

    def requests(self):
        """The lines of the access log."""
        with open(self.path('access.log'), errors='replace') as log:
            return log.read().splitlines()


class HttpCache(Nginx):
    """Reading is free, writing needs user and password; deletions are refused. writers: 'users' or 'all'.

    The same store again: below /private/ with the password for everything; /forbidden/ and /broken/ answer
    403 and 503. Nothing checks what is stored. certificates: https with the server's certificate.
    """

    def __init__(self, limits='client_max_body_size 1m;', port=None, certificates=None, writers='users'):
        super().__init__(limits, port)
        self.user, self.password = 'goma', secrets.token_hex(8)
        self.certificates = certificates
        self.free = 'GET PUT' if writers == 'all' else 'GET'
        self.url = f'{"https://localhost" if certificates else "http://127.0.0.1"}:{self.port}'
        for name in ('ac', 'cas'):
            os.makedirs(self.path('store', name))
        words = ['openssl', 'passwd', '-apr1', '-stdin']
        hashed = subprocess.check_output(words, input=self.password, text=True, timeout=60)
        with open(self.path('users'), 'w') as out:
            out.write(f'{self.user}:{hashed}')

    def config(self):
        tls = ''
        text = _CACHE
        if self.certificates:
            pem, key = self.certificates.certificate('server'), self.certificates.key('server')
            tls = f'ssl_certificate {pem}; ssl_certificate_key {key};'
            text = text.replace('@PORT@;', '@PORT@ ssl http2;')
        return _fill(text, {'PORT': self.port, 'TLS': tls, 'FREE': self.free})

    def entries(self, kind=None):
        """Names (as cas/HASH and ac/HASH) and content of all that is stored."""
        found = {}
        for face in [kind] if kind else ['ac', 'cas']:
            for name in os.listdir(self.path('store', face)):
                with open(self.path('store', face, name), 'rb') as file:
                    found[f'{face}/{name}'] = file.read()
        return found

    def ask(self, method, path, body=None, headers=None):
        """One request over plain http; returns its status and the answer's body."""
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


class Proxy(Nginx):
    """In front of a gRPC server at a port of the loopback interface; plain, and with TLS if it has
    certificates.

    tokens: None (everything is passed on), or {token: who}: a bearer of a token is announced to the server as
    `who`, a caller without credentials as nobody, and all others get nginx's own page with status 401.
    """

    def __init__(self, upstream, limits='', port=None, certificates=None, tokens=None):
        super().__init__(limits, port)
        self.upstream, self.certificates, self.tokens = upstream, certificates, tokens
        self.server_certificate = 'server'  # the name among certificates; another holds from the next start
        self.tls_port = free_port() if certificates else None
        self.endpoint = f'grpc://127.0.0.1:{self.port}'
        self.tls_endpoint = f'grpcs://localhost:{self.tls_port}' if certificates else None

    def config(self):
        served = _PASS if self.tokens is None else _PASS_CHECKED
        encrypted = ''
        if self.certificates:
            pem = self.certificates.certificate(self.server_certificate)
            key = self.certificates.key(self.server_certificate)
            encrypted = (
                f'server {{\n    listen 127.0.0.1:{self.tls_port} ssl http2;\n'
                f'    ssl_certificate {pem};\n    ssl_certificate_key {key};\n    @PASS@\n  }}'
            )
        known = [f'"Bearer {token}" {who};' for token, who in (self.tokens or {}).items()]
        words = {'PORT': self.port, 'TOKENS': '\n    '.join(known), 'ENCRYPTED': encrypted}
        return _fill(_fill(_PROXY, words), {'PASS': _fill(served, {'UPSTREAM': self.upstream})})

    def accept(self, tokens):
        """From now on these tokens and no others."""
        self.tokens = tokens
        self.restart()
