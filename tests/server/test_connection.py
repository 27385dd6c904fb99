"""One connection of a server, without a network: cuts, rubbish, limits of time and number, handlers that fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.apdu import decode
from cosem.association.server.profile import ServerLimits
from cosem.errors import AccessError
from cosem.link.base import ServerLink
from cosem.link.hdlc import CONTROLS, Frame, FrameKind, FrameParser, HdlcAddress, HdlcServerLink, encode_frame
from cosem.link.iec62056_21 import Identification, ModeEServerLink
from cosem.link.wrapper import WrapperParser, wrap
from cosem.server import (
    AccessRights,
    ConnectionLimits,
    DataObject,
    DisconnectControlObject,
    RegisterObject,
    Server,
    blocking,
)
from cosem.types.data import DoubleLongUnsigned, OctetString, Structure, VisibleString
from cosem.types.enumerations import DataAccessResult
from cosem.types.making import trusted
from tests.server.driver import Pipe, aarq, each_cut, meter, run, until
from tests.vectors import load

GET = bytes.fromhex("C001C1 0003 0100010800FF 02 00")
URGENT = bytes.fromhex("C001C2 0003 0100010801FF 02 00")
ENERGY = bytes.fromhex("C401C1 00 06 00000005")
REFUSED = bytes.fromhex("C401C1 01 FA")
NO_ASSOCIATION = bytes.fromhex("D80101")
RELEASE, RELEASED = bytes.fromhex("6203800100"), bytes.fromhex("6303800100")


def energy_meter(**facts):
    energy = RegisterObject("1-0:1.8.0", value=DoubleLongUnsigned(5), scaler_unit=(0, 30))
    other = RegisterObject("1-0:1.8.1", value=DoubleLongUnsigned(6), scaler_unit=(0, 30))
    return meter(energy, other, **facts)


class Time:
    """Monotonic seconds that a test moves."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def server_of(*devices, **facts) -> tuple[Server, Time]:
    time = Time()
    return Server(devices or [energy_meter()], time=time, **facts), time


def opened(server: Server, client: int = 16, **facts) -> Pipe:
    pipe = Pipe(server, **facts)
    (answer,) = pipe.ask(aarq(), client=client)
    assert "A203020100" in answer.hex().upper()
    return pipe


# --- octets -----------------------------------------------------------------------------------------------

EXCHANGES: dict[str, list[bytes]] = {}
for each in load("xdlms"):
    parts = each.id.split(".")
    if parts[0] == "D" and parts[2] == "LN":
        EXCHANGES.setdefault(".".join(parts[:2]) + "".join(parts[4:]), []).append(each.octets)


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_the_exchanges_of_annex_d_to_the_octet(exchange):
    writing = exchange[:3] in ("D.6", "D.7", "D.8", "D.9")
    one = OctetString(bytes.fromhex("".join(f"{number:02d}" for number in range(1, 51))))
    values = {"0.0.128.0.0.255": one, "0.0.128.1.0.255": VisibleString("000")}
    device = meter(
        *(DataObject(name, value=type(value)() if writing else value) for name, value in values.items()),
        answer_class_bit_0=True,
    )
    server, _ = server_of(device)
    pipe = Pipe(server)
    pipe.ask(aarq(size=40 if exchange[:3] in ("D.4", "D.5", "D.8", "D.9") else 1200))
    messages = EXCHANGES[exchange]
    for request, answer in list(pairwise(messages))[::2]:
        assert pipe.ask(request) == [answer]
    if exchange[:3] in ("D.7", "D.9"):
        assert {name: device[name].stored(2) for name in values} == values


def test_a_unit_may_be_cut_anywhere():
    server, _ = server_of()
    pipe = opened(server)
    for first, second in each_cut(wrap(GET, 16, 1)):
        pipe.feed(first)
        assert pipe.answers() == []
        pipe.feed(second)
        assert pipe.answers() == [ENERGY]


@given(st.lists(st.integers(1, 40), max_size=60))
def test_any_cut_of_a_conversation_gives_the_same_answers(sizes):
    server, _ = server_of()
    pipe = Pipe(server)
    octets = b"".join(wrap(apdu, 16, 1) for apdu in (aarq(), GET, GET, RELEASE, GET))
    at = 0
    for size in [*sizes, len(octets)]:
        pipe.feed(octets[at : at + size])
        at += size
    answers = pipe.answers()
    assert len(answers) == 5
    assert answers[1:] == [ENERGY, ENERGY, RELEASED, NO_ASSOCIATION]


def test_every_unit_is_answered_to_where_it_came_from():
    device = energy_meter()
    device.add_association(17)
    server, _ = server_of(device)
    pipe = Pipe(server)
    pipe.feed(wrap(aarq(), 16, 1) + wrap(aarq(), 17, 1) + wrap(GET, 17, 1) + wrap(GET, 16, 1))
    units = list(WrapperParser().feed(bytes(pipe.out)))
    assert sorted((source, destination) for source, destination, _ in units) == [
        (1, 16),
        (1, 16),
        (1, 17),
        (1, 17),
    ]
    assert [apdu for _, _, apdu in units].count(ENERGY) == 2


@pytest.mark.parametrize(
    "rubbish",
    ["0002001000010003616263", "FFFF", "000000", "7EA00A", "474554202F20485454502F312E31", "0001"],
    ids=["version", "ones", "zeros", "HDLC", "HTTP", "only a beginning"],
)
def test_rubbish_ends_its_own_connection_only_and_what_came_before_is_answered(rubbish):
    server, _ = server_of()
    healthy = opened(server)
    pipe = opened(server)
    pipe.feed(wrap(GET, 16, 1) + bytes.fromhex(rubbish))
    assert pipe.answers() == [ENERGY]
    assert pipe.closed is (rubbish != "0001")
    assert server.statistics.malformed == (rubbish != "0001")
    assert healthy.ask(GET) == [ENERGY]


def test_units_of_nothing_are_nothing():
    server, _ = server_of()
    pipe = opened(server)
    pipe.feed(wrap(b"", 16, 1) * 10_000)
    assert pipe.answers() == []
    assert pipe.ask(GET) == [ENERGY]


SEEDS = [each.octets for name in ("xdlms", "acse", "security") for each in load(name) if each.octets]


@given(st.data())
def test_whatever_comes_after_an_association_is_answered_or_ignored_and_the_server_stays_well(data):
    server, _ = server_of(energy_meter(rights=AccessRights.read_only()))
    healthy, pipe = opened(server), opened(server)
    for _ in range(8):
        octets = bytearray(data.draw(st.sampled_from(SEEDS)))
        for _ in range(data.draw(st.integers(0, 3))):
            position = data.draw(st.integers(0, len(octets) - 1))
            octets[position] = data.draw(st.integers(0, 255))
        assert len(pipe.ask(bytes(octets))) <= 1
    assert not pipe.closed
    assert server.statistics.incidents == 0
    assert healthy.ask(GET) == [ENERGY]


@given(st.binary(max_size=300))
def test_octets_of_no_meaning_are_answered_once_or_not_at_all(octets):
    server, _ = server_of()
    pipe = opened(server)
    assert len(pipe.ask(octets)) <= 1
    assert server.statistics.incidents == 0


# --- associations ---------------------------------------------------------------------------------------


def test_a_service_without_an_association_is_refused():
    server, _ = server_of()
    assert Pipe(server).ask(GET) == [NO_ASSOCIATION]
    assert list(server.sessions) == []


def test_an_association_belongs_to_its_pair_of_addresses():
    device = energy_meter()
    device.add_association(17)
    server, _ = server_of(device)
    pipe = opened(server)
    assert pipe.ask(GET, client=17) == [NO_ASSOCIATION]
    assert pipe.ask(GET, server=2) == [NO_ASSOCIATION]
    assert pipe.ask(GET) == [ENERGY]


@pytest.mark.parametrize(("client", "device"), [(99, 1), (16, 99)])
def test_nobody_associates_with_what_is_not_there(client, device):
    server, _ = server_of()
    (answer,) = Pipe(server).ask(aarq(), client=client, server=device)
    assert "A203020101" in answer.hex().upper()


def test_released_and_opened_again_on_one_connection():
    server, _ = server_of()
    pipe = opened(server)
    for _ in range(3):
        assert pipe.ask(RELEASE) == [RELEASED]
        assert pipe.ask(GET) == [NO_ASSOCIATION]
        assert len(pipe.ask(aarq(), GET)) == 2
    assert server.statistics.associations == 4


def test_a_thousand_openings_on_one_connection_leave_one_association():
    server, _ = server_of()
    pipe = Pipe(server)
    other = aarq().replace(bytes.fromhex("60857405080101"), bytes.fromhex("60857405080103"))
    for _ in range(500):
        pipe.ask(aarq())
        pipe.ask(other)
    pipe.ask(aarq())
    assert [str(session.association.status) for session in server.sessions] == ["associated"]


def hdlc_link() -> HdlcServerLink:
    return HdlcServerLink(inactivity_timeout=0)  # nothing to wake up for


def mode_e_link() -> ServerLink:
    return ModeEServerLink(hdlc_link(), Identification("TST", "5", "2METER"))


class HdlcPipe(Pipe):
    """The same over HDLC: frames of client 16 go in, and what came out is told frame by frame."""

    def __init__(self, server: Server, link: Callable[[], ServerLink] = hdlc_link) -> None:
        super().__init__(server, link=link)
        self._receive = self._send = 0
        ((kind, *_),) = self.frames(Frame(HdlcAddress(1), HdlcAddress(16), CONTROLS[0x93]))  # SNRM
        assert kind == "UA"
        ((_, _, answer),) = self.tell(aarq(conformance="20FE1F"))
        assert "A203020100" in answer.hex().upper()

    def tell(self, apdu: bytes | str, *, turn: bool = True) -> list[tuple[str, bool, bytes]]:
        octets = bytes.fromhex(apdu) if isinstance(apdu, str) else apdu
        control = CONTROLS[self._receive << 5 | turn << 4 | self._send << 1]
        self._send = (self._send + 1) % 8
        return self.frames(Frame(HdlcAddress(1), HdlcAddress(16), control, b"\xe6\xe6\x00" + octets))

    def frames(self, frame: Frame) -> list[tuple[str, bool, bytes]]:
        self.feed(encode_frame(frame))
        return self.came()

    def came(self) -> list[tuple[str, bool, bytes]]:
        found = FrameParser().feed(bytes(self.out))
        self.out.clear()
        self._receive = (self._receive + sum(each.control.kind is FrameKind.I for each in found)) % 8
        return [(each.control.kind.name, each.control.final, each.information[3:]) for each in found]


NO_ANSWER = [("RR", True, b"")]
UNCONFIRMED_GET = bytes.fromhex("C00181 0003 0100010800FF 02 00")  # service class 0
LAST_ACKNOWLEDGEMENT = "E084 0002 0001 00"  # a general block: streaming over, nothing more to say


@pytest.mark.parametrize("link", [hdlc_link, mode_e_link], ids=["HDLC", "mode E"])
@pytest.mark.parametrize("apdu", [UNCONFIRMED_GET, b"", ENERGY], ids=bytes.hex)
def test_an_apdu_without_an_answer_gives_the_turn_back_at_once(apdu, link):
    pipe = HdlcPipe(server_of()[0], link)
    assert pipe.tell(apdu) == NO_ANSWER
    assert pipe.tell(GET) == [("I", True, ENERGY)]


def test_an_acknowledgement_of_the_last_block_gives_the_turn_back_at_once():
    pipe = HdlcPipe(server_of()[0])
    (answer,) = pipe.tell("E081 0001 0000 0D" + GET.hex())
    assert answer[:2] == ("I", True)
    assert pipe.tell(LAST_ACKNOWLEDGEMENT) == NO_ANSWER
    assert pipe.tell(GET)[0][:2] == ("I", True)


def test_the_turn_is_kept_for_the_answer_to_what_came_last():
    pipe = HdlcPipe(server_of()[0])
    assert pipe.tell(UNCONFIRMED_GET, turn=False) == []
    assert pipe.tell(GET) == [("I", True, ENERGY)]


@run
async def test_the_turn_is_given_back_when_a_handler_that_took_its_time_has_nothing_to_say():
    device = energy_meter()
    go_on = asyncio.Event()

    @device["1-0:1.8.0"].handler("reset")
    async def reset():
        await go_on.wait()

    pipe = HdlcPipe(server_of(device)[0])
    assert pipe.tell("C30181 0003 0100010800FF 01 01 0F 00") == []
    go_on.set()
    await asyncio.wait(pipe.connection.tasks)
    assert pipe.came() == NO_ANSWER


def test_a_connection_has_so_many_associations_and_no_more():
    device = energy_meter()
    for client in range(20, 30):
        device.add_association(client)
    server, _ = server_of(device, limits=ConnectionLimits(associations=4))
    pipe = Pipe(server)
    accepted = ["A203020100" in pipe.ask(aarq(), client=client)[0].hex().upper() for client in range(20, 30)]
    assert accepted == [True] * 4 + [False] * 6
    assert pipe.ask(RELEASE, client=20) == [RELEASED]
    assert "A203020100" in pipe.ask(aarq(), client=29)[0].hex().upper()


def test_a_lost_connection_ends_its_associations():
    device = energy_meter()
    server, _ = server_of(device)
    pipe = opened(server)
    assert len(device.associations[0].active) == 1
    pipe.lose()
    assert len(device.associations[0].active) == 0
    assert server.open_connections == 0


def test_wrong_passwords_cost_time_and_never_lock_anybody_else_out():
    device = meter(secret=b"12345678")
    server, time = server_of(device)

    def tries(password: bytes, peer: str = "198.51.100.1") -> str:
        (answer,) = Pipe(server, peer).ask(aarq(password=password))
        return answer.hex().upper()

    wrong = {tries(b"87654321") for _ in range(6)}
    assert len(wrong) == 1
    blocked = tries(b"12345678")
    assert "A203020102" in blocked  # rejected for now, unseen
    assert "A203020100" in tries(b"12345678", "198.51.100.2")
    time.now += 1.0
    assert "A203020100" in tries(b"12345678")
    assert server.statistics.authentication_failures == 6


# --- time -----------------------------------------------------------------------------------------------


def test_a_connection_without_an_association_is_closed():
    server, time = server_of()
    silent, tried, healthy = Pipe(server), Pipe(server), opened(server)
    time.now += 9.9
    tried.ask(GET)
    server.tick()
    assert not silent.closed
    time.now += 0.2
    server.tick()
    assert (silent.closed, tried.closed, healthy.closed) == (True, True, False)
    assert server.statistics.timed_out == 2


def test_a_unit_that_does_not_end_closes_its_connection():
    server, time = server_of()
    slow, healthy = opened(server), opened(server)
    unit = wrap(GET, 16, 1)
    for octet in unit[:11]:
        slow.feed(bytes((octet,)))
        time.now += 1.0
        server.tick()
    assert slow.closed
    assert healthy.ask(GET) == [ENERGY]


def test_units_that_end_in_time_may_follow_each_other_for_ever():
    server, time = server_of()
    pipe = opened(server)
    unit = wrap(GET, 16, 1)
    for _ in range(10):
        pipe.feed(unit[5:] if pipe.connection._partial_since is not None else unit)
        pipe.feed(unit[:5])
        time.now += 8
        server.tick()
    assert not pipe.closed


def test_a_silent_connection_is_closed():
    server, time = server_of()
    pipe, other = opened(server), opened(server)
    time.now += 100
    other.ask(GET)
    time.now += 20
    server.tick()
    assert (pipe.closed, other.closed) == (True, False)


def test_limits_of_time_can_be_switched_off():
    server, time = server_of(limits=ConnectionLimits(first_association=None, idle=None, partial_unit=None))
    pipe = Pipe(server)
    pipe.feed(b"\x00\x01\x00")
    time.now += 1e6
    server.tick()
    assert not pipe.closed


def test_a_long_transfer_that_nobody_goes_on_with_is_given_up():
    device = meter(DataObject("0-0:128.0.0", value=OctetString(bytes(200))))
    server, time = server_of(device)
    pipe = Pipe(server)
    pipe.ask(aarq(size=40))
    (first,) = pipe.ask("C001C1 0001 0000800000FF 02 00")
    assert first.hex().upper().startswith("C402C100")
    time.now += 31
    server.tick()
    (answer,) = pipe.ask("C002C1 00000001")
    assert decode(answer).result.result is DataAccessResult.NO_LONG_GET_IN_PROGRESS


# --- how many -------------------------------------------------------------------------------------------


def test_only_so_many_connections():
    server, _ = server_of(limits=ConnectionLimits(connections=2))
    first, second, third = Pipe(server), Pipe(server), Pipe(server)
    assert [first.closed, second.closed, third.closed] == [False, False, True]
    first.lose()
    assert not Pipe(server).closed
    assert server.statistics.refused_connections == 1


def test_only_so_many_connections_from_one_address():
    server, _ = server_of(limits=ConnectionLimits(per_address=1))
    pipes = [Pipe(server, peer) for peer in ("192.0.2.1", "192.0.2.1", "192.0.2.2")]
    assert [pipe.closed for pipe in pipes] == [False, True, False]
    pipes[0].lose()
    assert not Pipe(server, "192.0.2.1").closed


@run
async def test_requests_that_wait_are_bounded_by_reading_no_more():
    device = energy_meter()
    gate = asyncio.Event()

    @device["1-0:1.8.0"].getter("value")
    async def read():
        await gate.wait()
        return DoubleLongUnsigned(5)

    server, _ = server_of(device, limits=ConnectionLimits(queued=8))
    pipe = opened(server)
    pipe.feed(wrap(GET, 16, 1) * 9)
    assert pipe.paused
    assert pipe.answers() == []
    gate.set()
    await until(lambda: len(pipe.out) >= 9 * (8 + len(ENERGY)))
    assert not pipe.paused
    assert pipe.answers() == [ENERGY] * 9


@run
async def test_many_requests_at_once_do_not_keep_others_waiting():
    server, _ = server_of()
    busy, other = opened(server), opened(server)
    busy.feed(wrap(GET, 16, 1) * 50)
    assert len(busy.answers()) == 16
    assert other.ask(GET) == [ENERGY]
    await until(lambda: not any(session.queue for session in server.sessions))
    assert len(busy.answers()) == 34


@run
async def test_a_client_that_takes_no_answers_gets_no_more():
    server, _ = server_of()
    pipe = opened(server)
    pipe.connection.pause_writing()
    pipe.feed(wrap(GET, 16, 1) * 3)
    assert pipe.answers() == []
    pipe.connection.resume_writing()
    assert pipe.answers() == [ENERGY] * 3


# --- order ----------------------------------------------------------------------------------------------


def test_an_urgent_request_overtakes_where_that_was_agreed():
    server, _ = server_of()
    urgent = bytes.fromhex("C00182") + URGENT[3:]
    slow = bytes.fromhex("C00101") + GET[3:]
    for conformance, order in (("00FE1F", [2, 1]), ("00BE1F", [1, 2])):
        device = energy_meter(answer_class_bit_0=True)
        server, _ = server_of(device)
        pipe = Pipe(server)
        pipe.ask(aarq(conformance=conformance))
        answers = pipe.ask(slow, urgent)
        assert [answer[2] & 0x0F for answer in answers] == order


@run
async def test_one_request_of_an_association_at_a_time_and_others_go_on():
    device = energy_meter()
    device.add_association(17)
    gate, running = asyncio.Event(), []

    @device["1-0:1.8.0"].getter("value")
    async def read():
        running.append(1)
        assert len(running) == 1
        await gate.wait()
        running.pop()
        return DoubleLongUnsigned(5)

    server, _ = server_of(device)
    pipe = opened(server)
    pipe.ask(aarq(), client=17)
    other = opened(server)
    assert pipe.ask(GET, URGENT) == []
    await asyncio.sleep(0)
    assert decode(pipe.ask(URGENT, client=17)[0]).result == 6
    assert decode(other.ask(URGENT)[0]).result == 6
    gate.set()
    await until(lambda: len(pipe.out) >= 30)
    assert [decode(answer).result for answer in pipe.answers()] == [5, 6]


# --- handlers that fail -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "result", "logged"),
    [
        (ZeroDivisionError("secret detail"), DataAccessResult.OTHER_REASON, 1),
        (AccessError("sensor", 1), DataAccessResult.HARDWARE_FAULT, 0),
        (AccessError("sensor", 2), DataAccessResult.TEMPORARY_FAILURE, 0),
        (TimeoutError(), DataAccessResult.TEMPORARY_FAILURE, 0),
    ],
)
@pytest.mark.parametrize("kind", ["now", "later", "thread"])
@run
async def test_a_handler_that_raises_is_answered_and_logged(error, result, logged, kind, caplog):
    device = energy_meter()
    caplog.clear()

    def now():
        raise error

    async def later():
        await asyncio.sleep(0)
        raise error

    handler = {"now": now, "later": later, "thread": blocking(now)}[kind]
    device["1-0:1.8.0"].getter("value")(handler)
    server, _ = server_of(device)
    pipe = opened(server)
    answers = pipe.ask(GET)
    while pipe.connection.tasks:
        await asyncio.wait(pipe.connection.tasks)
    (answer,) = answers or pipe.answers()
    assert decode(answer).result is result
    assert [record.levelname for record in caplog.records] == ["ERROR"] * logged
    assert server.statistics.incidents == logged
    assert decode(pipe.ask(URGENT)[0]).result == 6


@run
async def test_a_handler_that_never_ends_is_given_up():
    device = energy_meter()
    cancelled = []

    @device["1-0:1.8.0"].getter("value")
    async def read():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(1)
            raise

    server, _ = server_of(device, limits=ConnectionLimits(request=0.001))
    pipe = opened(server)
    pipe.ask(GET)
    await asyncio.wait(pipe.connection.tasks)
    assert decode(pipe.answers()[0]).result is DataAccessResult.TEMPORARY_FAILURE
    assert cancelled == [1]


@run
async def test_a_lost_connection_cancels_what_was_being_served():
    device = energy_meter()
    cancelled = []

    @device["1-0:1.8.0"].getter("value")
    async def read():
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(1)

    server, _ = server_of(device)
    pipe = opened(server)
    pipe.ask(GET)
    await asyncio.sleep(0)
    tasks = pipe.connection.tasks
    pipe.lose()
    await asyncio.wait(tasks)
    assert cancelled == [1]
    assert len(device.associations[0].active) == 0


@pytest.mark.parametrize("value", [object(), "text", trusted(DoubleLongUnsigned)(1 << 40), Structure((5,))])
def test_a_value_that_cannot_be_sent_is_other_reason(value, caplog):
    device = energy_meter()
    device["1-0:1.8.0"].getter("value")(lambda: value)
    server, _ = server_of(device)
    pipe = opened(server)
    assert pipe.ask(GET) == [REFUSED]
    assert server.statistics.incidents == 1
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert decode(pipe.ask(URGENT)[0]).result == 6


def test_a_method_that_raises_is_other_reason(caplog):
    def broken(state):
        raise RuntimeError(state)

    server, _ = server_of(meter(DisconnectControlObject(control_mode=2, on_change=broken)))
    pipe = opened(server)
    (answer,) = pipe.ask("C301C1 0046 000060030AFF 01 01 0F00")
    assert answer.hex().upper().startswith("C701C1FA")
    assert len(caplog.records) == 1


@run
async def test_a_long_list_lets_others_have_their_turn():
    server, _ = server_of()
    pipe, other = opened(server), opened(server)
    item = bytes.fromhex("0003 0100010800FF 02 00")
    assert pipe.ask(bytes.fromhex("C003C1 8200C8") + item * 200) == []
    assert other.ask(GET) == [ENERGY]
    await asyncio.wait(pipe.connection.tasks)
    results = decode(pipe.answers()[0]).result
    assert list(results) == [5] * 200


def test_a_listener_that_raises_disturbs_nobody(caplog):
    device = energy_meter()

    def broken(association, indication):
        raise RuntimeError(indication)

    device.listeners.append(broken)
    server, _ = server_of(device)
    pipe = opened(server)
    assert pipe.ask(GET) == [ENERGY]
    pipe.lose()
    assert (server.open_connections, len(device.associations[0].active)) == (0, 0)
    assert {record.levelname for record in caplog.records} == {"ERROR"}


def test_a_client_that_does_not_take_its_last_answers_is_cut_off():
    server, time = server_of()
    pipe = opened(server)
    aborted = []
    pipe.close, pipe.abort = (lambda: None), (lambda: aborted.append(1))
    pipe.feed(b"\xff\xff")
    time.now += 9
    server.tick()
    assert aborted == []
    time.now += 2
    server.tick()
    assert aborted == [1]


# --- bounds of one association ------------------------------------------------------------------------------


def test_the_bounds_of_an_association_are_those_of_the_server():
    device = meter(DataObject("0-0:128.0.0", value=OctetString(b"")))
    server, _ = server_of(device, limits=ConnectionLimits(association=ServerLimits(reassembly=100)))
    pipe = opened(server)
    first = bytes.fromhex("C102C1 0001 0000800000FF 02 00 00 00000001 40") + bytes(64)
    again = bytes.fromhex("C103C1 00 00000002 40") + bytes(64)
    assert pipe.ask(first)[0].hex().upper().startswith("C502C1")
    assert decode(pipe.ask(again)[0]).result is DataAccessResult.LONG_SET_ABORTED


def test_statistics_count():
    server, _ = server_of()
    pipe = opened(server)
    pipe.ask(GET, GET)
    counted = server.statistics.to_dict()
    assert (counted["connections"], counted["associations"]) == (1, 1)
    assert (counted["requests"], counted["answers"]) == (3, 3)
    assert counted["octets_received"] == len(wrap(aarq(), 16, 1)) + 2 * len(wrap(GET, 16, 1))
    assert counted["octets_sent"] > 2 * len(ENERGY)


@pytest.mark.parametrize(("limits", "most"), [({}, 65_536), ({"untaken": 1000}, 1000)])
def test_a_client_that_takes_nothing_is_told_nothing_more(limits, most):
    server, _ = server_of(limits=ConnectionLimits(**limits))
    slow, quick = opened(server), opened(server)

    def notify() -> int:
        return server.notify(3, "1-0:1.8.0", 2, OctetString(bytes(900)))

    assert notify() == 2
    for pipe in (slow, quick):
        pipe.answers()
    slow.untaken = most
    assert notify() == 2
    slow.untaken = most + 1
    assert [notify() for _ in range(100)] == [1] * 100
    assert len(slow.answers()) == 1
    assert len(quick.answers()) == 101
    assert server.statistics.notifications == 104
    assert server.statistics.notifications_dropped == 100
    assert slow.ask(GET) == [ENERGY]
    slow.untaken = 0
    assert notify() == 2
    assert len(slow.answers()) == 1


def test_without_a_limit_a_client_is_told_whatever_waits_for_it():
    server, _ = server_of(limits=ConnectionLimits(untaken=None))
    pipe = opened(server)
    pipe.untaken = 1 << 30
    assert server.notify(3, "1-0:1.8.0", 2, DoubleLongUnsigned(6)) == 1
    assert server.statistics.notifications_dropped == 0


def test_who_would_be_told_nothing_anyway_counts_as_nobody_left_out():
    server, _ = server_of()
    pipe = opened(server)
    pipe.untaken = 1 << 30
    assert server.notify(3, "1-0:1.8.0", 2, DoubleLongUnsigned(6), client=99) == 0
    assert server.notify(3, "1-0:9.8.0", 2, DoubleLongUnsigned(6)) == 0
    assert server.statistics.notifications_dropped == 0


def test_rights_are_of_the_association():
    device = energy_meter(rights=AccessRights.read_only())
    server, _ = server_of(device)
    pipe = opened(server)
    (answer,) = pipe.ask("C101C1 0003 0100010800FF 02 00 06 00000001")
    assert answer.hex().upper() == "C501C103"
