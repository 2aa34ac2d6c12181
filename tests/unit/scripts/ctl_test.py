"""What goma_ctl.py makes of the remote side in a status."""

import contextlib
import copy
import io
import sys
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / 'scripts'))
import goma_ctl  # noqa: E402
import goma_figures  # noqa: E402

BACKEND = {
    'address': 'grpcs://rbe.example.com:443', 'kind': 'reapi', 'breaker': 'closed', 'latency_us': 38_000,
    'rights': {'read': True, 'execute': True, 'update': False}, 'open_until_ms': 0, 'last_error': '',
    'refusal': '', 'warning': '', 'sent_bytes': 2048, 'received_bytes': 4096,
}
STATUS = {
    'now_ms': 1_000_000,
    'slots': {'limit': 8},
    'store': None,
    'tasks': {'ended': 10, 'active': 0, 'cacheable': 10, 'hits': 4, 'saved_us': 0, 'mismatches': 0},
    'results': {'local_hit': 1, 'remote_hit': 3, 'remote_exec': 5, 'passthrough': 0, 'failed': 0},
    'remote': {
        'mode': 'cluster', 'because': '', 'backends': [BACKEND], 'in_flight': 3, 'limit': 200, 'waiting': 1,
        'credentials': {'configured': True, 'usable': True, 'source': 'file /t', 'expires_ms': 4_600_000,
                        'problem': ''},
        'races': {'remote': 1, 'local': 3},
        'service': {'state': 'up', 'text': 'all well', 'uptime': '99.9 %'},
    },
}


class Remote(unittest.TestCase):
    def setUp(self):
        self.now = copy.deepcopy(STATUS)
        self.remote = self.now['remote']

    def facts(self):
        return [f'{name}: {text}' for name, text in goma_figures.remote_facts(self.now)]

    def printed(self, function, *words):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            function(*words)
        return out.getvalue()

    def test_a_cluster_is_told_in_full(self):
        self.assertEqual(
            [
                'mode: cluster',
                'endpoint: grpcs://rbe.example.com:443',
                ': answers in 38.0 ms; rights: read, execute',
                'credentials: file /t, expire in 1 h 0 min',
                'in flight: 3 of 200, 1 waiting',
                'service: up, all well, 99.9 %',
            ],
            self.facts(),
        )

    def test_what_is_amiss_is_told(self):
        self.remote.update(mode='cache-only', because='the token expired', service=None)
        self.remote['credentials'].update(expires_ms=1, usable=False, problem='the token expired')
        self.remote['backends'][0].update(breaker='open', open_until_ms=1_030_000, last_error='refused')
        facts = self.facts()
        self.assertIn('mode: cache-only (the token expired)', facts)
        self.assertIn(': does not answer; asked again in 30.0 s', facts)
        self.assertIn(': last error: refused', facts)
        self.assertIn('credentials: file /t, have expired: the token expired', facts)

    def test_without_a_remote_side_there_is_nothing_to_tell(self):
        self.remote.update(mode='local', backends=[])
        self.assertEqual([], self.facts())

    def test_the_figures_tell_what_the_cluster_did(self):
        text = self.printed(goma_figures.print_stat, self.now, False)
        self.assertRegex(text, r'On cluster: +5 / 6 ')
        self.assertRegex(text, r'Remote: +cluster, 4\.0 KiB down, 2\.0 KiB up')
        self.assertRegex(text, r'Races won: +1 / 4 ')

    def test_jobs_fill_the_cluster_only_while_there_is_one(self):
        daemon = mock.Mock()
        daemon.json.return_value = self.now
        with mock.patch.object(goma_ctl.Daemon, 'find', return_value=daemon):
            self.assertEqual('208\n', self.printed(goma_ctl.jobs))
            self.remote['mode'] = 'cache-only'
            self.assertEqual('16\n', self.printed(goma_ctl.jobs))


if __name__ == '__main__':
    unittest.main()
