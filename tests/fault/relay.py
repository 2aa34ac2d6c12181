"""A TCP relay that can be made to misbehave while connections run through it.

    with Relay(port) as relay:
        ... let the client connect to relay.port ...
        relay.slow(0.05, 5e6)

A change holds for connections that exist and for those to come, until pass_on(). Everything is on the
loopback interface; the relay runs on a thread of its own and may be called from any.
"""

import asyncio
import socket
import struct
import threading

PIECE = 16 * 1024
# Pieces that are on their way in one direction of a connection before its sender has to wait.
QUEUE = 16
UP, DOWN = 'up', 'down'  # from the client to the server, and back


class _Link:
    """One direction of the whole relay: connections share its speed."""

    def __init__(self):
        self.free_at = 0.0


class _Connection:
    def __init__(self, client, server):
        self.writers = (client, server)
        self.carried = {UP: 0, DOWN: 0}

    def cut(self):
        """The peers see a reset, as from a machine that went away."""
        for writer in self.writers:
            sock = writer.get_extra_info('socket')
            if sock is not None and sock.fileno() >= 0:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            writer.transport.abort()


class Relay:
    def __init__(self, target):
        self.target = target
        self.port = None
        self.connections = 0  # ever accepted
        self._open = set()
        self._links = {UP: _Link(), DOWN: _Link()}
        self._reset()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def _reset(self):
        self._delay, self._bits_per_second = 0.0, None
        self._swallow, self._paused = False, False
        self._cut_after, self._stop_after = None, None

    def __enter__(self):
        self._thread.start()
        self._go = self._now(self._make_event)
        self._server = self._await(asyncio.start_server(self._serve, '127.0.0.1', 0))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_):
        self._await(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # What a test says.

    def pass_on(self):
        """No fault from now on. What was swallowed stays lost."""
        self._set()

    def black_hole(self):
        """Connections are accepted and stay open; all bytes vanish."""
        self._set(_swallow=True)

    def pause(self):
        """No byte moves, and senders meet full buffers, until pass_on()."""
        self._set(_paused=True)

    def slow(self, delay, bits_per_second):
        """Every piece arrives `delay` seconds late; each direction of all connections together has this
        many bits a second."""
        self._set(_delay=delay, _bits_per_second=bits_per_second)

    def stop_after(self, count):
        """A connection falls silent once it has carried this many bytes of answers."""
        self._set(_stop_after=count)

    def cut_after(self, count):
        """A connection is reset once it has carried this many bytes of answers."""
        self._set(_cut_after=count)

    def cut(self):
        """All connections of this moment are reset."""
        self._now(lambda: [connection.cut() for connection in list(self._open)])

    def refuse(self):
        """Nobody listens any more, and what is open is reset; accept() ends it."""
        self._await(self._close_server())
        self.cut()

    def accept(self):
        self._server = self._await(asyncio.start_server(self._serve, '127.0.0.1', self.port))

    def open_connections(self):
        return self._now(lambda: len(self._open))

    # On the relay's thread.

    def _make_event(self):
        go = asyncio.Event()
        go.set()
        return go

    def _set(self, **changes):
        def change():
            self._reset()
            for name, value in changes.items():
                setattr(self, name, value)
            for connection in self._open:
                connection.carried = {UP: 0, DOWN: 0}
            (self._go.clear if self._paused else self._go.set)()

        self._now(change)

    def _now(self, function):
        async def call():
            return function()

        return self._await(call())

    def _await(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _close_server(self):
        self._server.close()
        await self._server.wait_closed()

    async def _end(self):
        self._server.close()
        for connection in list(self._open):
            connection.cut()
        own = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not own]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, from_client, to_client):
        self.connections += 1
        try:
            from_server, to_server = await asyncio.open_connection('127.0.0.1', self.target)
        except OSError:
            to_client.transport.abort()
            return
        connection = _Connection(to_client, to_server)
        self._open.add(connection)
        try:
            await asyncio.gather(
                self._carry(connection, UP, from_client, to_server),
                self._carry(connection, DOWN, from_server, to_client),
            )
            for writer in connection.writers:
                writer.close()
        except (OSError, asyncio.CancelledError):  # asyncio reports a cancelled server task as an error
            connection.cut()
        finally:
            self._open.discard(connection)

    async def _carry(self, connection, way, reader, writer):
        queue = asyncio.Queue(QUEUE)
        sender = asyncio.ensure_future(self._send(connection, way, queue, writer))
        try:
            while not sender.done():
                await self._go.wait()
                data = await reader.read(PIECE)
                await queue.put((self._loop.time(), data))
                if not data:
                    break
            await sender
        finally:
            sender.cancel()

    async def _send(self, connection, way, queue, writer):
        link = self._links[way]
        while True:
            arrived, data = await queue.get()
            await self._go.wait()
            if not data:
                if not self._swallow and writer.can_write_eof():
                    writer.write_eof()
                return
            await self._wait_turn(link, arrived, len(data))
            if self._swallow:
                continue
            if way == DOWN:
                data = await self._limited(connection, data, writer)
                if data is None:
                    return
            writer.write(data)
            await writer.drain()
            connection.carried[way] += len(data)

    async def _wait_turn(self, link, arrived, size):
        due = arrived + self._delay
        if self._bits_per_second:
            link.free_at = max(link.free_at, arrived) + size * 8 / self._bits_per_second
            due = max(due, link.free_at + self._delay)
        left = due - self._loop.time()
        if left > 0:
            await asyncio.sleep(left)

    async def _limited(self, connection, data, writer):
        """The bytes that are still to be sent, or None when the connection has been cut."""
        limits = [limit for limit in (self._cut_after, self._stop_after) if limit is not None]
        left = max(0, min(limits) - connection.carried[DOWN]) if limits else len(data)
        if len(data) <= left:
            return data
        writer.write(data[:left])
        await writer.drain()
        connection.carried[DOWN] += left
        if self._cut_after is not None:
            connection.cut()
            return None
        while self._stop_after is not None:
            await asyncio.sleep(0.05)
        return data[left:]
