"""The gateway protocol: the prefix, and a link through a gateway."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.errors import EncodeError, FrameError
from cosem.link.base import ApduReceived, Connected, Disconnected
from cosem.link.gateway import GatewayClientLink, GatewayPrefix, split_gateway
from cosem.link.hdlc import HdlcClientLink, HdlcServerLink, decode_frame
from cosem.link.hdlc.llc import split_llc
from cosem.link.wrapper import WrapperClientLink, wrap
from tests.vectors import vector


@pytest.mark.parametrize("name", ["gateway-request", "gateway-response", "gateway-hdlc"])
def test_vector_both_ways(name: str) -> None:
    entry = vector("profiles", name)
    said = entry["decoded"]["gateway"]
    inner = (
        split_llc(decode_frame(entry.octets).information)[0] if name == "gateway-hdlc" else entry.octets[8:]
    )
    prefix, apdu = split_gateway(inner)
    assert prefix == GatewayPrefix(bytes.fromhex(said["address"]), said["network_id"], said["header"] == "e7")
    assert apdu.hex() == said["apdu"]
    assert prefix.encode() + apdu == inner


def test_through_a_wrapper_as_recorded() -> None:
    link = GatewayClientLink(WrapperClientLink(16, 1), GatewayPrefix(b"12345678"))
    link.connect(0.0)
    assert link.next_event() == Connected()
    request, response = (vector("profiles", f"gateway-{name}") for name in ("request", "response"))
    link.send(bytes.fromhex(request["decoded"]["gateway"]["apdu"]), 0.0)
    assert link.data_to_send() == request.octets
    apdu = response.octets[8 + 11 :]
    others = (
        b"\xe7\x00\x0812345679" + apdu,
        b"\xe6\x00\x0812345678" + apdu,
        b"\xe7\x01\x0812345678" + apdu,
        apdu,
        b"\xe7\x00",
    )
    link.receive(b"".join(wrap(each, 1, 16) for each in others) + response.octets, 0.0)
    assert link.next_event() == ApduReceived(apdu, 1, 16)
    assert link.next_event() is None
    assert link.ignored == len(others)
    assert link.deadline() is None
    link.tick(1.0)
    link.disconnect(1.0)
    assert link.next_event() == Disconnected("released")


def test_through_hdlc() -> None:
    client = GatewayClientLink(HdlcClientLink(16, 1), GatewayPrefix(b"\x00\x11", 1))
    gateway = HdlcServerLink()
    client.connect(0.0)
    gateway.receive(client.data_to_send(), 0.0)
    client.receive(gateway.data_to_send(), 0.0)
    client.send(b"\xc0" * 200, 0.0)
    for _ in range(4):
        gateway.receive(client.data_to_send(), 0.0)
        client.receive(gateway.data_to_send(), 0.0)
    assert gateway.next_event() == Connected(16, 1)
    event = gateway.next_event()
    assert isinstance(event, ApduReceived)
    assert split_gateway(event.apdu) == (GatewayPrefix(b"\x00\x11", 1), b"\xc0" * 200)


@given(st.binary(max_size=255), st.integers(0, 255), st.booleans(), st.binary(min_size=1, max_size=20))
def test_any_prefix_round_trips_and_truncations_are_refused(
    address: bytes, network: int, from_device: bool, apdu: bytes
) -> None:
    prefix = GatewayPrefix(address, network, from_device)
    octets = prefix.encode()
    assert split_gateway(octets + apdu) == (prefix, apdu)
    for size in range(1, len(octets) + 1):
        with pytest.raises(FrameError):
            split_gateway(octets[:size])


def test_impossible_prefix_is_refused() -> None:
    for prefix in (GatewayPrefix(bytes(256)), GatewayPrefix(b"", 256), GatewayPrefix(b"", -1)):
        with pytest.raises(EncodeError):
            prefix.encode()


def test_apdu_without_a_prefix_is_left_alone() -> None:
    assert split_gateway(b"") == (None, b"")
    assert split_gateway(b"\xc0\x01") == (None, b"\xc0\x01")
