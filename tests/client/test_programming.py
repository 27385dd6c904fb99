"""Programming mode (IEC 62056-21): a scripted meter on a pseudo-terminal and behind TCP, its refusals and its faults."""

from __future__ import annotations

import os
import pickle
import socket
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace

import pytest

from cosem.connecting.programming import Programming, ProgrammingRefused, program
from cosem.errors import ConfigurationError, ProtocolError, TransportError, TransportTimeout
from cosem.link.iec62056_21 import Command, command_message, parse_message, with_even_parity
from cosem.link.iec62056_21.messages import data_message
from cosem.transport.observing import Observer

ACK, NAK = b"\x06", b"\x15"
PASSWORD = "00000042"
REGISTERS = {"1.8.0": "000123.456*kWh", "0.9.1": "120000", "0001": "A(B"}


class Meter:
    """A scripted meter: what it answers to each message; what it heard."""

    def __init__(self, *, echoes: bool = False, parity: bool = False) -> None:
        self.heard: list[str] = []
        self.registers = dict(REGISTERS)
        self.operand = "(1A2B)"
        self.open_to_all = False
        self.logged_in = False
        self.faults: list[bytes] = []
        self.echoes = echoes
        self.parity = parity
        self.done = threading.Event()

    def answer(self, message: bytes) -> bytes:
        """Return what is answered to a message, whole."""
        if message.startswith(b"/?"):
            return b"/ABc5METER\r\n"
        if message.startswith(ACK):
            self.heard.append(message[1:4].decode())
            return command_message(Command("P0", self.operand)) if self.operand else ACK
        command = parse_message(message)
        self.heard.append(f"{command.name} {command.data}".rstrip())
        if self.faults:
            return self.faults.pop(0)
        address, _, data = command.data.rstrip(")").partition("(")
        if command.name in {"P1", "P2"}:
            self.logged_in = data == PASSWORD
            return ACK if self.logged_in else data_message("(ER02)")
        if command.name == "B0":
            self.done.set()
            return b""
        if command.name in {"R1", "R2"}:
            if address not in self.registers:
                return data_message("(ER06)")
            return data_message(f"{address}({self.registers[address]})")
        if not self.logged_in:
            return data_message("(ER01)")
        self.registers[address] = data
        return ACK

    def run(self, receive: Callable[[int], bytes], send: Callable[[bytes], object]) -> None:
        """Answer until nobody is there any more."""
        buffer = b""
        with suppress(OSError):
            while not self.done.is_set() and (octets := receive(256)):
                if self.echoes:
                    send(octets)
                buffer += bytes(octet & 0x7F for octet in octets)
                while message := self.first(buffer):
                    buffer = buffer[len(message) :]
                    answer = self.answer(message)
                    send(with_even_parity(answer) if self.parity else answer)

    @staticmethod
    def first(buffer: bytes) -> bytes:
        """Return the first message that is whole; empty if none is."""
        if buffer[:1] in {b"/", ACK}:
            end = buffer.find(b"\n") + 1
            return buffer[:end]
        end = buffer.find(b"\x03") + 2
        return buffer[:end] if 2 <= end <= len(buffer) else b""


@contextmanager
def behind_tcp(meter: Meter) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            line, _ = server.accept()
            with line:
                meter.run(line.recv, line.sendall)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        thread.join(20)


@contextmanager
def on_a_pty(meter: Meter) -> Iterator[str]:
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    thread = threading.Thread(
        target=meter.run,
        args=(lambda size: os.read(ours, size), lambda octets: os.write(ours, octets)),
        daemon=True,
    )
    thread.start()
    try:
        yield f"serial://{os.ttyname(theirs)}?emulate_parity=1"
        thread.join(20)
    finally:
        os.close(theirs)
        os.close(ours)


@pytest.mark.parametrize("where", [behind_tcp, on_a_pty])
def test_registers_are_read_and_written(where):
    meter = Meter(parity=where is on_a_pty)
    with where(meter) as url, program(url, password=PASSWORD) as session:
        assert (session.identification.manufacturer, session.operand) == ("ABc", "1A2B")
        (value,) = session.read("1.8.0")
        assert str(value) == "1.8.0(000123.456*kWh)"
        session.write("0.9.1", "130000")
        assert str(session.read("0.9.1", formatted=True)[0]) == "0.9.1(130000)"
        session.write("0.9.1", "140000", formatted=True)
    assert meter.heard == [
        *("051", f"P1 ({PASSWORD})", "R1 1.8.0()", "W1 0.9.1(130000)", "R2 0.9.1()", "W2 0.9.1(140000)", "B0")
    ]


def test_the_password_may_depend_on_the_operand_and_have_another_level():
    meter = Meter()
    operands = []

    def made_of(operand: str) -> str:
        operands.append(operand)
        return PASSWORD

    with behind_tcp(meter) as url, program(url, password=made_of, level=2):
        pass
    assert operands == ["1A2B"]
    assert meter.heard[1] == f"P2 ({PASSWORD})"


def test_a_meter_without_an_operand_is_read_without_a_password():
    meter = Meter()
    meter.operand = ""
    with behind_tcp(meter) as url, program(url) as session:
        assert session.operand == ""
        assert session.read("1.8.0")
        with pytest.raises(ProgrammingRefused) as caught:
            session.write("0.9.1", "1")
    assert (caught.value.error, caught.value.ended) == ("ER01", False)
    assert meter.registers == REGISTERS


def test_a_wrong_password_is_refused_and_never_shown():
    meter = Meter()
    with behind_tcp(meter) as url, pytest.raises(ProgrammingRefused) as caught:
        program(url, password="87654321")
    assert str(caught.value) == "P1: the password is refused: the meter says ER02"
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.error) == (str(caught.value), "ER02")
    assert meter.heard[-1] == "B0"


def test_one_register_that_is_not_there_does_not_end_the_mode():
    meter = Meter()
    with behind_tcp(meter) as url, program(url) as session:
        with pytest.raises(ProgrammingRefused, match=r"R1 9\.9\.9\(\) is refused: the meter says ER06"):
            session.read("9.9.9")
        assert session.read("1.8.0")


def test_a_meter_that_ends_the_mode_is_told_of_and_left_alone():
    meter = Meter()
    meter.faults = [command_message(Command("B0"))]
    with behind_tcp(meter) as url:
        session = program(url)
        with pytest.raises(ProgrammingRefused) as caught:
            session.read("1.8.0")
        meter.done.set()
        session.close()
    assert caught.value.ended
    assert pickle.loads(pickle.dumps(caught.value)).ended
    assert meter.heard[-1] == "R1 1.8.0()"


@pytest.mark.parametrize("fault", [NAK, b"\x021.8.0(1)\x03\x00"], ids=["not understood", "damaged"])
def test_what_was_garbled_on_the_way_is_repeated(fault):
    class Repeating(Meter):
        """A meter that says again what it said last when it is asked to."""

        @staticmethod
        def first(buffer: bytes) -> bytes:
            return buffer[:1] if buffer[:1] == NAK else Meter.first(buffer)

        def answer(self, message: bytes) -> bytes:
            return data_message("1.8.0(000123.456*kWh)") if message == NAK else super().answer(message)

    meter = Repeating()
    meter.faults = [fault]
    with behind_tcp(meter) as url, program(url) as session:
        assert str(session.read("1.8.0")[0]) == "1.8.0(000123.456*kWh)"


@pytest.mark.parametrize("answer", [data_message("rubbish"), data_message("")])
def test_an_answer_without_a_value_is_an_error(answer):
    meter = Meter()
    meter.faults = [answer, data_message("1.8.0(2)")]
    with behind_tcp(meter) as url, program(url) as session:
        with pytest.raises(ProtocolError, match="holds no value"):
            session.read("1.8.0")
        with pytest.raises(ProtocolError, match="no acknowledgement"):
            session.write("1.8.0", "2")


def test_an_answer_in_parts_is_an_error():
    meter = Meter()
    body = b"1.8.0(1)\x04"
    check = 0
    for octet in body:
        check ^= octet
    meter.faults = [b"\x02" + body + bytes((check,))]
    with behind_tcp(meter) as url, program(url) as session, pytest.raises(ProtocolError, match="in parts"):
        session.read("1.8.0")


@pytest.mark.parametrize("form", ["1.8.0(5*kWh)", "(5*kWh)"])
def test_an_answer_that_comes_twice_is_not_taken_for_that_of_the_next_command(form):
    meter = Meter()
    meter.faults = [data_message(form) * 2]
    meter.registers["2.8.0"] = "7*kWh"
    with behind_tcp(meter) as url, program(url) as session:
        assert session.read("1.8.0")[0].values[0].text == "5"
        assert [str(each) for each in session.read("2.8.0")] == ["2.8.0(7*kWh)"]


def test_an_answer_for_another_address_is_refused():
    meter = Meter()
    meter.faults = [data_message("2.8.0(7*kWh)"), data_message("0.9.2(ER05)")]
    with behind_tcp(meter) as url, program(url) as session:
        with pytest.raises(ProtocolError, match=r"R1 1\.8\.0\(\): the answer is that of '2\.8\.0'"):
            session.read("1.8.0")
        session._port.machine._late.none()  # rather than wait for the right one
        with pytest.raises(ProtocolError, match=r"W1 0\.9\.1: the answer is that of '0\.9\.2'"):
            session.write("0.9.1", "1")


@pytest.mark.parametrize(
    ("asked", "named", "same"),
    [
        ("1.8.0", "1-1:1.8.0*255", True),
        ("1-1:1.8.0", "1.8.0", True),
        ("C.1", "C.1.0", True),
        ("f.f", "F.F", True),
        ("0001", "0001", True),
        ("1.8.0*01", "1.8.0&01", True),
        ("1-0:1.8.0", "1-1:1.8.0", False),
        ("1.8.0", "1.8.0*01", False),
        ("1.8.0", "1.8.1", False),
        ("0001", "0002", False),
    ],
)
def test_an_address_may_be_written_in_several_ways(asked, named, same):
    meter = Meter()
    meter.faults = [data_message(f"{named}(1)")]
    with behind_tcp(meter) as url, program(url) as session:
        if same:
            assert session.read(asked)[0].address == named
        else:
            with pytest.raises(ProtocolError, match="the answer is that of"):
                session.read(asked)


def test_a_value_without_an_address_gets_the_one_that_was_asked_for():
    meter = Meter()
    meter.faults = [data_message("(1)\r\n(2)"), data_message("P.01(0)\r\n(5)")]
    with behind_tcp(meter) as url, program(url) as session:
        assert [str(each) for each in session.read("1.8.0")] == ["1.8.0(1)", "1.8.0(2)"]
        assert [str(each) for each in session.read("P.01")] == ["P.01(0)", "(5)"]


class Line:
    """A channel whose time passes while it is listened to: a meter whose answers take long, by its own clock.

    Args:
        meter: Who answers.
        delay: Seconds that each answer to a command takes.
    """

    def __init__(self, meter: Meter, delay: float) -> None:
        self.meter = meter
        self.delay = delay
        self.now = 0.0
        self.to_come: list[tuple[float, bytes]] = []

    def clock(self) -> float:
        return self.now

    def send(self, octets: bytes) -> None:
        while message := self.meter.first(octets):
            octets = octets[len(message) :]
            signs_on = message[:1] in {b"/", ACK}
            answer = self.meter.answer(message)
            self.to_come.append((self.now + (0.1 if signs_on else self.delay), answer))

    def receive(self, timeout: float) -> bytes:
        due, octets = min(self.to_come, default=(self.now + timeout + 1, b""))
        if due > self.now + timeout:
            self.now += timeout
            raise TransportTimeout("no answer")
        self.to_come.remove((due, octets))
        self.now = max(self.now, due)
        return octets or self.receive(0.0)

    def close(self) -> None:
        pass


@pytest.fixture
def over(monkeypatch: pytest.MonkeyPatch) -> Callable[[Line], Programming]:
    """Return what makes a session over such a line."""

    def made(line: Line) -> Programming:
        profile = SimpleNamespace(channel=lambda address, timeouts: line)
        monkeypatch.setattr("cosem.connecting.text_port.profile_of", lambda address: profile)
        return program("tcp://meter:1", password=PASSWORD, clock=line.clock, timeout=1000.0)

    return made


class Terse(Meter):
    """A meter that answers with values only."""

    def answer(self, message: bytes) -> bytes:
        answer = super().answer(message)
        if answer[:1] != b"\x02":
            return answer
        return data_message("(" + parse_message(answer).data.partition("(")[2])


@pytest.mark.parametrize("delay", [0.1, 2.9, 3.1, 4.0, 5.9])
def test_values_that_come_late_belong_to_what_was_asked(over, delay):
    meter = Terse()
    with over(Line(meter, delay)) as session:
        session.write("0.9.1", "130000")
        for address in ("1.8.0", "0.9.1", "0001", "1.8.0"):
            value = f"({meter.registers[address]})" if address != "0001" else "(A)"
            meter.registers["0001"] = "A"
            assert [str(each) for each in session.read(address)] == [f"{address}{value}"]
        with pytest.raises(ProgrammingRefused, match="ER06"):
            session.read("9.9.9")
        session.write("0.9.1", "1")
        assert str(session.read("0.9.1")[0]) == "0.9.1(1)"
    assert [each for each in meter.heard if each[0] in "PW"] == [
        *(f"P1 ({PASSWORD})", "W1 0.9.1(130000)", "W1 0.9.1(1)")
    ]


@pytest.mark.parametrize("later", [0.0, 0.01])
def test_a_value_that_comes_again_is_not_taken_for_that_of_the_next_command(over, later):
    class Doubling(Line):
        def send(self, octets: bytes) -> None:
            super().send(octets)
            self.to_come += [(due + later, again) for due, again in self.to_come if again.startswith(b"\x02")]

    meter = Terse()
    line = Doubling(meter, 0.1)
    with over(line) as session:
        for address in ("1.8.0", "0.9.1", "1.8.0"):
            assert str(session.read(address)[0]) == f"{address}({meter.registers[address]})"
        with pytest.raises(ProgrammingRefused):
            session.read("9.9.9")
        session.write("0.9.1", "1")
    assert meter.heard[-2:] == ["W1 0.9.1(1)", "B0"]


def test_a_mode_that_is_interrupted_while_it_begins_is_ended(over):
    class Interrupted(Meter):
        def answer(self, message: bytes) -> bytes:
            answer = super().answer(message)
            if message.startswith(ACK):
                raise KeyboardInterrupt
            return answer

    meter = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        over(Line(meter, 0.1))
    assert meter.heard == ["051", "B0"]


def test_who_is_silent_in_the_mode_is_told_of_by_what_was_asked(over):
    said = "the meter does not answer; the command may have been done all the same"
    meter = Meter()
    line = Line(meter, 0.1)
    session = over(line)
    meter.faults = [b""] * 9
    with pytest.raises(TransportError) as caught:
        session.read("1.8.0")
    assert str(caught.value) == "R1 1.8.0(): the meter does not answer"
    assert meter.heard[-1] == "B0"
    meter.faults.clear()
    session = over(line)
    meter.faults = [b""] * 9
    with pytest.raises(TransportError) as caught:
        session.write("0.9.1", "1")
    assert str(caught.value) == f"W1 0.9.1: {said}"
    assert meter.heard[-2:] == ["W1 0.9.1(1)", "B0"]


def test_an_error_behind_the_address_is_a_refusal():
    meter = Meter()
    meter.faults = [data_message("1.8.0(ER01)"), data_message("0.9.1(ER05)\r\n"), data_message("1.8.0(ERDE)")]
    with behind_tcp(meter) as url, program(url) as session:
        with pytest.raises(ProgrammingRefused) as caught:
            session.read("1.8.0")
        assert caught.value.error == "ER01"
        with pytest.raises(ProgrammingRefused) as caught:
            session.write("0.9.1", "1")
        assert caught.value.error == "ER05"
        assert str(session.read("1.8.0")[0]) == "1.8.0(ERDE)"


def test_who_says_nothing_is_given_up():
    meter = Meter()
    meter.faults = [b""]
    with (
        behind_tcp(meter) as url,
        program(url, timeout=0.6) as session,
        pytest.raises(TransportTimeout, match="in the time"),
    ):
        session.read("1.8.0")


def test_a_meter_that_has_a_readout_only_is_told_of():
    class Old(Meter):
        def answer(self, message: bytes) -> bytes:
            return b"/ABC@METER\r\n"

    meter = Old()
    with behind_tcp(meter) as url, pytest.raises(TransportError, match="offers a readout only"):
        program(url)


class Watching(Observer):
    def __init__(self) -> None:
        self.sent = self.received = b""

    def octets_sent(self, octets: bytes) -> None:
        self.sent += octets

    def octets_received(self, octets: bytes) -> None:
        self.received += octets


@pytest.mark.parametrize("chunk", [1, 3, 1000])
def test_an_observer_gets_no_password_even_where_it_is_repeated(chunk):
    class Slow(Meter):
        """An optical head that repeats what it hears, piece by piece."""

        def run(self, receive, send) -> None:
            def pieces(octets: bytes) -> None:
                for at in range(0, len(octets), chunk):
                    send(octets[at : at + chunk])

            super().run(receive, pieces)

    meter = Slow(echoes=True)
    watching = Watching()
    with behind_tcp(meter) as url, program(url, password=PASSWORD, observing=lambda _: watching) as session:
        assert str(session.read("1.8.0")[0]) == "1.8.0(000123.456*kWh)"
    assert b"\x01P1\x02(********)\x03*" in watching.sent
    assert b"\x01P1\x02(********)\x03*" in watching.received
    assert PASSWORD.encode() not in watching.sent + watching.received
    assert b"000123.456" in watching.received


@pytest.mark.parametrize("password", ["a(b", "a)b", "\x03", "é"])
def test_a_password_that_cannot_be_sent_is_refused_and_not_shown(password):
    meter = Meter()
    with behind_tcp(meter) as url, pytest.raises(ConfigurationError) as caught:
        program(url, password=password)
    assert password not in str(caught.value)


@pytest.mark.parametrize(("address", "value"), [("1.8.0(", "1"), ("1.8.0", "(1)"), ("1.8.0", "\x03")])
def test_what_would_end_a_value_is_refused(address, value):
    meter = Meter()
    with (
        behind_tcp(meter) as url,
        program(url) as session,
        pytest.raises(ConfigurationError, match="brackets"),
    ):
        session.write(address, value)
    assert meter.heard == ["051", "B0"]


@pytest.mark.parametrize(
    ("url", "options", "said"),
    [
        ("sim:", {}, "programming mode"),
        ("tcp://h:1?window=1", {}, "window"),
        ("tcp://h:1", {"timeout": 0}, "timeout"),
    ],
)
def test_wrong_use_is_told(url, options, said):
    with pytest.raises(ConfigurationError, match=said):
        program(url, **options)
