"""Which link the options of a URL ask for, and which of them contradict each other."""

from __future__ import annotations

import asyncio
import socket

import pytest

import cosem
from cosem.association.client.parameters import AssociationParameters
from cosem.connecting.links import gateway_prefix, serial_line
from cosem.connecting.plan import plan_of
from cosem.connecting.profiles import profile_of
from cosem.errors import ConfigurationError, TransportError
from cosem.link.gateway import GatewayClientLink, GatewayPrefix
from cosem.link.hdlc import HdlcClientLink, HdlcParameters
from cosem.link.iec62056_21 import ModeEClientLink
from cosem.link.wrapper import WrapperClientLink
from cosem.server import demonstration_meter, serve_in_thread
from cosem.transport.url import parse_url


def link_of(url: str):
    address = parse_url(url)
    return profile_of(address).link(address, AssociationParameters())


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("tcp://meter", WrapperClientLink),
        ("udp://meter", WrapperClientLink),
        ("hdlc+tcp://meter", HdlcClientLink),
        ("hdlc+tcp://meter?mode_e=1", ModeEClientLink),
        ("hdlc+tcp://meter?mode_e=0", HdlcClientLink),
        ("serial:COM3", HdlcClientLink),
        ("serial:COM3?mode_e=1", ModeEClientLink),
        ("serial:COM3?framing=wrapper", WrapperClientLink),
        ("rfc2217://meter?mode_e", ModeEClientLink),
        ("rfc2217://meter?framing=hdlc", HdlcClientLink),
        *(
            (f"{scheme}?gateway=1:12", GatewayClientLink)
            for scheme in ("tcp://meter", "udp://meter", "serial:COM3")
        ),
    ],
)
def test_which_link_a_url_asks_for(url, kind):
    assert type(link_of(url)) is kind


def test_what_the_options_of_hdlc_mean():
    link = link_of("hdlc+tcp://meter?physical=17&address_size=4&max_info=512&window=3&response_timeout=0.5")
    assert link.server.octets.hex() == "00020023"
    assert link.proposal == HdlcParameters(512, 512, 3, 3)
    link.connect(0.0)
    assert link.deadline() == 0.5


@pytest.mark.parametrize(
    ("url", "seconds"),
    [
        ("hdlc+tcp://meter", 2.0),
        ("serial:COM3?baud=9600", 2.0 + 148 * 10 / 9600),
        ("serial:COM3?baud=300", 2.0 + 148 * 10 / 300),
        ("serial:COM3?baud=9600&max_info=1024&window=4", 2.0 + 4 * 1044 * 10 / 9600),
    ],
)
def test_an_answer_may_take_as_long_as_frames_take_on_the_line(url, seconds):
    link = link_of(url)
    link.connect(0.0)
    assert link.deadline() == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("url", "line", "call"),
    [
        ("serial:COM3?mode_e=1", "300 7E1", b"/?!\r\n"),
        ("serial:COM3?mode_e=1&device=0012", "300 7E1", b"/?0012!\r\n"),
        ("serial:COM3?mode_e=1&baud=2400", "2400 7E1", b"/?!\r\n"),
        ("serial:COM3?mode_e=1&emulate_parity=1", "300 8N1", bytes.fromhex("AF3F218D0A")),
        ("serial:COM3?mode_e=1&wake_up=1", "300 7E1", bytes(66)),
        ("serial:COM3?mode_e=1&wake_up=1&baud=600", "600 7E1", bytes(132)),
    ],
)
def test_where_a_sign_on_begins(url, line, call):
    link = link_of(url)
    link.connect(0.0)
    assert str(link.next_line()) == line == str(serial_line(parse_url(url)))
    assert link.data_to_send() == call
    link.sign_on.reset_line()
    assert str(link.next_line()) == line


def test_over_a_network_no_line_is_set():
    link = link_of("hdlc+tcp://meter?mode_e=1")
    link.connect(0.0)
    assert link.data_to_send() == b"/?!\r\n"
    assert link.next_line() is None


def test_behind_a_gateway_the_line_is_still_set():
    link = link_of("serial:COM3?mode_e=1&gateway=12")
    link.connect(0.0)
    assert str(link.next_line()) == "300 7E1"
    assert link_of("tcp://meter?gateway=12").next_line() is None


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        ("12345678", GatewayPrefix(b"12345678")),
        ("0:12345678", GatewayPrefix(b"12345678")),
        ("255:12345678", GatewayPrefix(b"12345678", 255)),
        ("0x10:hex:0011", GatewayPrefix(b"\x00\x11", 16)),
        ("hex:0011", GatewayPrefix(b"\x00\x11")),
        ("2:fe80::1", GatewayPrefix(b"fe80::1", 2)),
    ],
)
def test_which_device_behind_a_gateway_is_meant(text, prefix):
    assert gateway_prefix(text) == prefix


@pytest.mark.parametrize(
    "text", ["", "1:", "256:12", "-1:12", "x:12", "hex:0", "hex:", "1:hex:zz", "1:zähler", "1" * 256]
)
def test_what_is_no_device_behind_a_gateway(text):
    with pytest.raises(ConfigurationError, match="is no NETWORK:ADDRESS"):
        gateway_prefix(text)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("tcp://meter?physical=1", "unknown option physical for tcp"),
        ("serial:COM3?gatway=1", "unknown option gatway for serial:COM3; known are address_size, baud"),
        ("hdlc+tcp://meter?baud=9600", "unknown option baud"),
    ],
)
def test_options_that_a_profile_does_not_know(url, problem):
    with pytest.raises(ConfigurationError, match=problem):
        plan_of(url)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("serial:COM3?framing=wrapper&mode_e=1", "with framing=wrapper mode_e means nothing"),
        (
            "serial:COM3?framing=wrapper&window=2&physical=1",
            "with framing=wrapper physical, window means nothing",
        ),
        ("serial:COM3?framing=mbus", "none of hdlc, wrapper"),
        ("serial:COM3?device=12", "device: means something with mode_e=1 only"),
        ("hdlc+tcp://meter?echo=1&mode_e=0", "echo: means something with mode_e=1 only"),
        ("serial:COM3?mode_e=1&device=a-b", "no device address"),
        ("serial:COM3?baud=fast", "is no number"),
        ("serial:COM3?baud=0", "no rate and format"),
        ("serial:COM3?format=9N1", "no rate and format"),
        ("serial:COM3?window=8", "window"),
        ("serial:COM3?address_size=3", "address"),
        ("serial:COM3?response_timeout=0", "no number of seconds above 0"),
        ("tcp://meter?gateway=1:", "is no NETWORK:ADDRESS"),
    ],
)
def test_options_that_contradict_each_other_open_nothing(url, problem):
    with pytest.raises(ConfigurationError, match=problem):
        cosem.connect(url)


def test_a_line_gets_more_time_to_connect():
    assert plan_of("tcp://meter").timeouts.connect == 10
    assert plan_of("serial:COM3").timeouts.connect == 40
    assert plan_of("hdlc+tcp://meter?mode_e=1&timeout=5").timeouts.connect == 40
    assert plan_of("serial:COM3", timeouts=cosem.Timeouts(connect=3)).timeouts.connect == 3


@pytest.mark.parametrize("scheme", ["tcp", "hdlc+tcp"])
def test_a_meter_that_is_no_gateway_is_told_as_such(scheme):
    timeouts = cosem.Timeouts(answer=0.2, connect=2.0)
    with serve_in_thread(demonstration_meter(), f"{scheme}://127.0.0.1:0") as url:
        with pytest.raises(TransportError, match="gateway=1:12 speaks to a device behind a gateway"):
            cosem.connect(f"{url}?gateway=1:12", timeouts=timeouts)

        async def asynchronously() -> None:
            await cosem.connect_async(f"{url}?gateway=1:12", timeouts=timeouts)

        with pytest.raises(TransportError, match="a meter that is none"):
            asyncio.run(asynchronously())


def test_without_a_gateway_nothing_is_said_of_one():
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(TransportError) as caught:
            cosem.connect(url, timeouts=cosem.Timeouts(answer=0.05))
    assert "gateway" not in str(caught.value)
