"""HDLC with other implementations, over TCP and on pseudo-terminals, from the start and after a sign-on of mode E.

The peers run as processes of their own and read the demonstration meter; our client reads the simulator of one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import cosem
from cosem.link.hdlc import CONTROLS, Frame, FrameKind, FrameParser, HdlcAddress, encode_frame
from cosem.server import demonstration_meter, serve_in_thread

PEERS = Path(__file__).parent / "peers"
TCP = "hdlc+tcp://127.0.0.1:0"
SIGN_ON = "pty:?mode_e=1"


def report_of(peer_python: Path, script: str, listening: str, *words: str) -> dict[str, Any]:
    """Let a peer read the demonstration meter, and return what it reported and what our client read."""
    with serve_in_thread(demonstration_meter(), listening) as url:
        where = url.partition("?")[0].removeprefix("hdlc+tcp://").removeprefix("serial://")
        done = subprocess.run(
            [peer_python, PEERS / script, where, *words],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        cases: dict[str, Any] = json.loads(done.stdout)["cases"]
        with cosem.connect(url) as client:  # the line is free again
            ours = {
                "objects": [[each.class_id, str(each.logical_name)] for each in client.objects()],
                "profile": client.get("1-0:99.1.0", 7),
            }
    failed = {name: case["error"] for name, case in cases.items() if not case["ok"]}
    assert not failed
    assert cases["open"]["ok"]
    assert cases["release"]["value"] == "released"
    assert cases["register"]["value"]["unit"] == 30
    assert cases["register"]["value"]["scaler"] == 1
    assert cases["register"]["value"]["value"] > 0
    assert sorted(cases["objects"]["value"]) == sorted(ours["objects"])
    if "profile" in cases:
        assert cases["profile"]["value"] == ours["profile"]
    return cases


@pytest.mark.parametrize(
    ("listening", "words"),
    [
        (TCP, ()),
        (f"{TCP}?max_info=512", ("--info", "512")),
        (f"{TCP}?physical=17", ("--physical", "17", "--size", "2")),
        (f"{TCP}?physical=4711&address_size=4", ("--physical", "4711", "--size", "4")),
        ("pty:", ()),
        (SIGN_ON, ("--sign-on",)),
    ],
)
def test_gurux_reads_our_server(peer_python, listening, words):
    cases = report_of(peer_python, "gurux_hdlc.py", listening, *words)
    agreed = 512 if "512" in words else 128
    assert cases["open"]["value"] == {"max_info": [agreed, agreed], "window": [1, 1]}
    if words == ("--sign-on",):
        assert cases["sign-on"]["value"] == "/CSM5\\2COSEM"


@pytest.mark.parametrize(
    ("listening", "words"),
    [
        (TCP, ()),
        *((f"{TCP}?max_info=256&window={n}", ("--info", "256", "--window", str(n))) for n in (2, 3, 7)),
        (f"{TCP}?physical=17", ("--physical", "17", "--size", "4")),
        ("pty:?window=7", ("--window", "7")),
        (SIGN_ON, ("--sign-on",)),
    ],
)
def test_pydlms_client_reads_our_server(peer_python, listening, words):
    report_of(peer_python, "pydlms_hdlc.py", listening, *words)


@pytest.mark.parametrize(
    ("listening", "words"), [(TCP, ()), (f"{TCP}?physical=17", ("--physical", "17")), ("pty:", ())]
)
def test_dlms_cosem_reads_our_server(peer_python, listening, words):
    report_of(peer_python, "dlms_cosem_hdlc.py", listening, *words)


@contextlib.contextmanager
def simulator(peer_python: Path, window: int) -> Iterator[int]:
    with subprocess.Popen(
        [peer_python, PEERS / "pydlms_hdlc_simulator.py", "--window", str(window)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


@pytest.mark.parametrize("window", [1, 3, 7])
def test_our_clients_read_the_simulator_of_pydlms_client(peer_python, window):
    async def asynchronous(url: str) -> Any:
        async with cosem.connect_async(url) as client:
            return await client.get("1-0:99.1.0", 2)

    with simulator(peer_python, window) as port:
        url = f"hdlc+tcp://127.0.0.1:{port}?window={window}"
        with cosem.connect(url) as client:
            assert client.read("1-0:1.8.0").unit == "Wh"
            assert len(client.objects()) > 10
            rows = client.get("1-0:99.1.0", 2)  # takes many frames
        assert len(rows) > 10
        assert asyncio.run(asynchronous(url)) == rows


def test_a_burst_is_numbered_as_the_standard_has_it():
    """A client that agreed on a window of 3 is sent three frames in turn.

    They carry N(S) 3, 4, 5 and acknowledge all of its own, and only the last one gives the turn back.
    """
    get = "e6e600 c001c1"
    said = (
        (0x93, "81800c 070400000003 080400000003"),
        (0x10, "e6e600 601da109060760857405080101be10040e01000000065f1f0400401e5dffff"),
        (0x32, f"{get} 0003 0100010800ff 0300"),
        (0x54, f"{get} 0003 0100010800ff 0200"),
        (0x76, f"{get} 000f 0000280000ff 0200"),
    )
    parser, bursts = FrameParser(), []
    with (
        serve_in_thread(demonstration_meter(), f"{TCP}?window=3") as url,
        socket.create_connection(("127.0.0.1", int(url.partition("?")[0].rpartition(":")[2])), 20) as line,
    ):
        for control, information in said:
            asked = Frame(
                HdlcAddress(1), HdlcAddress(16, size=1), CONTROLS[control], bytes.fromhex(information)
            )
            line.sendall(encode_frame(asked))
            burst: list[Any] = []
            while not burst or not burst[-1].control.final:
                received = line.recv(4096)
                assert received, "the server closed the connection"
                burst += parser.feed(received)
            bursts.append([frame.control for frame in burst])
    assert [len(burst) for burst in bursts] == [1, 1, 1, 1, 3]
    last = bursts[-1]
    assert {control.kind for control in last} == {FrameKind.I}
    assert [control.octet for control in last] == [0x86, 0x88, 0x9A]
    assert [control.send_number for control in last] == [3, 4, 5]
    assert [control.receive_number for control in last] == [4, 4, 4]
    assert [control.final for control in last] == [False, False, True]
