"""The demonstration meter over HDLC in TCP: both stations under a real client and a real server."""

from __future__ import annotations

from functools import partial
from socket import create_connection

import pytest

import cosem
from cosem.link.hdlc import (
    CONTROLS,
    Frame,
    FrameParser,
    HdlcAddress,
    HdlcParameters,
    HdlcServerLink,
    decode_frame,
    encode_frame,
)
from cosem.server.demonstration import demonstration_meter
from cosem.server.server import Server
from cosem.server.threads import serve_in_thread
from tests.vectors import vector


def served(**options: object) -> serve_in_thread:
    return serve_in_thread(
        Server(demonstration_meter()).listen(
            "tcp://127.0.0.1:0", link=partial(HdlcServerLink, (1,), **options)
        )
    )


@pytest.mark.parametrize(
    ("parameters", "query"),
    [
        (HdlcParameters(), ""),
        (HdlcParameters(2030, 2030, 7, 7), "?max_info=512&window=5"),
        (HdlcParameters(32, 32, 1, 1), "?physical=17&address_size=4"),
    ],
    ids=["defaults", "windows", "smallest"],
)
def test_meter_is_read_over_hdlc(parameters: HdlcParameters, query: str) -> None:
    with (
        served(parameters=parameters) as url,
        cosem.connect(url.replace("tcp://", "hdlc+tcp://") + query) as meter,
    ):
        assert len(meter.objects()) > 10
        assert meter.get("0-0:1.0.0")


@pytest.mark.parametrize("query", ["", "?max_info=512&window=5"])
def test_general_blocks_that_follow_each_other_get_the_turn_at_once(query: str) -> None:
    """One request, several answers: without the turn the server could not send the second one."""
    with (
        served(parameters=HdlcParameters(2030, 2030, 7, 7)) as url,
        cosem.connect(
            url.replace("tcp://", "hdlc+tcp://") + query, timeouts=cosem.Timeouts(answer=5.0), retries=0
        ) as meter,
    ):
        assert cosem.Conformance.GENERAL_BLOCK_TRANSFER in meter.conformance
        for _ in range(3):
            assert len(meter.objects()) > 10
            assert meter.get("1-0:99.1.0", 7) > 10
            assert len(meter.get("1-0:99.1.0", 2)) > 10


def test_end_of_one_link_leaves_the_others_alone() -> None:
    aarq = decode_frame(vector("profiles", "session-03-aarq").octets).information
    get = decode_frame(vector("profiles", "session-05-get").octets).information
    server = HdlcAddress(1)
    with served() as url:
        host, _, port = url.removeprefix("tcp://").rpartition(":")
        with create_connection((host, int(port)), 10) as connection:

            def ask(client: int, control: int, information: bytes = b"") -> Frame:
                octets = encode_frame(Frame(server, HdlcAddress(client), CONTROLS[control], information))
                connection.sendall(octets)
                parser, found = FrameParser(), []
                while not found:
                    found = parser.feed(connection.recv(4096))
                assert found[0].destination == HdlcAddress(client)
                return found[0]

            for client in (16, 17):
                assert ask(client, 0x93).control.kind.name == "UA"
            assert ask(16, 0x10, aarq).information[3] == 0x61
            ask(17, 0x10, aarq)
            assert ask(17, 0x53).control.kind.name == "UA"
            answer = ask(16, 0x32, get)
            assert answer.information[3] == 0xC4  # the association of 16 stands
            assert ask(16, 0x93).control.kind.name == "UA"
            refused = ask(16, 0x10, get)
            assert refused.information[3] == 0xD8  # and is gone with its link
