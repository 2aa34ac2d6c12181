"""Without the right to execute there is still the cache: hits without credentials, misses compiled here,
nothing written, not a word for each compile, and execution again as soon as the credentials are good."""

import os
import unittest

from engines import BuildGrid, Certificates, HttpCache, Proxy
from remote_case import UNITS, Project, RemoteCase, wait_until

# Within this many seconds, as is promised, a replaced token file is noticed.
RESUMES = 60
FEW = 8


class CacheOnlyCase(RemoteCase):
    def quiet_build(self, project, reference):
        """A build that says no more than the compiler would."""
        got = self.build(project, reference)
        said = [line for line in got.stdout.decode().splitlines() if not line.startswith('[')]
        self.assertEqual(([], b''), (said, got.stderr))

    def assert_mode(self, mode):
        wait_until(lambda: self.status()['mode'] == mode, f'mode {mode}')


class Http(CacheOnlyCase):
    """nginx: anybody reads, writing needs a password."""

    @classmethod
    def start_engines(cls):
        cls.cache = cls.enterClassContext(HttpCache(limits='client_max_body_size 8m;'))

    def remote(self):
        return {'GOMA_HTTP_CACHE': self.cache.url}

    def with_login(self):
        return self.cache.url.replace('//', f'//{self.cache.user}:{self.cache.password}@')

    def fill(self, project, name, flags='-O1'):
        """As one who may write. Returns the outputs, and keeps the names of what is new in the store."""
        before = self.cache.entries()
        reference = project.plain('g++', flags, name)
        self.new_machine(GOMA_HTTP_CACHE=self.with_login())
        self.build(project, reference)
        self.assert_results(local_exec=UNITS)
        self.stop_daemon()  # which lets uploads end
        self.start_daemon()
        self.new = set(self.cache.entries()) - set(before)
        self.assertEqual(UNITS, len([name for name in self.new if name.startswith('ac/')]))
        return reference

    def test_hits_without_credentials_and_misses_compiled_here(self):
        project = Project(self, self.work)
        reference = self.fill(project, 'FIRST', '-O1 -g')
        before = self.cache.entries()
        self.new_machine(GOMA_HTTP_CACHE=self.cache.url)
        self.quiet_build(project, reference)
        self.assert_results(remote_hit=UNITS)
        self.assert_mode('cache-only')
        reference = project.plain('g++', '-O2', 'MISS')
        self.quiet_build(project, reference)
        self.assert_results(local_exec=UNITS)
        self.assertEqual(before, self.cache.entries())

    def test_a_refused_write_is_not_tried_for_each_compile(self):
        project = Project(self, self.work)
        before = self.cache.entries()
        self.quiet_build(project, project.plain(name='REFUSED'))
        self.assert_results(local_exec=UNITS)
        self.stop_daemon()
        self.start_daemon()
        self.assertEqual(before, self.cache.entries())
        refused = [line for line in self.cache.requests() if '"PUT ' in line and '" 401 ' in line]
        self.assertLess(len(refused), UNITS)

    def test_a_damaged_blob_is_a_miss(self):
        project = Project(self, self.work)
        reference = self.fill(project, 'DAMAGED')
        for name in self.cache.entries('cas'):
            with open(self.cache.path('store', name), 'r+b') as blob:
                first = blob.read(1)
                blob.seek(0)
                blob.write(bytes([(first or b'x')[0] ^ 1]))
        self.new_machine(GOMA_HTTP_CACHE=self.cache.url)
        self.quiet_build(project, reference)
        self.assert_results(local_exec=UNITS)

    def test_an_entry_whose_blobs_are_gone_is_a_miss(self):
        project = Project(self, self.work)
        reference = self.fill(project, 'GONE')
        for name in self.cache.entries('cas'):
            os.unlink(self.cache.path('store', name))
        self.new_machine(GOMA_HTTP_CACHE=self.cache.url)
        self.quiet_build(project, reference)
        self.assert_results(local_exec=UNITS)

    def test_a_face_that_refuses_or_fails_costs_no_build(self):
        project = Project(self, self.work, units=FEW)
        for face in ('private', 'forbidden', 'broken'):
            with self.subTest(face):
                self.new_machine(GOMA_HTTP_CACHE=f'{self.cache.url}/{face}')
                self.quiet_build(project, project.plain(name=face))
                self.assert_results(local_exec=FEW)

    def test_the_same_entry_has_the_same_name_as_on_a_cluster(self):
        """What lies under ac/ is named by the Action that lies under cas/."""
        self.fill(Project(self, self.work), 'SAME')
        for name in self.new:
            if name.startswith('ac/'):
                self.assertIn('cas/' + name[3:], self.new)


class Tokens(CacheOnlyCase):
    """BuildGrid behind nginx: anybody reads, a token executes."""

    @classmethod
    def start_engines(cls):
        cls.certificates = cls.enterClassContext(Certificates())
        cls.grid = cls.enterClassContext(BuildGrid(workers=1, access='headers', hide=cls.hide))
        known = {'good': 'maint', 'weak': 'somebody'}
        cls.proxy = cls.enterClassContext(
            Proxy(cls.grid.port, 'client_max_body_size 0;', certificates=cls.certificates, tokens=known)
        )

    def remote(self):
        return {
            'GOMA_ENDPOINT': self.proxy.tls_endpoint,
            'GOMA_INSTANCE': 'main',
            'GOMA_TLS_CA': self.certificates.certificate('ca'),
            'GOMA_PLATFORM': 'ISA=x86-64,OSFamily=linux',
            'GOMA_TOOLCHAIN': 'image',
            'GOMA_WORKERS_IDENTICAL': 'true',
        }

    def token(self, text):
        """A token file; replaced as a whole, as whoever renews it does."""
        with open(self.path('token.new'), 'w') as out:
            out.write(text + '\n')
        os.chmod(self.path('token.new'), 0o600)
        os.rename(self.path('token.new'), self.path('token'))
        return self.path('token')

    def fill(self, name):
        project = Project(self, self.work, units=FEW)
        reference = project.plain(name=name)
        self.new_machine(GOMA_HTTP_AUTHORIZATION_FILE=self.token('good'))
        self.build(project, reference)
        self.assert_results(remote_exec=FEW)
        self.assert_mode('cluster')
        return project, reference

    def check_reader(self, project, reference, name):
        """Hits, local misses, no writes."""
        before = self.grid.blobs.digests()
        self.quiet_build(project, reference)
        self.assert_results(remote_hit=FEW)
        self.quiet_build(project, project.plain(name=f'MISS_{name}'))
        self.assert_results(local_exec=FEW)
        self.assert_mode('cache-only')
        self.assertEqual(before, self.grid.blobs.digests())

    def test_without_a_token(self):
        project, reference = self.fill('NOBODY')
        self.new_machine(GOMA_HTTP_AUTHORIZATION_FILE=None)
        self.check_reader(project, reference, 'NOBODY')

    def test_a_wrong_token_and_one_without_rights_then_a_good_one(self):
        project, reference = self.fill('WRONG')
        for token in ('wrong', 'weak'):
            with self.subTest(token):
                self.new_machine(GOMA_HTTP_AUTHORIZATION_FILE=self.token(token))
                self.check_reader(project, reference, token)
                self.resumes(project, token)

    def resumes(self, project, name, token='good'):
        """The file is replaced; no restart, no command."""
        self.token(token)
        numbers = iter(range(1000))

        def executed():
            self.build(project, project.plain(name=f'AGAIN_{name}_{next(numbers)}'))
            return self.new_results().get('remote_exec') == FEW

        wait_until(executed, 'the cluster executes again', RESUMES)
        self.assert_mode('cluster')

    def test_a_token_that_expires_in_mid_build(self):
        project, _ = self.fill('EXPIRES')
        reference = project.plain(name='EXPIRED')
        build = project.start_ninja(4)
        known = self.proxy.tokens
        self.addCleanup(self.proxy.accept, known)
        self.proxy.accept({'renewed': 'maint'})
        self.finish(build, project, reference)
        self.resumes(project, 'expired', 'renewed')

    def test_a_token_never_travels_unencrypted_or_shows(self):
        self.fill('SHOWN')
        self.assertNotIn('good', self.get('/api/v1/settings'))
        with open(f'/proc/{self.daemon.pid}/cmdline') as words:
            self.assertNotIn('good', words.read())


class SignedTokens(CacheOnlyCase):
    """BuildGrid's own check of signed tokens: what is expired is refused everywhere, also for reading."""

    @classmethod
    def start_engines(cls):
        cls.certificates = cls.enterClassContext(Certificates())
        cls.grid = cls.enterClassContext(
            BuildGrid(workers=1, access='jwt', certificates=cls.certificates, ask_client=True, hide=cls.hide)
        )

    def remote(self):
        return {
            'GOMA_ENDPOINT': self.grid.tls_endpoint,
            'GOMA_INSTANCE': 'main',
            'GOMA_TLS_CA': self.certificates.certificate('ca'),
            'GOMA_TLS_CERT': self.certificates.certificate('client'),
            'GOMA_TLS_KEY': self.certificates.key('client'),
            'GOMA_PLATFORM': 'ISA=x86-64,OSFamily=linux',
            'GOMA_TOOLCHAIN': 'image',
            'GOMA_WORKERS_IDENTICAL': 'true',
        }

    def start_with(self, token):
        with open(self.path('token'), 'w', opener=lambda p, f: os.open(p, f, 0o600)) as out:
            out.write(token)
        self.new_machine(GOMA_HTTP_AUTHORIZATION_FILE=self.path('token'))

    def test_rights_by_token(self):
        project = Project(self, self.work, units=FEW)
        reference = project.plain('g++', '-O1 -g')
        self.start_with(self.grid.token('maint'))
        self.build(project, reference)
        self.assert_results(remote_exec=FEW)
        self.start_with(self.grid.token('reader'))
        self.quiet_build(project, reference)
        self.assert_results(remote_hit=FEW)
        self.quiet_build(project, project.plain('g++', '-O2'))
        self.assert_results(local_exec=FEW)
        self.start_with(self.grid.token('maint', -5))
        self.quiet_build(project, project.plain('g++', '-O1 -g'))
        self.assert_results(local_exec=FEW)


if __name__ == '__main__':
    unittest.main()
