"""Both sides under any order of events and octets: our errors only, no growth, a state that makes sense."""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from cosem.apdu import decode
from cosem.apdu.acse import AARE
from cosem.apdu.common import CosemAttributeDescriptor
from cosem.association.client.association import ClientAssociation
from cosem.association.client.conversations.action import action
from cosem.association.client.conversations.get import get, get_with_list
from cosem.association.client.conversations.set import set_attribute, set_unconfirmed
from cosem.association.client.parameters import AssociationParameters
from cosem.association.control_function import State
from cosem.association.server.association import ServerAssociation
from cosem.association.server.context import NO_CONTEXT
from cosem.association.server.indications import MethodOutcome
from cosem.association.server.profile import AssociationProfile, ServerLimits
from cosem.errors import CosemError, TransportClosed, TransportTimeout
from cosem.types.data import OctetString, Unsigned
from cosem.types.enumerations import AssociationStatus, AuthenticationMechanism, DataAccessResult
from cosem.types.logical_name import LogicalName
from cosem.types.making import trusted
from tests.association.client_driver import LONG, METHOD, SHORT, aare, initiate_response
from tests.association.fakes import CTOS, STOC, FakeClientHalf, FakeServerHalf
from tests.association.openings import authenticated
from tests.association.server_driver import open_request
from tests.vectors import load

APDUS = [each.octets for each in load("xdlms") if each.get("kind") == "apdu"] + [
    each.octets for each in load("acse") if each.octets
]
REQUESTS = [octets for octets in APDUS if octets[0] in (0xC0, 0xC1, 0xC3, 0x05, 0x06, 0xD9, 0xE0, 0x62)]
ANSWERS = [octets for octets in APDUS if octets[0] in (0xC4, 0xC5, 0xC7, 0xD8, 0x0E, 0x61, 0x63, 0xC2, 0x0F)]
SERVICES = [
    lambda context: get(context, LONG),
    lambda context: get_with_list(context, [(LONG, None), (SHORT, None)]),
    lambda context: set_attribute(context, LONG, OctetString(bytes(50))),
    lambda context: action(context, METHOD, OctetString(bytes(50))),
    lambda context: action(context, METHOD),
]


@st.composite
def mangled(draw: st.DrawFn, good: list[bytes]) -> bytes:
    """An APDU of the vectors with some octets changed, cut or added."""
    octets = bytearray(draw(st.sampled_from(good)))
    for _ in range(draw(st.integers(0, 3))):
        octets[draw(st.integers(0, len(octets) - 1))] = draw(st.integers(0, 255))
    return bytes(octets[: draw(st.integers(1, len(octets)))] if draw(st.booleans()) else octets)


class ClientMachine(RuleBasedStateMachine):
    """A client, a server that may say anything at any time, and a user who may do anything."""

    exchanges = Bundle("exchanges")

    def __init__(self) -> None:
        super().__init__()
        self.half = FakeClientHalf()
        self.association = ClientAssociation(
            AssociationParameters(mechanism=AuthenticationMechanism.HLS_MD5), authenticator=self.half
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

    @rule(target=exchanges)
    def open(self) -> Any:
        return self.tried(self.association.open)

    @rule(target=exchanges)
    def release(self) -> Any:
        return self.tried(self.association.release)

    @rule(target=exchanges, service=st.sampled_from(SERVICES), high=st.booleans())
    def start(self, service: Any, high: bool) -> Any:
        return self.tried(lambda: self.association.start(service, high_priority=high))

    @rule(size=st.integers(0, 60))
    def send_unconfirmed(self, size: int) -> None:
        value = OctetString(bytes(size))
        self.tried(
            lambda: self.association.send_unconfirmed(lambda context: set_unconfirmed(context, LONG, value))
        )

    @rule(exchange=consumes(exchanges))
    def cancel(self, exchange: Any) -> None:
        if exchange is not None:
            self.association.cancel(exchange, TransportTimeout("no answer"))
            assert exchange.done

    @rule(exchange=exchanges)
    def time_out(self, exchange: Any) -> None:
        if exchange is not None:
            self.association.timed_out(exchange, TransportTimeout("no answer"))

    @rule()
    def lose(self) -> None:
        self.association.lost(TransportClosed("gone"))
        assert all(exchange.done for exchange in self.begun)
        assert self.association.state is State.IDLE

    @rule(size=st.sampled_from([0, 11, 12, 20, 40, 1200]))
    def accept(self, size: int) -> None:
        information = initiate_response(size)
        self.association.receive(aare(responding_authentication_value=STOC, user_information=information))

    @rule(invoke_id=st.integers(0, 15), right=st.booleans())
    def prove(self, invoke_id: int, right: bool) -> None:
        proof = CTOS[::-1] if right else CTOS
        self.association.receive(bytes((0xC7, 1, invoke_id, 0, 1, 0, 9, len(proof))) + proof)

    @rule(octets=mangled(ANSWERS), invoke_id=st.none() | st.integers(0, 15))
    def answer(self, octets: bytes, invoke_id: int | None) -> None:
        if invoke_id is not None and len(octets) > 2 and octets[0] in (0xC4, 0xC5, 0xC7):
            octets = octets[:2] + bytes((0x40 | invoke_id,)) + octets[3:]
        self.association.receive(octets)

    @rule(
        invoke_id=st.integers(0, 15),
        number=st.integers(1, 4),
        kind=st.sampled_from(["C402", "C502", "C702", "C704"]),
    )
    def block(self, invoke_id: int, number: int, kind: str) -> None:
        body = {
            "C402": f"00{number:08X}000109",
            "C502": f"{number:08X}",
            "C702": f"00{number:08X}0109",
            "C704": f"{number:08X}",
        }
        self.association.receive(bytes.fromhex(f"{kind}{invoke_id | 0x40:02X}{body[kind]}"))

    @rule(octets=st.binary(max_size=30))
    def noise(self, octets: bytes) -> None:
        self.association.receive(octets)

    @invariant()
    def what_goes_out_fits(self) -> None:
        limit = self.association.negotiated.server_max_receive_pdu_size
        while (outgoing := self.association.next_outgoing()) is not None:
            assert not limit or outgoing.octets[0] in (0x60, 0x62) or len(outgoing.octets) <= limit
            decode(outgoing.octets)

    @invariant()
    def who_is_not_done_waits(self) -> None:
        waiting = list(self.association._waiting.values())
        assert sorted(map(id, waiting)) == sorted(id(each) for each in self.begun if not each.done)
        assert len(waiting) <= 18
        assert not any(
            key in self.association._late for key in self.association._waiting if isinstance(key, int)
        )

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
    def the_state_makes_sense(self) -> None:
        association = self.association
        keys = set(association._waiting)
        assert association.state is not State.INACTIVE
        assert (association.state is State.ASSOCIATION_PENDING) <= ("open" in keys)
        assert (association.state is State.ASSOCIATION_RELEASE_PENDING) <= ("release" in keys)
        if association.authenticating:
            assert association.state is State.ASSOCIATED
        if association.state is State.IDLE:
            assert not {key for key in keys if isinstance(key, int)}
        assert len(association.findings) <= 64
        assert len(association.notifications) <= 256


class ServerMachine(RuleBasedStateMachine):
    """A server, a client that may send anything, and an application process that may be slow, wrong or broken."""

    LIMITS = ServerLimits(reassembly=500, answer=500, empty_blocks=3, transfer=100, progress=20, pending=30)

    def __init__(self) -> None:
        super().__init__()
        self.association = ServerAssociation(
            [
                AssociationProfile(conformance=AssociationProfile().conformance),
                AssociationProfile(mechanism=AuthenticationMechanism.HLS_MD5, authenticator=FakeServerHalf),
            ],
            limits=self.LIMITS,
        )
        self.now = 0.0
        self.slow: list[Any] = []

    def outcome(self, indication: Any, wish: Any) -> Any:
        name = type(indication).__name__
        if name == "OpenIndication":
            return None
        if name == "InvokeMethod":
            return MethodOutcome(return_parameters=wish)
        if name == "WriteAttribute":
            return DataAccessResult.SUCCESS
        return wish

    def run(self, processing: Any, wish: Any, outcome: Any = None, *, patience: int = 1000) -> None:
        for _ in range(patience):
            try:
                indication = processing.send(outcome)
            except StopIteration as stop:
                self.check(stop.value)
                return
            outcome = self.outcome(indication, wish)
        self.slow.append((processing, outcome))

    def check(self, answers: list[bytes]) -> None:
        assert len(answers) <= 1
        for answer in answers:
            value = decode(answer)
            limit = self.association.context.client_max_receive_pdu_size
            assert isinstance(value, AARE) or not limit or len(answer) <= limit

    def send(self, octets: bytes, wish: Any, patience: int = 1000) -> None:
        self.run(self.association.process(octets, self.now), wish, patience=patience)

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
        ]
    )

    @rule(
        size=st.sampled_from([0, 1, 12, 20, 40, 1200]),
        conformance=st.sampled_from(["00FE1F", "000010", "000000"]),
    )
    def open(self, size: int, conformance: str) -> None:
        self.send(open_request(conformance, size), None)
        opened = not 0 < size < 12 and conformance != "000000"
        assert (self.association.state is State.ASSOCIATED) is opened

    @rule(right=st.booleans(), also=st.booleans())
    def open_with_hls(self, right: bool, also: bool) -> None:
        self.send(authenticated(AuthenticationMechanism.HLS_MD5, CTOS), None)
        assert self.association.status is AssociationStatus.ASSOCIATION_PENDING
        if also:
            proof = STOC[::-1] if right else STOC
            self.send(bytes.fromhex(f"C301C1000F0000280000FF010109{len(proof):02X}{proof.hex()}"), None)
            assert self.association.state is (State.ASSOCIATED if right else State.IDLE)

    @rule(octets=mangled(REQUESTS), wish=wishes, patience=st.sampled_from([0, 1, 1000]))
    def request(self, octets: bytes, wish: Any, patience: int) -> None:
        self.send(octets, wish, patience)

    @rule(octets=st.sampled_from(REQUESTS), wish=wishes)
    def good_request(self, octets: bytes, wish: Any) -> None:
        self.send(octets, wish)

    @rule(patience=st.sampled_from([0, 1]))
    def open_slowly(self, patience: int) -> None:
        self.send(open_request(), None, patience)

    @rule(wish=wishes)
    def go_on(self, wish: Any) -> None:
        if self.slow:
            processing, outcome = self.slow.pop(0)
            self.run(processing, wish, outcome)

    @rule(broken=st.booleans())
    def give_up(self, broken: bool) -> None:
        if self.slow:
            processing, outcome = self.slow.pop()
            if broken and outcome is not None:
                with contextlib.suppress(RuntimeError, StopIteration):
                    processing.throw(RuntimeError("broken"))
            processing.close()

    @rule(
        octets=st.binary(max_size=40), tag=st.none() | st.sampled_from([0x60, 0x62, 0xC0, 0xC1, 0xC3, 0xDB])
    )
    def noise(self, octets: bytes, tag: int | None) -> None:
        self.send(octets if tag is None else bytes((tag,)) + octets, None)

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

    @rule(value=wishes)
    def notify(self, value: Any) -> None:
        target = CosemAttributeDescriptor(3, LogicalName("1.0.1.8.0.255"), 2)
        try:
            apdus = self.association.event_notification(target, value)
        except CosemError:
            return
        limit = self.association.context.client_max_receive_pdu_size
        assert not limit or all(len(octets) <= limit for octets in apdus)

    @invariant()
    def the_state_makes_sense(self) -> None:
        association = self.association
        assert association.state is not State.INACTIVE
        associated = association.state is State.ASSOCIATED
        if not associated and association.state is not State.ASSOCIATION_RELEASE_PENDING:
            assert association.context is NO_CONTEXT
            assert association.protection is None
            assert association.pending_until is None
        assert (association.status is AssociationStatus.NON_ASSOCIATED) is not associated
        if association.status is AssociationStatus.ASSOCIATION_PENDING:
            assert association.pending_until is not None

    @invariant()
    def transfers_are_bounded(self) -> None:
        running = self.association.transfers._running
        assert len(running) <= 16
        assert sum(each.transfer.size for each in running.values()) <= self.LIMITS.reassembly
        assert sum(each.transfer.held for each in running.values()) <= self.LIMITS.answer


TestClientMachine = ClientMachine.TestCase
TestClientMachine.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
TestServerMachine = ServerMachine.TestCase
TestServerMachine.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)


def test_the_vectors_hold_requests_and_answers():
    assert len(REQUESTS) > 50
    assert len(ANSWERS) > 50
