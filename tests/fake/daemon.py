"""A compiler_proxy that does what a test tells it, and remembers what gomacc said.

It speaks proxy/wire/protocol.h. A test hands it one function per expected connection; each gets a `Peer`
and plays the daemon's part of the conversation.
"""

import os
import select
import socket
import struct
import threading

PROTOCOL = 1
COMPILE, QUERY, FINISHED, STOPPED = 1, 2, 3, 4
WAITING, RUN, DONE, REFUSE, STOP, STORED = 16, 17, 18, 19, 20, 21


def text(value):
    value = value.encode() if isinstance(value, str) else value
    return struct.pack('<I', len(value)) + value + b'\0'


def texts(values):
    return struct.pack('<I', len(values)) + b''.join(text(value) for value in values)


def frame(kind, payload=b'', protocol=PROTOCOL):
    return struct.pack('<IHH', len(payload), protocol, kind) + payload


def done(code=0, out=b'', err=b'', strip=0):
    return frame(DONE, struct.pack('<BB', code, strip) + text(out) + text(err))


def run(argv, outputs=(), capture=True, strip=0, again_if_lost=False):
    head = struct.pack('<BBB', capture, strip, again_if_lost)
    return frame(RUN, head + texts(argv) + texts(outputs))


def refuse(again=False, reason='because'):
    return frame(REFUSE, struct.pack('<B', again) + text(reason))


class Fields:
    """Takes a payload apart."""

    def __init__(self, payload):
        self.rest = payload

    def number(self, code):
        size = struct.calcsize('<' + code)
        (value,) = struct.unpack('<' + code, self.rest[:size])
        self.rest = self.rest[size:]
        return value

    def text(self):
        size = self.number('I')
        value, end = self.rest[:size], self.rest[size : size + 1]
        assert end == b'\0', 'a text without its NUL'
        self.rest = self.rest[size + 1 :]
        return value

    def texts(self):
        return [self.text() for _ in range(self.number('I'))]


class Compile:
    def __init__(self, payload):
        fields = Fields(payload)
        self.version = fields.text()
        self.purpose = fields.number('B')
        self.streams = fields.number('B')
        self.umask = fields.number('I')
        self.directory = fields.text().decode()
        self.compiler = fields.text().decode()
        self.argv = [word.decode() for word in fields.texts()]
        self.env = fields.texts()
        assert fields.rest == b'', 'bytes after the last field'


class Finished:
    def __init__(self, payload):
        fields = Fields(payload)
        self.wait_status = fields.number('i')
        self.user_us = fields.number('Q')
        self.system_us = fields.number('Q')
        self.max_rss_kib = fields.number('Q')
        self.truncated = fields.number('B')
        self.out = fields.text()
        self.err = fields.text()
        self.outputs = [tuple(fields.number(code) for code in 'BQQQ') for _ in range(fields.number('I'))]
        assert fields.rest == b'', 'bytes after the last field'


class Peer:
    """One gomacc, as the daemon sees it."""

    def __init__(self, connection):
        self.connection = connection

    def send(self, data):
        self.connection.sendall(data)

    def send_to_whoever_listens(self, data):
        try:
            self.send(data)
        except BrokenPipeError:
            pass

    def receive(self):
        """The type and payload of the next frame; (None, b'') when gomacc has gone."""
        header = self._exactly(8)
        if header is None:
            return None, b''
        size, protocol, kind = struct.unpack('<IHH', header)
        assert protocol == PROTOCOL
        return kind, self._exactly(size)

    def expect(self, kind):
        got, payload = self.receive()
        assert got == kind, f'gomacc sent {got}, not {kind}'
        return {COMPILE: Compile, FINISHED: Finished}.get(kind, bytes)(payload)

    def gone(self, seconds=30):
        """Waits until gomacc has closed the connection."""
        readable, _, _ = select.select([self.connection], [], [], seconds)
        if not readable:
            return False
        try:
            return self.connection.recv(1) == b''
        except ConnectionResetError:
            return True

    def _exactly(self, size):
        data = b''
        while len(data) < size:
            more = self.connection.recv(size - len(data))
            if not more:
                return None
            data += more
        return data


class Daemon:
    """Serves connections in order, one thread each: the last script serves all further ones."""

    def __init__(self, path, *scripts):
        self.scripts = scripts
        self.failures = []
        self.connections = 0
        self.threads = []
        self.listener = socket.socket(socket.AF_UNIX)
        # The path may be longer than an address can be.
        folder = os.open(os.path.dirname(path), os.O_PATH)
        self.listener.bind(f'/proc/self/fd/{folder}/{os.path.basename(path)}')
        os.close(folder)
        self.listener.listen(1000)
        self.acceptor = threading.Thread(target=self._accept)
        self.acceptor.start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            script = self.scripts[min(self.connections, len(self.scripts) - 1)]
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection, script))
            self.threads.append(thread)
            thread.start()

    def _serve(self, connection, script):
        with connection:
            connection.settimeout(60)
            try:
                script(Peer(connection))
            except Exception as failure:  # shown by the test, which runs in another thread
                self.failures.append(failure)

    def settle(self):
        for thread in list(self.threads):
            thread.join(60)

    def close(self):
        """Ends the service; raises what went wrong in a script."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.acceptor.join()
        for thread in self.threads:
            thread.join()
        if self.failures:
            raise self.failures[0]
