"""Where pushes come from: TCP and UDP ports to listen at, bridges to connect to, serial ports, files, standard input."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from cosem.cli.octets import parse_hexadecimal
from cosem.errors import ConfigurationError, TransportError, TransportTimeout
from cosem.transport.url import Address, parse_url, shown_url

__all__ = ["Chunk", "open_source"]

_CHUNK: Final = 65536
_QUEUE: Final = 256
_MOST_CONNECTIONS: Final = 256
_SILENCE: Final = 3.0
"""Seconds without an octet after which an unfinished frame is given up."""
_PATIENCE: Final = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before a port or bridge is opened again, the more the longer it is gone."""
_PORT: Final = re.compile(r"/dev/\S+|COM\d+", re.IGNORECASE)

Say: TypeAlias = Callable[[str], None]


class Chunk(NamedTuple):
    """What came from a source.

    Attributes:
        source: Which one; each connection and each sender of datagrams is one of its own.
        octets: What came.
        ended: Nothing follows of this source for now: the connection is closed, the datagram or file at its end,
            the line silent.
        closed: What comes next of this source is another stream, joined at any moment.
        live: Whether it came just now; not so of a file.
        answer: Sends octets back to where they came from; ``None`` where nobody waits for an answer.
    """

    source: str
    octets: bytes
    ended: bool = False
    live: bool = True
    closed: bool = False
    answer: Callable[[bytes], None] | None = None


def open_source(source: str, stopped: asyncio.Event, say: Say) -> AsyncGenerator[Chunk, None]:
    """Return what comes from a source, until it ends or ``stopped`` is set.

    Args:
        source: ``tcp://HOST:PORT`` and ``udp://HOST:PORT`` to listen at, ``connect+tcp://HOST:PORT`` to connect to,
            a serial port, ``hex:...``, a file, or ``-`` for standard input.
        stopped: Set to stop.
        say: Told what happens, in a line.

    Raises:
        ConfigurationError: It is none of these.
    """
    if source.startswith(("tcp://", "udp://")):
        from cosem.server.listening import parse_listening_url

        address = parse_listening_url(source)
        return (_tcp_server if address.scheme == "tcp" else _udp_server)(address, stopped, say)
    if source.startswith("connect+tcp://"):
        return _bridge(parse_url(source.removeprefix("connect+")), stopped, say)
    if source.startswith("serial://"):
        return _serial(parse_url(source), stopped, say)
    if not source.strip():
        raise ConfigurationError("a source is wanted: a port, a file, hex:OCTETS, or - for standard input")
    if source == "-" or source.startswith("hex:"):
        return _file(source, stopped)
    if not Path(source).is_file() and _PORT.fullmatch(source):
        return _serial(Address("serial", path=source), stopped, say)
    if "://" in source:
        raise ConfigurationError(
            f"{shown_url(source)}: tcp://, udp:// and serial:// can be listened to, connect+tcp:// connects to a bridge"
        )
    return _file(source, stopped)


# Ports to listen at -------------------------------------------------------------------------------------------------


async def _tcp_server(address: Address, stopped: asyncio.Event, say: Say) -> AsyncGenerator[Chunk, None]:
    queue: asyncio.Queue[Chunk] = asyncio.Queue(_QUEUE)
    open_now: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(open_now) >= _MOST_CONNECTIONS:
            writer.close()
            return
        open_now.add(task)
        host, port = writer.get_extra_info("peername")[:2]
        name = f"tcp://{host}:{port}"
        try:
            while octets := await reader.read(_CHUNK):
                await queue.put(Chunk(name, octets, answer=writer.write))
        except OSError as error:
            say(f"{name} is gone: {error.strerror or error}")
        except asyncio.CancelledError:
            pass  # stopped
        finally:
            open_now.discard(task)
            with suppress(asyncio.QueueFull):
                queue.put_nowait(Chunk(name, b"", ended=True, closed=True))
            writer.close()

    server = await asyncio.start_server(serve, address.host, address.port)
    host, port = server.sockets[0].getsockname()[:2]
    say(f"listening on tcp://{host}:{port}")
    try:
        async for chunk in _from_queue(queue, stopped):
            yield chunk
    finally:
        server.close()
        for task in tuple(open_now):
            task.cancel()


async def _udp_server(address: Address, stopped: asyncio.Event, say: Say) -> AsyncGenerator[Chunk, None]:
    queue: asyncio.Queue[Chunk] = asyncio.Queue(_QUEUE)

    class Datagrams(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            with suppress(asyncio.QueueFull):  # as UDP itself: what cannot be taken is lost
                queue.put_nowait(Chunk(f"udp://{addr[0]}:{addr[1]}", data, ended=True))

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Datagrams, local_addr=(address.host, address.port))
    host, port = transport.get_extra_info("sockname")[:2]
    say(f"listening on udp://{host}:{port}")
    try:
        async for chunk in _from_queue(queue, stopped):
            yield chunk
    finally:
        transport.close()


async def _from_queue(queue: asyncio.Queue[Chunk], stopped: asyncio.Event) -> AsyncGenerator[Chunk, None]:
    """Return what is put into a queue, until it is stopped and empty; a silence ends what has begun."""
    stop = asyncio.ensure_future(stopped.wait())
    latest = ""
    try:
        while not (stopped.is_set() and queue.empty()):
            get = asyncio.ensure_future(queue.get())
            await asyncio.wait({get, stop}, timeout=_SILENCE, return_when=asyncio.FIRST_COMPLETED)
            if get.done():
                chunk = get.result()
                latest = "" if chunk.ended else chunk.source
                yield chunk
                continue
            get.cancel()
            if latest and not stopped.is_set():
                yield Chunk(latest, b"", ended=True)
                latest = ""
    finally:
        stop.cancel()


# What is connected to, again and again ------------------------------------------------------------------------------


async def _pause(stopped: asyncio.Event, attempt: int) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stopped.wait(), _PATIENCE[min(attempt, len(_PATIENCE) - 1)])


async def _bridge(address: Address, stopped: asyncio.Event, say: Say) -> AsyncGenerator[Chunk, None]:
    name = f"tcp://{address.host}:{address.port}"
    attempt = 0
    while not stopped.is_set():
        try:
            reader, writer = await asyncio.open_connection(address.host, address.port)
        except OSError as error:
            say(f"{name} cannot be reached: {error.strerror or error}; trying again")
            await _pause(stopped, attempt)
            attempt += 1
            continue
        say(f"connected to {name}")
        try:
            async for octets in _read(reader, stopped):
                attempt = 0
                yield Chunk(name, octets, ended=not octets)
        except OSError as error:
            say(f"{name} is gone: {error.strerror or error}")
        finally:
            writer.close()
        yield Chunk(name, b"", ended=True, closed=True)
        if not stopped.is_set():
            say(f"{name} closed the connection; connecting again")
            await _pause(stopped, attempt)
            attempt += 1


async def _read(reader: asyncio.StreamReader, stopped: asyncio.Event) -> AsyncIterator[bytes]:
    """Return what comes; nothing after each silence."""
    stop = asyncio.ensure_future(stopped.wait())
    read = asyncio.ensure_future(reader.read(_CHUNK))
    try:
        while not stopped.is_set():
            await asyncio.wait({read, stop}, timeout=_SILENCE, return_when=asyncio.FIRST_COMPLETED)
            if not read.done():
                yield b""
                continue
            octets = read.result()
            if not octets:
                return
            yield octets
            read = asyncio.ensure_future(reader.read(_CHUNK))
    finally:
        read.cancel()
        stop.cancel()


async def _serial(address: Address, stopped: asyncio.Event, say: Say) -> AsyncGenerator[Chunk, None]:
    from cosem.transport.serial import SerialChannel, parse_format

    line = parse_format(address.options.get("format", "8N1"), address.number("baud", 9600))
    name = address.path
    attempt = 0
    while not stopped.is_set():
        try:
            channel = await asyncio.to_thread(SerialChannel, name, line)
        except TransportError as error:
            if not attempt:
                say(f"{error}; trying again")
            await _pause(stopped, attempt)
            attempt += 1
            continue
        say(f"listening to {name}, {line}")
        silence = 0.0
        try:
            while not stopped.is_set():
                try:
                    octets = await asyncio.to_thread(channel.receive, 0.25)
                except TransportTimeout:
                    silence += 0.25
                    if silence == _SILENCE:
                        yield Chunk(name, b"", ended=True)
                    continue
                attempt, silence = 0, 0.0
                yield Chunk(name, octets)
        except TransportError as error:
            say(f"{error}; opening it again")
            await _pause(stopped, attempt)
            attempt += 1
        finally:
            channel.close()
        yield Chunk(name, b"", ended=True, closed=True)


# Files and standard input -------------------------------------------------------------------------------------------


async def _file(source: str, stopped: asyncio.Event) -> AsyncGenerator[Chunk, None]:
    from cosem.cli.dumps import DumpReader, read_dump

    if source == "-":
        reader = DumpReader()
        async for content in _standard_input(stopped):
            yield Chunk("-", reader.feed(content), live=False)
        octets = reader.finish()
        if not reader.streams:
            yield Chunk("-", octets, ended=True, live=False)
        for flow, octets in reader.streams:
            yield Chunk(f"- {flow}", octets, ended=True, live=False)
        return
    if source.startswith("hex:"):
        if not parse_hexadecimal(source[4:]):
            raise ConfigurationError("there are no octets after hex:")
        content = source[4:].encode()
    else:
        with Path(source).open("rb") as file:  # noqa: ASYNC230 -- read whole, before anything else goes on
            content = file.read()
    if not content.strip():
        return
    for flow, octets in read_dump(content).streams:
        name = source if not flow else f"{source} {flow}"
        for start in range(0, len(octets), _CHUNK):
            if stopped.is_set():
                break
            yield Chunk(name, octets[start : start + _CHUNK], live=False)
            await asyncio.sleep(0)
        yield Chunk(name, b"", ended=True, live=False)


async def _standard_input(stopped: asyncio.Event) -> AsyncIterator[bytes]:
    """Return what comes on standard input; reading it must not keep the program from stopping."""
    if sys.stdin is None:
        raise ConfigurationError("standard input is closed")
    try:
        descriptor = sys.stdin.fileno()
    except OSError:  # not one of the system: all of it is there
        yield sys.stdin.buffer.read()
        return
    queue: asyncio.Queue[bytes] = asyncio.Queue()
    room = threading.Semaphore(_QUEUE)
    loop = asyncio.get_running_loop()

    def read() -> None:
        while True:
            room.acquire()
            try:
                content = os.read(descriptor, _CHUNK)
            except OSError:
                content = b""
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(queue.put_nowait, content)
            if not content:
                return

    threading.Thread(target=read, daemon=True).start()
    stop = asyncio.ensure_future(stopped.wait())
    try:
        while not stopped.is_set():
            get = asyncio.ensure_future(queue.get())
            await asyncio.wait({get, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not get.done():
                get.cancel()
                return
            room.release()
            content = get.result()
            if not content:
                return
            yield content
    finally:
        stop.cancel()
