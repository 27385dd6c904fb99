"""IEC 62056-21: messages, readouts, the sign-on of every mode, and mode E into HDLC."""

from __future__ import annotations

import random
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.errors import ConfigurationError, FrameError, StateError
from cosem.link.base import ApduReceived, Connected, Disconnected
from cosem.link.hdlc import HdlcClientLink, HdlcServerLink
from cosem.link.iec62056_21 import (
    Answered,
    Command,
    DataSet,
    Failed,
    HdlcReady,
    Identification,
    Identified,
    ModeEClientLink,
    ModeEServerLink,
    ProgrammingReady,
    ReadoutReceived,
    SignOn,
    SignOnEvent,
    TextValue,
    command_message,
    logical_name,
    option_select,
    parse_data_sets,
    parse_message,
    sign_on_message,
    with_even_parity,
    without_parity,
)
from cosem.link.iec62056_21.messages import data_message
from cosem.link.iec62056_21.states import SIGN_ON_TRANSITIONS, SignOnState
from tests.vectors import vector

MODE_E = Identification("LGZ", "5", ("2",), "ZMF100AC.M23")
READOUT = (
    "0.0.0(12345678)\r\n1.8.0(000123.456*kWh)\r\n1.8.1*05(000100.000*kWh)(0505010000)\r\nF.F(00)\r\n!\r\n"
)


def steps(machine: SignOn | ModeEClientLink | ModeEServerLink) -> list[bytes | str]:
    """Return everything that the pump of a port would do now, in order."""
    done: list[bytes | str] = []
    while True:
        octets = machine.data_to_send()
        line = machine.next_line()
        done += [octets] * bool(octets) + [str(line)] * bool(line)
        if not octets and not line:
            return done


def events(machine: SignOn) -> list[SignOnEvent]:
    found = []
    while (event := machine.next_event()) is not None:
        found.append(event)
    return found


def test_sign_on_of_mode_e_as_recorded() -> None:
    said = [
        bytes.fromhex(each["hex7"]) for each in vector("profiles", "mode-e-sign-on")["decoded"]["messages"]
    ]
    machine = SignOn()
    machine.start(0.0)
    assert steps(machine) == ["300 7E1", said[0]]
    machine.receive(said[1], 1.0)
    assert events(machine) == [Identified(MODE_E)]
    assert steps(machine) == []
    assert machine.deadline() == pytest.approx(1.2)
    machine.tick(1.2)
    assert steps(machine) == [said[2], "9600 7E1"]
    machine.receive(said[3], 1.5)
    assert steps(machine) == ["9600 8N1"]
    machine.tick(1.7)
    assert events(machine) == [HdlcReady()]
    assert machine.deadline() is None


def test_parity_is_computed_where_the_port_has_none() -> None:
    messages = vector("profiles", "mode-e-sign-on")["decoded"]["messages"]
    for each in messages:
        plain, even = bytes.fromhex(each["hex7"]), bytes.fromhex(each["hex_8bit_even_parity"])
        assert with_even_parity(plain) == even
        assert without_parity(even) == plain
    machine = SignOn(emulate_parity=True)
    machine.start(0.0)
    assert steps(machine) == ["300 8N1", bytes.fromhex(messages[0]["hex_8bit_even_parity"])]
    machine.receive(bytes.fromhex(messages[1]["hex_8bit_even_parity"]), 1.0)
    machine.tick(1.2)
    assert steps(machine) == [bytes.fromhex(messages[2]["hex_8bit_even_parity"]), "9600 8N1"]


def test_address_of_the_sign_on() -> None:
    assert sign_on_message("12345678") == vector("profiles", "mode-e-addressed").octets
    for wrong in ("1" * 33, "12!", "ü"):
        with pytest.raises(ConfigurationError):
            sign_on_message(wrong)


def test_meter_without_hdlc_is_refused_in_words() -> None:
    entry = vector("profiles", "mode-c-only")
    machine = SignOn()
    machine.start(0.0)
    machine.receive(entry.octets, 0.5)
    identified, failed = events(machine)
    assert isinstance(identified, Identified)
    assert identified.identification.manufacturer == entry["decoded"]["manufacturer"]
    assert identified.identification.baud == entry["decoded"]["baud"]
    assert isinstance(failed, Failed)
    assert "mode C" in failed.reason
    machine = SignOn("readout")
    machine.start(0.0)
    steps(machine)
    machine.receive(entry.octets, 0.5)
    machine.tick(1.0)
    assert steps(machine) == [bytes.fromhex(entry["decoded"]["client_answer"]), "9600 7E1"]


@pytest.mark.parametrize(
    ("line", "mode", "baud", "reaction"),
    [
        (r"/LGZ5\2ZMF100AC.M23", "E", 9600, 0.2),
        (r"/ISk5\2MT382-1000", "E", 9600, 0.02),
        (r"/ELS6\@V9.30", "C", 19200, 0.2),
        ("/EMH4@01LZQJL0014E", "C", 4800, 0.2),
        ("/GEC0900", "C", 300, 0.2),
        ("/ABCEmode b", "B", 9600, 0.2),
        ("/ABC@mode a", "A", 300, 0.2),
        (r"/ABC@\2strange", "A", 300, 0.2),
    ],
)
def test_identification(line: str, mode: str, baud: int, reaction: float) -> None:
    identification = Identification.parse(line + "\r\n")
    assert (identification.mode, identification.baud) == (mode, baud)
    assert identification.reaction_time == reaction
    assert identification.encode() == (line + "\r\n").encode()


@pytest.mark.parametrize(
    "wrong",
    [
        *("", "/", "/AB", "/AB15x", "LGZ5x", "/?!", "/?LGZ5!"),
        "/wTV}JaI0123456789abcdefghijklmnopqrs",  # noise of 37 characters
        "/LGZ5\\20123456789abcdefg",  # 17 where 16 may be
        "/LGZ5\\2ZMF\x07",
        "/LGZ5\\2ZMF\xe9",
    ],
)
def test_no_identification(wrong: str) -> None:
    with pytest.raises(FrameError):
        Identification.parse(wrong)


@pytest.mark.parametrize(
    ("most", "character"), [(300, "0"), (2400, "3"), (5000, "4"), (9600, "5"), (115200, "5")]
)
def test_slower_rate_may_be_agreed(most: int, character: str) -> None:
    machine = SignOn(most_baud=most)
    machine.start(0.0)
    steps(machine)
    machine.receive(MODE_E.encode(), 0.0)
    machine.tick(1.0)
    assert option_select("2", character, "2") in steps(machine)


def test_missing_confirmation_is_tolerated_unless_demanded() -> None:
    for demanded, state in ((False, SignOnState.HDLC), (True, SignOnState.FAILED)):
        machine = SignOn(confirmation=demanded)
        machine.start(0.0)
        machine.receive(MODE_E.encode(), 0.0)
        now = 0.0
        while (deadline := machine.deadline()) is not None:
            now = deadline
            machine.tick(now)
            machine.receive(b"\xff\x86garbled", now) if machine.deadline() is not None else None
        assert machine.state is state


def test_hdlc_that_follows_at_once_is_not_lost() -> None:
    machine = SignOn()
    machine.start(0.0)
    machine.receive(MODE_E.encode(), 0.0)
    machine.tick(1.0)
    machine.receive(option_select("2", "5", "2"), 1.1)
    machine.receive(b"\x7e\xa0\xff", 1.2)
    machine.tick(1.5)
    assert events(machine)[-1] == HdlcReady(b"\x7e\xa0\xff")
    with pytest.raises(StateError):
        machine.receive(b"x", 2.0)


def test_silent_meter_is_called_again_and_given_up() -> None:
    machine = SignOn(retries=2, response_timeout=3.0)
    machine.start(0.0)
    with pytest.raises(StateError):
        machine.start(0.0)
    while (deadline := machine.deadline()) is not None:
        machine.tick(deadline)
    assert steps(machine).count(b"/?!\r\n") == 3
    (failed,) = events(machine)
    assert isinstance(failed, Failed)
    machine.start(100.0)
    assert machine.state is SignOnState.CALLING


def test_sleeping_meter_is_woken() -> None:
    machine = SignOn(wake_up=True)
    machine.start(0.0)
    line, wake_up = steps(machine)
    assert line == "300 7E1"
    assert wake_up == bytes(66)  # ten bits each: 2.2 seconds
    assert machine.deadline() == pytest.approx(3.8)
    machine.tick(3.9)
    assert steps(machine) == ["300 7E1", b"/?!\r\n"]


def test_echo_and_noise_before_the_identification() -> None:
    machine = SignOn()
    machine.start(0.0)
    for octet in b"/?!\r\n\x00\xff//" + MODE_E.encode():
        machine.receive(bytes((octet,)), 0.1)
    assert events(machine) == [Identified(MODE_E)]


def test_noise_that_looks_like_an_identification_is_called_over() -> None:
    machine = SignOn()
    machine.start(0.0)
    steps(machine)
    machine.receive(b"/wTV}JaI0123456789abcdefghijklmnopqrs\r\n", 0.1)
    assert events(machine) == []
    machine.tick(10.0)
    assert b"/?!\r\n" in steps(machine)
    machine.receive(MODE_E.encode(), 10.1)
    assert events(machine) == [Identified(MODE_E)]


# --- readout ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("identification", "expected"),
    [
        (b"/ISK5MT174\r\n", [b"\x06050\r\n", "9600 7E1"]),
        (b"/ABCE10\r\n", ["9600 7E1"]),
        (b"/ABC@10\r\n", []),
    ],
    ids=["C", "B", "A"],
)
def test_readout_of_modes_a_to_c(identification: bytes, expected: list[bytes | str]) -> None:
    machine = SignOn("readout")
    machine.start(0.0)
    steps(machine)
    machine.receive(identification, 0.5)
    machine.tick(0.8)
    assert steps(machine) == expected
    for octet in data_message(READOUT):
        machine.receive(bytes((octet,)), 1.0)
    readout = events(machine)[-1]
    assert isinstance(readout, ReadoutReceived)
    assert readout.checked
    assert [each.address for each in readout.data_sets] == ["0.0.0", "1.8.0", "1.8.1*05", "F.F"]
    assert readout.data_sets[1].values == (TextValue("000123.456", "kWh"),)
    assert readout.data_sets[1].values[0].number == Decimal("123.456")
    assert str(readout.data_sets[2]) == "1.8.1*05(000100.000*kWh)(0505010000)"
    assert machine.state is SignOnState.DONE
    assert machine.deadline() is None


def test_damaged_readout_is_asked_for_again() -> None:
    machine = SignOn("readout", retries=1)
    machine.start(0.0)
    machine.receive(b"/ISK5MT174\r\n", 0.5)
    machine.tick(0.8)
    steps(machine)
    damaged = bytearray(data_message(READOUT))
    damaged[10] ^= 1
    machine.receive(damaged, 1.0)
    assert steps(machine) == [b"\x15"]
    machine.receive(data_message(READOUT), 2.0)
    assert isinstance(events(machine)[-1], ReadoutReceived)
    machine.start(3.0)
    machine.receive(b"/ISK5MT174\r\n", 3.5)
    machine.tick(3.8)
    machine.receive(bytes(damaged), 4.0)
    machine.receive(bytes(damaged), 4.5)
    (failed,) = [each for each in events(machine) if isinstance(each, Failed)]
    assert "block check" in failed.reason


def test_mode_d_is_listened_to_and_may_have_no_block_check() -> None:
    machine = SignOn("readout")
    machine.listen(0.0)
    assert steps(machine) == []
    assert machine.deadline() is None
    machine.receive(b"\x00\x00/ABC3 D\r\n" + READOUT.encode(), 5.0)
    machine.tick(6.5)
    readout = events(machine)[-1]
    assert isinstance(readout, ReadoutReceived)
    assert not readout.checked
    assert len(readout.data_sets) == 4


def test_readout_that_stops_fails() -> None:
    machine = SignOn("readout", retries=0)
    machine.start(0.0)
    machine.receive(b"/ABC@10\r\n" + data_message(READOUT)[:30], 0.5)
    machine.tick(2.0)
    assert machine.state is SignOnState.FAILED


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("1-0:1.8.0", "1.0.1.8.0.255"),
        ("1-0:1.8.0*255", "1.0.1.8.0.255"),
        ("0-1:24.2.1", "0.1.24.2.1.255"),
        ("1.8.1", "1.0.1.8.1.255"),
        ("1.8.1*05", "1.0.1.8.1.5"),
        ("1.8.0*00", "1.0.1.8.0.0"),
        ("0.0.0", "1.0.0.0.0.255"),
        ("C.1.0", "1.0.96.1.0.255"),
        ("F.F", "1.0.97.97.0.255"),
        ("L.1*02", "1.0.98.1.0.2"),
        ("P.01", "1.0.99.1.0.255"),
        ("32.7", "1.0.32.7.0.255"),
        ("serial", None),
        ("999.1.1", None),
        ("", None),
    ],
)
def test_address_as_logical_name(address: str, name: str | None) -> None:
    found = logical_name(address)
    assert (str(found) if found else None) == name
    assert DataSet(address, ()).logical_name == found


@given(st.text(max_size=80))
def test_any_text_gives_data_sets(text: str) -> None:
    for each in parse_data_sets(text):
        assert each.values
        assert parse_data_sets(str(each)) == (each,)


# --- programming mode -----------------------------------------------------------------------------------


def test_programming_mode() -> None:
    machine = SignOn("programming")
    machine.start(0.0)
    steps(machine)
    machine.receive(b"/ISk5MT174\r\n", 0.5)
    machine.tick(0.8)
    assert steps(machine) == [b"\x06051\r\n", "9600 7E1"]
    with pytest.raises(StateError):
        machine.command(Command("R1", "1.8.0()"), 0.9)
    machine.receive(command_message(Command("P0", "(12345678)")), 1.0)
    assert events(machine)[-1] == ProgrammingReady("12345678")
    machine.command(Command("P1", "(00000000)"), 1.1)
    assert steps(machine) == [command_message(Command("P1", "(00000000)"))]
    machine.receive(b"\x06", 1.2)
    assert events(machine) == [Answered(Command(""), ())]
    machine.command(Command("R1", "1.8.0()"), 1.3)
    steps(machine)
    machine.receive(data_message("1.8.0(000123.456*kWh)"), 1.4)
    (answer,) = events(machine)
    assert isinstance(answer, Answered)
    assert answer.data_sets[0].values[0].number == Decimal("123.456")
    machine.command(Command("W1", "0.9.1(120000)"), 1.5)
    machine.receive(data_message("(ER01)"), 1.6)
    (answer,) = events(machine)
    assert isinstance(answer, Answered)
    assert answer.answer.error == "ER01"
    machine.command(Command("R1", "1.8.1()"), 2.0)
    steps(machine)
    machine.receive(b"\x15", 2.1)  # it was not understood
    assert steps(machine) == [command_message(Command("R1", "1.8.1()"))]
    machine.receive(command_message(Command("R1", "1.8.1()")), 2.2)  # an optical head repeats what it hears
    assert events(machine) == []
    machine.receive(b"\x021.8.1(1)\x03\x00", 2.3)  # a wrong block check
    assert steps(machine) == [b"\x15"]
    machine.tick(10.0)
    assert steps(machine) == [command_message(Command("R1", "1.8.1()"))]
    machine.leave(11.0)
    assert steps(machine) == [bytes.fromhex("01 42 30 03 71"), "300 7E1"]
    assert machine.state is SignOnState.DONE
    with pytest.raises(StateError):
        machine.leave(12.0)


def test_a_command_that_is_never_understood_is_given_up() -> None:
    machine = SignOn("programming", retries=2)
    machine.start(0.0)
    machine.receive(b"/ISK5MT174\r\n", 0.5)
    machine.tick(0.8)
    for octet in b"\x06051\r\n\x06":  # an optical head repeats what it hears; then the meter has no operand
        machine.receive(bytes((octet,)), 1.0)
    assert not events(machine)[1:]
    machine.tick(3.0)
    assert events(machine) == [ProgrammingReady("")]
    machine.command(Command("R1", "1.8.0()"), 3.1)
    steps(machine)
    for _ in range(2):
        machine.receive(b"\x15", 3.2)
        assert steps(machine) == [command_message(Command("R1", "1.8.0()"))]
    machine.receive(b"\x15", 3.3)
    assert events(machine)[-1] == Failed("the meter does not understand the command (NAK)")


def programming() -> SignOn:
    """Return a machine in programming mode at 10 s, with nothing to send."""
    machine = SignOn("programming")
    machine.start(0.0)
    machine.receive(b"/ISk5MT174\r\n", 0.5)
    machine.tick(0.8)
    machine.receive(command_message(Command("P0", "(1)")), 9.0)
    steps(machine)
    events(machine)
    return machine


def test_a_late_answer_is_not_taken_for_that_of_the_next_command() -> None:
    machine = programming()
    asked, next_one = Command("R1", "1.8.0()"), Command("R1", "2.8.0()")
    machine.command(asked, 10.0)
    machine.tick(13.0)
    assert steps(machine) == [command_message(asked) * 2]
    machine.receive(data_message("(111.1)"), 14.0)
    assert len(events(machine)) == 1
    machine.command(next_one, 14.0)
    assert steps(machine) == []  # the answer to the repetition is still to come
    machine.receive(data_message("(111.1)"), 17.0)
    assert events(machine) == []
    assert machine.deadline() == pytest.approx(17.02)  # the reaction time
    machine.tick(17.02)
    assert steps(machine) == [command_message(next_one)]
    machine.receive(data_message("(222.2)"), 17.5)
    (answer,) = events(machine)
    assert isinstance(answer, Answered)
    assert answer.answer.data == "(222.2)"
    machine.command(asked, 17.6)
    assert steps(machine) == [command_message(asked)]  # nothing is to come any more


def test_where_the_repetition_is_never_answered_a_silence_is_waited_out() -> None:
    machine = programming()
    machine.command(Command("R1", "1.8.0()"), 10.0)
    machine.tick(13.0)
    machine.receive(data_message("(111.1)"), 13.5)
    machine.command(Command("W1", "0.9.1(1)"), 14.0)
    machine.receive(b"\x06\x15", 14.2)  # may be noise
    steps(machine)
    assert machine.deadline() == pytest.approx(20.2)
    machine.tick(20.2)
    assert steps(machine) == [command_message(Command("W1", "0.9.1(1)"))]


@pytest.mark.parametrize(("maker", "reaction_time"), [("ISK", 0.2), ("ISk", 0.02)])
def test_the_reaction_time_passes_between_two_messages(maker: str, reaction_time: float) -> None:
    machine = SignOn("programming")
    machine.start(0.0)
    machine.receive(f"/{maker}5MT174\r\n".encode(), 0.5)
    machine.tick(0.8)
    machine.receive(command_message(Command("P0", "(1)")), 10.0)
    steps(machine)
    machine.command(Command("R1", "1.8.0()"), 10.0)
    assert steps(machine) == []
    machine.receive(command_message(Command("P0", "(1)")), 10.01)  # again: it is no answer
    assert machine.deadline() == pytest.approx(10.01 + reaction_time)
    machine.tick(10.01 + reaction_time)
    assert steps(machine) == [command_message(Command("R1", "1.8.0()"))]


def test_a_message_that_has_begun_is_let_end_before_the_next_command() -> None:
    machine = programming()
    machine.command(Command("R1", "1.8.0()"), 10.0)
    said = data_message("1.8.0(1)")
    machine.receive(said + said[:5], 10.5)
    events(machine)
    steps(machine)
    machine.command(Command("R1", "2.8.0()"), 10.5)
    assert steps(machine) == []
    machine.receive(said[5:], 10.9)
    machine.tick(10.92)
    assert steps(machine) == [command_message(Command("R1", "2.8.0()"))]
    assert events(machine) == []


def test_a_line_that_never_becomes_silent_ends_the_mode() -> None:
    machine = programming()
    machine.command(Command("R1", "1.8.0()"), 10.0)
    machine.tick(13.0)
    machine.receive(data_message("(1)"), 14.0)
    events(machine)
    steps(machine)
    machine.command(Command("R1", "2.8.0()"), 14.0)
    for second in range(15, 50):
        machine.receive(b"U", float(second))
    assert events(machine) == [Failed("octets come on and on")]
    assert steps(machine)[0] == command_message(Command("B0"))


@pytest.mark.parametrize(
    "command", [Command("W1", "0.9.1(1)"), Command("P1", "(00000000)"), Command("E2", "1()")]
)
@pytest.mark.parametrize("echo", [False, True])
def test_what_changes_something_is_never_repeated_without_being_asked_for(
    command: Command, echo: bool
) -> None:
    machine = programming()
    machine.command(command, 10.0)
    if echo:
        machine.receive(command_message(command), 10.5)
    assert steps(machine) == [command_message(command)]
    assert machine.deadline() == 22.0  # as long as what is repeated may take
    machine.tick(22.0)
    (failed,) = events(machine)
    assert isinstance(failed, Failed)
    assert failed.reason == "the meter does not answer; the command may have been done all the same"
    assert steps(machine) == [command_message(Command("B0")), "300 7E1"]


@pytest.mark.parametrize("wrong", [Command("X1"), Command("R"), Command("R1", "\x03"), Command("R1", "é")])
def test_impossible_command_is_refused(wrong: Command) -> None:
    with pytest.raises(ConfigurationError):
        command_message(wrong)


@given(
    st.sampled_from(["P0", "P1", "R1", "R3", "W1", "E2", "B0"]),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)),
    st.booleans(),
)
def test_command_round_trips_and_truncations_are_refused(name: str, data: str, more: bool) -> None:
    octets = command_message(Command(name, data, more))
    assert parse_message(octets) == Command(name, data, more)
    for size in range(len(octets)):
        with pytest.raises(FrameError):
            parse_message(octets[:size])


@given(st.binary(max_size=300), st.sampled_from(["hdlc", "readout", "programming"]))
def test_rubbish_never_breaks_the_machine(octets: bytes, want: str) -> None:
    machine = SignOn(want)
    machine.start(0.0)
    machine.receive(MODE_E.encode(), 0.0)
    machine.tick(1.0)
    with suppress(StateError):
        for index, octet in enumerate(octets):
            machine.receive(bytes((octet,)), 1.0 + 0.01 * index)
    for _ in range(50):
        if (deadline := machine.deadline()) is None:
            break
        machine.tick(deadline)
    assert machine.deadline() is None


def test_buffer_is_bounded() -> None:
    for want in ("hdlc", "readout"):
        machine = SignOn(want)
        machine.start(0.0)
        for _ in range(40):
            machine.receive(random.Random(1).randbytes(4000).replace(b"\n", b"/"), 0.0)
        machine.receive(b"/ABC@10\r\n\x02", 0.0)
        for _ in range(40):
            machine.receive(b"1.8.0(1)\r\n" * 400, 0.0)
        assert len(machine._buffer) <= 0x10000


def test_every_action_of_the_table_exists() -> None:
    for action, _ in SIGN_ON_TRANSITIONS.values():
        assert callable(getattr(SignOn, f"_do_{action}"))


# --- into HDLC ------------------------------------------------------------------------------------------


def talk(client: ModeEClientLink, server: ModeEServerLink, lines: dict[int, str], now: float) -> float:
    """Carry octets while both ends use the same line settings, and let time pass; return the time."""
    for _ in range(60):
        moved = False
        for one, other in ((client, server), (server, client)):
            octets = one.data_to_send()
            if octets:
                moved = True
                if lines[id(one)] == lines[id(other)]:
                    other.receive(octets, now)
            if (line := one.next_line()) is not None:
                lines[id(one)] = str(line)
                moved = True
        if not moved:
            times = [
                time for time in (client.deadline(), server.deadline()) if time is not None and time < now + 3
            ]
            if not times:
                return now
            now = max(now, min(times))
            client.tick(now)
            server.tick(now)
    return now


@pytest.mark.parametrize("emulate", [False, True])
def test_mode_e_into_hdlc_and_back(emulate: bool) -> None:
    client = ModeEClientLink(HdlcClientLink(16, 1), SignOn(address="1234", emulate_parity=emulate))
    server = ModeEServerLink(
        HdlcServerLink(inactivity_timeout=0), MODE_E, address="01234", emulate_parity=emulate
    )
    now = 0.0
    lines = {id(client): "", id(server): ""}
    for _ in range(2):
        client.connect(now)
        now = talk(client, server, lines, now)
        assert client.next_event() == Connected()
        assert client.identification == MODE_E
        assert server.next_event() == Connected(16, 1)
        client.send(b"\xc0 get", now)
        now = talk(client, server, lines, now)
        assert server.next_event() == ApduReceived(b"\xc0 get", 16, 1)
        server.send(b"\xc4", 1, 16, now)
        now = talk(client, server, lines, now)
        assert client.next_event() == ApduReceived(b"\xc4", 1, 16)
        client.disconnect(now)
        now = talk(client, server, lines, now)
        assert isinstance(client.next_event(), Disconnected)
        assert isinstance(server.next_event(), Disconnected)
        assert str(client.next_line()) == lines[id(server)] == ("300 8N1" if emulate else "300 7E1")


def test_sign_on_that_fails_ends_the_link() -> None:
    client = ModeEClientLink(HdlcClientLink(16, 1), SignOn(retries=0))
    client.connect(0.0)
    client.tick(10.0)
    event = client.next_event()
    assert isinstance(event, Disconnected)
    assert "does not answer" in event.reason
    with pytest.raises(ConfigurationError):
        ModeEClientLink(HdlcClientLink(16, 1), SignOn("readout"))


def test_without_a_line_to_set_nothing_waits_for_it() -> None:
    client = ModeEClientLink(HdlcClientLink(16, 1), SignOn(line_control=False))
    server = ModeEServerLink(HdlcServerLink(), MODE_E, line_control=False)
    client.connect(0.0)
    server.receive(client.data_to_send(), 0.0)
    client.receive(server.data_to_send(), 0.0)
    client.tick(1.0)
    server.receive(client.data_to_send(), 1.0)
    client.receive(server.data_to_send(), 1.0)
    client.tick(2.0)
    server.receive(client.data_to_send(), 2.0)
    client.receive(server.data_to_send(), 2.0)
    assert client.next_event() == Connected()


def test_server_gives_its_readout_and_hears_hdlc_without_sign_on() -> None:
    server = ModeEServerLink(HdlcServerLink(), MODE_E, readout=READOUT.removesuffix("!\r\n"))
    steps(server)
    server.receive(b"\x00\x00\x00/?!\r\n", 0.0)
    assert steps(server) == [MODE_E.encode()]
    server.receive(option_select("0", "5", "0"), 0.1)
    assert steps(server) == ["9600 7E1", data_message(READOUT), "300 7E1"]
    server.receive(b"/?!\r\n", 1.0)
    server.receive(option_select("2", "6", "2"), 1.1)  # faster than offered
    assert steps(server) == [MODE_E.encode()]
    server.receive(b"/?99!\r\n", 1.2)
    assert steps(server) == []
    assert server.deadline() == 6.0
    server.tick(6.0)
    assert steps(server) == ["300 7E1"]
    link = HdlcClientLink(16, 1)
    link.connect(7.0)
    server.receive(link.data_to_send(), 7.0)
    link.receive(server.data_to_send(), 7.0)
    assert link.next_event() == Connected()
