"""Each engine of the tests starts, answers, fails as it should, and leaves nothing behind. What is measured
here is the engines themselves; the product comes in through the other files."""

import base64
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from engines import (  # noqa: E402
    BuildGrid,
    Casd,
    Certificates,
    EngineFailed,
    HttpCache,
    Proxy,
    can_hide,
    probe,
)

SOURCE = '#include <vector>\nint f(std::vector<int> &v) { return v.size(); }\n'


class EngineCase(unittest.TestCase):
    def setUp(self):
        self.work = os.path.realpath(tempfile.mkdtemp(prefix='checkout'))
        self.addCleanup(shutil.rmtree, self.work, ignore_errors=True)
        self.source, self.out = os.path.join(self.work, 'x.cc'), os.path.join(self.work, 'out')
        os.mkdir(self.out)
        with open(self.source, 'w') as out:
            out.write(SOURCE)

    def same_object(self, compiler='g++'):
        """Whether what the engine compiled has the bytes of a compile here."""
        argv = [compiler, '-g', '-c', 'x.cc', '-o', 'x.o']
        subprocess.run(argv, cwd=self.work, check=True)
        return self.content(self.work) == self.content(self.out)

    @staticmethod
    def content(folder):
        with open(os.path.join(folder, 'x.o'), 'rb') as file:
            return file.read()

    def compile(self, endpoint, *options, instance=''):
        """With the host's tools, in whatever folder the runner makes up."""
        words = ['--input', f'{self.source}:x.cc', '--output', 'x.o', '--into', self.out]
        words += ['--env', 'PATH=/usr/bin:/bin', '--env', 'PWD=/proc/self/cwd', '--']
        words += ['g++', '-g', '-c', 'x.cc', '-o', 'x.o', f'-fdebug-prefix-map=/proc/self/cwd={self.work}']
        return probe(endpoint, *options, 'run', *words, instance=instance)

    def compile_in_root(self, endpoint, compiler, instance=''):
        """With the compiler as input, where the input root is the root."""
        folder = self.work.lstrip('/')
        words = ['--input', f'{self.source}:{folder}/x.cc', '--output', 'x.o', '--into', self.out]
        words += ['--cwd', folder, '--env', 'PATH=/usr/bin:/bin']
        words += ['--toolchain', compiler, '--source', self.source, '--']
        return probe(endpoint, 'run', *words, compiler, '-g', '-c', 'x.cc', '-o', 'x.o', instance=instance)

    def refused(self, endpoint, words, instance='', call='run'):
        with self.assertRaises(EngineFailed) as failed:
            probe(endpoint, *words, call, *(['--', '/bin/true'] if call == 'run' else []), instance=instance)
        return str(failed.exception)

    def token(self, text):
        path = os.path.join(self.work, 'token')
        with open(path, 'w') as out:
            out.write(text)
        return ['--token', path]


class CasdTest(EngineCase):
    def test_host_tools(self):
        with Casd() as casd:
            got = self.compile(casd.endpoint)
            self.assertEqual((0, 0, ''), (got['status'], got['exit_code'], got['message']))
            self.assertTrue(self.same_object())
            self.assertEqual(1, len(casd.results.digests()))
            self.assertTrue(self.compile(casd.endpoint)['cached'])
            casd.restart()
            self.assertTrue(self.compile(casd.endpoint)['cached'])
            self.assertGreater(casd.blobs.delete_some(1, seed=1), 3)
            self.assertFalse(self.compile(casd.endpoint)['cached'])
            casd.kill()
            self.refused(casd.endpoint, [], call='capabilities')
            casd.start()
            self.assertEqual(0, self.compile(casd.endpoint)['exit_code'])

    def test_the_input_root_as_root(self):
        with Casd(runner='bubblewrap') as casd:
            for compiler in ('g++', 'clang++-19'):
                got = self.compile_in_root(casd.endpoint, compiler)
                self.assertEqual((0, '', ''), (got['exit_code'], got['stderr'], got['message']))
                self.assertTrue(self.same_object(compiler), compiler)

    def test_a_hidden_folder_is_empty_for_actions(self):
        if not can_hide():
            self.skipTest('no mount namespaces here')
        listed = ['run', '--', 'ls', self.work]
        with Casd() as casd:
            self.assertIn('x.cc', probe(casd.endpoint, *listed)['stdout'])
        with Casd(hide=self.work) as casd:
            self.assertEqual('', probe(casd.endpoint, *listed)['stdout'])
            self.compile(casd.endpoint)
            self.assertTrue(self.same_object())

    def test_the_waiting_runner(self):
        with Casd(runner='waiting', jobs=25, seconds=0.2, reads=['a.h', '/b.h']) as casd:
            got = probe(casd.endpoint, 'bench', '--actions', 50, '--parallel', 25)
            self.assertEqual((50, 0), (got['actions'], got['failed']))
            self.assertGreater(got['seconds'], 0.4)
            got = probe(casd.endpoint, 'bench', '--actions', 25, '--parallel', 25, '--whole')
            self.assertEqual((25, 0), (got['actions'], got['failed']))
            words = ['--output', 'x.o', '--output', 'x.d', '--into', self.out]
            got = probe(casd.endpoint, 'run', *words, '--', 'g++', '-c', 'x.cc')
            self.assertEqual((0, ['x.o', 'x.d']), (got['exit_code'], sorted(got['outputs'], reverse=True)))
            with open(os.path.join(self.out, 'x.d')) as file:
                self.assertEqual('x.o: x.cc a.h /b.h', ' '.join(file.read().replace('\\', '').split()))
            self.assertEqual('real\n', probe(casd.endpoint, 'run', '--', 'echo', 'real')['stdout'])

    def test_storage_without_execution(self):
        for static in (False, True):
            with Casd(runner=None, static=static, unix=static) as casd:
                got = probe(casd.endpoint, 'capabilities')
                self.assertNotIn('executionCapabilities', got)
                self.assertTrue(got['cacheCapabilities']['actionCacheUpdateCapabilities']['updateEnabled'])

    def test_what_does_not_start_says_why(self):
        with self.assertRaises(EngineFailed) as failed:
            with Casd(runner=None, arguments=['--no-such-option']):
                pass
        self.assertIn('casd ended with', str(failed.exception))


class BuildGridTest(EngineCase):
    def test_workers_and_a_server_that_dies(self):
        with BuildGrid(workers=2) as grid:
            for instance in ('', 'main', 'team/a'):
                self.assertEqual(0, self.compile(grid.endpoint, instance=instance)['exit_code'])
                self.assertTrue(self.same_object())
            self.assertGreater(len(grid.blobs.digests()), 3)
            grid.workers.kill_worker(1)
            self.assertEqual('hello\n', self.say('hello', grid))
            grid.kill_server()
            self.refused(grid.endpoint, [], 'main', 'capabilities')
            grid.start_server()
            self.assertEqual('again\n', self.say('again', grid))

    @staticmethod
    def say(text, grid):
        return probe(grid.endpoint, 'run', '--', 'echo', text, instance='main')['stdout']

    def test_tokens_and_client_certificates(self):
        with Certificates() as made, BuildGrid(1, access='jwt', certificates=made, ask_client=True) as grid:
            ca = ['--ca', made.certificate('ca')]
            own = [*ca, '--cert', made.certificate('client'), '--key', made.key('client')]
            maint = self.token(grid.token('maint'))
            self.assertEqual(0, self.compile(grid.tls_endpoint, *own, *maint, instance='main')['exit_code'])
            self.assertTrue(self.same_object())
            foreign = [*ca, '--cert', made.certificate('stranger'), '--key', made.key('stranger')]
            for words in (ca, foreign):
                self.assertIn('UNAVAILABLE', self.refused(grid.tls_endpoint, words, 'main', 'capabilities'))
            for token in (
                grid.token('maint', -5),
                grid.token('maint', audience='other'),
                grid.token('reader'),
                grid.token('writer'),
                'nonsense',
            ):
                words = self.token(token)
                self.assertIn('UNAUTHENTICATED', self.refused(grid.endpoint, words, 'main'))
            reader = self.token(grid.token('reader'))
            self.assertIn('cacheCapabilities', probe(grid.endpoint, *reader, 'capabilities', instance='main'))
            self.assertIn('cacheCapabilities', probe(grid.endpoint, 'capabilities'))
            self.assertIn('UNAUTHENTICATED', self.refused(grid.endpoint, [], ''))

    def test_a_proxy_that_checks_credentials(self):
        tokens = {'good': 'maint'}
        with Certificates() as made, BuildGrid(1, access='headers') as grid:
            with Proxy(grid.port, certificates=made, tokens=tokens) as proxy:
                ca, good = ['--ca', made.certificate('ca')], self.token('good')
                for endpoint, words in ((proxy.endpoint, []), (proxy.tls_endpoint, ca)):
                    self.assertEqual(0, self.compile(endpoint, *words, *good, instance='main')['exit_code'])
                    self.assertIn('UNAUTHENTICATED', self.refused(endpoint, words, 'main'))
                    got = probe(endpoint, *words, 'capabilities', instance='main')
                    self.assertIn('cacheCapabilities', got)
                proxy.accept({'other': 'maint'})
                self.assertIn('401', self.refused(proxy.endpoint, good, 'main', 'capabilities'))
                proxy.server_certificate = 'expired'
                proxy.restart()
                self.assertIn('expired', self.refused(proxy.tls_endpoint, ca, 'main', 'capabilities'))


class HttpCacheTest(unittest.TestCase):
    def test_reading_is_free_and_writing_is_not(self):
        with HttpCache(limits='client_max_body_size 1k;') as cache:
            path = '/cas/' + '0' * 64
            login = base64.b64encode(f'{cache.user}:{cache.password}'.encode()).decode()
            user = {'Authorization': f'Basic {login}'}
            self.assertEqual(404, cache.ask('GET', path)[0])
            self.assertEqual(401, cache.ask('PUT', path, b'x')[0])
            self.assertEqual(201, cache.ask('PUT', path, b'x', user)[0])
            self.assertEqual(204, cache.ask('PUT', path, b'y', user)[0])
            self.assertEqual((200, b'y'), cache.ask('GET', path))
            self.assertEqual(413, cache.ask('PUT', path, b'x' * 2000, user)[0])
            self.assertEqual(405, cache.ask('DELETE', path, None, user)[0])
            self.assertEqual(401, cache.ask('GET', '/private' + path)[0])
            self.assertEqual((200, b'y'), cache.ask('GET', '/private' + path, None, user))
            self.assertEqual(403, cache.ask('GET', '/forbidden' + path)[0])
            self.assertEqual({path[1:]: b'y'}, cache.entries())
            cache.restart()
            self.assertEqual((200, b'y'), cache.ask('GET', path))


if __name__ == '__main__':
    unittest.main()
