"""The relay of the fault tests does what it says; otherwise a fault test would pass without its fault."""

import os
import socket
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from relay import Relay  # noqa: E402


class Echo:
    """Sends back what it gets, on any number of connections."""

    def __enter__(self):
        self.server = socket.create_server(('127.0.0.1', 0))
        self.port = self.server.getsockname()[1]
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()
        return self

    def accept(self):
        while True:
            try:
                peer, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(peer,), daemon=True).start()

    @staticmethod
    def answer(peer):
        with peer:
            try:
                while data := peer.recv(65536):
                    peer.sendall(data)
            except OSError:
                pass

    def __exit__(self, *_):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.thread.join()


class RelayTest(unittest.TestCase):
    def setUp(self):
        echo = self.enterContext(Echo())
        self.relay = self.enterContext(Relay(echo.port))
        self.peer = self.connect()

    def connect(self):
        peer = socket.create_connection(('127.0.0.1', self.relay.port), timeout=30)
        self.addCleanup(peer.close)
        return peer

    def get(self, count, peer=None):
        got = b''
        while len(got) < count:
            data = (peer or self.peer).recv(count - len(got))
            if not data:
                break
            got += data
        return got

    def silent(self, peer=None):
        """Whether nothing comes; it cannot be shown but by waiting a little."""
        (peer or self.peer).settimeout(0.3)
        try:
            return (peer or self.peer).recv(1) is None
        except TimeoutError:
            return True
        finally:
            (peer or self.peer).settimeout(30)

    def test_without_a_fault_everything_arrives_and_ends(self):
        data = os.urandom(3 << 20)
        sender = threading.Thread(target=self.peer.sendall, args=(data,))
        sender.start()
        self.assertEqual(data, self.get(len(data)))
        sender.join()
        self.peer.shutdown(socket.SHUT_WR)
        self.assertEqual(b'', self.peer.recv(1))
        self.assertEqual(1, self.relay.connections)

    def test_a_black_hole_takes_everything_and_gives_nothing(self):
        self.relay.black_hole()
        for peer in (self.peer, self.connect()):
            peer.sendall(b'hello')
            self.assertTrue(self.silent(peer))
        self.relay.pass_on()
        self.peer.sendall(b'again')
        self.assertEqual(b'again', self.get(5))

    def test_a_pause_loses_nothing(self):
        self.relay.pause()
        self.peer.sendall(b'hello')
        self.assertTrue(self.silent())
        self.relay.pass_on()
        self.assertEqual(b'hello', self.get(5))

    def test_slow_is_late_and_no_faster_than_said(self):
        self.relay.slow(0.05, 5e6)
        self.peer.sendall(b'x')
        began = time.monotonic()
        self.get(1)
        self.assertGreaterEqual(time.monotonic() - began, 0.09)
        data = os.urandom(250_000)  # 0.4 s at this speed
        sender = threading.Thread(target=self.peer.sendall, args=(data,))
        began = time.monotonic()
        sender.start()
        self.assertEqual(data, self.get(len(data)))
        sender.join()
        self.assertGreaterEqual(time.monotonic() - began, 0.4)

    def test_an_answer_stops_after_so_many_bytes_and_goes_on_later(self):
        self.relay.stop_after(10)
        self.peer.sendall(b'0123456789abcdef')
        self.assertEqual(b'0123456789', self.get(10))
        self.assertTrue(self.silent())
        self.relay.pass_on()
        self.assertEqual(b'abcdef', self.get(6))

    def test_an_answer_is_cut_after_so_many_bytes(self):
        self.relay.cut_after(10)
        self.peer.sendall(b'0123456789abcdef')
        with self.assertRaises(ConnectionResetError):
            self.assertLessEqual(len(self.get(16)), 10)
            self.peer.recv(1)
        other = self.connect()
        other.sendall(b'short')
        self.assertEqual(b'short', self.get(5, other))

    def test_all_connections_can_be_cut_and_new_ones_refused(self):
        self.peer.sendall(b'a')
        self.get(1)
        self.relay.refuse()
        with self.assertRaises(ConnectionResetError):
            self.peer.recv(1)
        with self.assertRaises(ConnectionRefusedError):
            self.connect()
        self.relay.accept()
        other = self.connect()
        other.sendall(b'b')
        self.assertEqual(b'b', self.get(1, other))


if __name__ == '__main__':
    unittest.main()
