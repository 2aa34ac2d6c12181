"""Certificates and tokens, made on the spot and thrown away with the test."""

import base64
import datetime
import hashlib
import hmac
import json
import os
import shutil
import subprocess
import tempfile
import time

_CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
# openssl's little authority, which unlike its other commands takes dates from the past.
_AUTHORITY = """[ca]
default_ca = dated
[dated]
database = index
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
[any]
commonName = supplied
[server]
subjectAltName = DNS:localhost, IP:127.0.0.1
extendedKeyUsage = serverAuth
[client]
extendedKeyUsage = clientAuth
"""


class Certificates:
    """Pairs NAME.pem and NAME.key in one folder, each made when it is first asked for.

    Authorities: ca, strangers. Signed by ca: server (for localhost and 127.0.0.1), expired (a server's that
    ended yesterday), client. Signed by strangers: stranger (a client's).
    """

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix='certificates')
        self._put('openssl.cnf', _AUTHORITY)
        self._put('index', '')
        self._put('serial', '01\n')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def certificate(self, name):
        self._make(name)
        return os.path.join(self.folder, f'{name}.pem')

    def key(self, name):
        self._make(name)
        return os.path.join(self.folder, f'{name}.key')

    def replace(self, name):
        """The same names with new content, as when a certificate is renewed."""
        os.unlink(self.certificate(name))
        self._make(name)

    def _put(self, name, text):
        with open(os.path.join(self.folder, name), 'w') as out:
            out.write(text)

    def _openssl(self, *words):
        subprocess.run(['openssl', *words], cwd=self.folder, check=True, capture_output=True, timeout=60)

    def _make(self, name):
        if os.path.exists(os.path.join(self.folder, f'{name}.pem')):
            return
        files = ['-keyout', f'{name}.key', '-out']
        if name in ('ca', 'strangers'):
            words = ['-x509', '-days', '30', '-addext', 'basicConstraints=critical,CA:TRUE']
            self._openssl('req', *_CURVE, *words, '-subj', f'/CN={name}', *files, f'{name}.pem')
            return
        authority = 'strangers' if name == 'stranger' else 'ca'
        self._make(authority)
        kind = 'client' if name in ('client', 'stranger') else 'server'
        begin, end = (-10, -1) if name == 'expired' else (-1, 30)
        dates = ['-startdate', _day(begin), '-enddate', _day(end)]
        subject = 'localhost' if kind == 'server' else name
        self._openssl('req', *_CURVE, '-subj', f'/CN={subject}', *files, f'{name}.csr')
        signer = ['-cert', f'{authority}.pem', '-keyfile', f'{authority}.key']
        words = ['-batch', '-notext', '-config', 'openssl.cnf', '-extensions', kind, *signer, *dates]
        # The list of what was signed would refuse a second certificate with the same subject.
        self._put('index', '')
        self._openssl('ca', *words, '-in', f'{name}.csr', '-out', f'{name}.pem')


def _day(days):
    day = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return day.strftime('%Y%m%d%H%M%SZ')


def make_token(secret, subject, seconds=3600, audience='goma'):
    """A JSON web token signed with HS256; seconds may be negative, or None for one without an end."""

    def part(value):
        text = value if isinstance(value, bytes) else json.dumps(value).encode()
        return base64.urlsafe_b64encode(text).rstrip(b'=')

    claims = {'sub': subject, 'aud': audience}
    if seconds is not None:
        claims['exp'] = int(time.time()) + seconds
    signed = part({'alg': 'HS256', 'typ': 'JWT'}) + b'.' + part(claims)
    return (signed + b'.' + part(hmac.new(secret.encode(), signed, hashlib.sha256).digest())).decode()
