"""Faults while ninja builds on a cluster. Each build must end right, with the bytes of the compiler's own,
and in bearable time: what the remote side does not give in time is compiled here."""

import itertools
import os
import random
import sys
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

from engines import BuildGrid, Casd, Certificates, HttpCache, Proxy, free_port
from remote_case import HEADER, LIMIT, UNITS, Project, RemoteCase, wait_until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'fault'))
from relay import Relay  # noqa: E402

SEED = int(os.environ.get('GOMA_TEST_SEED', '1'))
# A build of this size takes some seconds here. Whoever waits for the engine without a bound takes longer.
BEARABLE = 120


class FaultCase(RemoteCase):
    """Every test names its units differently, so that nothing is known of them."""

    # For who measures: the header of all units, what hears of each build before it begins and after it, and
    # the seconds between two looks, which take processor time themselves.
    header = HEADER
    recorder = None
    pause = 0.02

    def remote(self):
        return {
            'GOMA_MODE': 'cluster',
            'GOMA_ENDPOINT': self.engine.endpoint,
            'GOMA_INSTANCE': self.engine.instance,
            'GOMA_PLATFORM': 'ISA=x86-64,OSFamily=linux',
            'GOMA_TOOLCHAIN': 'image',
            'GOMA_WORKERS_IDENTICAL': 'true',
            'GOMA_USE_LOCAL': 'true',
        }

    def setUp(self):
        super().setUp()
        self.project = Project(self, self.work)
        self.project.write_header(self.header)
        self.reference = self.project.plain('g++', '-O1', self._testMethodName)

    def through(self, relay):
        self.new_machine(GOMA_ENDPOINT=f'grpc://127.0.0.1:{relay.port}')

    def during(self, *faults):
        """Starts a build, lets each fault happen after some tasks have ended, and expects it to end right."""
        if self.recorder:
            self.recorder.before(self)
        self.project.clean()
        began = time.monotonic()
        build = self.project.start_ninja(64)
        # A fault may last longer than the build, as a server's start does.
        with ThreadPoolExecutor(1) as aside:
            inflicted = aside.submit(self.inflict, build, faults)
            took = self.finish(build, self.project, self.reference) - began
            inflicted.result()
        self.assertLess(took, BEARABLE)
        results = self.new_results()
        self.assertEqual(UNITS, sum(results.values()), results)
        if self.recorder:
            self.recorder.after(self, took, results)
        return results

    def inflict(self, build, faults):
        for number, fault in enumerate(faults, 1):
            enough = number * UNITS // (len(faults) + 1)
            wait_until(
                lambda least=enough: build.poll() is not None or self.status()['tasks']['ended'] >= least,
                'some tasks have ended',
                LIMIT,
                self.pause,
            )
            fault()

    def works_again(self):
        """A later build runs remotely, without a restart."""
        numbers = iter(range(1000))

        def executed():
            self.project.plain('g++', '-O1', f'{self._testMethodName}{next(numbers)}')
            self.build(self.project, self.reference)
            return 'remote_exec' in self.new_results()

        self.env['GOMA_USE_LOCAL'] = 'false'  # else all may be quicker here
        wait_until(executed, 'the cluster is used again', LIMIT)


class Engines(FaultCase):
    @classmethod
    def start_engines(cls):
        cls.engine = cls.enterClassContext(Casd(runner='hosttools', hide=cls.hide))

    def test_the_engine_is_killed_and_comes_back(self):
        self.during(self.engine.kill, self.engine.start)
        self.works_again()

    def test_the_engine_is_not_there(self):
        self.new_machine(GOMA_ENDPOINT=f'grpc://127.0.0.1:{free_port()}')
        self.during()

    def test_blobs_vanish_again_and_again(self):
        stopping, draw = threading.Event(), random.Random(SEED)

        def delete():
            while not stopping.wait(self.pause):
                self.engine.blobs.delete_some(0.2, draw.random())

        thread = threading.Thread(target=delete)
        thread.start()
        try:
            for _ in range(3):
                self.during()
                self.new_machine()
        finally:
            stopping.set()
            thread.join()

    def test_an_entry_whose_blobs_are_gone_is_healed(self):
        # An action that lost a race would go on, and be stored whole after its blobs are gone.
        self.env['GOMA_USE_LOCAL'] = 'false'
        self.assertEqual({'remote_exec': UNITS}, self.during())
        self.engine.blobs.delete(self.engine.blobs.digests())
        self.new_machine()
        self.assertNotIn('remote_hit', self.during())
        self.new_machine()
        self.assertEqual({'remote_hit': UNITS}, self.during())
        self.engine.blobs.delete(self.engine.blobs.digests())
        self.new_machine()
        self.env['GOMA_USE_LOCAL'] = 'true'
        self.during()


class Network(FaultCase):
    """Through a relay that misbehaves."""

    @classmethod
    def start_engines(cls):
        cls.engine = cls.enterClassContext(Casd(runner='hosttools', hide=cls.hide))

    def setUp(self):
        super().setUp()
        self.relay = self.enterContext(Relay(self.engine.port))
        self.through(self.relay)

    def test_a_black_hole(self):
        self.during(self.relay.black_hole)
        self.relay.pass_on()
        self.relay.cut()
        self.works_again()

    def test_a_black_hole_from_the_start(self):
        self.relay.black_hole()
        self.new_machine()
        self.during()

    def test_a_slow_line(self):
        self.relay.slow(0.05, 5e6)
        self.new_machine()
        self.during()

    def test_answers_stop_in_the_middle(self):
        self.relay.stop_after(20_000)
        self.new_machine()
        self.during()

    def test_connections_are_cut_again_and_again(self):
        self.relay.cut_after(20_000)
        self.new_machine()
        self.during()

    def test_refused_and_accepted_again(self):
        self.during(self.relay.refuse, self.relay.accept)
        self.works_again()


class Quota(FaultCase):
    @classmethod
    def start_engines(cls):
        cls.engine = cls.enterClassContext(Casd(runner='hosttools', quota='2M', hide=cls.hide))

    def test_what_is_evicted_is_sent_again(self):
        for _ in range(2):
            self.during()
            self.new_machine()


class Scheduler(FaultCase):
    @classmethod
    def start_engines(cls):
        cls.engine = cls.enterClassContext(BuildGrid(workers=2, hide=cls.hide))

    def test_a_worker_is_killed(self):
        self.during(lambda: self.engine.workers.kill_worker(1))
        self.engine.start_workers()

    def test_the_server_is_killed_and_comes_back(self):
        self.during(self.engine.kill_server, self.engine.start_server)

    def test_no_worker(self):
        self.engine.workers.stop()
        try:
            self.during()
        finally:
            self.engine.start_workers()


class BehindNginx(FaultCase):
    """Limits that are nginx's own, or closer."""

    @classmethod
    def start_engines(cls):
        cls.certificates = cls.enterClassContext(Certificates())
        cls.engine = cls.enterClassContext(Casd(runner='hosttools', hide=cls.hide))

    def proxied(self, limits, server='server', tokens=None):
        proxy = Proxy(self.engine.port, limits, certificates=self.certificates, tokens=tokens)
        proxy.server_certificate = server
        self.enterContext(proxy)
        ca = self.certificates.certificate('ca')
        self.new_machine(GOMA_ENDPOINT=proxy.tls_endpoint, GOMA_TLS_CA=ca)
        return proxy

    def test_goaway_every_100_requests(self):
        self.env['GOMA_USE_LOCAL'] = 'false'
        self.proxied('keepalive_requests 100;')
        self.assertEqual({'remote_exec': UNITS}, self.during())

    def test_goaway_every_2_requests(self):
        self.proxied('keepalive_requests 2;')
        self.during()

    def test_bodies_over_20_kb_are_refused(self):
        self.project.write_header(f'{self.header}// {"x" * 40_000}\n')
        self.reference = self.project.plain('g++', '-O1', 'body')
        self.proxied('client_max_body_size 20k;')
        self.during()

    def test_streams_are_cut_after_a_second(self):
        self.proxied('grpc_read_timeout 1s;')
        self.during()

    def test_a_token_expires_and_another_one_is_given(self):
        token = self.write('token', 'good\n')
        os.chmod(token, 0o600)
        self.env['GOMA_HTTP_AUTHORIZATION_FILE'] = token
        proxy = self.proxied('', tokens={'good': 'somebody'})

        def renew():
            os.unlink(token)
            os.chmod(self.write('token', 'renewed\n'), 0o600)

        self.during(lambda: proxy.accept({'renewed': 'somebody'}), renew)
        self.works_again()

    def test_an_expired_certificate_means_locally_and_says_so(self):
        self.proxied('', server='expired')
        self.assertEqual({'local_exec': UNITS}, self.during())
        numbers = itertools.count()

        def is_named():
            # On a busy machine a connection may end before the certificate was seen; each compile asks anew.
            self.write('again.cc', f'int again{next(numbers)};\n')
            self.goma('g++', '-c', 'again.cc', '-o', 'again.o')
            return 'expired' in self.get('/api/v1/status') + self.get('/healthz')

        wait_until(is_named, 'the reason is shown', 120)


class Wrong(FaultCase):
    """Results that cannot be right, put into the action cache by somebody else."""

    @classmethod
    def start_engines(cls):
        cls.engine = cls.enterClassContext(HttpCache(limits='client_max_body_size 8m;'))

    def remote(self):
        url = self.engine.url.replace('//', f'//{self.engine.user}:{self.engine.password}@')
        return {'GOMA_HTTP_CACHE': url}

    def fill(self):
        self.assertEqual({'local_exec': UNITS}, self.during())
        self.stop_daemon()
        self.start_daemon()
        self.assertGreaterEqual(len(self.entries()), UNITS)

    def entries(self):
        folder = self.engine.path('store', 'ac')
        return [os.path.join(folder, name) for name in sorted(os.listdir(folder))]

    def test_results_of_other_units(self):
        """Every entry is its neighbour's: each names an object, and it is the wrong one."""
        self.fill()
        texts = []
        for path in self.entries():
            with open(path, 'rb') as file:
                texts.append(file.read())
        for path, text in zip(self.entries(), texts[1:] + texts[:1]):
            with open(path, 'wb') as out:
                out.write(text)
        self.new_machine()
        self.during()

    def test_results_without_outputs(self):
        self.fill()
        for path in self.entries():
            with open(path, 'wb') as out:
                out.write(b'J\0')
        self.new_machine()
        self.assertEqual({'local_exec': UNITS}, self.during())

    def test_results_that_are_no_messages(self):
        self.fill()
        for path in self.entries():
            with open(path, 'wb') as out:
                out.write(b'\xff' * 50)
        self.new_machine()
        self.assertEqual({'local_exec': UNITS}, self.during())


if __name__ == '__main__':
    unittest.main()
