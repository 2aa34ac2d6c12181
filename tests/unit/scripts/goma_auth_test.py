"""goma_auth.py: what it keeps, who can read it, and what it says of the daemon's answers."""

import base64
import contextlib
import io
import json
import os
import shutil
import stat
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / 'scripts'))
import goma_auth  # noqa: E402

HOUR = 3600


def jwt(**claims):
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')
    return f'e30.{body}.c2ln'


def remote(mode='cluster', execute=True, usable=True, breaker='closed', **more):
    return {
        'mode': mode,
        'because': more.get('because', ''),
        'credentials': {'usable': usable, 'expires_ms': more.get('expires_ms', 0), 'problem': ''},
        'backends': [
            {
                'address': 'grpcs://cluster:443',
                'breaker': breaker,
                'last_error': more.get('last_error', ''),
                'refusal': '',
                'rights': {'read': True, 'execute': execute, 'update': False},
            }
        ],
    }


class Auth(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.remote = None
        env = {'PATH': os.environ['PATH'], 'HOME': self.folder, 'GOMA_ENDPOINT': 'grpcs://u:p@cluster:443'}
        for patch in (
            mock.patch.dict(os.environ, env, clear=True),
            mock.patch.object(goma_auth, 'daemon_remote', lambda: self.remote),
        ):
            patch.start()
            self.addCleanup(patch.stop)

    def run_auth(self, *words, text=''):
        out, err = io.StringIO(), io.StringIO()
        with mock.patch('sys.stdin', io.StringIO(text)):
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = goma_auth.main(list(words))
        return code, out.getvalue(), err.getvalue()

    def kept(self):
        with open(os.path.join(self.folder, '.local/state/goma/auth.json')) as file:
            return json.load(file)

    def script(self, text):
        path = os.path.join(self.folder, 'helper')
        Path(path).write_text('#!/bin/sh\n' + text)
        os.chmod(path, 0o700)
        return path

    def test_a_token_from_standard_input_is_kept_for_its_owner_alone(self):
        token = jwt(email='me@example', exp=4_000_000_000)
        code, out, _ = self.run_auth('login', '--no-browser', text=f'Bearer {token}\n')
        self.assertEqual(0, code)
        self.assertIn('Login as me@example', out)
        self.assertNotIn(token, out)
        path = os.path.join(self.folder, '.local/state/goma/auth.json')
        self.assertEqual(0o600, stat.S_IMODE(os.stat(path).st_mode))
        self.assertEqual(0o700, stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode))
        self.assertEqual(token, self.kept()['token'])
        self.assertEqual(4_000_000_000, self.kept()['expires'])
        self.assertEqual(['auth.json'], os.listdir(os.path.dirname(path)))

    def test_what_is_no_token_is_refused_and_not_shown(self):
        for text in ('', 'two words', 'a\nb', jwt(exp=1)):
            code, out, err = self.run_auth('login', text=text)
            self.assertEqual(1, code, text)
            self.assertNotIn(text or 'Login as', out + err)
        self.assertFalse(os.path.exists(goma_auth.login_path()))
        self.assertEqual(2, self.run_auth('login', 's3cret')[0])
        self.assertEqual(2, self.run_auth('login', '--token', 's3cret')[0])

    def test_a_token_file(self):
        path = os.path.join(self.folder, 'token')
        self.assertEqual(1, self.run_auth('login', '--token-file', path)[0])
        Path(path).write_text('opaque\n')
        os.chmod(path, 0o644)
        code, _, err = self.run_auth('login', '--token-file', path)
        self.assertEqual(0, code)
        self.assertIn('chmod 600', err)
        self.assertEqual(path, self.kept()['token_file'])
        self.assertNotIn('token', self.kept())

    def test_a_helper_of_either_protocol(self):
        path = self.script('echo \'{"token":"t","headers":{}}\'\n')
        self.assertEqual(0, self.run_auth('login', '--helper', f"{path} 'a b'")[0])
        self.assertEqual([path, 'a b'], self.kept()['helper'])
        path = self.script(
            '[ "$1" = get ] || exit 3\nread question\n'
            'case $question in *https://cluster/*) ;; *) exit 4;; esac\n'
            'echo \'{"headers":{"Authorization":["Bearer t"]}}\'\n'
        )
        self.assertEqual(0, self.run_auth('login', '--helper', path)[0])
        self.assertEqual([path], self.kept()['helper'])

    def test_a_helper_that_gives_nothing_is_not_kept(self):
        cases = {'echo no >&2; exit 5': 'exit code 5: no', 'echo x': 'no JSON', 'echo {}': 'neither'}
        for text, reason in cases.items():
            code, _, err = self.run_auth('login', '--helper', self.script(text))
            self.assertEqual(1, code)
            self.assertIn(reason, err)
        self.assertIn('not found', self.run_auth('login', '--helper', 'no-such-program')[2])
        self.assertFalse(os.path.exists(goma_auth.login_path()))

    def test_logout(self):
        self.run_auth('login', text='t')
        self.assertEqual((0, 'Logged out.\n', ''), self.run_auth('logout'))
        self.assertEqual(0, self.run_auth('logout')[0])
        self.assertFalse(os.path.exists(goma_auth.login_path()))

    def test_info_while_the_daemon_runs(self):
        self.run_auth('login', text=jwt(email='me@example'))
        self.remote = remote(expires_ms=4_000_000_000_000)
        code, out, _ = self.run_auth('info')
        self.assertEqual(0, code)
        lines = out.splitlines()
        self.assertEqual('Login as me@example', lines[0])
        self.assertIn('Access:    Cache & Execute', lines)
        self.assertIn('Cluster:   grpcs://cluster:443', lines)
        self.assertTrue(any(line.startswith('Expires:   2096-') for line in lines))
        self.assertEqual('Ready to use Goma service at grpcs://cluster:443', lines[-1])

    def test_cache_only_is_usable_without_a_login(self):
        self.remote = remote(mode='cache-only', execute=False, usable=False, because='no credentials')
        code, out, _ = self.run_auth()
        self.assertEqual(0, code)
        self.assertTrue(out.startswith('Not logged in\n'))
        self.assertIn('Access:    Cache Only', out)
        self.assertIn('Problem:   no credentials', out)

    def test_a_cluster_out_of_reach_is_no_matter_of_logins(self):
        self.run_auth('login', text='t')
        self.remote = remote(breaker='open', last_error='connection refused')
        code, out, _ = self.run_auth('info')
        self.assertEqual(1, code)
        self.assertIn('Access:    None', out)
        self.assertIn('connection refused', out)

    def test_an_expired_login_asks_for_a_new_one(self):
        state = goma_auth.State({'token': 't', 'expires': HOUR}, None, 'grpcs://cluster', 2 * HOUR)
        self.assertEqual('Expired', state.status)
        self.assertEqual(4, state.exit_code)
        self.assertIn('To log in: goma_auth.py login', list(state.lines()))
        self.assertEqual(4, goma_auth.State(None, None, 'grpcs://cluster', 0).exit_code)
        self.assertEqual(0, goma_auth.State({'token': 't'}, None, 'grpcs://cluster', 0).exit_code)

    def test_without_a_cluster(self):
        del os.environ['GOMA_ENDPOINT']
        code, out, _ = self.run_auth('info')
        self.assertEqual((1, f'Not logged in\n{goma_auth.NO_CLUSTER}\n'), (code, out))
        self.assertEqual(1, self.run_auth('login', text='t')[0])

    def test_the_cluster_of_a_file(self):
        del os.environ['GOMA_ENDPOINT']
        path = Path(self.folder, '.config/goma/config.json')
        path.parent.mkdir(parents=True)
        path.write_text('// mine\n{"http_cache": "https://u:p@cache/x"}\n')
        self.assertEqual((0, 'GOMA_ENDPOINT=https://cache/x\n', ''), self.run_auth('config'))
        self.assertEqual('cache', goma_auth.host_of('https://u:p@cache:8/x'))

    def test_a_login_that_is_damaged(self):
        os.makedirs(goma_auth.state_folder())
        Path(goma_auth.login_path()).write_text('{')
        code, _, err = self.run_auth('info')
        self.assertEqual(1, code)
        self.assertIn('it is no JSON', err)


if __name__ == '__main__':
    unittest.main()
