"""Both sides of a short-name association under any order of events and octets: our errors only, and bounds."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from cosem.apdu import decode
from cosem.apdu.acse import AARE
from cosem.apdu.variable_access import ParameterizedAccess, VariableName
from cosem.association.client.association import ClientAssociation
from cosem.association.client.conversations import mapped
from cosem.association.client.conversations.mapper_table import read_by_logicalname, read_object_list
from cosem.association.client.conversations.read import read, read_list
from cosem.association.client.conversations.write import unconfirmed_write, write
from cosem.association.client.parameters import AssociationParameters
from cosem.association.context import TransferLimits
from cosem.association.control_function import State
from cosem.association.server.association import ServerAssociation
from cosem.association.server.indications import MethodOutcome
from cosem.association.server.profile import ServerLimits
from cosem.association.short_names.reports import event_notifications
from cosem.errors import CosemError, TransportClosed, TransportTimeout
from cosem.types.data import OctetString, Unsigned
from cosem.types.enumerations import (
    ActionResult,
    AssociationStatus,
    AuthenticationMechanism,
    Conformance,
    DataAccessResult,
)
from cosem.types.making import trusted
from tests.association.client_driver import aare, initiate_response
from tests.association.fakes import CTOS, STOC, FakeClientHalf, FakeServerHalf
from tests.association.openings import authenticated, initiate
from tests.association.short_names.driver import (
    ALL,
    FIFTY,
    LONG,
    RESET,
    RETURNING,
    SHORT,
    SN,
    TABLE,
    UNMAPPED,
    open_request,
    short_name_profile,
)
from tests.vectors import load

APDUS = [each.octets for each in load("xdlms") if each.get("kind") == "apdu"]
REQUESTS = [octets for octets in APDUS if octets[0] in (0x05, 0x06, 0x16)] + [
    bytes.fromhex("1601020110011105"),
    bytes.fromhex("05010412580000"),
    bytes.fromhex("050104FA300000"),
]
ANSWERS = [octets for octets in APDUS if octets[0] in (0x0C, 0x0D, 0x0E, 0x18, 0xD8)]
NAME = VariableName(0x0100)
SERVICES = [
    lambda context: read(context, NAME),
    lambda context: read_list(context, [NAME, VariableName(0x0110)]),
    lambda context: read(context, ParameterizedAccess(0xFA30, 0, FIFTY)),
    lambda context: write(context, NAME, FIFTY),
    lambda context: mapped.get(context, UNMAPPED),
    lambda context: mapped.get_with_list(context, [(LONG, None), (SHORT, None)]),
    lambda context: mapped.set_attribute(context, LONG, FIFTY),
    lambda context: mapped.action(context, RETURNING, FIFTY),
    lambda context: mapped.action(context, RESET),
    lambda context: read_by_logicalname(context, [LONG]),
    read_object_list,
]
BITS = Conformance.from_octets(bytes.fromhex(ALL))
PROOF = bytes.fromhex("050104FA5800") + bytes((9, len(STOC))) + STOC[::-1]


@st.composite
def mangled(draw: st.DrawFn, good: list[bytes]) -> bytes:
    """An APDU of the vectors with some octets changed or cut."""
    octets = bytearray(draw(st.sampled_from(good)))
    for _ in range(draw(st.integers(0, 3))):
        octets[draw(st.integers(0, len(octets) - 1))] = draw(st.integers(0, 255))
    return bytes(octets[: draw(st.integers(1, len(octets)))] if draw(st.booleans()) else octets)


class ClientMachine(RuleBasedStateMachine):
    """A client of short names, a server that may say anything at any time, and a user who may do anything."""

    exchanges = Bundle("exchanges")

    def __init__(self) -> None:
        super().__init__()
        self.association = ClientAssociation(
            AssociationParameters(application_context=SN, mechanism=AuthenticationMechanism.HLS_MD5),
            authenticator=FakeClientHalf(),
            transfer_limits=TransferLimits(octets=500, empty_blocks=3),
        )
        self.begun: list[Any] = []

    def tried(self, call: Any) -> Any:
        before = self.association.state
        try:
            exchange = call()
        except CosemError:
            assert self.association.state is before
            return None
        if exchange is not None:
            self.begun.append(exchange)
        return exchange

    @rule(target=exchanges, size=st.sampled_from([0, 12, 20, 40, 1200]), proves=st.booleans())
    def open(self, size: int, proves: bool) -> Any:
        exchange = self.tried(self.association.open)
        if exchange is not None:
            information = initiate_response(size, ALL, vaa_name=0xFA00)
            self.association.receive(
                aare(
                    application_context_name=SN,
                    responding_authentication_value=STOC,
                    user_information=information,
                )
            )
            if proves and (size == 0 or size > 30):
                self.association.receive(bytes((0x0C, 1, 0, 9, len(CTOS))) + CTOS[::-1])
                assert self.association.state is State.ASSOCIATED
                assert exchange.done
        return exchange

    @rule(target=exchanges)
    def release(self) -> Any:
        return self.tried(self.association.release)

    @rule(target=exchanges, service=st.sampled_from(SERVICES))
    def start(self, service: Any) -> Any:
        return self.tried(lambda: self.association.start(service))

    @rule(size=st.integers(0, 60))
    def send_unconfirmed(self, size: int) -> None:
        value = OctetString(bytes(size))
        self.tried(
            lambda: self.association.send_unconfirmed(
                lambda context: unconfirmed_write(context, [NAME], [value])
            )
        )

    @rule(known=st.booleans())
    def set_mapper_table(self, known: bool) -> None:
        self.association.set_mapper_table(TABLE if known else TABLE.extended((), complete=False))

    @rule(exchange=consumes(exchanges))
    def cancel(self, exchange: Any) -> None:
        if exchange is not None:
            self.association.cancel(exchange, TransportTimeout("no answer"))
            assert exchange.done

    @rule(exchange=exchanges)
    def time_out(self, exchange: Any) -> None:
        if exchange is not None and not exchange.done:
            self.association.timed_out(exchange, TransportTimeout("no answer"))
            assert exchange.done
            assert self.association.state is State.IDLE

    @rule()
    def lose(self) -> None:
        self.association.lost(TransportClosed("gone"))
        assert all(exchange.done for exchange in self.begun)

    @rule(octets=mangled(ANSWERS))
    def answer(self, octets: bytes) -> None:
        self.association.receive(octets)

    @rule(
        kind=st.sampled_from(["0C010200", "0C010201", "0C0103", "0D0102"]),
        number=st.integers(1, 4),
        octets=st.sampled_from(["", "01000F07", "0100", "0102" * 60]),
    )
    def block(self, kind: str, number: int, octets: str) -> None:
        raw_data = f"{len(octets) // 2:02X}{octets}" if kind.startswith("0C0102") else ""
        self.association.receive(bytes.fromhex(f"{kind}{number:04X}{raw_data}"))

    @rule(octets=st.binary(max_size=30), tag=st.none() | st.sampled_from([0x0C, 0x0D, 0x0E, 0x18]))
    def noise(self, octets: bytes, tag: int | None) -> None:
        self.association.receive(octets if tag is None else bytes((tag,)) + octets)

    @invariant()
    def what_goes_out_fits(self) -> None:
        limit = self.association.negotiated.server_max_receive_pdu_size
        while (outgoing := self.association.next_outgoing()) is not None:
            assert not limit or outgoing.octets[0] in (0x60, 0x62) or len(outgoing.octets) <= limit
            decode(outgoing.octets)

    @invariant()
    def who_is_not_done_waits_and_no_two_for_the_same(self) -> None:
        waiting = list(self.association._waiting.values())
        assert sorted(map(id, waiting)) == sorted(id(each) for each in self.begun if not each.done)
        assert set(self.association._waiting) <= {"open", "release", "read", "write"}

    @invariant()
    def what_is_done_has_a_value_or_one_of_our_errors(self) -> None:
        for exchange in self.begun:
            if exchange.done:
                try:
                    exchange.result()
                except CosemError:
                    continue
        self.begun = [exchange for exchange in self.begun if not exchange.done]

    @invariant()
    def reports_can_be_understood_or_are_refused_as_such(self) -> None:
        association = self.association
        while association.notifications:
            notification = association.notifications.popleft()
            if hasattr(notification.apdu, "variable_access_specification"):
                try:
                    event_notifications(association.short_names, notification.apdu)
                except CosemError:
                    continue
        assert len(association.findings) <= 64


class ServerMachine(RuleBasedStateMachine):
    """A server of short names, a client that may send anything, and an application process that may be wrong."""

    LIMITS = ServerLimits(reassembly=500, answer=500, empty_blocks=3, transfer=100, progress=20, pending=30)
    wishes = st.sampled_from(
        [
            Unsigned(1),
            OctetString(bytes(100)),
            None,
            5,
            object(),
            trusted(Unsigned)(999),
            OctetString(bytes(600)),
            DataAccessResult(3),
            DataAccessResult.SUCCESS,
        ]
    )

    def __init__(self) -> None:
        super().__init__()
        self.association = ServerAssociation(
            [
                short_name_profile(max_receive_pdu_size=200),
                short_name_profile(mechanism=AuthenticationMechanism.HLS_MD5, authenticator=FakeServerHalf),
            ],
            limits=self.LIMITS,
        )
        self.now = 0.0

    def outcome(self, indication: Any, wish: Any) -> Any:
        name = type(indication).__name__
        if name == "InvokeMethod":
            refused = isinstance(wish, DataAccessResult)
            return (
                MethodOutcome(ActionResult(int(wish))) if refused else MethodOutcome(return_parameters=wish)
            )
        if name == "WriteAttribute":
            return DataAccessResult.SUCCESS
        return wish if name == "ReadAttribute" else None

    def send(self, octets: bytes, wish: Any) -> list[bytes]:
        processing = self.association.process(octets, self.now)
        outcome = None
        try:
            for _ in range(1000):
                outcome = self.outcome(processing.send(outcome), wish)
        except StopIteration as stop:
            answers: list[bytes] = stop.value
        assert len(answers) <= 1
        for answer in answers:
            value = decode(answer)
            limit = self.association.context.client_max_receive_pdu_size
            assert isinstance(value, AARE) or not limit or len(answer) <= limit
        if octets[:1] == b"\x16":
            assert answers == []
        return answers

    @rule(
        size=st.sampled_from([0, 1, 12, 20, 40, 1200]),
        conformance=st.sampled_from([ALL, ALL, "100000", "080000", "000000"]),
    )
    def open(self, size: int, conformance: str) -> None:
        self.send(open_request(conformance, size), None)
        opened = not 0 < size < 12 and conformance != "000000"
        assert (self.association.state is State.ASSOCIATED) is opened

    @rule(right=st.booleans(), also=st.booleans())
    def open_with_hls(self, right: bool, also: bool) -> None:
        information = initiate(proposed_conformance=BITS)
        self.send(
            authenticated(AuthenticationMechanism.HLS_MD5, CTOS, SN, user_information=information), None
        )
        assert self.association.status is AssociationStatus.ASSOCIATION_PENDING
        if also:
            self.send(PROOF if right else PROOF[:-1] + b"\x00", None)
            assert self.association.state is (State.ASSOCIATED if right else State.IDLE)

    @rule(octets=mangled(REQUESTS), wish=wishes)
    def request(self, octets: bytes, wish: Any) -> None:
        self.send(octets, wish)

    @rule(octets=st.sampled_from(REQUESTS), wish=wishes)
    def good_request(self, octets: bytes, wish: Any) -> None:
        answers = self.send(octets, wish)
        if self.association.state is State.ASSOCIATED and octets[0] != 0x16:
            assert len(answers) == 1

    @rule(
        number=st.integers(0, 4),
        last=st.booleans(),
        part=st.sampled_from(["", "0102", "0110", "0104FA3000", "00", "01020110011105", "00" * 150]),
        kind=st.sampled_from(["next", "read", "write"]),
        wish=wishes,
    )
    def block(self, number: int, last: bool, part: str, kind: str, wish: Any) -> None:
        size = f"{len(part) // 2:02X}" if len(part) < 256 else f"81{len(part) // 2:02X}"
        octets = {
            "next": f"050105{number:04X}",
            "read": f"050106{last:02X}{number:04X}{size}{part}",
            "write": f"060107{last:02X}{number:04X}0109{size}{part}",
        }[kind]
        self.send(bytes.fromhex(octets), wish)

    @rule(octets=st.binary(max_size=40), tag=st.sampled_from([0x05, 0x06, 0x16, 0x25, 0x62, 0xC0]))
    def noise(self, octets: bytes, tag: int) -> None:
        self.send(bytes((tag,)) + octets, None)

    @rule(seconds=st.floats(0, 40))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.association.tick(self.now)
        deadline = self.association.deadline()
        assert deadline is None or deadline > self.now

    @rule()
    def abort(self) -> None:
        self.association.abort("cable pulled")
        assert self.association.state is State.IDLE

    @rule(
        value=wishes, name=st.sampled_from([0x0110, SHORT, UNMAPPED]), time=st.none() | st.binary(max_size=12)
    )
    def report(self, value: Any, name: Any, time: bytes | None) -> None:
        try:
            apdus = self.association.information_report([(name, value)], time)
        except CosemError:
            return
        limit = self.association.context.client_max_receive_pdu_size
        for octets in apdus:
            assert not limit or len(octets) <= limit
            decode(octets)

    @invariant()
    def transfers_are_bounded(self) -> None:
        running = self.association.transfers._running
        assert len(running) <= 1
        assert sum(each.transfer.size for each in running.values()) <= self.LIMITS.reassembly
        assert sum(each.transfer.held for each in running.values()) <= self.LIMITS.answer
        if self.association.state is not State.ASSOCIATED:
            assert not running


TestClientMachine = ClientMachine.TestCase
TestClientMachine.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
TestServerMachine = ServerMachine.TestCase
TestServerMachine.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)


def test_the_vectors_hold_requests_and_answers():
    assert len(REQUESTS) > 15
    assert len(ANSWERS) > 20
