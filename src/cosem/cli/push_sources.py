"""Where pushes come from: TCP and UDP ports to listen at, bridges to connect to, serial ports, files, standard input."""

from __future__ import annotations

import asyncio
import os
import re
import stat
import sys
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cosem.cli.octets import parse_hexadecimal
from cosem.cli.push_ports import CHUNK, SILENCE, Chunk, Say, keep_alive, octets_of, tcp_server, udp_server
from cosem.errors import ConfigurationError, TransportError, TransportTimeout
from cosem.transport.channel import peer_name
from cosem.transport.url import Address, parse_url, shown_url

if TYPE_CHECKING:
    from cosem.cli.dumps import Dump

__all__ = ["Chunk", "is_port", "is_standard_input", "open_source"]

T = TypeVar("T")

_QUEUE: Final = 16
"""Portions of standard input that wait to be read."""
_TIME_TO_CONNECT: Final = 20.0
_LOOK: Final = 0.25
"""Seconds between two looks at a serial port whether to stop."""
_PATIENCE: Final = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before a port or bridge is opened again, the more the longer it is gone."""
_LAST: Final = 2.0
"""Seconds after a stop for reading what a pipe has given, and for giving it out."""
_PORT: Final = re.compile(r"/dev/\S+|COM\d+", re.IGNORECASE)
"""What a port is called that is not there: it may come back."""
_SERIAL: Final = re.compile(r"/dev/(?:tty|cu\.|rfcomm)\S*|COM\d+", re.IGNORECASE)
"""What is a port by its name: it need not be opened to find out."""
_STANDARD_INPUT: Final = frozenset({"-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"})


def open_source(
    source: str, stopped: asyncio.Event, say: Say, silence: float | None = None
) -> AsyncGenerator[Chunk, None]:
    """Return what comes from a source, until it ends or ``stopped`` is set.

    Args:
        source: ``tcp://HOST:PORT`` and ``udp://HOST:PORT`` to listen at, ``connect+tcp://HOST:PORT`` to connect to,
            a serial port of this machine or of a server (``rfc2217://HOST:PORT``), ``hex:...``, a file, or ``-`` for standard input.
        stopped: Set to stop.
        say: Told what happens, in a line.
        silence: Seconds without an octet after which an unfinished message of a port, a connection or a bridge is
            given up; 3 if ``None``.

    Raises:
        ConfigurationError: It is none of these.
    """
    if source.startswith(("tcp://", "udp://")):
        from cosem.server.listening import parse_listening_url

        address = parse_listening_url(source)
        return (tcp_server if address.scheme == "tcp" else udp_server)(address, stopped, say, silence)
    if source.startswith("connect+tcp://"):
        return _bridge(parse_url(source.removeprefix("connect+")), stopped, say, silence)
    if source.startswith(("serial://", "rfc2217://")):
        return _serial(parse_url(source), stopped, say, silence)
    if not source.strip():
        raise ConfigurationError("a source is wanted: a port, a file, hex:OCTETS, or - for standard input")
    if is_standard_input(source):
        return _file("-", stopped, say)
    if source.startswith("hex:"):
        return _file(source, stopped, say)
    if is_port(source):
        return _serial(Address("serial", path=source), stopped, say, silence)
    if "://" in source:
        raise ConfigurationError(
            f"{shown_url(source)}: tcp://, udp://, serial:// and rfc2217:// can be listened to, "
            "connect+tcp:// connects to a bridge"
        )
    return _file(source, stopped, say)


def is_standard_input(source: str) -> bool:
    """Return whether a source is standard input, by any of its names."""
    return source in _STANDARD_INPUT


def is_port(source: str) -> bool:
    """Return whether a source is a serial port: a terminal, by whatever name, or what only a port is called.

    A pipe below ``/dev/``, as a shell makes one of ``<(zcat dump)``, is none, and neither is ``/dev/null``.
    """
    if is_standard_input(source):
        return False
    try:
        found = Path(source)
        if not stat.S_ISCHR(found.stat().st_mode):
            return False
        return _SERIAL.fullmatch(str(found.resolve())) is not None or _is_terminal(source)
    except (OSError, ValueError):  # none such, or not for us to see
        return _PORT.fullmatch(source) is not None


def _is_terminal(device: str) -> bool:
    """Return whether a device is a line.

    Raises:
        OSError: It cannot be opened.
    """
    descriptor = os.open(device, os.O_RDONLY | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_NONBLOCK", 0))
    try:
        return os.isatty(descriptor)
    finally:
        os.close(descriptor)


# What is connected to, again and again ------------------------------------------------------------------------------


async def _pause(stopped: asyncio.Event, attempt: int) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stopped.wait(), _PATIENCE[min(attempt, len(_PATIENCE) - 1)])


async def _unless(stopped: asyncio.Event, doing: Coroutine[None, None, T]) -> T | None:
    """Return what something gives; ``None`` where it is stopped before.

    Raises:
        TimeoutError: It takes too long.
    """
    task, stop = asyncio.ensure_future(doing), asyncio.ensure_future(stopped.wait())
    try:
        await asyncio.wait({task, stop}, timeout=_TIME_TO_CONNECT, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        if stopped.is_set():
            return None
        raise TimeoutError(f"no answer within {_TIME_TO_CONNECT:g} s")
    finally:
        task.cancel()
        stop.cancel()


async def _bridge(
    address: Address, stopped: asyncio.Event, say: Say, silence: float | None
) -> AsyncGenerator[Chunk, None]:
    name = f"tcp://{peer_name(address.host, address.port)}"
    source = f"connect+{name}"
    attempt = 0
    problem = ""  # which was told: it is told again when it is another one, or comes again
    while not stopped.is_set():
        try:
            connected = await _unless(stopped, asyncio.open_connection(address.host, address.port))
        except OSError as error:
            if problem != (problem := error.strerror or str(error)):
                say(f"{name} cannot be reached: {problem}; trying again")
            await _pause(stopped, attempt)
            attempt += 1
            continue
        if connected is None:
            return
        problem = ""
        reader, writer = connected
        keep_alive(writer)
        say(f"connected to {name}")
        try:
            async for octets in octets_of(reader, stopped, silence):
                attempt = 0
                yield Chunk(source, octets, ended=not octets)
        except OSError as error:
            say(f"{name} is gone: {error.strerror or error}")
        finally:
            writer.close()
        yield Chunk(source, b"", ended=True, closed=True)
        if not stopped.is_set():
            say(f"{name} closed the connection; connecting again")
            await _pause(stopped, attempt)
            attempt += 1


async def _serial(
    address: Address, stopped: asyncio.Event, say: Say, limit: float | None
) -> AsyncGenerator[Chunk, None]:
    from cosem.transport.serial import SerialChannel, parse_format

    line = parse_format(address.options.get("format", "8N1"), address.number("baud", 9600))
    name = address.path
    if address.scheme == "rfc2217":
        name = f"rfc2217://{peer_name(address.host, address.port)}"
    attempt = 0
    problem = ""
    while not stopped.is_set():
        try:
            channel = await _apart(lambda: SerialChannel(name, line), stopped)
        except TransportError as error:
            if problem != (problem := str(error)):
                say(f"{problem}; trying again")
            await _pause(stopped, attempt)
            attempt += 1
            continue
        if channel is None:
            return
        problem = ""
        say(f"listening to {name}, {line}")
        silence = 0.0
        try:
            while not stopped.is_set():
                try:
                    octets = await asyncio.to_thread(channel.receive, _LOOK)
                except TransportTimeout:
                    before, silence = silence, silence + _LOOK
                    if before < (limit or SILENCE) <= silence:
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


async def _file(source: str, stopped: asyncio.Event, say: Say) -> AsyncGenerator[Chunk, None]:
    from cosem.cli.dumps import Dump, DumpReader

    patience = 0.0
    if source == "-" or _is_piped(source):
        patience = _LAST
        reader = DumpReader()
        async for content in _standard_input(stopped) if source == "-" else _pipe(source, stopped):
            yield Chunk(source, reader.feed(content), live=False)
        rest = await _apart(reader.finish, stopped, _LAST)
        dump = None if rest is None else Dump(reader.form, reader.streams or (("", rest),), reader.notes)
    else:
        dump = await _apart(lambda: _whole(source), stopped)
    for note in dump.notes if dump is not None else ():
        say(note)
    end = _End(stopped, patience)
    for flow, octets in dump.streams if dump is not None else ():
        name = source if not flow else f"{source} {flow}"
        for start in range(0, len(octets), CHUNK):
            if end.reached():
                break
            yield Chunk(name, octets[start : start + CHUNK], live=False)
            await asyncio.sleep(0)
        yield Chunk(name, b"", ended=True, live=False, closed=bool(flow))


def _whole(source: str) -> Dump | None:
    """Return what a file holds, or the octets behind ``hex:``; ``None`` if it is empty."""
    from cosem.cli.dumps import read_dump

    if source.startswith("hex:"):
        if not parse_hexadecimal(source[4:]):
            raise ConfigurationError("there are no octets after hex:")
        content = source[4:].encode()
    else:
        content = Path(source).read_bytes()
    return read_dump(content) if content.strip() else None


class _End:
    """When to give out no more after a stop: what came through a pipe is there once, a file can be read again."""

    def __init__(self, stopped: asyncio.Event, patience: float) -> None:
        self._stopped = stopped
        self._patience = patience
        self._since: float | None = None

    def reached(self) -> bool:
        if not self._stopped.is_set():
            return False
        now = time.monotonic()
        if self._since is None:
            self._since = now
        return now - self._since >= self._patience


async def _apart(doing: Callable[[], T], stopped: asyncio.Event, patience: float = 0.0) -> T | None:
    """Return what something gives that takes long; ``None`` where it is stopped some seconds before that.

    Nobody waits for it then.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def end(telling: Callable[[Any], None], what: Any) -> None:
        if not done.done():
            telling(what)

    def work() -> None:
        try:
            said: tuple[Callable[[Any], None], Any] = done.set_result, doing()
        except Exception as error:  # noqa: BLE001 -- it is raised where it is waited for
            said = done.set_exception, error
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(end, *said)

    threading.Thread(target=work, daemon=True).start()
    stop = asyncio.ensure_future(stopped.wait())
    try:
        await asyncio.wait((done, stop), return_when=asyncio.FIRST_COMPLETED)
        if patience and not done.done():
            await asyncio.wait((done,), timeout=patience)
        return done.result() if done.done() else None
    finally:
        stop.cancel()
        done.cancel()


def _is_piped(source: str) -> bool:
    """Return whether a file is none that can be read whole: a pipe, or a device that is no port."""
    try:
        mode = Path(source).stat().st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


async def _standard_input(stopped: asyncio.Event) -> AsyncIterator[bytes]:
    """Return what comes on standard input."""
    if sys.stdin is None:
        raise ConfigurationError("standard input is closed")
    try:
        descriptor = sys.stdin.fileno()
    except OSError:  # not one of the system: all of it is there
        yield sys.stdin.buffer.read()
        return
    async for content in _portions(lambda: descriptor, stopped):
        yield content


async def _pipe(path: str, stopped: asyncio.Event) -> AsyncIterator[bytes]:
    """Return what is written to a pipe with a name, by the first who writes."""
    async for content in _portions(lambda: os.open(path, os.O_RDONLY), stopped):
        yield content


async def _portions(opened: Callable[[], int], stopped: asyncio.Event) -> AsyncIterator[bytes]:
    """Return what a descriptor gives; opening and reading it must not keep the program from stopping."""
    queue: asyncio.Queue[bytes | OSError] = asyncio.Queue()
    room = threading.Semaphore(_QUEUE)
    loop = asyncio.get_running_loop()

    def tell(content: bytes | OSError) -> None:
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(queue.put_nowait, content)

    def read() -> None:
        try:
            descriptor = opened()
        except OSError as error:
            tell(error)
            return
        while True:
            room.acquire()
            try:
                content = os.read(descriptor, CHUNK)
            except OSError:
                content = b""
            tell(content)
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
            if isinstance(content, OSError):
                raise content
            if not content:
                return
            yield content
    finally:
        stop.cancel()
