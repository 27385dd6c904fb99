"""``cosem listen`` stops when it is told to: also while nobody reads what it writes, and while it reads a long file."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager

import pytest

from cosem.cli import dumps, push_stopping
from cosem.cli.push_sources import Chunk, open_source
from cosem.cli.push_stopping import stopping
from tests.cli.test_listen import NOTIFICATION

_FOREVER = 3600


@contextmanager
def unread(path, patience: float) -> Iterator[subprocess.Popen[bytes]]:
    """A listener that has begun to write more than a pipe takes, and that nobody reads."""
    path.write_bytes(NOTIFICATION * 2000)  # one portion: nothing is looked at between its messages
    program = (
        "import sys; from cosem.cli import main, push_stopping; "
        f"push_stopping._PATIENCE = {patience}; sys.exit(main(['listen', {str(path)!r}, '--json']))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert os.read(process.stdout.fileno(), 1) == b"{"
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_is_enough_where_nobody_reads_what_is_written(tmp_path, number):
    with unread(tmp_path / "pushes", 0.01) as process:
        process.send_signal(number)
        assert process.wait(20) == -number


def test_a_second_signal_stops_at_once(tmp_path):
    with unread(tmp_path / "pushes", _FOREVER) as process:
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) in {-signal.SIGINT, -signal.SIGTERM}  # the system may tell of either first


def test_a_signal_stops_cleanly_and_what_was_there_before_is_there_again(monkeypatch):
    monkeypatch.setattr(push_stopping, "_PATIENCE", _FOREVER)
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    async def stopped() -> bool:
        event = asyncio.Event()
        with stopping(event, lambda: 0):
            assert signal.getsignal(signal.SIGTERM) not in before
            os.kill(os.getpid(), signal.SIGTERM)
            return await asyncio.wait_for(event.wait(), 20)

    assert asyncio.run(stopped())
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_what_goes_on_is_not_cut_off(monkeypatch):
    monkeypatch.setattr(push_stopping, "_PATIENCE", 0.001)
    steps = iter(range(20))
    done = threading.Event()

    def progress() -> int:
        step = next(steps, None)
        if step is None:
            done.set()
            return time.monotonic_ns()  # it goes on
        return step

    async def stopped() -> None:
        with stopping(asyncio.Event(), progress):
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.to_thread(done.wait, 20)

    asyncio.run(stopped())
    assert done.is_set()


def test_outside_the_main_thread_there_are_no_signals():
    async def run() -> None:
        with stopping(asyncio.Event(), lambda: 0):
            pass

    async def elsewhere() -> None:
        await asyncio.to_thread(lambda: asyncio.run(run()))

    asyncio.run(elsewhere())


def test_a_file_that_takes_long_to_be_read_does_not_keep_it_from_stopping(tmp_path, monkeypatch):
    path = tmp_path / "pushes.hex"
    path.write_bytes(NOTIFICATION.hex().encode())
    reading, enough = threading.Event(), threading.Event()
    read_dump = dumps.read_dump

    def slowly(content: bytes) -> dumps.Dump:
        reading.set()
        enough.wait(20)
        return read_dump(content)

    monkeypatch.setattr(dumps, "read_dump", slowly)

    async def stopped_while_reading() -> list[Chunk]:
        stopped = asyncio.Event()
        taken = asyncio.ensure_future(all_of(open_source(str(path), stopped, print)))
        await asyncio.to_thread(reading.wait, 20)
        stopped.set()  # as a signal does
        return await taken

    async def all_of(chunks: AsyncGenerator[Chunk, None]) -> list[Chunk]:
        return [chunk async for chunk in chunks]

    try:
        assert [chunk for chunk in asyncio.run(stopped_while_reading()) if chunk.octets] == []
        assert not enough.is_set()
    finally:
        enough.set()
