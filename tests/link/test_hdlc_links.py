"""Both stations of HDLC against recorded sessions and against each other, on a line that does no harm."""

from __future__ import annotations

from itertools import product

import pytest

from cosem.errors import ConfigurationError, EncodeError, StateError
from cosem.link.base import ApduReceived, Connected, Disconnected, LinkEvent
from cosem.link.hdlc import (
    CONTROLS,
    Frame,
    FrameKind,
    FrameParser,
    HdlcAddress,
    HdlcClientLink,
    HdlcListener,
    HdlcParameters,
    HdlcServerLink,
    decode_frame,
    encode_frame,
)
from cosem.link.hdlc.client import PARAMETERS_UNREADABLE
from cosem.link.hdlc.listener import FCS_WRONG, INFORMATION_WITHOUT_LINK, UNNUMBERED_SEGMENTED
from cosem.link.hdlc.llc import LLC_MISSING
from cosem.link.hdlc.states import (
    PRIMARY_TRANSITIONS,
    SECONDARY_TRANSITIONS,
    PrimaryState,
    SecondaryInput,
    SecondaryState,
)
from tests.vectors import Vector, parameters, vector

CLIENT, SERVER = HdlcAddress(16), HdlcAddress(1, 17)
AARQ = bytes.fromhex("601da109060760857405080101be10040e01000000065f1f0400001e1dffff")


def events(link: HdlcClientLink | HdlcServerLink) -> list[LinkEvent]:
    found = []
    while (event := link.next_event()) is not None:
        found.append(event)
    return found


def apdus(link: HdlcClientLink | HdlcServerLink) -> list[bytes]:
    return [event.apdu for event in events(link) if isinstance(event, ApduReceived)]


def session(name: str) -> bytes:
    return vector("profiles", f"session-{name}").octets


def command(
    octet: int, information: bytes = b"", *, segmented: bool = False, server: HdlcAddress = SERVER
) -> bytes:
    return encode_frame(Frame(server, CLIENT, CONTROLS[octet], information, segmented))


def response(octet: int, information: bytes = b"", *, segmented: bool = False) -> bytes:
    return encode_frame(Frame(CLIENT, SERVER, CONTROLS[octet], information, segmented))


def kinds(octets: bytes) -> list[str]:
    return [
        f"{frame.control.kind.name}{'*' if frame.control.final else ''}"
        for frame in FrameParser().feed(octets)
    ]


def connected_client(**options: object) -> HdlcClientLink:
    client = HdlcClientLink(16, 1, physical=17, **options)
    client.connect(0.0)
    client.data_to_send()
    client.receive(response(0x73), 0.0)
    assert events(client) == [Connected()]
    return client


def connected_server(**options: object) -> HdlcServerLink:
    server = HdlcServerLink((1,), physical=17, **options)
    server.receive(command(0x93), 0.0)
    assert kinds(server.data_to_send()) == ["UA*"]
    assert events(server) == [Connected(16, 1)]
    return server


def exchange(client: HdlcClientLink, server: HdlcServerLink, now: float = 0.0) -> None:
    """Carry octets until both are silent."""
    while True:
        up, down = client.data_to_send(), server.data_to_send()
        if not up and not down:
            return
        server.receive(up, now)
        client.receive(down, now)


# --- the recorded session ---------------------------------------------------------------------------


def test_client_speaks_the_recorded_session() -> None:
    client = HdlcClientLink(16, 1, physical=17)
    client.connect(0.0)
    assert client.data_to_send() == vector("profiles", "hdlc-snrm-2byte").octets
    client.receive(session("02-ua"), 0.1)
    assert events(client) == [Connected()]
    client.send(AARQ, 0.2)
    assert client.data_to_send() == session("03-aarq")
    client.receive(session("04-aare"), 0.3)
    assert apdus(client) == [bytes.fromhex(vector("profiles", "session-04-aare")["decoded"]["apdu"])]
    client.send(bytes.fromhex("c001c1000f0000280000ff0200"), 0.4)
    assert client.data_to_send() == session("05-get")
    for index in range(1, 5):
        client.receive(session(f"06-segment-{index}"), 0.5)
        assert client.data_to_send() == session(f"06-rr-{index}")
        assert events(client) == []
    client.receive(session("06-segment-5"), 0.6)
    assert apdus(client) == [session("06-reassembled")[3:]]
    client.send(bytes.fromhex("6203800100"), 0.7)
    assert client.data_to_send() == session("07-rlrq")
    client.receive(session("08-rlre"), 0.8)
    assert apdus(client) == [bytes.fromhex("6303800100")]
    client.disconnect(0.9)
    assert client.data_to_send() == session("09-disc")
    client.receive(session("10-ua"), 1.0)
    assert events(client) == [Disconnected("released")]
    assert client.deadline() is None


def test_server_speaks_the_recorded_session() -> None:
    server = HdlcServerLink((1,), physical=17, address_size=2)
    server.receive(session("01-snrm"), 0.0)
    assert server.data_to_send() == session("02-ua")
    assert events(server) == [Connected(16, 1)]
    server.receive(session("03-aarq"), 0.1)
    assert events(server) == [ApduReceived(AARQ, 16, 1)]
    server.send(bytes.fromhex(vector("profiles", "session-04-aare")["decoded"]["apdu"]), 1, 16, 0.2)
    assert server.data_to_send() == session("04-aare")
    server.receive(session("05-get"), 0.3)
    assert apdus(server) == [bytes.fromhex("c001c1000f0000280000ff0200")]
    server.send(session("06-reassembled")[3:], 1, 16, 0.4)
    for index in range(1, 5):
        assert server.data_to_send() == session(f"06-segment-{index}")
        server.receive(session(f"06-rr-{index}"), 0.5)
    assert server.data_to_send() == session("06-segment-5")
    server.receive(session("07-rlrq"), 0.6)
    server.send(bytes.fromhex("6303800100"), 1, 16, 0.7)
    assert server.data_to_send() == session("08-rlre")
    server.receive(session("09-disc"), 0.8)
    assert server.data_to_send() == session("10-ua")
    assert events(server)[-1] == Disconnected("the client sent DISC", b"", 16, 1)
    server.receive(session("11-disc-again"), 0.9)
    assert server.data_to_send() == session("12-dm")
    assert server.links == ()


def test_window_of_three_as_recorded() -> None:
    client = connected_client(parameters=HdlcParameters(window_transmit=3, window_receive=3))
    client.send(b"\xc0\x01", 0.0)
    client.data_to_send()
    burst = vector("profiles", "hdlc-window-3").octets
    *segments, acknowledgement = FrameParser().feed(burst)
    client.receive(b"".join(map(encode_frame, segments)), 0.1)
    assert apdus(client) == [b"".join(each.information for each in segments)[3:]]
    client.send(b"\xc0\x01", 0.2)
    (frame,) = FrameParser().feed(client.data_to_send())
    assert frame.control.receive_number == acknowledgement.control.receive_number == 3


# --- every size, window and direction -----------------------------------------------------------------


@pytest.mark.parametrize("window", range(1, 8))
@pytest.mark.parametrize(("transmit", "receive"), [(32, 2030), (128, 128), (2030, 32)])
def test_messages_of_any_length_pass_both_ways(window: int, transmit: int, receive: int) -> None:
    client = HdlcClientLink(16, 1, parameters=HdlcParameters(transmit, receive, window, 8 - window))
    server = HdlcServerLink(parameters=HdlcParameters(2030, 2030, 7, 7))
    client.connect(0.0)
    exchange(client, server)
    assert events(client) == [Connected()]
    assert events(server) == [Connected(16, 1)]
    agreed = client.parameters
    assert (agreed.max_info_transmit, agreed.max_info_receive) == (transmit, receive)
    assert (agreed.window_transmit, agreed.window_receive) == (window, 8 - window)
    for size in (1, transmit - 3, transmit - 2, 5 * transmit, 10 * transmit + 1, receive * 9 + 5):
        request, answer = (
            bytes(range(256)) * (size // 256 + 1),
            bytes(reversed(range(256))) * (size // 256 + 1),
        )
        client.send(request[:size], 0.0)
        exchange(client, server)
        assert apdus(server) == [request[:size]]
        server.send(answer[:size], 1, 16, 0.0)
        exchange(client, server)
        assert apdus(client) == [answer[:size]]
    client.disconnect(0.0)
    exchange(client, server)
    assert events(client) == [Disconnected("released")]
    assert client.ignored == server.ignored == 0


def test_no_frame_exceeds_what_was_agreed_and_the_turn_is_kept() -> None:
    client = HdlcClientLink(16, 1, parameters=HdlcParameters(64, 48, 3, 2))
    server = HdlcServerLink(parameters=HdlcParameters(2030, 2030, 7, 7))
    client.connect(0.0)
    exchange(client, server)
    client.send(bytes(1000), 0.0)
    for most, window in ((64, 3), (48, 2)):
        while True:
            octets = (client if most == 64 else server).data_to_send()
            frames = FrameParser().feed(octets)
            if not frames:
                break
            assert all(len(frame.information) <= most for frame in frames)
            assert [frame.control.final for frame in frames] == [False] * (len(frames) - 1) + [True]
            assert len(frames) <= window
            if most == 64:
                server.receive(octets, 0.0)
                client.receive(server.data_to_send(), 0.0)
            else:
                client.receive(octets, 0.0)
                server.receive(client.data_to_send(), 0.0)
        if most == 64:
            assert apdus(server) == [bytes(1000)]
            server.send(bytes(999), 1, 16, 0.0)
    assert apdus(client) == [bytes(999)]


def test_user_data_travels_in_snrm() -> None:
    client = HdlcClientLink(16, 1, user_data=b"who")
    server = HdlcServerLink()
    client.connect(0.0)
    exchange(client, server)
    assert events(server) == [Connected(16, 1, b"who")]


def test_several_clients_and_logical_devices_share_a_line() -> None:
    server = HdlcServerLink((1, 16), physical=17)
    clients = {
        (number, upper): HdlcClientLink(number, upper, physical=17)
        for number, upper in product((1, 16, 32), (1, 16))
    }
    for client in clients.values():
        client.connect(0.0)
        exchange(client, server)
        assert events(client) == [Connected()]
    assert set(server.links) == set(clients)
    events(server)
    for (number, upper), client in clients.items():
        client.send(bytes((0xC0, number, upper)) * 100, 0.0)
        exchange(client, server)
        (event,) = events(server)
        assert event == ApduReceived(bytes((0xC0, number, upper)) * 100, number, upper)
        server.send(bytes((0xC4, number, upper)) * 70, upper, number, 0.0)
        exchange(client, server)
        assert events(client) == [ApduReceived(bytes((0xC4, number, upper)) * 70, upper, number)]


# --- refusals and ends --------------------------------------------------------------------------------


def test_second_client_is_refused_where_one_link_is_allowed() -> None:
    server = connected_server(most_links=1)
    other = HdlcClientLink(32, 1, physical=17)
    other.connect(0.0)
    exchange(other, server)
    (event,) = events(other)
    assert isinstance(event, Disconnected)
    assert "DM" in event.reason
    assert server.links == ((16, 1),)


def test_client_that_is_not_served_gets_dm() -> None:
    server = HdlcServerLink(clients={1}, physical=17)
    server.receive(command(0x93), 0.0)
    assert kinds(server.data_to_send()) == ["DM*"]
    assert events(server) == []


def test_snrm_again_aborts_what_was_there() -> None:
    server = connected_server()
    server.receive(command(0x10, b"\xe6\xe6\x00\xc0"), 1.0)
    server.receive(command(0x93), 2.0)
    assert kinds(server.data_to_send()) == ["UA*"]
    assert [type(event) for event in events(server)] == [ApduReceived, Disconnected, Connected]
    server.receive(command(0x10, b"\xe6\xe6\x00\xc1"), 3.0)
    assert apdus(server) == [b"\xc1"]


def test_inactivity_ends_the_link_without_a_frame() -> None:
    server = connected_server(inactivity_timeout=120.0)
    assert server.deadline() == 120.0
    server.receive(command(0x11), 100.0)
    server.data_to_send()
    server.tick(120.0)
    assert server.deadline() == 220.0
    server.tick(220.0)
    (event,) = events(server)
    assert isinstance(event, Disconnected)
    assert (event.source, event.destination) == (16, 1)
    assert server.data_to_send() == b""
    assert server.deadline() is None
    server.receive(command(0x11), 230.0)
    assert kinds(server.data_to_send()) == ["DM*"]


def test_closed_line_ends_every_link() -> None:
    server = connected_server()
    server.close(1.0)
    assert [type(event) for event in events(server)] == [Disconnected]
    assert server.links == ()


def test_client_is_told_when_the_link_is_gone() -> None:
    for answer, word in ((0x1F, "DM"), (0x97, "FRMR")):
        client = connected_client()
        client.send(b"\xc0", 0.0)
        client.receive(response(answer), 0.1)
        (event,) = events(client)
        assert isinstance(event, Disconnected)
        assert word in event.reason
        assert client.deadline() is None
        with pytest.raises(StateError):
            client.send(b"\xc0", 0.2)
        client.connect(0.3)
        assert kinds(client.data_to_send()) == ["I*", "SNRM*"]


def test_client_inactivity() -> None:
    client = connected_client(inactivity_timeout=10.0)
    client.receive(response(0x11), 5.0)
    assert client.deadline() == 15.0
    client.tick(15.0)
    (event,) = events(client)
    assert isinstance(event, Disconnected)


@pytest.mark.parametrize("retries", [0, 3])
def test_silent_server_is_given_up(retries: int) -> None:
    client = HdlcClientLink(16, 1, retries=retries, response_timeout=2.0)
    client.connect(0.0)
    now = 0.0
    sent = 0
    while (deadline := client.deadline()) is not None:
        assert kinds(client.data_to_send()) == ["SNRM*"]
        sent += 1
        now = deadline
        client.tick(now)
    assert sent == retries + 1
    assert now == pytest.approx(2.0 * (retries + 1))
    (event,) = events(client)
    assert isinstance(event, Disconnected)


def test_disc_without_answer_ends_all_the_same() -> None:
    client = connected_client(retries=2)
    client.disconnect(0.0)
    while (deadline := client.deadline()) is not None:
        client.tick(deadline)
    assert kinds(client.data_to_send()) == ["DISC*"] * 3
    assert events(client) == [Disconnected("released")]


def test_server_that_rejects_snrm_is_no_silent_one() -> None:
    client = HdlcClientLink(16, 1, physical=17)
    client.connect(0.0)
    client.receive(response(0x97, bytes.fromhex("930001")), 0.0)
    assert events(client) == [Disconnected("the server rejected a frame (FRMR 93 00 01)")]
    assert client.state is PrimaryState.DISCONNECTED
    assert client.deadline() is None


def test_connect_twice_is_refused() -> None:
    client = connected_client()
    with pytest.raises(StateError):
        client.connect(1.0)
    assert client.state is PrimaryState.READY


# --- recovery -----------------------------------------------------------------------------------------


def test_lost_answer_is_asked_for_and_the_request_not_repeated() -> None:
    client, server = connected_client(), connected_server()
    client.send(b"\xc3 act", 0.0)
    server.receive(client.data_to_send(), 0.0)
    assert apdus(server) == [b"\xc3 act"]
    server.send(b"\xc7 done", 1, 16, 0.0)
    server.data_to_send()  # lost
    client.tick(2.0)
    enquiry = client.data_to_send()
    assert kinds(enquiry) == ["RR*"]
    server.receive(enquiry, 2.0)
    client.receive(server.data_to_send(), 2.0)
    assert apdus(client) == [b"\xc7 done"]
    assert apdus(server) == []


def test_lost_request_is_sent_again_under_its_number() -> None:
    client, server = connected_client(), connected_server()
    client.send(b"\xc3 act", 0.0)
    lost = client.data_to_send()
    client.tick(2.0)
    server.receive(client.data_to_send(), 2.0)
    client.receive(server.data_to_send(), 2.0)
    again = client.data_to_send()
    assert again == lost
    server.receive(again, 2.0)
    server.receive(again, 2.1)  # and twice
    assert apdus(server) == [b"\xc3 act"]


def test_meter_that_does_not_know_the_enquiry_gets_the_request_again() -> None:
    client = connected_client()
    client.send(b"\xc0", 0.0)
    sent = client.data_to_send()
    client.tick(2.0)
    assert kinds(client.data_to_send()) == ["RR*"]
    client.tick(4.0)
    assert client.data_to_send() == sent


def test_hole_in_a_burst_is_filled() -> None:
    server = connected_server(parameters=HdlcParameters(window_transmit=7, window_receive=7))
    client = HdlcClientLink(
        16, 1, physical=17, parameters=HdlcParameters(window_transmit=7, window_receive=7)
    )
    client.connect(0.0)
    exchange(client, server)
    events(client), events(server)
    message = bytes(range(256)) * 3
    client.send(message, 0.0)
    burst = FrameParser().feed(client.data_to_send())
    assert len(burst) == 7
    server.receive(b"".join(encode_frame(each) for each in burst if each.control.send_number != 2), 0.0)
    answer = server.data_to_send()
    assert decode_frame(answer).control.receive_number == 2
    client.receive(answer, 0.0)
    again = client.data_to_send()
    numbers = [each.control.send_number for each in FrameParser().feed(again)]
    assert numbers == [2, 3, 4, 5, 6]
    server.receive(again, 0.0)
    assert apdus(server) == [message]


def test_server_that_works_long_is_polled_with_patience() -> None:
    client, server = connected_client(poll_delay=0.5, patience=10.0), connected_server()
    client.send(b"\xc0", 0.0)
    server.receive(client.data_to_send(), 0.0)
    client.tick(2.0)
    for now in (2.0, 2.5, 3.0):
        enquiry = client.data_to_send()
        assert kinds(enquiry) == ["RR*"]
        server.receive(enquiry, now)
        acknowledged = server.data_to_send()
        assert kinds(acknowledged) == ["RR*"]
        client.receive(acknowledged, now)
        assert client.data_to_send() == b""
        assert client.deadline() == now + 0.5
        client.tick(now + 0.5)
    server.send(b"\xc4", 1, 16, 3.5)
    assert server.data_to_send() == b""  # the turn is not ours
    exchange(client, server, 3.5)
    assert apdus(client) == [b"\xc4"]
    assert client.deadline() is None


def test_patience_ends() -> None:
    client, server = connected_client(patience=3.0), connected_server()
    client.send(b"\xc0", 0.0)
    while (deadline := client.deadline()) is not None:
        client.tick(deadline)
        server.receive(client.data_to_send(), deadline)
        client.receive(server.data_to_send(), deadline)
        assert deadline < 4.0
    assert client.state is PrimaryState.READY


def test_busy_server_stops_the_client_and_loses_nothing() -> None:
    client, server = connected_client(poll_delay=0.5), connected_server()
    server.set_busy(busy=True)
    client.send(bytes(300), 0.0)
    server.receive(client.data_to_send(), 0.0)
    stop = server.data_to_send()
    assert kinds(stop) == ["RNR*"]
    client.receive(stop, 0.0)
    assert client.data_to_send() == b""
    client.tick(0.5)
    poll = client.data_to_send()
    assert kinds(poll) == ["RR*"]
    server.receive(poll, 0.5)
    client.receive(server.data_to_send(), 0.5)
    server.set_busy(busy=False)
    client.tick(1.0)
    exchange(client, server, 1.0)
    assert apdus(server) == [bytes(300)]


def test_busy_client_stops_the_server_and_loses_nothing() -> None:
    client, server = connected_client(), connected_server()
    client.send(b"\xc0", 0.0)
    exchange(client, server)
    client.set_busy(0.0, busy=True)
    server.send(bytes(300), 1, 16, 0.0)
    client.receive(server.data_to_send(), 0.0)
    assert client.data_to_send() == b""
    client.set_busy(1.0, busy=False)
    exchange(client, server, 1.0)
    assert apdus(client) == [bytes(300)]


def test_silence_inside_a_frame_frees_the_line() -> None:
    server = connected_server(inter_octet_timeout=0.5)
    server.receive(command(0x10, bytes(100))[:50], 1.0)
    server.receive(command(0x11), 1.2)
    assert server.partial
    assert server.data_to_send() == b""
    assert server.deadline() == 1.7
    server.tick(1.7)
    assert not server.partial
    assert kinds(server.data_to_send()) == ["RR*"]  # what was hidden inside


def test_answer_that_comes_in_slowly_is_waited_for() -> None:
    client = connected_client(response_timeout=1.0, inter_octet_timeout=0.5)
    client.send(b"\xc0", 0.0)
    client.data_to_send()
    octets = response(0x30, b"\xe6\xe7\x00\xc4" + bytes(20))
    for index in range(len(octets)):
        now = 0.4 * index
        assert (client.deadline() or 0) >= now
        client.receive(octets[index : index + 1], now)
    assert apdus(client) == [b"\xc4" + bytes(20)]
    assert client.data_to_send() == b""


# --- rejects ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (command(0x19), "19 00 01"),
        (command(0x11, b"x"), "11 00 03"),
        (command(0x10, b"\xe6\xe6\x00" + bytes(126)), "10 00 04"),
        (command(0x31), "31 00 08"),
        (command(0x10, b"no LLC"), "10 20 01"),
    ],
    ids=["control", "information not permitted", "too long", "N(R)", "no LLC"],
)
def test_impossible_frame_is_rejected_until_snrm(frame: bytes, reason: str) -> None:
    server = connected_server()
    server.receive(frame, 0.0)
    reject = decode_frame(server.data_to_send())
    assert reject.control.kind is FrameKind.FRMR
    assert reject.information == bytes.fromhex(reason)
    server.receive(command(0x10, b"\xe6\xe6\x00\xc0"), 0.0)
    again = decode_frame(server.data_to_send())
    assert again == reject
    assert apdus(server) == []
    server.receive(command(0x93), 0.0)
    assert kinds(server.data_to_send()) == ["UA*"]
    server.receive(command(0x10, b"\xe6\xe6\x00\xc0"), 0.0)
    assert apdus(server) == [b"\xc0"]


def test_frame_reject_as_recorded() -> None:
    server = connected_server()
    server.receive(command(0x10, b"\xe6\xe6\x00\xc0"), 0.0)
    server.send(b"\xc4", 1, 16, 0.0)
    server.data_to_send()
    link = server._links[16, 1]
    link._window.acknowledge(1)
    impossible = decode_frame(command(0x32, b"\xe6\xe6\x00\xc0"))
    assert (
        link._frame_reject(impossible, 8) == decode_frame(vector("profiles", "hdlc-frmr").octets).information
    )


@pytest.mark.parametrize("octet", range(256))
@pytest.mark.parametrize("state", list(SecondaryState))
def test_every_control_octet_in_every_state_of_the_server(octet: int, state: SecondaryState) -> None:
    server = HdlcServerLink(physical=17)
    if state is not SecondaryState.NDM:
        server = connected_server()
    if state is SecondaryState.FRAME_REJECT:
        server.receive(command(0x19), 0.0)
        server.data_to_send()
    server.receive(command(octet, b"\xe6\xe6\x00\xc0"), 0.0)
    answer = FrameParser().feed(server.data_to_send())
    assert len(answer) <= 1
    if not octet & 0x10:
        assert not answer  # no turn was given
    server.receive(command(0x93), 1.0)
    assert kinds(server.data_to_send()) == ["UA*"]


@pytest.mark.parametrize("octet", range(256))
def test_every_control_octet_leaves_the_client_sound(octet: int) -> None:
    client = connected_client()
    client.send(b"\xc0", 0.0)
    client.receive(response(octet, b"\xe6\xe7\x00\xc4"), 0.0)
    client.data_to_send()
    for _ in range(100):
        if (deadline := client.deadline()) is None:
            break
        client.tick(deadline)
    assert client.state in {PrimaryState.DISCONNECTED, PrimaryState.READY}


def test_endless_message_is_refused() -> None:
    server = connected_server(most=1000)
    number = 0
    while not (answer := server.data_to_send()) or "FRMR*" not in kinds(answer):
        server.receive(command(0x10 | number << 1, bytes(100), segmented=True), 0.0)
        number = (number + 1) % 8
        assert len(server._links[16, 1]._window._message) <= 1000
    client = connected_client(most=1000)
    client.send(b"\xc0", 0.0)
    number = 0
    while client.state is not PrimaryState.RELEASING:
        client.receive(response(0x30 | number << 1, bytes(100), segmented=True), 0.0)
        number = (number + 1) % 8
    client.receive(response(0x73), 0.0)
    assert "longer" in events(client)[-1].reason


# --- addresses ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("configured", "called", "calling", "taken"),
    [
        (1, HdlcAddress(1), False, True),
        (1, HdlcAddress(1, 17), False, False),
        (1, HdlcAddress(1, 127), False, True),
        (1, HdlcAddress(1, 17, 4), False, False),
        (1, HdlcAddress(0x3FFF, 0x3FFF, 4), False, True),
        (2, HdlcAddress(1), False, False),
        (2, HdlcAddress(1, 17), False, True),
        (2, HdlcAddress(1, 18), False, False),
        (2, HdlcAddress(1, 127), False, True),
        (2, HdlcAddress(1, 126), False, False),
        (2, HdlcAddress(1, 126), True, True),
        (2, HdlcAddress(1, 17, 4), False, False),
        (2, HdlcAddress(1, 0x3FFF, 4), False, False),
        (2, HdlcAddress(0x3FFF, 0x3FFF, 4), False, True),
        (2, HdlcAddress(1, 0x3FFE, 4), True, True),
        (2, HdlcAddress(1, 0x3FFE, 4), False, False),
        (2, HdlcAddress(2, 0x3FFE, 4), True, False),
        (4, HdlcAddress(1), False, False),
        (4, HdlcAddress(1, 17), False, True),
        (4, HdlcAddress(127, 127), False, True),
        (4, HdlcAddress(1, 17, 4), False, True),
        (4, HdlcAddress(1, 18, 4), False, False),
        (4, HdlcAddress(3, 17, 4), False, False),
        (0, HdlcAddress(1), False, False),  # it names no device, and this one has an address
        (0, HdlcAddress(1, 17), False, True),
        (0, HdlcAddress(1, 17, 4), False, True),
        (0, HdlcAddress(1, 18), False, False),
    ],
)
def test_received_length_of_address(configured: int, called: HdlcAddress, calling: bool, taken: bool) -> None:
    server = HdlcServerLink(
        (1, 2),
        physical=None if configured == 1 else 17,
        address_size=configured,
        calling_device=calling,
    )
    server.receive(command(0x03, b"\xe6\xe6\x00\xc1", server=called), 0.0)
    assert bool(apdus(server)) is taken
    assert server.data_to_send() == b""


@pytest.mark.parametrize("size", [1, 2, 4])
def test_server_answers_in_the_form_it_was_called(size: int) -> None:
    server = HdlcServerLink(physical=None if size == 1 else 17)
    called = HdlcAddress(1, None if size == 1 else 17, size)
    server.receive(command(0x93, server=called), 0.0)
    assert decode_frame(server.data_to_send()).source == called


def test_calling_device_answers_with_its_own_number() -> None:
    server = HdlcServerLink(physical=17, calling_device=True)
    server.receive(command(0x93, server=HdlcAddress(1, 126)), 0.0)
    assert decode_frame(server.data_to_send()).source == HdlcAddress(1, 17)


def test_nobody_answers_to_everybody() -> None:
    server = HdlcServerLink((1, 2), physical=17)
    broadcast = vector("profiles", "hdlc-broadcast-ui")
    server.receive(broadcast.octets, 0.0)
    apdu = bytes.fromhex(broadcast["decoded"]["apdu"])
    assert events(server) == [ApduReceived(apdu, 16, each, confirmed=False) for each in (1, 2)]
    for octet in (0x93, 0x10, 0x00, 0x11, 0x13, 0x53):
        server.receive(command(octet, b"\xe6\xe6\x00\xc1", server=HdlcAddress(127, 127)), 0.0)
    assert events(server) == []
    assert server.data_to_send() == b""


@pytest.mark.parametrize("source", [HdlcAddress(0), HdlcAddress(127), HdlcAddress(16, 1)])
def test_impossible_source_is_dropped(source: HdlcAddress) -> None:
    server = HdlcServerLink(physical=17)
    server.receive(encode_frame(Frame(SERVER, source, CONTROLS[0x93])), 0.0)
    assert server.data_to_send() == b""
    client = HdlcClientLink(16, 1, physical=17)
    client.connect(0.0)
    client.receive(encode_frame(Frame(CLIENT, source, CONTROLS[0x73])), 0.0)
    assert events(client) == []
    assert client.ignored == 1


def test_options_out_of_range_are_refused() -> None:
    for wrong in (
        {"response_timeout": 0.0},
        {"retries": -1},
        {"inter_octet_timeout": 0.0},
        {"physical": 17, "address_size": 1},
    ):
        with pytest.raises(ConfigurationError):
            HdlcClientLink(16, 1, **wrong)
    for wrong in ((31, 128, 1, 1), (128, 2031, 1, 1), (128, 128, 0, 1), (128, 128, 1, 8)):
        with pytest.raises(ConfigurationError):
            HdlcParameters(*wrong)


# --- unconfirmed --------------------------------------------------------------------------------------


def test_unconfirmed_services_travel_in_ui_frames() -> None:
    client, server = connected_client(), connected_server()
    client.send(b"\xc1 set", 0.0, confirmed=False)
    octets = client.data_to_send()
    assert kinds(octets) == ["UI"]
    server.receive(octets, 0.0)
    assert events(server) == [ApduReceived(b"\xc1 set", 16, 1, confirmed=False)]
    assert server.data_to_send() == b""
    with pytest.raises(EncodeError):
        client.send(bytes(126), 0.0, confirmed=False)
    client.send(b"\xc0 get", 0.0)
    client.send(b"\xc1 set", 0.0, confirmed=False)
    assert kinds(client.data_to_send()) == ["I*"]  # not our turn
    client.receive(response(0x30, b"\xe6\xe7\x00\xc4"), 0.0)
    assert kinds(client.data_to_send()) == ["UI"]


def test_what_is_pushed_while_a_link_is_set_up_is_taken() -> None:
    client = HdlcClientLink(16, 1, physical=17)
    client.connect(0.0)
    client.data_to_send()
    for octet in (0x03, 0x13):
        client.receive(response(octet, b"\xe6\xe7\x00\x0f push"), 1.0)
        assert apdus(client) == [b"\x0f push"]
    assert client.data_to_send() == b""
    assert client.deadline() == 2.0  # SNRM is still to be answered
    client.receive(response(0x73), 1.0)
    assert events(client) == [Connected()]


def test_nothing_unconfirmed_goes_out_while_a_link_is_set_up_or_taken_down() -> None:
    client = HdlcClientLink(16, 1, physical=17)
    client.connect(0.0)
    with pytest.raises(StateError) as raised:
        client.send(b"\xc1 set", 0.0, confirmed=False)
    assert raised.value.state == "CONNECTING"
    assert kinds(client.data_to_send()) == ["SNRM*"]
    client.receive(response(0x73), 0.0)
    assert kinds(client.data_to_send()) == []
    client.disconnect(0.0)
    with pytest.raises(StateError):
        client.send(b"\xc1 set", 0.0, confirmed=False)
    client.receive(response(0x73), 0.0)
    assert kinds(client.data_to_send()) == ["DISC*"]


def test_without_a_connection_everything_is_unconfirmed() -> None:
    client = HdlcClientLink(16, 1, physical=17, connection=False)
    client.connect(0.0)
    assert events(client) == [Connected()]
    client.send(AARQ, 0.0)
    octets = client.data_to_send()
    assert kinds(octets) == ["UI"]
    server = HdlcServerLink(physical=17)
    server.receive(octets, 0.0)
    assert events(server) == [ApduReceived(AARQ, 16, 1, confirmed=False)]
    client.disconnect(0.0)
    assert events(client) == [Disconnected("released")]
    assert client.data_to_send() == b""


def test_event_goes_out_with_the_next_turn() -> None:
    client, server = connected_client(), connected_server()
    server.send(b"\xc2 event", 1, 1, 0.0, confirmed=False)
    assert server.data_to_send() == b""
    client.send(b"\xc0 get", 0.0)
    server.receive(client.data_to_send(), 0.0)
    octets = server.data_to_send()
    assert kinds(octets) == ["UI"]
    server.send(b"\xc2 second", 1, 1, 0.0, confirmed=False)
    server.send(b"\xc4", 1, 16, 0.0)
    more = server.data_to_send()
    assert kinds(more) == ["UI", "I*"]
    client.receive(octets + more, 0.0)
    assert events(client) == [
        ApduReceived(b"\xc2 event", 1, 1, confirmed=False),
        ApduReceived(b"\xc2 second", 1, 1, confirmed=False),
        ApduReceived(b"\xc4", 1, 16),
    ]


def test_turn_is_given_back_when_there_is_no_answer() -> None:
    server = connected_server()
    request = b"\xe6\xe6\x00" + bytes.fromhex("c001810003")
    server.receive(command(0x10, request), 0.0)
    assert apdus(server) == [request[3:]]
    assert server.data_to_send() == b""  # the application may still have an answer
    server.send(b"\x0f", 1, 16, 0.0, confirmed=False)
    server.give_turn(1, 17, 0.0)  # another client
    assert server.data_to_send() == b""
    server.give_turn(1, 16, 0.0)
    assert kinds(server.data_to_send()) == ["UI", "RR*"]  # what waited for the turn goes first
    server.give_turn(1, 16, 0.0)
    assert server.data_to_send() == b""  # the turn is with the client
    server.receive(command(0x22, request), 0.0)  # the client goes on without giving the turn
    server.give_turn(1, 16, 0.0)
    assert server.data_to_send() == b""


def test_event_is_asked_for_by_an_empty_ui_frame() -> None:
    client, server = connected_client(), connected_server()
    server.send(b"\xc2 event", 1, 1, 0.0, confirmed=False)
    client.trigger_event_notification_sending(0.0)
    octets = client.data_to_send()
    assert kinds(octets) == ["UI*"]
    server.receive(octets, 0.0)
    octets = server.data_to_send()
    assert kinds(octets) == ["UI*"]
    client.receive(octets, 0.0)
    assert apdus(client) == [b"\xc2 event"]
    assert client.state is PrimaryState.READY
    client.trigger_event_notification_sending(0.0)
    exchange(client, server)
    assert client.state is PrimaryState.READY
    assert events(client) == []


def test_trigger_as_recorded_needs_no_link() -> None:
    client = HdlcClientLink(1, 1, physical=17)
    client.trigger_event_notification_sending(0.0)
    assert client.data_to_send() == vector("profiles", "hdlc-ui-trigger").octets


def test_push_goes_out_at_once_where_told_so() -> None:
    server = HdlcServerLink(unsolicited=True)
    server.send(b"\x0f" + bytes(20), 1, 0x67, 0.0, confirmed=False)
    octets = server.data_to_send()
    assert kinds(octets) == ["UI*"]
    assert HdlcListener().feed(octets) == [ApduReceived(b"\x0f" + bytes(20), 1, 0x67, confirmed=False)]
    with pytest.raises(EncodeError):
        server.send(b"\x0f" + bytes(200), 1, 0x67, 0.0, confirmed=False)


def test_push_in_several_frames_where_told_so() -> None:
    server = HdlcServerLink(unsolicited=True, segmented_push=True)
    apdu = b"\x0f" + bytes(range(200))
    server.send(apdu, 1, 0x67, 0.0, confirmed=False)
    octets = server.data_to_send()
    assert kinds(octets) == ["UI", "UI*"]
    (event,) = HdlcListener().feed(octets)
    assert event == ApduReceived(apdu, 1, 0x67, confirmed=False, findings=(UNNUMBERED_SEGMENTED,))
    client = HdlcClientLink(0x67, 1)
    client.receive(octets, 0.0)
    assert apdus(client) == [apdu]


# --- what real meters do ----------------------------------------------------------------------------


def test_unreadable_parameters_of_ua_are_the_defaults() -> None:
    client = HdlcClientLink(16, 1, physical=17, parameters=HdlcParameters(512, 512, 3, 3))
    client.connect(0.0)
    client.receive(response(0x73, b"\x99\x99"), 0.0)
    assert events(client) == [Connected()]
    assert client.parameters == HdlcParameters()
    assert client.findings == {PARAMETERS_UNREADABLE: 1}


def test_unreadable_parameters_of_snrm_are_refused() -> None:
    server = HdlcServerLink(physical=17)
    server.receive(command(0x93, b"\x81\x80\x09"), 0.0)
    assert kinds(server.data_to_send()) == ["DM*"]
    assert events(server) == []
    assert server.links == ()


def test_answer_with_two_llc_headers() -> None:
    frame = decode_frame(vector("telegrams", "frame-aare-double-llc").octets)
    client = HdlcClientLink(frame.destination.upper, frame.source.upper, physical=frame.source.lower)
    client.connect(0.0)
    client.receive(encode_frame(Frame(frame.destination, frame.source, CONTROLS[0x73])), 0.0)
    client.send(AARQ, 0.0)
    client.receive(encode_frame(frame._replace(control=CONTROLS[0x30])), 0.0)
    events_ = [event for event in events(client) if isinstance(event, ApduReceived)]
    assert events_[0].apdu[0] == 0x61
    assert events_[0].findings == ("hdlc-llc-twice",)


EXPECTED = {
    "iskra-am550-hdlc-3seg": (1, {UNNUMBERED_SEGMENTED}),
    "lg-e450-gbt-ciphered-1": (3, {LLC_MISSING}),
    "aidon-se-3phase": (1, set()),
    "kaifa-no-list2-ma304h3e-hdlc": (1, {INFORMATION_WITHOUT_LINK}),
    "iskra-am550-push-28": (1, {UNNUMBERED_SEGMENTED}),
    "lg-e570-gbt-ciphered": (5, {LLC_MISSING}),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_listener_takes_what_meters_push(name: str) -> None:
    count, findings = EXPECTED[name]
    octets = vector("telegrams", name).octets
    pushed = HdlcListener().feed(octets)
    assert len(pushed) == count
    assert {finding for each in pushed for finding in each.findings} == findings
    for rubbish in (b"\x7e", b"\x00\xff\x7e\xa0", b"noise~~noise"):
        listener = HdlcListener()
        found = []
        for octet in rubbish + octets + rubbish + octets + rubbish:
            found += listener.feed(bytes((octet,)))
        assert found + listener.idle() == pushed * 2


def test_listener_may_ignore_the_check_sequence() -> None:
    octets = vector("telegrams", "lg-zmf100-embriq-badfcs").octets
    assert HdlcListener().feed(octets) == []
    (event,) = HdlcListener(check=False).feed(octets)
    assert event.findings == (FCS_WRONG,)
    assert event.apdu[0] == 0x0F


def test_listener_drops_a_message_with_a_damaged_segment() -> None:
    octets = vector("telegrams", "iskra-am550-hdlc-3seg").octets
    damaged = bytearray(octets)
    damaged[300] ^= 1
    assert HdlcListener().feed(bytes(damaged)) == []


def test_listener_knows_a_conversation_when_it_hears_one() -> None:
    octets = b"".join(session(name) for name in ("01-snrm", "02-ua", "03-aarq", "04-aare"))
    assert [(each.apdu[0], each.findings) for each in HdlcListener().feed(octets)] == [(0x60, ()), (0x61, ())]


@pytest.mark.parametrize("entry", parameters("telegrams"))
def test_listener_survives_every_capture(entry: Vector) -> None:
    listener = HdlcListener(check=False)
    found = listener.feed(entry.octets) + listener.idle()
    assert bool(found) <= entry["framing"].startswith("hdlc")
    assert not listener.partial


# --- the tables ---------------------------------------------------------------------------------------


def test_every_action_of_the_tables_exists_and_every_state_can_be_left() -> None:
    for transitions, station, states in (
        (PRIMARY_TRANSITIONS, HdlcClientLink, PrimaryState),
        (SECONDARY_TRANSITIONS, type(connected_server()._links[16, 1]), SecondaryState),
    ):
        for action, _ in transitions.values():
            assert callable(getattr(station, f"_{action}"))
        for state in states:
            assert {to for (start, _), (_, to) in transitions.items() if start is state} - {state}
    assert all((state, SecondaryInput.SNRM) in SECONDARY_TRANSITIONS for state in SecondaryState)


def test_what_finds_no_room_to_wait_for_the_turn_is_dropped_and_counted() -> None:
    link = HdlcServerLink((1,))
    for number in range(300):
        assert link.unconfirmed_room() == max(0, 256 - number)
        link.send(bytes([number & 0xFF]), 1, 16, 0.0, confirmed=False)
    assert link.ignored == 44
    link.push(final=True)
    frames = FrameParser().feed(link.data_to_send())
    assert [frame.information[-1] for frame in frames] == list(range(256))
    assert link.unconfirmed_room() == 256
    assert HdlcServerLink((1,), unsolicited=True).unconfirmed_room() is None
