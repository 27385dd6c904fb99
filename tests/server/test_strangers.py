"""What a stranger without keys can bring about over a real connection: nothing that the client with keys would notice."""

from __future__ import annotations

import socket

import cosem
from cosem.apdu import decode, encode
from cosem.apdu.acse import AARE, AARQ
from cosem.link.wrapper import wrap
from cosem.server.threads import serve_in_thread
from cosem.types.enumerations import ApplicationContext, AssociationResult
from tests.client.secured import SERIAL, SecuredMeter, security

CLEAR = bytes.fromhex("01000000065F1F0400001E1DFFFF")
FORGED = bytes.fromhex("2123300000FFFF") + bytes(30)


def ask(stream: socket.socket, title: bytes, user_information: bytes) -> AARE:
    request = AARQ(
        application_context_name=ApplicationContext.LN_CIPHERED,
        calling_ap_title=title,
        user_information=user_information,
    )
    stream.sendall(wrap(encode(request), source=1, destination=1))
    head = stream.recv(8, socket.MSG_WAITALL)
    answer = decode(stream.recv(int.from_bytes(head[6:], "big"), socket.MSG_WAITALL))
    assert isinstance(answer, AARE)
    return answer


def connected(address: str) -> socket.socket:
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    return socket.create_connection((host, int(port)), 10)


def reads(address: str, own) -> bool:
    with cosem.connect(address, client=1, security=own) as client:
        return client.get("0.0.96.1.0.255", 2, class_id=1) == SERIAL


def test_titles_that_nobody_verified_are_not_remembered():
    meter, own = SecuredMeter(), security()
    with serve_in_thread(meter.device) as address:
        with connected(address) as stream:
            for number in range(50):
                title = b"MMM" + number.to_bytes(5, "big")
                answer = ask(stream, title, CLEAR)
                assert answer.result is AssociationResult.REJECTED_PERMANENT
        assert meter.held.titles_heard == set()
        assert reads(address, own)
        assert len(meter.held.titles_heard) == 1
        assert meter.held.last_counter_of() > 0


def test_forged_tags_delay_nobody_who_has_the_keys():
    meter, own = SecuredMeter(), security()
    with serve_in_thread(meter.device) as address:
        with connected(address) as stream:
            for _ in range(40):
                answer = ask(stream, bytes(own.keys.client_title), FORGED)
                assert answer.result is AssociationResult.REJECTED_PERMANENT
        assert reads(address, own)
