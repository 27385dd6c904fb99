"""``cosem listen`` and ``cosem sniff`` at the serial port of a server, as RFC 2217 has it."""

from __future__ import annotations

import argparse
import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest

from cosem.cli.push_sources import open_source
from cosem.cli.verbs import listen
from cosem.link.wrapper import wrap
from cosem.transport import serial
from tests.cli.test_listen import NOTIFICATION
from tests.transport.port_server import PortServer

UNIT = wrap(NOTIFICATION, 1, 103)


@pytest.fixture
def server() -> Iterator[PortServer]:
    """A port whose meter says something to whoever connects."""
    with socket.create_server(("127.0.0.1", 0)) as behind:

        def push() -> None:
            while True:
                try:
                    meter, _ = behind.accept()
                except OSError:
                    return
                with meter:
                    meter.sendall(UNIT)
                    meter.recv(1)

        thread = threading.Thread(target=push)
        thread.start()
        server = PortServer(behind.getsockname())
        yield server
        server.close()
        behind.shutdown(socket.SHUT_RDWR)
    thread.join()


def test_what_comes_from_a_port_behind_a_network_is_taken(server):
    url = f"rfc2217://127.0.0.1:{server.port}"

    async def heard() -> tuple[set[str], bytes]:
        stopped = asyncio.Event()
        sources, octets = set(), b""
        async for chunk in open_source(f"{url}?baud=2400&format=8E1", stopped, print):
            sources.add(chunk.source)
            octets += chunk.octets
            if len(octets) >= len(UNIT):
                stopped.set()
        return sources, octets

    assert asyncio.run(heard()) == ({url}, UNIT)
    assert server.log[-1] == "2400 8E1"


def test_sniff_hears_it_too(cosem, server):
    done = cosem("sniff", "--json", f"rfc2217://127.0.0.1:{server.port}")
    assert done.json["messages"][0]["framing"] == ["wrapper"]
    assert done.status == 0


def test_the_options_of_the_line_go_into_the_url():
    parser = argparse.ArgumentParser()
    listen.add_arguments(parser)
    options = parser.parse_args(["rfc2217://h:7", "--baud", "2400", "--format", "8E1"])
    assert listen._source(options) == "rfc2217://h:7?baud=2400&format=8E1"


def test_a_port_that_does_not_finish_opening_does_not_keep_it_from_stopping(monkeypatch):
    opening, enough = threading.Event(), threading.Event()

    def never(*_: object) -> None:
        opening.set()
        enough.wait(20)

    monkeypatch.setattr(serial, "SerialChannel", never)

    async def stopped_while_opening() -> list[object]:
        stopped = asyncio.Event()

        async def all_of() -> list[object]:
            return [chunk async for chunk in open_source("rfc2217://127.0.0.1:1", stopped, print)]

        taken = asyncio.ensure_future(all_of())
        await asyncio.to_thread(opening.wait, 20)
        stopped.set()
        return await taken

    try:
        assert asyncio.run(stopped_while_opening()) == []
        assert not enough.is_set()
    finally:
        enough.set()
