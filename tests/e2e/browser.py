"""A headless Chromium, driven over its debugging pipe; needs nothing beyond Python and the browser.

The pipe carries JSON messages that end in a NUL: commands in, answers and events out.
"""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

FLAGS = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--remote-debugging-pipe',
]


def find():
    """The browser's path."""
    for name in ('chromium', 'chromium-browser', 'google-chrome'):
        if path := shutil.which(name):
            return path
    raise FileNotFoundError('no Chromium here (Debian package chromium)')


class Browser:
    """One browser with one page and a fresh profile, until close()."""

    def __init__(self, width=1400, height=1000, limit=60):
        self.limit = limit
        self.errors = []  # what the console reported as an error, and uncaught exceptions
        self._number = 0
        self._rest = b''
        self._answers = {}
        self._profile = tempfile.mkdtemp(prefix='goma_browser_')
        self._process = self._start(width, height)
        target = self._send('Target.createTarget', {'url': 'about:blank'}, None)['targetId']
        attached = self._send('Target.attachToTarget', {'targetId': target, 'flatten': True}, None)
        self._session = attached['sessionId']
        for domain in ('Page', 'Runtime', 'Log', 'Network'):
            self.command(domain + '.enable')

    def _start(self, width, height):
        to_browser, self._out = os.pipe()
        self._in, from_browser = os.pipe()

        def place_pipes():
            # The browser reads commands from descriptor 3 and writes answers to 4.
            low = os.dup(to_browser), os.dup(from_browser)
            high = [os.dup2(fd, 100 + i) for i, fd in enumerate(low)]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        process = subprocess.Popen(
            [find(), *FLAGS, f'--user-data-dir={self._profile}', f'--window-size={width},{height}'],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False,
            preexec_fn=place_pipes)
        os.close(to_browser)
        os.close(from_browser)
        return process

    def close(self):
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._in)
        os.close(self._out)
        shutil.rmtree(self._profile, ignore_errors=True)

    def _receive(self, deadline):
        while b'\0' not in self._rest:
            ready, _, _ = select.select([self._in], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError('the browser does not answer')
            data = os.read(self._in, 1 << 20)
            if not data:
                raise ConnectionError('the browser ended')
            self._rest += data
        message, self._rest = self._rest.split(b'\0', 1)
        return json.loads(message)

    def _note(self, message):
        method, params = message.get('method'), message.get('params', {})
        if 'id' in message:
            self._answers[message['id']] = message
        elif method == 'Runtime.exceptionThrown':
            self.errors.append(json.dumps(params['exceptionDetails']))
        elif method == 'Log.entryAdded' and params['entry']['level'] == 'error':
            self.errors.append(params['entry']['text'] + ' ' + params['entry'].get('url', ''))
        elif method == 'Runtime.consoleAPICalled' and params['type'] in ('error', 'warning', 'assert'):
            self.errors.append(json.dumps(params['args']))

    def _send(self, method, params, session):
        self._number += 1
        message = {'id': self._number, 'method': method, 'params': params}
        if session:
            message['sessionId'] = session
        os.write(self._out, json.dumps(message).encode() + b'\0')
        deadline = time.monotonic() + self.limit
        while self._number not in self._answers:
            self._note(self._receive(deadline))
        answer = self._answers.pop(self._number)
        if 'error' in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer['result']

    def command(self, method, **params):
        return self._send(method, params, self._session)

    def open(self, url):
        self.command('Page.navigate', url=url)

    def evaluate(self, expression):
        """The value of a JavaScript expression; promises are awaited."""
        answer = self.command(
            'Runtime.evaluate', expression=expression, returnByValue=True, awaitPromise=True
        )
        if 'exceptionDetails' in answer:
            raise RuntimeError(answer['exceptionDetails'].get('exception', {}).get('description', expression))
        return answer['result'].get('value')

    def wait_for(self, expression):
        """Waits until the expression is true, at most the limit."""
        deadline = time.monotonic() + self.limit
        while not self.evaluate(f'!!({expression})'):
            if time.monotonic() > deadline:
                raise TimeoutError(f'never true: {expression}\n{self.errors}')
            time.sleep(0.05)

    def prefer(self, scheme):
        """'light' or 'dark'."""
        feature = {'name': 'prefers-color-scheme', 'value': scheme}
        self.command('Emulation.setEmulatedMedia', features=[feature])

    def screenshot(self, path):
        image = self.command('Page.captureScreenshot', format='png')['data']
        with open(path, 'wb') as file:
            file.write(base64.b64decode(image))
