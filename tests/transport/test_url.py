"""URLs of meters, and time-outs."""

from __future__ import annotations

import pytest

from cosem.errors import ConfigurationError
from cosem.transport.timeouts import Timeouts
from cosem.transport.url import parse_url


@pytest.mark.parametrize(
    ("text", "scheme", "host", "port", "path"),
    [
        ("tcp://10.0.0.7", "tcp", "10.0.0.7", 4059, ""),
        ("tcp://10.0.0.7:4060/", "tcp", "10.0.0.7", 4060, ""),
        ("TCP://Meter.Example:1", "tcp", "meter.example", 1, ""),
        ("10.0.0.7:4061", "tcp", "10.0.0.7", 4061, ""),
        ("meter", "tcp", "meter", 4059, ""),
        ("tcp://[fe80::1]:4062", "tcp", "fe80::1", 4062, ""),
        ("udp://10.0.0.7", "udp", "10.0.0.7", 4059, ""),
        ("hdlc+tcp://10.0.0.7:9000", "hdlc+tcp", "10.0.0.7", 9000, ""),
        ("serial:///dev/ttyUSB0", "serial", "", 4059, "/dev/ttyUSB0"),
        ("serial:COM3", "serial", "", 4059, "COM3"),
        ("serial:///dev/serial/by-id/usb%20head", "serial", "", 4059, "/dev/serial/by-id/usb head"),
        ("rfc2217://10.0.0.7", "rfc2217", "10.0.0.7", 2217, ""),
        ("rfc2217://[::1]:4000", "rfc2217", "::1", 4000, ""),
        ("sim:", "sim", "", 4059, ""),
        ("  sim: ", "sim", "", 4059, ""),
    ],
)
def test_what_a_url_means(text, scheme, host, port, path):
    address = parse_url(text)
    assert (address.scheme, address.host, address.port, address.path) == (scheme, host, port, path)


def test_options_stand_in_the_query():
    address = parse_url("tcp://meter?client=0x10&server=17&strict")
    assert address.options == {"client": "0x10", "server": "17", "strict": ""}
    assert address.number("client", 1) == 16
    assert address.number("physical", 5) == 5
    assert str(address) == "tcp://meter:4059"
    assert str(parse_url("tcp://[::1]?client=1")) == "tcp://[::1]:4059"
    with pytest.raises(ConfigurationError, match="is no number"):
        address.number("strict", 0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tcp://",
        "http://meter",
        "serial:",
        "rfc2217://",
        "tcp://meter:0",
        "tcp://meter:99999",
        "tcp://meter:x",
        "tcp://meter/path",
        "tcp://[::1",
        "tcp://127.0.0.1\0",
        "udp://127.0.0.1\0.example:4059",
    ],
)
def test_what_is_no_url_of_a_meter_is_one_line(text):
    with pytest.raises(ConfigurationError) as caught:
        parse_url(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("/dev/pts/2", "serial:///dev/pts/2"),
        ("/dev/ttyUSB0?mode_e=1", "serial:///dev/ttyUSB0"),
        ("COM3", "serial:COM3"),
    ],
)
def test_a_bare_serial_port_is_told_how_to_be_written(text, url):
    with pytest.raises(ConfigurationError, match=f"is no URL; a serial port is written as {url}$"):
        parse_url(text)


@pytest.mark.parametrize(
    "text",
    [
        "tcp://user:hunter2@meter",
        "user:hunter2@meter",
        "tcp://user:hun/ter2@meter",
        "http://meter?password=hunter2",
        "tcp://meter:x?password=hunter2",
        "tcp://meter/path?key=hunter2",
        "tcp://?password=hunter2",
        "serial:?password=hunter2",
        "/dev/ttyUSB0?password=hunter2",
    ],
)
def test_what_may_be_a_secret_is_not_repeated(text):
    with pytest.raises(ConfigurationError) as caught:
        parse_url(text)
    assert "ter2" not in str(caught.value)


def test_a_very_long_text_is_not_repeated_whole():
    with pytest.raises(ConfigurationError) as caught:
        parse_url(f"{'x' * 100_000}://meter")
    assert len(str(caught.value)) < 300


def test_options_are_numbers_times_truths_and_words():
    address = parse_url(
        "serial:COM3?timeout=2.5&mode_e&echo=off&framing=WRAPPER&wake_up=perhaps&response_timeout=0"
    )
    assert str(address) == "serial:COM3"
    assert str(parse_url("serial:///dev/ttyUSB0?mode_e=1")) == "serial:///dev/ttyUSB0"
    assert (address.seconds("timeout", 1.0), address.seconds("other", 1.0)) == (2.5, 1.0)
    assert (address.truth("mode_e"), address.truth("echo"), address.truth("other")) == (True, False, False)
    assert address.choice("framing", "hdlc", "wrapper") == "wrapper"
    assert address.choice("other", "hdlc", "wrapper") == "hdlc"
    with pytest.raises(ConfigurationError, match="neither 1 nor 0"):
        address.truth("wake_up")
    with pytest.raises(ConfigurationError, match="no number of seconds above 0"):
        address.seconds("response_timeout", 1.0)
    with pytest.raises(ConfigurationError, match="no number of seconds above 0"):
        address.seconds("framing", 1.0)
    with pytest.raises(ConfigurationError, match="none of hdlc, bare"):
        address.choice("framing", "hdlc", "bare")


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan")])
@pytest.mark.parametrize("name", ["answer", "transfer", "connect", "release"])
def test_a_time_out_is_above_0_and_finite(name, seconds):
    with pytest.raises(ConfigurationError, match=f"{name} time-out"):
        Timeouts(**{name: seconds})
