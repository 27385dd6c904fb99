"""Faults on demand: each does what it says, and the same each time."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest

from cosem.cli import main
from cosem.connecting import connect
from cosem.connecting.demonstration import demonstration_security
from cosem.connecting.simulated import meter_maker
from cosem.errors import ConfigurationError, LinkError, TransportError, TransportTimeout
from cosem.link.base import LineLink
from cosem.link.hdlc.server import HdlcServerLink
from cosem.link.iec62056_21 import Identification, ModeEServerLink
from cosem.link.wrapper import WrapperServerLink, wrap
from cosem.security.counters import LAST_COUNTER, CounterName, VolatileCounterStore
from cosem.server import Server, demonstration_meter, serve_in_thread
from cosem.server.simulation.faults import Faults, FaultyLink, JumpingCounters, faulty, parse_faults
from cosem.server.simulation.many import listen_with_faults
from cosem.transport.observing import Observer

UNIT = wrap(b"\xc4\x01", 1, 16)


def link(**faults):
    return FaultyLink(WrapperServerLink(), Faults(**faults), Random(1))


def sent(made, now=0.0, apdu=b"\xc4\x01"):
    made.send(apdu, 1, 16, now)
    return made.data_to_send()


def test_without_faults_a_link_is_as_it_is():
    made = link()
    assert sent(made) == UNIT
    made.receive(wrap(b"\xc0\x01", 16, 1), 1.0)
    assert made.next_event().apdu == b"\xc0\x01"
    assert made.next_event() is None
    assert made.deadline() is None
    assert not made.partial
    made.receive(b"\x00", 1.0)
    assert made.partial


def test_what_is_lost_never_comes():
    made = link(loss=1)
    assert sent(made) == b""
    assert made.deadline() is None


def test_what_is_doubled_comes_twice():
    assert sent(link(duplicate=1)) == UNIT * 2


def test_what_is_damaged_differs_in_one_bit():
    spoilt = sent(link(corrupt=1))
    assert len(spoilt) == len(UNIT)
    difference = int.from_bytes(spoilt, "big") ^ int.from_bytes(UNIT, "big")
    assert difference.bit_count() == 1


def test_what_is_late_comes_when_it_is_due_and_in_order():
    made = link(delay=2.0)
    assert sent(made, 10.0) == b""
    assert made.deadline() == 12.0
    made.tick(11.9)
    assert made.data_to_send() == b""
    assert sent(made, 11.9, b"\xc4\x02") == b""
    made.tick(12.0)
    assert made.data_to_send() == UNIT
    assert made.deadline() == pytest.approx(13.9)
    made.tick(14.0)
    assert made.data_to_send() == wrap(b"\xc4\x02", 1, 16)


def test_a_slow_answer_holds_up_the_next_one():
    made = link(slow=0.5, slow_by=30.0)
    due = []
    for number in range(20):
        sent(made, float(number))
        due.append(made._waiting[-1][0] if made._waiting else float(number))
    assert due == sorted(due)
    assert due[-1] >= 30


def test_a_dropped_session_is_an_error_of_the_link():
    with pytest.raises(LinkError, match="a fault closes"):
        link(drop=1).receive(b"", 0.0)


def test_the_same_seed_gives_the_same_faults_and_each_connection_its_own():
    def pattern(seed):
        factory = faulty(WrapperServerLink, Faults(loss=0.5, seed=seed))
        return [[bool(sent(made)) for _ in range(32)] for made in (factory(), factory())]

    assert pattern(1) == pattern(1)
    assert pattern(1) != pattern(2)
    first, second = pattern(1)
    assert first != second


def test_a_link_that_sets_a_line_still_does():
    plain = faulty(WrapperServerLink, Faults())()
    assert not isinstance(plain, LineLink)

    def mode_e():
        return ModeEServerLink(HdlcServerLink((1,)), Identification.parse(r"/CSM5\2COSEM"))

    made = faulty(mode_e, Faults())()
    assert isinstance(made, LineLink)
    assert made.next_line() == mode_e().next_line()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("loss", "'' of the fault loss is no number"),
        ("loss=much", "is no number"),
        ("loss=2", "from 0 to 1"),
        ("delay=-1", "0 to 3600"),
        ("fog=1", "is no fault"),
        ("loss=0.1,loss=0.2", "is no fault"),
        ("loss=nan", "from 0 to 1"),
    ],
)
def test_what_is_no_fault_is_refused(text, said):
    with pytest.raises(ConfigurationError, match=said):
        parse_faults(text)


def test_faults_are_read_from_a_text():
    assert parse_faults("loss=0.1, slow-by=5,seed=7") == Faults(loss=0.1, slow_by=5.0, seed=7)
    assert parse_faults("") == Faults()


def test_counters_jump_ahead_and_never_come_twice():
    store = JumpingCounters(VolatileCounterStore(b"salt"), Faults(jump=0.5))
    name = CounterName(b"key", b"title")
    counter = store.counter(name)
    values = [counter.next() for _ in range(200)]
    assert values == sorted(set(values))
    assert max(later - earlier for earlier, later in pairwise(values)) > 1000
    assert values[-1] < LAST_COUNTER
    assert store.salt == b"salt"
    assert store.peek(name) == values[-1] + 1
    assert store.accept(name, 5)
    assert store.lowest_acceptable(name) == 6
    assert store.reserve(name, 1).start > values[-1]


def test_frames_with_a_wrong_fcs_are_asked_for_again():
    server = listen_with_faults(
        Server(demonstration_meter()), "hdlc+tcp://127.0.0.1:0", Faults(corrupt=0.05, seed=3)
    )
    with serve_in_thread(server) as url, connect(url, timeouts=20) as meter:
        values = [meter.get("0-0:96.1.0") for _ in range(20)]
    assert set(values) == {b"10000001"}


# --- each kind, as a client of a served meter meets it -------------------------------------------------------


def served(scheme="tcp", **faults):
    return listen_with_faults(Server(demonstration_meter()), f"{scheme}://127.0.0.1:0", Faults(**faults))


class Heard(Observer):
    """The answers that came, and the counters in those that are ciphered."""

    def __init__(self):
        self.octets = []
        self.apdus = []

    def octets_received(self, octets):
        self.octets.append(octets)

    def apdu_received(self, apdu):
        self.apdus.append(apdu)


def test_a_lost_answer_is_a_time_out():
    with serve_in_thread(served(loss=1)) as url, pytest.raises(TransportTimeout):
        connect(url, timeouts=0.2, retries=0)


@pytest.mark.parametrize("scheme", ["tcp", "hdlc+tcp"])
def test_a_late_answer_is_waited_for_as_long_as_is_allowed(scheme):
    with serve_in_thread(served(scheme, delay=0.05, jitter=0.01)) as url:
        with connect(url, timeouts=20) as meter:
            assert meter.get("0-0:96.1.0") == b"10000001"
        with pytest.raises(TransportTimeout):
            connect(url, timeouts=0.02, retries=0)


def test_a_slow_answer_is_a_time_out_too():
    with serve_in_thread(served(slow=1, slow_by=30)) as url, pytest.raises(TransportTimeout):
        connect(url, timeouts=0.2, retries=0)


def test_doubled_frames_are_taken_once():
    heard = Heard()
    with (
        serve_in_thread(served("hdlc+tcp", duplicate=1)) as url,
        connect(url, timeouts=20, observer=heard) as meter,
    ):
        assert [meter.get("0-0:96.1.0") for _ in range(9)] == [b"10000001"] * 9
    # AARE, nine values, RLRE: the link gave each of them once.
    assert len(heard.apdus) == 11


def test_a_dropped_session_is_told_and_the_next_one_works():
    values, drops = [], 0
    with serve_in_thread(served(drop=0.2, seed=2)) as url:
        for _ in range(20):
            try:
                with connect(url, timeouts=20, retries=0) as meter:
                    values.append(meter.get("0-0:96.1.0"))
            except TransportError:
                drops += 1
    assert drops
    assert values
    assert set(values) == {b"10000001"}


@pytest.mark.parametrize("source", ["demo", "dsmr-like", "idis-like"])
def test_counters_of_meters_that_cipher_jump_and_the_client_goes_along(source):
    store = JumpingCounters(VolatileCounterStore(), Faults(jump=0.5, seed=1))
    heard = Heard()
    with (
        serve_in_thread(meter_maker(source, counters=store)(None, None)) as url,
        connect(url, client=2, security=demonstration_security(), observer=heard) as meter,
    ):
        assert {bytes(meter.get("0-0:96.1.0")) for _ in range(20)} == {b"10000001"}
    counters = [int.from_bytes(each[3:7], "big") for each in heard.apdus if each[:1] == b"\xcc"]
    assert counters == sorted(set(counters))
    assert max(later - earlier for earlier, later in pairwise(counters)) > 1000


def test_counters_that_are_not_there_cannot_jump(capsys):
    assert main(["serve", "water", "--fault", "jump=0.5", "--listen", "tcp://127.0.0.1:0"]) == 2
    assert "there are no counters to jump" in capsys.readouterr().err
