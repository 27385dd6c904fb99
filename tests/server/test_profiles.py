"""One meter over every communication profile: both pumps read it, addresses are held to, lines begin anew."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from pathlib import Path

import pytest

import cosem
from cosem.errors import ConfigurationError, TransportClosed, TransportError, TransportTimeout
from cosem.link.base import ApduReceived
from cosem.link.gateway import GatewayPrefix, split_gateway
from cosem.link.hdlc import (
    CONTROLS,
    Frame,
    FrameKind,
    FrameParser,
    HdlcAddress,
    HdlcServerLink,
    decode_frame,
    encode_frame,
)
from cosem.link.iec62056_21 import Identification
from cosem.link.wrapper import WrapperServerLink
from cosem.server import ConnectionLimits, RegisterObject, Server, serve_in_thread
from cosem.server.listening import parse_listening_url
from cosem.types.data import DoubleLongUnsigned
from tests.server.driver import meter, run, until

ENERGY = "1-0:1.8.0"
PUBLIC_CLIENT = HdlcAddress(16, size=1)
SNRM = CONTROLS[0x93]
QUICK = "&identification=/CSm6\\2COSEM"  # a small letter: 20 ms between two messages, not 200
URLS = {
    "wrapper over TCP": "tcp://127.0.0.1:0",
    "wrapper over UDP": "udp://127.0.0.1:0",
    "HDLC over TCP": "hdlc+tcp://127.0.0.1:0",
    "HDLC over TCP, windows and long frames": "hdlc+tcp://127.0.0.1:0?max_info=512&window=7",
    "HDLC over TCP, four octets of address": "hdlc+tcp://127.0.0.1:0?physical=4711&address_size=4",
    "HDLC over TCP after a sign-on": f"hdlc+tcp://127.0.0.1:0?mode_e=1{QUICK}",
    "HDLC on a line": "pty:",
    "HDLC on a line that several share": "pty:?physical=17&address_size=2",
    "HDLC on a line after a sign-on": f"pty:?mode_e=1{QUICK}",
    "HDLC after a sign-on with computed parity": f"pty:?mode_e=1&emulate_parity=1{QUICK}",
    "wrapper on a line": "pty:?framing=wrapper",
}


def energy_meter(*others, **facts):
    return meter(
        RegisterObject(ENERGY, value=DoubleLongUnsigned(5), scaler_unit=(0, 30)),
        *(
            RegisterObject(f"1-0:{n}.8.0", value=DoubleLongUnsigned(n), scaler_unit=(0, 30))
            for n in range(2, 40)
        ),
        *others,
        **facts,
    )


@pytest.mark.parametrize("listening", URLS.values(), ids=URLS)
def test_both_pumps_read_a_meter_by_the_url_that_the_server_says(listening):
    async def asynchronous() -> tuple[int, int]:
        async with cosem.connect_async(url) as client:
            return (await client.read(ENERGY)).value, len(await client.objects())

    with serve_in_thread(energy_meter(), listening) as url:
        with cosem.connect(url) as client:
            found = client.read(ENERGY).value, len(client.objects())  # the list takes many frames
        assert found[0] == 5
        assert found[1] > 40
        assert asyncio.run(asynchronous()) == found
        with cosem.connect(url) as client:  # the line is free again
            assert client.read(ENERGY).value == 5


def test_several_profiles_at_once():
    server = (
        Server(energy_meter()).listen("pty:").listen("hdlc+tcp://127.0.0.1:0").listen("tcp://127.0.0.1:0")
    )
    with serve_in_thread(server):
        assert [url.partition(":")[0] for url in server.addresses] == ["serial", "hdlc+tcp", "tcp"]
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(cosem.connect(url)) for url in server.addresses]
            assert [client.read(ENERGY).value for client in clients] == [5, 5, 5]


def second_meter():
    return meter(RegisterObject(ENERGY, value=DoubleLongUnsigned(6), scaler_unit=(0, 30)), sap=18)


# Addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("listening", "calling", "answered"),
    [
        ("", "", True),
        ("", "?physical=17", True),  # whoever says no address of its own answers to each
        ("", "?physical=17&address_size=4", True),
        ("?physical=17", "?physical=17", True),
        ("?physical=17", "", False),  # so is everybody on the line: nobody with an address of his own answers
        ("?physical=17", "?physical=18", False),
        ("?physical=17&address_size=2", "?physical=17&address_size=2", True),
        ("?physical=17&address_size=2", "", False),  # one octet where two are configured: discarded
        ("?physical=17&address_size=4", "?physical=17&address_size=2", True),  # two are widened to four
        ("?physical=17&address_size=2", "?physical=17&address_size=4", False),
        ("", "?server=1&client=17", False),  # the meter knows no such client
        ("", "?server=2", False),  # and has no such logical device
    ],
)
def test_who_is_answered_over_hdlc(listening, calling, answered):
    with serve_in_thread(energy_meter(), f"hdlc+tcp://127.0.0.1:0{listening}") as url:
        target = url.partition("?")[0] + calling
        target += f"{'&' if '?' in target else '?'}response_timeout=0.05"
        if answered:
            with cosem.connect(target) as client:
                assert client.read(ENERGY).value == 5
        else:
            with pytest.raises(cosem.errors.CosemError):
                cosem.connect(target, timeouts=2.0)


def test_each_logical_device_has_an_upper_address_of_its_own():
    with (
        serve_in_thread([energy_meter(), second_meter()], "hdlc+tcp://127.0.0.1:0") as url,
        cosem.connect(url) as one,
        cosem.connect(f"{url}?server=18") as other,
    ):
        assert (one.read(ENERGY).value, other.read(ENERGY).value) == (5, 6)


def test_two_logical_devices_share_one_line():
    parser, answers = FrameParser(), []
    with (
        serve_in_thread([energy_meter(), second_meter()], "hdlc+tcp://127.0.0.1:0") as url,
        socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), 20) as line,
    ):
        for upper in (1, 18):
            line.sendall(encode_frame(Frame(HdlcAddress(upper), PUBLIC_CLIENT, SNRM)))
        while len(answers) < 2:
            answers += parser.scan(line.recv(4096))
    assert [(frame.source.upper, frame.control.kind) for frame in answers] == [
        (1, FrameKind.UA),
        (18, FrameKind.UA),
    ]


@pytest.mark.parametrize("size", [1, 2, 4])
def test_frames_that_the_meter_sends_are_from_the_address_that_was_called(size):
    link = HdlcServerLink((1,), physical=None if size == 1 else 17)
    called = HdlcAddress(1, None if size == 1 else 17, size)
    link.receive(encode_frame(Frame(called, PUBLIC_CLIENT, SNRM)), 0.0)
    assert decode_frame(link.data_to_send()).source == called


# Sign-on ----------------------------------------------------------------------------------------------------------


def test_a_sign_on_that_calls_another_device_is_not_answered():
    with serve_in_thread(energy_meter(), f"hdlc+tcp://127.0.0.1:0?mode_e=1&device=00123{QUICK}") as url:
        with cosem.connect(url) as client:
            assert client.read(ENERGY).value == 5
        other = url.replace("device=00123", "device=124")
        timeouts = cosem.Timeouts(connect=0.3)
        with pytest.raises(TransportTimeout, match=r"no answer within 0\.3 s while connecting"):
            cosem.connect(other, timeouts=timeouts)


def test_a_meter_without_mode_e_is_refused_with_what_it_said():
    with (
        serve_in_thread(energy_meter(), "hdlc+tcp://127.0.0.1:0?mode_e=1&identification=/ABC5READOUT") as url,
        pytest.raises(TransportClosed, match=r"/ABC5READOUT offers no HDLC \(no .2\): mode C only"),
    ):
        cosem.connect(url)


def test_what_is_answered_to_a_sign_on_can_be_said():
    with (
        serve_in_thread(
            energy_meter(), "hdlc+tcp://127.0.0.1:0?mode_e=1&identification=/LGZ4\\2ZMF100"
        ) as url,
        socket.create_connection(("127.0.0.1", int(url.partition("?")[0].rpartition(":")[2])), 20) as line,
    ):
        line.sendall(b"/?!\r\n")
        assert Identification.parse(line.recv(100).decode()) == Identification("LGZ", "4", ("2",), "ZMF100")


# Lines ------------------------------------------------------------------------------------------------------------


@run
async def test_a_line_begins_anew_after_a_client_that_fell_silent():
    now = 0.0
    limits = ConnectionLimits(idle=60.0, first_association=None)
    server = Server(energy_meter(), limits=limits, time=lambda: now)
    async with server.listen(f"pty:?mode_e=1{QUICK}"):
        url = server.address
        abandoned = await cosem.connect_async(url)
        assert (await abandoned.read(ENERGY)).value == 5
        abandoned._connection.close()  # no release, no DISC
        await abandoned._connection.wait_closed()
        assert server.open_connections == 1
        now = 61.0
        server.tick()
        assert (server.open_connections, server.statistics.timed_out) == (0, 1)
        async with cosem.connect_async(url) as client:  # who signs on finds the line where sign-ons begin
            assert (await client.read(ENERGY)).value == 5


@run
async def test_rubbish_on_a_line_is_dropped():
    async with Server(energy_meter()).listen("pty:?framing=wrapper") as server:
        port = os.open(server.address.removeprefix("serial://").partition("?")[0], os.O_RDWR | os.O_NOCTTY)
        os.write(port, bytes(range(200, 250)) * 20)
        await until(lambda: server.statistics.malformed)
        os.close(port)
        async with cosem.connect_async(server.address) as client:
            assert (await client.read(ENERGY)).value == 5


@run
async def test_a_line_does_not_serve_more_connections_than_the_limit():
    limits = ConnectionLimits(connections=1)
    async with Server(energy_meter(), limits=limits).listen("tcp://127.0.0.1:0").listen("pty:") as server:
        tcp, line = server.addresses
        async with cosem.connect_async(tcp) as client:
            assert (await client.read(ENERGY)).value == 5
            with pytest.raises(TransportError):
                await cosem.connect_async(f"{line}?response_timeout=0.05")
            assert server.statistics.refused_connections > 0


def test_a_pseudo_terminal_can_have_a_name(tmp_path: Path):
    name = tmp_path / "meter"
    with serve_in_thread(energy_meter(), f"pty:{name}") as url:
        assert url == f"serial://{name}"
        with cosem.connect(url) as client:
            assert client.read(ENERGY).value == 5
        with pytest.raises(TransportError, match=r"cannot name the pseudo-terminal .*: File exists"):
            serve_in_thread(energy_meter(), f"pty:{name}").__enter__()
    assert not name.is_symlink()


def test_a_client_is_told_when_the_line_is_gone():
    with serve_in_thread(energy_meter(), "pty:") as url:
        client = cosem.connect(url)
        assert client.read(ENERGY).value == 5
    with pytest.raises(TransportError, match="/dev/"):
        client.read(ENERGY)
    client.close()


# Gateways ---------------------------------------------------------------------------------------------------------


class GatewayMixin:
    """A gateway with the one device ``12345678`` in network 1 behind it."""

    device = GatewayPrefix(b"12345678", 1)

    def send(self, apdu, source, destination, now, *, confirmed=True):
        prefix = GatewayPrefix(self.device.physical_address, self.device.network_id, from_device=True)
        super().send(prefix.encode() + apdu, source, destination, now, confirmed=confirmed)

    def next_event(self):
        event = super().next_event()
        if not isinstance(event, ApduReceived):
            return event
        prefix, apdu = split_gateway(event.apdu)
        if prefix != self.device:
            return self.next_event()
        return ApduReceived(apdu, event.source, event.destination, event.confirmed)


class WrapperGateway(GatewayMixin, WrapperServerLink):
    pass


class HdlcGateway(GatewayMixin, HdlcServerLink):
    pass


@pytest.mark.parametrize(
    ("listening", "link"),
    [
        ("tcp://127.0.0.1:0", WrapperGateway),
        ("hdlc+tcp://127.0.0.1:0", HdlcGateway),
        ("pty:", HdlcGateway),
    ],
)
@pytest.mark.parametrize("device", ["1:12345678", "1:hex:3132333435363738", "0x01:12345678"])
def test_a_device_behind_a_gateway(listening, link, device):
    server = Server(energy_meter()).listen(listening, link=link)
    with serve_in_thread(server) as url:
        with cosem.connect(f"{url}?gateway={device}") as client:
            assert client.read(ENERGY).value == 5
            assert len(client.objects()) > 40
        with pytest.raises(TransportTimeout):
            cosem.connect(f"{url}?gateway=12345678", timeouts=cosem.Timeouts(answer=0.1, transfer=0.1))


# URLs -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("serial:", "write it as"),
        ("ftp://x", "write it as"),
        ("tcp://127.0.0.1:99999", "is no URL"),
        ("tcp://127.0.0.1/x", "nothing may follow the port"),
        ("tcp://127.0.0.1?physical=1", "unknown option physical; there are none"),
        ("pty:?client=16", "unknown option client; known are address_size, baud"),
        ("hdlc+tcp://:0?baud=300", "unknown option baud"),
        ("hdlc+tcp://:0?max_info=1", "information field"),
        ("hdlc+tcp://:0?window=8", "window"),
        ("pty:?framing=bisync", "none of hdlc, wrapper"),
        ("pty:?mode_e=1&baud=0", "no rate and format"),
        ("pty:?mode_e=maybe", "neither 1 nor 0"),
        ("pty:?physical=99999", "address"),
        ("pty:?mode_e=1&identification=hello", "no identification"),
    ],
)
def test_where_nobody_can_listen(url, problem):
    with pytest.raises((ConfigurationError, cosem.errors.FrameError), match=problem) as caught:
        Server(energy_meter()).listen(url)
    assert "\n" not in str(caught.value)


def test_a_port_of_a_line_may_have_any_name():
    assert parse_listening_url("serial:COM3").path == "COM3"
    assert parse_listening_url("serial:///dev/a%20port?baud=0x12C").number("baud", 0) == 300
    assert parse_listening_url("rfc2217://[::1]:2000").host == "::1"
