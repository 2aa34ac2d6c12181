"""The status page in a real browser, over a made-up history; and that the program is built again when the
page changes."""

import os
import shutil
import subprocess
import tempfile
import time
import unittest
import urllib.request

import browser
from product import BUILD, TOP

SERVER = os.path.join(BUILD, 'tests', 'tools', 'page_server')
ROWS = 'document.querySelectorAll("tbody tr").length'


def get(url):
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=60) as answer:
        return answer.read().decode()


class Served:
    """A page_server with so many ended tasks."""

    def __init__(self, tasks):
        self.process = subprocess.Popen([SERVER, str(tasks)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.url = f'http://localhost:{int(self.process.stdout.readline())}/'

    def add_task(self):
        self.process.stdin.write(b'\n')
        self.process.stdin.flush()

    def close(self):
        if not self.process.stdin.closed:
            self.process.stdin.close()
            self.process.stdout.close()
            self.process.wait(60)


def setUpModule():
    subprocess.run(['ninja', '-C', BUILD, 'tests/tools/page_server'], check=True, stdout=subprocess.DEVNULL)


class PageCase(unittest.TestCase):
    def serve(self, tasks=200):
        served = Served(tasks)
        self.addCleanup(served.close)
        return served


class Page(PageCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = browser.Browser()
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        self.served = self.serve()
        # A page that still loads when its server ends reports that as an error of the next test.
        self.addCleanup(self.browser.open, 'about:blank')
        self.browser.open('about:blank')
        self.browser.evaluate('1')
        self.browser.errors.clear()
        if 'app.js' not in self.page_source():
            self.skipTest('the build under test has no page (-Dweb=disabled)')
    def page_source(self):
        request = urllib.request.Request(self.served.url, headers={'Accept-Encoding': 'gzip'})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read().decode()

    def open(self, more='', rows=50):
        self.browser.open(self.served.url + more)
        self.browser.wait_for(f'{ROWS} >= {rows}')

    def text(self, selector):
        return self.browser.evaluate(f'document.querySelector({selector!r}).innerText')

    def click(self, selector):
        self.browser.evaluate(f'document.querySelector({selector!r}).click()')

    def test_rows_and_figures_appear_without_a_console_error(self):
        for scheme in ('light', 'dark'):
            with self.subTest(scheme):
                self.browser.prefer(scheme)
                self.open()
                self.assertIn('74.9', self.text('.card.wide .figure'))
                self.assertIn('200', self.text('.cards'))
                self.assertIn('6 of 8 local slots', self.text('.cards').replace('\u202f', ' '))
                self.assertIn('unknown flag', self.text('.reasons'))
                remote = self.text('.card.full').replace('\u202f', ' ')
                self.assertIn('grpcs://rbe.example.com:443', remote)
                self.assertIn('in 38 ms', remote)
                self.assertIn('read, execute', remote)
                self.assertIn('of 200 remote calls in flight', remote)
                self.assertIn('All systems operational, uptime 99.95 %', remote)
                self.assertEqual([], self.browser.errors)
        background = 'getComputedStyle(document.body).backgroundColor'
        self.assertEqual('rgb(15, 19, 23)', self.browser.evaluate(background))

    def test_names_and_reasons_stay_text(self):
        self.open('#q=script', rows=1)
        shown = self.browser.evaluate('document.querySelector("tbody").textContent')
        self.assertIn('<script>alert(1)</script>.cc', shown)
        self.assertEqual(1, self.browser.evaluate('document.scripts.length'))
        self.assertEqual([], self.browser.errors)

    def test_a_new_task_appears_by_itself(self):
        self.open()
        before = self.text('.chips button b')
        self.served.add_task()
        self.browser.wait_for(f'document.querySelector(".chips button b").innerText !== {before!r}')
        self.assertEqual('207', self.text('.chips button b'))

    def test_filter_and_search_narrow_the_list_and_are_kept_in_the_address(self):
        self.open()
        self.click('.chips button:nth-child(5)')
        self.browser.wait_for(f'{ROWS} === 24')
        self.assertEqual('#show=uncached', self.browser.evaluate('location.hash'))
        self.click('.reasons button')
        self.browser.wait_for(f'{ROWS} > 0 && {ROWS} < 24')
        few = self.browser.evaluate(ROWS)
        self.assertIn('&q=', self.browser.evaluate('location.hash'))
        self.browser.command('Page.reload')
        self.browser.wait_for(f'{ROWS} === {few}')

    def test_one_task_is_shown_in_full_without_its_secrets(self):
        self.open('#show=uncached', rows=1)
        self.click('tbody tr button')
        self.browser.wait_for('document.querySelector("dialog[open] pre")')
        shown = self.text('dialog')
        self.assertIn('clang++ -DNDEBUG', shown)
        self.assertIn('-DAPI_TOKEN=[hidden]', shown)
        self.assertNotIn('hunter2', self.browser.evaluate('document.documentElement.outerHTML'))
        self.click('dialog header button')
        self.browser.wait_for('!document.querySelector("dialog[open]")')
        self.assertEqual([], self.browser.errors)

    def test_nothing_is_asked_while_nobody_looks(self):
        self.open()
        asked = 'performance.getEntriesByType("resource").length'
        hide = (
            'Object.defineProperty(document, "hidden", {value: %s, configurable: true});'
            'document.dispatchEvent(new Event("visibilitychange"))'
        )
        self.browser.evaluate(hide % 'true')
        time.sleep(0.5)
        before = self.browser.evaluate(asked)
        time.sleep(2.5)
        self.assertEqual(before, self.browser.evaluate(asked))
        self.browser.evaluate(hide % 'false')
        self.browser.wait_for(f'{asked} > {before}')

    def test_the_page_says_when_the_daemon_is_gone(self):
        self.open()
        self.served.close()
        self.browser.wait_for('document.querySelector(".banner")')
        self.assertIn('does not answer', self.text('.banner'))
        self.assertGreater(self.browser.evaluate(ROWS), 50)


class PlainPage(PageCase):
    def test_without_javascript_status_and_tasks_are_shown(self):
        html = get(self.serve().url)
        self.assertIn('74.9 % (131 of 175)', html)
        self.assertIn('net/http/http_cache_transaction.cc', html)
        self.assertIn('&lt;script&gt;alert(1)', html)
        self.assertNotIn('<script', html)
        self.assertNotIn('hunter2', html)

    def test_a_new_daemon_shows_no_tasks_and_no_rate(self):
        self.assertIn('no compile yet', get(self.serve(0).url))


PROGRAM = """
#include <cstdio>
#include "serve/page_files.h"
int main() {
  for (std::size_t i = 0; i < serve::kPageFileCount; ++i) std::puts(serve::kPageFiles[i].etag.data());
}
"""
PROJECT = """
project('page', 'cpp', default_options: ['cpp_std=c++20'])
subdir('web')
executable('page', 'main.cc', page_source, include_directories: 'proxy')
"""


class Build(unittest.TestCase):
    """A copy of the page alone, in a project of its own."""

    def setUp(self):
        self.top = tempfile.mkdtemp(prefix='goma_page_')
        self.addCleanup(shutil.rmtree, self.top, ignore_errors=True)
        os.makedirs(self.path('proxy', 'serve'))
        shutil.copy(os.path.join(TOP, 'proxy', 'serve', 'page_files.h'), self.path('proxy', 'serve'))
        shutil.copy(os.path.join(TOP, 'meson_options.txt'), self.top)
        shutil.copytree(os.path.join(TOP, 'web'), self.path('web'))
        for name, text in (('main.cc', PROGRAM), ('meson.build', PROJECT)):
            with open(self.path(name), 'w') as file:
                file.write(text)

    def path(self, *names):
        return os.path.join(self.top, *names)

    def run_in(self, *command, **options):
        got = subprocess.run(command, cwd=self.top, capture_output=True, text=True, **options)
        self.assertEqual(0, got.returncode, got.stdout + got.stderr)
        return got.stdout

    def tags(self):
        self.run_in('ninja', '-C', 'build')
        return self.run_in('build/page').split()

    def test_a_change_of_the_page_rebuilds_the_program_and_nothing_else_does(self):
        self.run_in('meson', 'setup', 'build', '-Dweb=enabled')
        before = self.tags()
        self.assertEqual(3, len(before))
        self.assertIn('no work to do', self.run_in('ninja', '-C', 'build'))
        for name in ('app.css', 'format.ts', 'icon.svg'):
            with self.subTest(name):
                path = self.path('web', 'src', name)
                with open(path) as file:
                    text = file.read()
                comment = {'css': 'p{top:1px}', 'ts': 'console.log(1);', 'svg': '<!-- -->'}
                with open(path, 'w') as file:
                    file.write(text + comment[name.rsplit('.', 1)[1]])
                after = self.tags()
                self.assertNotEqual(before, after)
                before = after
        self.assertFalse(os.path.exists(self.path('web', 'node_modules')))

    def test_without_node_there_is_a_program_without_the_page(self):
        tools = self.path('tools')
        os.mkdir(tools)
        for name in ('meson', 'ninja', 'python3', 'c++', 'g++', 'cc', 'gcc', 'ld', 'as', 'ar'):
            if shutil.which(name):
                os.symlink(shutil.which(name), os.path.join(tools, name))
        env = {**os.environ, 'PATH': tools, 'CXX': 'g++'}
        self.run_in('meson', 'setup', 'build', '-Dweb=disabled', env=env)
        self.run_in('ninja', '-C', 'build', env=env)
        self.assertEqual('', self.run_in('build/page'))


if __name__ == '__main__':
    unittest.main()
