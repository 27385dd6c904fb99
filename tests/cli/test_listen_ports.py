"""``cosem listen`` at ports and pipes: many meters, silent ones, floods, and stopping under all of them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from cosem.cli import push_ports, push_sources
from cosem.cli.push_sources import Chunk, is_port, open_source
from cosem.link.wrapper import wrap

NOTIFICATION = bytes.fromhex("0F00000001000101020309060100010700FF060000011802020F00161B")
UNIT = wrap(NOTIFICATION, 1, 103)


@contextmanager
def listening(*words: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run a listener; give it, and the port it says."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cosem", "listen", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        said = process.stderr.readline() if "://" in words[0] else "0"
        yield process, int(said.rpartition(":")[2]) if said.rpartition(":")[2].strip().isdigit() else 0
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("scheme", ["udp", "tcp"])
def test_a_flood_does_not_keep_it_from_stopping(scheme):
    gone = threading.Event()
    flooded = threading.Event()

    def flood(sender: socket.socket) -> None:
        count = 0
        while not gone.is_set():
            try:
                sender.send(UNIT * 30)
            except OSError:
                if scheme == "tcp":
                    return
            count += 1
            if count == 400:
                flooded.set()

    with listening(f"{scheme}://127.0.0.1:0", "--quiet") as (process, port):
        kind = socket.SOCK_DGRAM if scheme == "udp" else socket.SOCK_STREAM
        with socket.socket(socket.AF_INET, kind) as sender:
            sender.connect(("127.0.0.1", port))
            thread = threading.Thread(target=flood, args=(sender,), daemon=True)
            thread.start()
            flooded.wait(20)
            process.send_signal(signal.SIGTERM)
            try:
                assert process.wait(20) == 0
            finally:
                gone.set()
                process.kill()
                thread.join(20)


def test_a_pipe_with_a_name_is_read_and_does_not_keep_it_from_stopping(tmp_path, cosem):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(UNIT))
    writer.start()
    done = cosem("listen", "--json", str(pipe))
    writer.join()
    assert json.loads(done.out)["values"][0]["value"] == 280

    async def stop_at_once() -> list[Chunk]:
        stopped = asyncio.Event()
        chunks = open_source(str(pipe), stopped, print)
        first = asyncio.ensure_future(anext(chunks, None))
        await asyncio.sleep(0)
        stopped.set()
        return [chunk async for chunk in chunks] if await first is None else [Chunk("", b"")]

    try:
        assert len(asyncio.run(asyncio.wait_for(stop_at_once(), 20))) <= 1
    finally:
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))  # lets the thread that waits for a writer end


def test_a_bridge_that_never_answers_does_not_keep_it_from_stopping(monkeypatch):
    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    async def stop_at_once() -> list[Chunk]:
        stopped = asyncio.Event()
        chunks = open_source("connect+tcp://127.0.0.1:1", stopped, print)
        first = asyncio.ensure_future(anext(chunks, None))
        await asyncio.sleep(0)
        stopped.set()
        assert await first is None
        return []

    monkeypatch.setattr(asyncio, "open_connection", never)
    assert asyncio.run(asyncio.wait_for(stop_at_once(), 20)) == []


def test_a_bridge_that_never_answers_is_given_up_and_tried_again(monkeypatch):
    said: list[str] = []

    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    async def listen() -> None:
        stopped = asyncio.Event()

        def say(text: str) -> None:
            said.append(text)
            stopped.set()

        assert [each async for each in open_source("connect+tcp://127.0.0.1:1", stopped, say)] == []

    monkeypatch.setattr(asyncio, "open_connection", never)
    monkeypatch.setattr(push_sources, "_TIME_TO_CONNECT", 0.01)
    asyncio.run(asyncio.wait_for(listen(), 20))
    assert said == ["tcp://127.0.0.1:1 cannot be reached: no answer within 0.01 s; trying again"]


async def chunks_at_a_port(
    connected, until, said: list[str] | None = None, silence: float | None = None
) -> list[Chunk]:
    """Listen at a port; ``connected`` gets what connects to it, ``until`` all that came, and says whether it is enough."""
    stopped = asyncio.Event()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def say(text: str) -> None:
        if not port.done():
            port.set_result(int(text.rpartition(":")[2]))
        elif said is not None:
            said.append(text)

    async def take() -> list[Chunk]:
        taken = []
        async for chunk in open_source("tcp://127.0.0.1:0", stopped, say, silence):
            taken.append(chunk)
            if until(taken):
                stopped.set()
        return taken

    taking = asyncio.ensure_future(take())
    number = await port
    with ExitStack() as stack:

        def connect() -> socket.socket:
            return stack.enter_context(socket.create_connection(("127.0.0.1", number)))

        meters = asyncio.ensure_future(connected(connect))
        try:
            return await asyncio.wait_for(taking, 30)
        finally:
            meters.cancel()


def test_the_silence_of_one_meter_ends_its_message_while_another_one_speaks(monkeypatch):
    monkeypatch.setattr(push_ports, "SILENCE", 0.05)

    async def meters(connect: Callable[[], socket.socket]) -> None:
        connect().sendall(UNIT[:20])
        busy = connect()
        while True:
            busy.sendall(UNIT)
            await asyncio.sleep(0.005)

    def ended(taken: list[Chunk]) -> bool:
        first = next((each.source for each in taken if each.octets == UNIT[:20]), None)
        return any(each.source == first and each.ended for each in taken) or len(taken) > 2000

    taken = asyncio.run(chunks_at_a_port(meters, ended))
    silent = next(each.source for each in taken if each.octets == UNIT[:20])
    assert [(each.octets, each.ended) for each in taken if each.source == silent][:2] == [
        (UNIT[:20], False),
        (b"", True),
    ]
    assert not next(each for each in taken if each.source == silent and each.ended).closed


def test_silent_connections_make_room_for_a_meter(monkeypatch):
    monkeypatch.setattr(push_ports, "SILENCE", 0.05)
    monkeypatch.setattr(push_ports, "_MOST_OF_A_HOST", 4)
    said: list[str] = []

    async def meters(connect: Callable[[], socket.socket]) -> None:
        for _ in range(7):
            connect()
        connect().sendall(UNIT)

    def enough(taken: list[Chunk]) -> bool:
        return sum(each.closed for each in taken) >= 4 and any(each.octets == UNIT for each in taken)

    taken = asyncio.run(chunks_at_a_port(meters, enough, said))
    assert enough(taken)
    assert said == [
        "4 connections of 127.0.0.1 are open: for each further one, the one that was silent longest is closed"
    ]


def test_how_long_an_unfinished_message_is_waited_for_can_be_said():
    async def meters(connect: Callable[[], socket.socket]) -> None:
        connect().sendall(UNIT[:20])

    taken = asyncio.run(chunks_at_a_port(meters, lambda taken: taken[-1].ended, silence=0.02))
    assert [(each.octets, each.ended, each.closed) for each in taken[:2]] == [
        (UNIT[:20], False, False),
        (b"", True, False),
    ]


def test_all_connections_together_make_room_too(monkeypatch):
    monkeypatch.setattr(push_ports, "_MOST_CONNECTIONS", 3)
    said: list[str] = []

    async def meters(connect: Callable[[], socket.socket]) -> None:
        for _ in range(4):
            connect()
        connect().sendall(UNIT)

    taken = asyncio.run(chunks_at_a_port(meters, lambda taken: taken[-1].octets == UNIT, said))
    assert any(each.octets == UNIT for each in taken)
    assert said == ["3 connections are open: for each further one, the one that was silent longest is closed"]


def test_a_connection_that_never_says_anything_is_closed(monkeypatch):
    monkeypatch.setattr(push_ports, "SILENCE", 0.01)
    monkeypatch.setattr(push_ports, "_MOST_SILENT", 0.02)

    async def meters(connect: Callable[[], socket.socket]) -> None:
        connect()

    (only,) = asyncio.run(chunks_at_a_port(meters, lambda taken: taken[-1].closed))
    assert only.octets == b""


def test_connections_are_watched_by_the_system():
    async def watched() -> int:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            del reader
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        push_ports.keep_alive(writer)
        there = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        writer.close()
        await writer.wait_closed()
        server.close()
        return there

    assert asyncio.run(watched())


def test_a_meter_that_does_not_read_its_answers_is_left(monkeypatch):
    said: list[str] = []
    answered = 0

    async def meters(connect: Callable[[], socket.socket]) -> None:
        connect().sendall(UNIT)

    def until(taken: list[Chunk]) -> bool:
        nonlocal answered
        latest = taken[-1]
        while latest.answer is not None and not said and answered < 10_000:
            latest.answer(bytes(10_000))
            answered += 1
        return latest.closed

    asyncio.run(chunks_at_a_port(meters, until, said))
    (only,) = said
    assert "does not read its answers; the connection is closed" in only


def test_the_end_of_a_connection_comes_however_much_waits(monkeypatch):
    monkeypatch.setattr(push_ports, "_MOST_WAITING", 600)

    async def meters(connect: Callable[[], socket.socket]) -> None:
        for _ in range(20):
            with connect() as meter:
                meter.sendall(UNIT)

    taken = asyncio.run(chunks_at_a_port(meters, lambda taken: sum(e.closed for e in taken) == 20))
    assert sum(len(each.octets) for each in taken) == 20 * len(UNIT)
    assert sum(each.closed for each in taken) == 20


def test_what_waits_is_bounded_in_octets(monkeypatch):
    monkeypatch.setattr(push_ports, "_MOST_WAITING", 2000)

    async def fill() -> int:
        inbox = push_ports._Inbox()
        taken = 0
        while inbox.offer(Chunk("udp://h:1", bytes(400), ended=True)):
            taken += 1
        return taken

    assert asyncio.run(fill()) == 3


@pytest.mark.parametrize("waiting", [False, True])
def test_what_there_was_no_time_for_at_the_end_is_told(monkeypatch, waiting):
    monkeypatch.setattr(push_ports, "_LAST", 0.0)
    monkeypatch.setattr(push_ports, "_MOST_WAITING", 2000)
    said = []

    async def stopped_with_a_full_inbox() -> list[Chunk]:
        inbox, stopped = push_ports._Inbox(), asyncio.Event()
        while inbox.offer(Chunk("tcp://h:1", bytes(400))):
            pass
        stopped.set()
        connection = asyncio.ensure_future(inbox.put(Chunk("tcp://h:2", bytes(50))))
        await asyncio.wait({connection}, timeout=0)
        close = connection.cancel if waiting else lambda: None
        return [chunk async for chunk in inbox.chunks(stopped, close, said.append)]

    assert asyncio.run(stopped_with_a_full_inbox()) == []
    lost = 3 * 400 + (50 if waiting else 0)
    assert said == [f"{lost} octets that had come are lost: they came faster than they could be written"]


def test_nothing_is_said_of_a_loss_where_all_was_taken():
    said = []

    async def stopped_with_little() -> list[Chunk]:
        inbox, stopped = push_ports._Inbox(), asyncio.Event()
        inbox.add(Chunk("tcp://h:1", UNIT))
        stopped.set()
        return [chunk async for chunk in inbox.chunks(stopped, lambda: None, said.append)]

    assert [chunk.octets for chunk in asyncio.run(stopped_with_little())] == [UNIT]
    assert said == []


def test_connections_that_had_to_leave_before_they_were_read_are_told_of(monkeypatch):
    monkeypatch.setattr(push_ports, "_MOST_OF_A_HOST", 1)
    monkeypatch.setattr(push_ports, "_MOST_CONNECTIONS", 3)
    said = []

    class Writer:
        def get_extra_info(self, name: str) -> tuple[str, int]:
            return "10.0.0.1", 4059

    async def crowd() -> int:
        connections = push_ports._Connections(said.append)
        tasks = [asyncio.ensure_future(asyncio.Event().wait()) for _ in range(6)]
        for task in tasks:
            connections.admit(push_ports._Connection(task, Writer(), said.append))
        gone = sum(task.cancelling() for task in tasks)
        connections.close()
        await asyncio.gather(*tasks, return_exceptions=True)
        return gone

    assert asyncio.run(crowd()) == 2
    assert said[1:] == ["connections come faster than they can be read: what some of them sent is lost"]


def test_a_port_by_a_name_of_ones_own_is_a_port(tmp_path):
    master, slave = os.openpty()
    name = tmp_path / "meter"
    name.symlink_to(os.ttyname(slave))
    try:
        assert is_port(str(name))
    finally:
        os.close(master)
        os.close(slave)
    (tmp_path / "file").write_bytes(UNIT)
    assert not is_port(str(tmp_path / "file"))
    assert not is_port("hex:00")
    assert not is_port("x" * 10_000)


def test_a_pipe_of_a_shell_and_a_device_that_is_no_line_are_no_ports(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    ours, theirs = os.pipe()
    try:
        for source in (str(pipe), f"/dev/fd/{ours}", "/dev/null", "/dev/stdin", "/dev/fd/0", "-", "/dev"):
            assert not is_port(source)
    finally:
        os.close(ours)
        os.close(theirs)
    assert is_port("/dev/ttyNONE7")  # a port that is gone may come back
    assert is_port("COM3")


def chunks_of(source: str) -> list[Chunk]:
    async def all_of_them() -> list[Chunk]:
        return [chunk async for chunk in open_source(source, asyncio.Event(), print)]

    return asyncio.run(asyncio.wait_for(all_of_them(), 20))


def test_a_pipe_of_a_shell_is_read_as_a_file_until_its_end():
    ours, theirs = os.pipe()
    os.write(theirs, UNIT.hex().encode())
    os.close(theirs)
    try:
        chunks = chunks_of(f"/dev/fd/{ours}")
    finally:
        os.close(ours)
    assert b"".join(chunk.octets for chunk in chunks) == UNIT
    assert chunks[-1].ended
    assert not any(chunk.live for chunk in chunks)


def test_a_device_without_octets_ends():
    assert b"".join(chunk.octets for chunk in chunks_of("/dev/null")) == b""


@pytest.mark.parametrize("name", ["-", "/dev/stdin", "/dev/fd/0"])
def test_standard_input_by_any_of_its_names(cosem, name):
    for verb in (("listen", "--json"), ("sniff", "--json")):
        done = cosem(*verb, name, stdin=UNIT.hex().encode())
        assert done.status == 0
        assert "wrapper" in done.out or "value" in done.out


def test_a_pipe_of_a_shell_is_sniffed(cosem):
    ours, theirs = os.pipe()
    os.write(theirs, UNIT.hex().encode())
    os.close(theirs)
    try:
        done = cosem("sniff", f"/dev/fd/{ours}")
    finally:
        os.close(ours)
    assert (done.status, done.err) == (0, "")
    assert "wrapper" in done.out


def test_a_trouble_of_a_bridge_is_told_once_and_a_new_one_again(monkeypatch):
    said: list[str] = []
    troubles = [
        OSError(111, "refused"),
        OSError(111, "refused"),
        OSError(113, "no way"),
        OSError(113, "no way"),
    ]

    async def connect(*_: object) -> None:
        if len(troubles) == 1:
            stopped.set()
        raise troubles.pop(0)

    async def at_once(*_: object) -> None:
        pass

    async def listen() -> None:
        assert [each async for each in open_source("connect+tcp://127.0.0.1:1", stopped, said.append)] == []

    stopped = asyncio.Event()
    monkeypatch.setattr(asyncio, "open_connection", connect)
    monkeypatch.setattr(push_sources, "_pause", at_once)
    asyncio.run(asyncio.wait_for(listen(), 20))
    assert said == [
        "tcp://127.0.0.1:1 cannot be reached: refused; trying again",
        "tcp://127.0.0.1:1 cannot be reached: no way; trying again",
    ]


def test_addresses_of_ipv6_stand_in_brackets(monkeypatch):
    said: list[str] = []

    async def listen(scheme: str) -> str:
        told = asyncio.get_running_loop().create_future()
        chunks = open_source(f"{scheme}://[::1]:0", asyncio.Event(), told.set_result)
        first = asyncio.ensure_future(anext(chunks))
        port = int((await told).rpartition(":")[2])
        kind = socket.SOCK_STREAM if scheme == "tcp" else socket.SOCK_DGRAM
        with socket.socket(socket.AF_INET6, kind) as meter:
            meter.connect(("::1", port))
            meter.send(UNIT)
            own = meter.getsockname()[1]
            chunk = await asyncio.wait_for(first, 20)
        await chunks.aclose()
        assert chunk.source == f"{scheme}://[::1]:{own}"
        return told.result()

    for scheme in ("tcp", "udp"):
        assert asyncio.run(listen(scheme)).startswith(f"listening on {scheme}://[::1]:")

    async def nobody(*_: object) -> None:
        stopped.set()
        raise OSError(111, "refused")

    async def bridge() -> None:
        assert [each async for each in open_source("connect+tcp://[::1]:7", stopped, said.append)] == []

    stopped = asyncio.Event()
    monkeypatch.setattr(asyncio, "open_connection", nobody)
    asyncio.run(asyncio.wait_for(bridge(), 20))
    assert said == ["tcp://[::1]:7 cannot be reached: refused; trying again"]
