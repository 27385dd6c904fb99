"""Serial ports: the line is set in order with the octets, and what is wrong with a port is said in one line."""

from __future__ import annotations

import asyncio
import grp
import os
import pickle
import select
import sys
import threading
import tty
from types import SimpleNamespace

import pytest

import cosem
from cosem.errors import (
    ConfigurationError,
    TransportClosed,
    TransportError,
    TransportTimeout,
    UnsupportedError,
)
from cosem.link.base import LineSettings
from cosem.server import RegisterObject, serve_in_thread
from cosem.transport import serial, serial_line
from cosem.transport.serial import (
    SerialChannel,
    SerialTransport,
    connect_serial,
    parse_format,
    transmission_time,
)
from cosem.types.data import DoubleLongUnsigned
from tests.server.driver import meter, run
from tests.transport.port_server import PortServer

FAST = LineSettings(19200, 8, "N")


@pytest.fixture
def pair():
    """A pseudo-terminal: our end, and the name of the other one."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    yield ours, os.ttyname(theirs)
    os.close(theirs)
    os.close(ours)


# Both ways --------------------------------------------------------------------------------------------------------


def test_octets_go_both_ways_blocking(pair):
    ours, name = pair
    channel = SerialChannel(name)
    channel.send(
        b"\x7e\x11\x13\xff\x00\r\n\x03\x7e"
    )  # nothing is taken for flow control, end of line or interrupt
    assert os.read(ours, 100) == b"\x7e\x11\x13\xff\x00\r\n\x03\x7e"
    os.write(ours, b"\x7e\x11\x13\xff\x00\r\n\x03\x7e")
    assert channel.receive(20) == b"\x7e\x11\x13\xff\x00\r\n\x03\x7e"
    with pytest.raises(TransportTimeout, match=f"no answer at {name}"):
        channel.receive(0)
    channel.close()
    channel.close()
    with pytest.raises(TransportClosed, match="takes no more octets"):
        channel.send(b"x")
    with pytest.raises(TransportClosed, match="is gone"):
        channel.receive(0)


def test_closing_a_port_wakes_the_thread_that_reads_it_and_frees_the_port(pair):
    _, name = pair
    channel = SerialChannel(name)
    reads = threading.Event()
    read = channel._port.readinto
    seen: list[Exception] = []

    def readinto(*arguments, **named):
        reads.set()
        return read(*arguments, **named)

    def wait():
        try:
            channel.receive(3600)
        except TransportClosed as error:
            seen.append(error)

    channel._port.readinto = readinto
    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    reads.wait()
    channel.close()
    SerialChannel(name).close()
    thread.join(20)
    assert [str(error) for error in seen] == [f"{name} is gone: it was closed"]


class Collector(asyncio.Protocol):
    def __init__(self) -> None:
        self.octets = b""
        self.enough = asyncio.Event()
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.octets += data
        if len(self.octets) >= 9:
            self.enough.set()

    def connection_lost(self, exc):
        self.lost.set_result(exc)


@run
async def test_octets_go_both_ways_with_asyncio(pair):
    ours, name = pair
    port = await connect_serial(Collector, name)
    assert port.transport.get_extra_info("peername") == (name, 0)
    port.transport.write(b"\x7e\x11\x13\xff\x00\r\n\x03\x7e")
    assert await asyncio.to_thread(os.read, ours, 100) == b"\x7e\x11\x13\xff\x00\r\n\x03\x7e"
    port.transport.pause_reading()
    port.transport.resume_reading()
    os.write(ours, b"\x7e\x11\x13\xff\x00\r\n\x03\x7e")
    await asyncio.wait_for(port.enough.wait(), 20)
    assert port.octets == b"\x7e\x11\x13\xff\x00\r\n\x03\x7e"
    assert port.transport.get_write_buffer_size() == 0
    port.transport.close()
    assert await asyncio.wait_for(port.lost, 20) is None
    assert port.transport.is_closing()


def test_a_port_that_is_pulled_out_ends_the_connection():
    ours, theirs = os.openpty()
    name = os.ttyname(theirs)
    channel = SerialChannel(name)
    os.close(theirs)
    os.close(ours)
    with pytest.raises(TransportClosed, match=f"{name} is gone: "):
        channel.receive(20)
    channel.close()


@run
async def test_a_port_that_is_pulled_out_tells_the_protocol():
    ours, theirs = os.openpty()
    port = await connect_serial(Collector, os.ttyname(theirs))
    os.close(theirs)
    os.close(ours)
    assert isinstance(await asyncio.wait_for(port.lost, 20), OSError)


# Settings of the line, through a port server ------------------------------------------------------------------------


@pytest.fixture
def port_server():
    """A meter with an optical head of 19200 baud at most, on a port behind a network."""
    device = meter(RegisterObject("1-0:1.8.0", value=DoubleLongUnsigned(5), scaler_unit=(0, 30)))
    listening = "hdlc+tcp://127.0.0.1:0?mode_e=1&identification=/CSm6\\2COSEM"
    with serve_in_thread(device, listening) as url:
        server = PortServer(("127.0.0.1", int(url.partition("?")[0].rpartition(":")[2])))
        yield server
        server.close()


def blocking(url: str) -> int:
    with cosem.connect(url) as client:
        return client.read("1-0:1.8.0").value


def asynchronous(url: str) -> int:
    async def read() -> int:
        async with cosem.connect_async(url) as client:
            return (await client.read("1-0:1.8.0")).value

    return asyncio.run(read())


@pytest.mark.parametrize("read", [blocking, asynchronous])
def test_mode_e_sets_the_line_between_its_messages(port_server, read):
    assert read(f"rfc2217://127.0.0.1:{port_server.port}?mode_e=1&baud=9600") == 5
    *before, frames = port_server.log
    assert before == ["9600 7E1", b"/?!\r\n\x06262\r\n", "19200 7E1", "19200 8N1"]
    assert frames.startswith(bytes.fromhex("7EA007032193"))


@pytest.mark.parametrize("read", [blocking, asynchronous])
def test_mode_e_begins_at_300_baud_and_agrees_on_no_more_than_is_wanted(port_server, read):
    assert read(f"rfc2217://127.0.0.1:{port_server.port}?mode_e=1&max_baud=4800") == 5
    assert port_server.log[:-1] == ["300 7E1", b"/?!\r\n\x06242\r\n", "4800 7E1", "4800 8N1"]


@pytest.mark.parametrize("read", [blocking, asynchronous])
def test_parity_is_computed_where_the_port_knows_eight_bits_only(port_server, read):
    url = f"rfc2217://127.0.0.1:{port_server.port}?mode_e=1&baud=9600&emulate_parity=1"
    assert read(url) == 5
    call = bytes.fromhex("AF3F218D0A 06B236B28D0A")
    assert port_server.log[:-1] == ["9600 8N1", call, "19200 8N1"]


@pytest.mark.parametrize("read", [blocking, asynchronous])
def test_a_line_without_a_sign_on_is_set_once(port_server, read):
    assert read(f"rfc2217://127.0.0.1:{port_server.port}?baud=19200&format=8e1") == 5
    assert port_server.log[:-1] == ["19200 8E1"]


class SlowPort:
    """A transport of the library whose flush and changes take as long as a test wants."""

    def __init__(self) -> None:
        self.log: list[object] = []
        self.gate = asyncio.Event()
        self.problem: Exception | None = None

    def write(self, data):
        self.log.append(bytes(data))

    async def flush(self):
        self.log.append("flush")
        await self.gate.wait()

    async def reconfigure_port(self, **settings):
        if self.problem:
            raise self.problem
        self.log.append(settings["baudrate"])

    def is_closing(self):
        return "closed" in self.log

    def get_write_buffer_size(self):
        return 0

    def close(self):
        self.log.append("closed")

    abort = close


@run
async def test_octets_after_a_change_of_the_line_wait_for_it():
    port = SlowPort()
    transport = SerialTransport("COM3", port, FAST)
    transport.write(b"before")
    transport.set_line(LineSettings(2400, 8, "N"))
    transport.write(b"after")
    transport.set_line(LineSettings(2400, 8, "N"))  # it is so already: nothing to do
    transport.write(b"then")
    transport.close()
    await asyncio.sleep(0)
    assert port.log == [b"before", "flush"]
    assert transport.get_write_buffer_size() == len(b"after") + len(b"then")
    assert transport.is_closing()
    port.gate.set()
    await transport._task
    assert port.log == [b"before", "flush", 2400, b"after", b"then", "closed"]


@run
async def test_a_line_that_cannot_be_set_ends_the_connection():
    port = SlowPort()
    transport = SerialTransport("COM3", port, FAST)
    port.problem = OSError(5, "Input/output error")
    port.gate.set()
    transport.set_line(LineSettings(2400, 8, "N"))
    transport.write(b"never")
    await transport._task
    assert port.log == ["flush", "closed"]
    assert str(transport.problem) == "COM3 cannot be set: Input/output error"


@run
async def test_aborting_forgets_what_waits():
    port = SlowPort()
    transport = SerialTransport("COM3", port, FAST)
    transport.set_line(LineSettings(2400, 8, "N"))
    transport.write(b"never")
    task = transport._task
    await asyncio.sleep(0)
    transport.abort()
    await asyncio.gather(task, return_exceptions=True)
    assert b"never" not in port.log
    assert 2400 not in port.log


def test_a_change_waits_as_long_as_the_octets_take(port_server, monkeypatch):
    waits = []
    monkeypatch.setattr(serial.time, "monotonic", lambda: 1000.0)
    monkeypatch.setattr(serial.time, "sleep", waits.append)
    channel = SerialChannel(f"rfc2217://127.0.0.1:{port_server.port}", LineSettings(300, 7, "E"))
    channel.send(b"/?!\r\n")
    channel.send(b"\x06252\r\n")
    channel.set_line(FAST)
    channel.set_line(FAST)
    channel.close()
    assert waits == [pytest.approx(11 * 10 / 300)]


def asked(port: int, request: bytes) -> bytes:
    """What a server answers that may not be there yet."""
    answer = b""
    for _ in range(100):
        os.write(port, request)
        while select.select([port], [], [], 0.2)[0]:
            answer += os.read(port, 100)
        if answer:
            return answer
    raise AssertionError("nobody answers")


def test_a_served_port_that_is_unplugged_is_served_again(tmp_path):
    device = meter(RegisterObject("1-0:1.8.0", value=DoubleLongUnsigned(5), scaler_unit=(0, 30)))
    name = tmp_path / "port"
    connect = bytes.fromhex("7E A007 03 21 93 0F01 7E")
    first, first_line = os.openpty()
    second, second_line = os.openpty()
    for line in (first_line, second_line):
        tty.setraw(line)
    name.symlink_to(os.ttyname(first_line))
    with serve_in_thread(device, f"serial://{name}"):
        assert asked(first, connect)[5] == 0x73
        name.unlink()
        os.close(first_line)
        os.close(first)
        name.symlink_to(os.ttyname(second_line))
        assert asked(second, connect)[5] == 0x73
    os.close(second_line)
    os.close(second)


def test_a_server_stops_although_its_port_is_gone(tmp_path):
    device = meter(RegisterObject("1-0:1.8.0", value=DoubleLongUnsigned(5), scaler_unit=(0, 30)))
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    with serve_in_thread(device, f"serial://{os.ttyname(theirs)}"):
        assert asked(ours, bytes.fromhex("7E A007 03 21 93 0F01 7E"))[5] == 0x73
        os.close(theirs)
        os.close(ours)


# What is wrong, in one line -------------------------------------------------------------------------------------------


def test_a_port_that_is_not_there(monkeypatch):
    ports = [SimpleNamespace(device="/dev/ttyUSB1"), SimpleNamespace(device="/dev/ttyUSB0")]
    monkeypatch.setattr("serialx.list_serial_ports", lambda: ports)
    with pytest.raises(TransportError) as caught:
        cosem.connect("serial:///dev/ttyUSB9")
    assert str(caught.value) == "there is no port /dev/ttyUSB9; there are /dev/ttyUSB0, /dev/ttyUSB1"
    monkeypatch.setattr("serialx.list_serial_ports", list)
    with pytest.raises(TransportError, match="no serial port is there at all"):
        asyncio.run(connect_serial(asyncio.Protocol, "/dev/ttyUSB9"))


def test_a_port_that_others_may_use_only(tmp_path):
    device = tmp_path / "ttyUSB0"
    device.touch()
    group = grp.getgrgid(device.stat().st_gid).gr_name
    problem = str(serial_line.opening_problem(str(device), FAST, PermissionError(13, "Permission denied")))
    assert problem.startswith(
        f"you may not use {device}: join its group with `sudo usermod -aG {group} $USER`"
    )
    assert "another program" in str(
        serial_line.opening_problem("COM3", FAST, PermissionError(13, "Access is denied"))
    )


def test_a_port_that_is_in_use(pair):
    _, name = pair
    channel = SerialChannel(name)
    with pytest.raises(TransportError, match=f"^{name} is in use by another program$"):
        SerialChannel(name)
    with pytest.raises(TransportError, match=f"^{name} is in use by another program$"):
        asyncio.run(connect_serial(asyncio.Protocol, name))
    channel.close()
    SerialChannel(name).close()


@pytest.mark.parametrize("target", ["/dev/null", "/tmp"])  # noqa: S108 -- a folder that is there
def test_what_is_no_port(target):
    with pytest.raises(TransportError, match=f"^{target} is no serial port, or cannot be set to 9600 8N1$"):
        SerialChannel(target)


def test_a_port_server_that_is_not_there():
    with pytest.raises(TransportError, match=r"cannot open rfc2217://127\.0\.0\.1:1: .*refused"):
        cosem.connect("rfc2217://127.0.0.1:1")


def test_a_package_that_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "serialx", None)
    with pytest.raises(UnsupportedError) as caught:
        cosem.connect("serial:///dev/ttyUSB0")
    assert str(caught.value).endswith("pip install 'cosem[serial]'")
    with pytest.raises(UnsupportedError):
        asyncio.run(connect_serial(asyncio.Protocol, "/dev/ttyUSB0"))


def test_errors_pickle():
    error = serial_line.opening_problem("/dev/ttyUSB0", FAST, TimeoutError())
    assert isinstance(error, TransportTimeout)
    assert str(pickle.loads(pickle.dumps(error))) == "/dev/ttyUSB0 did not answer in time"


@pytest.mark.parametrize("text", ["", "9N1", "8X1", "8N3", "8N1x"])
def test_what_is_no_format_of_a_line(text):
    with pytest.raises(ConfigurationError, match="rate and format"):
        parse_format(text, 9600)
    with pytest.raises(ConfigurationError, match="rate and format"):
        parse_format("8N1", 0)


def test_how_long_octets_take():
    assert transmission_time(960, LineSettings(9600, 8, "N")) == 1.0
    assert transmission_time(1, LineSettings(11, 8, "E", 1)) == 1.0
