"""The commands of the README, as they stand there, in a project that has a build file for each of its
tools."""

import base64
import os
import re
import shutil
import socket
import subprocess
import unittest
import urllib.error
import urllib.request

from product import GOMACC, TOP, ProductCase, wait_until

CMAKE = 'cmake_minimum_required(VERSION 3.22)\nproject(p C CXX)\nadd_executable(p main.cc part.c)\n'
MESON = "project('p', 'c', 'cpp')\nexecutable('p', 'main.cc', 'part.c')\n"
MAKE = 'p: main.o part.o\n\t$(CXX) -o $@ $^\n'


def blocks():
    """The blocks that are marked as shell, with the heading each stands under."""
    heading, found = '', []
    with open(os.path.join(TOP, 'README.md')) as readme:
        text = readme.read()
    for match in re.finditer(r'(?ms)^#+ ([^\n]*)$|^```sh\n(.*?)^```$', text):
        if match.group(1):
            heading = match.group(1)
        else:
            found.append((heading, match.group(2)))
    return found


class Readme(ProductCase):
    def setUp(self):
        super().setUp()
        self.write('CMakeLists.txt', CMAKE)
        self.write('meson.build', MESON)
        self.write('Makefile', MAKE)
        self.write(
            'main.cc', '#include <string>\nextern "C" int part(void);\nint main() { return part(); }\n'
        )
        self.write('part.c', 'int part(void) { return 0; }\n')
        self.files = self.listing()

    def shell(self, text):
        env = {'PATH': f'{os.path.dirname(GOMACC)}:{os.environ["PATH"]}'}
        got = self.run_in(['bash', '-euo', 'pipefail', '-c', text], env=env)
        self.assertEqual(0, got.returncode, f'{text}\n{got.stdout.decode()}\n{got.stderr.decode()}')
        return got

    def build_anew(self, text):
        """The results of the project's two sources, however often a tool tries the compiler besides."""
        seen = len(self.tasks())
        self.remove_new(self.files)
        self.shell(text)
        ours = [
            task for task in self.tasks()[seen:] if os.path.basename(task['source']) in ('main.cc', 'part.c')
        ]
        return sorted(task['result'] for task in ours)

    def test_each_way_of_building_misses_once_and_then_hits(self):
        builds = [(heading, text) for heading, text in blocks() if '-j200' in text]
        self.assertGreaterEqual(len(builds), 3)
        for heading, text in builds:
            with self.subTest(heading):
                self.build_anew(text)
                self.assertEqual(['local_hit', 'local_hit'], self.build_anew(text))

    def test_the_other_commands_run(self):
        self.shell('gomacc g++ -c main.cc -o main.o')
        others = [text for _, text in blocks() if '-j200' not in text]
        self.assertGreaterEqual(len(others), 3)
        for text in others:
            with self.subTest(text):
                self.shell(text)


NGINX = """
daemon off; pid @TOP@/pid; error_log @TOP@/log;
@USER@
events {}
http {
  access_log off;
  client_body_temp_path @TOP@/temp; proxy_temp_path @TOP@/temp; fastcgi_temp_path @TOP@/temp;
  uwsgi_temp_path @TOP@/temp; scgi_temp_path @TOP@/temp;
  server { listen 127.0.0.1:@PORT@; @CACHE@ }
  server { listen 127.0.0.1:@OTHER@ http2; @CLUSTER@ }
}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Nginx(ProductCase):
    """The blocks that are marked as nginx's."""

    def setUp(self):
        super().setUp()
        with open(os.path.join(TOP, 'README.md')) as readme:
            cluster, cache = re.findall(r'(?ms)^```nginx\n(.*?)^```$', readme.read())
        self.port = free_port()
        self.write('users', 'ci:{PLAIN}word\n')
        os.makedirs(os.path.join(self.work, 'cache', 'goma', '.tmp'))
        cache = cache.replace('/var/cache', os.path.join(self.work, 'cache'))
        cache = cache.replace('/etc/nginx/goma.htpasswd', os.path.join(self.work, 'users'))
        words = {'TOP': self.work, 'PORT': self.port, 'OTHER': free_port()}
        words.update(CACHE=cache, CLUSTER=cluster)
        words['USER'] = 'user root;' if os.geteuid() == 0 else ''
        text = NGINX
        for name, value in words.items():
            text = text.replace(f'@{name}@', str(value))
        self.write('nginx.conf', text)
        program = shutil.which('nginx', path='/usr/sbin:/usr/bin')
        server = subprocess.Popen(
            [program, '-c', os.path.join(self.work, 'nginx.conf')], stderr=subprocess.DEVNULL
        )
        self.addCleanup(server.wait, 60)
        self.addCleanup(server.terminate)
        wait_until(lambda: self.ask('GET', 'nothing') == 404, 'nginx answers')

    def ask(self, method, name, body=None, login=None):
        """The status."""
        headers = {'Authorization': 'Basic ' + base64.b64encode(login).decode()} if login else {}
        url = f'http://127.0.0.1:{self.port}/goma/cas/{name}'
        request = urllib.request.Request(url, data=body, headers=headers, method=method)
        try:
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(request, timeout=60) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except urllib.error.URLError:
            return 0

    def test_everybody_reads_and_only_who_has_a_password_writes(self):
        self.assertEqual(401, self.ask('PUT', 'a', b'x'))
        self.assertEqual(404, self.ask('GET', 'a'))
        self.assertEqual(201, self.ask('PUT', 'a', bytes(2_000_000), b'ci:word'))
        self.assertEqual(200, self.ask('GET', 'a'))
        self.assertEqual(200, self.ask('HEAD', 'a'))
        self.assertEqual(401, self.ask('PUT', 'a', b'x', b'ci:wrong'))


if __name__ == '__main__':
    unittest.main()
