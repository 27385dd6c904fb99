"""Client against server by short names, in memory: the same calls as with logical names, and no APDU too long."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosem.apdu.common import CosemAttributeDescriptor, CosemMethodDescriptor, SelectiveAccessDescriptor
from cosem.association.client.association import ClientAssociation, Exchange
from cosem.association.client.conversations import mapped
from cosem.association.client.conversations.action import action, action_unconfirmed, action_with_list
from cosem.association.client.conversations.get import get, get_with_list
from cosem.association.client.conversations.set import set_attribute, set_unconfirmed, set_with_list
from cosem.association.client.parameters import ALL_SERVICES_SN, AssociationParameters
from cosem.association.control_function import State
from cosem.association.server.association import ServerAssociation
from cosem.association.server.indications import InvokeMethod, MethodOutcome, ReadAttribute, WriteAttribute
from cosem.association.server.profile import AssociationProfile
from cosem.association.short_names.assignment import assign
from cosem.association.short_names.reports import event_notifications
from cosem.association.short_names.table import ShortNameTable
from cosem.errors import ConfigurationError, UnsupportedError
from cosem.testing.strategies import alike, values
from cosem.types.data import ABSENT, Array, OctetString, Structure
from cosem.types.enumerations import (
    ActionResult,
    ApplicationContext,
    AuthenticationMechanism,
    DataAccessResult,
)
from cosem.types.logical_name import LogicalName
from tests.association.fakes import CLIENT_TITLE, SERVER_TITLE, FakeClientHalf, FakeProtection, FakeServerHalf

OBJECTS = 5
ASSOCIATION = LogicalName("0.0.40.0.0.255")
NAMES = [LogicalName(f"0.0.128.{number}.0.255") for number in range(OBJECTS)]
TABLE = ShortNameTable(assign([(12, 4, ASSOCIATION), *((12, 4, name) for name in NAMES[:-1])]))
"""Objects 0 to 3 are of a class whose method 3 returns something; there is no object 4."""
LN_SERVICES = (get, get_with_list, set_attribute, set_with_list, action, action_with_list)
SN_SERVICES = (
    mapped.get,
    mapped.get_with_list,
    mapped.set_attribute,
    mapped.set_with_list,
    mapped.action,
    mapped.action_with_list,
)


def attribute(number: int) -> CosemAttributeDescriptor:
    return CosemAttributeDescriptor(12, NAMES[number], 2)


def method(number: int, method_id: int = 3) -> CosemMethodDescriptor:
    return CosemMethodDescriptor(12, NAMES[number], method_id)


@dataclass
class Meter:
    """Holds a value for each object; method 3 returns what it is given, method 5 keeps it and returns nothing."""

    held: dict[LogicalName, Any] = field(default_factory=lambda: dict.fromkeys(NAMES[:-1]))

    def resolve(self, indication: Any) -> Any:
        if isinstance(indication, (ReadAttribute, WriteAttribute, InvokeMethod)):
            assert indication.class_id == 12
        if isinstance(indication, ReadAttribute):
            if indication.instance_id == ASSOCIATION:
                return TABLE.to_object_list()
            value = self.held.get(indication.instance_id, DataAccessResult.OBJECT_UNDEFINED)
            if isinstance(value, DataAccessResult) or indication.selection is None:
                return value
            return Array((indication.selection.access_parameters, value))
        if isinstance(indication, WriteAttribute):
            if indication.instance_id not in self.held:
                return DataAccessResult.OBJECT_UNDEFINED
            self.held[indication.instance_id] = indication.value
            return DataAccessResult.SUCCESS
        if isinstance(indication, InvokeMethod):
            if indication.instance_id not in self.held:
                return MethodOutcome(ActionResult.OBJECT_UNDEFINED)
            given_value = None if indication.parameters is ABSENT else indication.parameters
            if indication.method_id == 5:
                self.held[indication.instance_id] = given_value
                return MethodOutcome()
            return MethodOutcome(ActionResult.SUCCESS, given_value)
        return None


class Line:
    """Carries APDUs from one side to the other and measures them."""

    def __init__(self, client: ClientAssociation, server: ServerAssociation, meter: Meter) -> None:
        self.client, self.server, self.meter = client, server, meter
        self.carried = 0

    def run(self, exchange: Exchange[Any] | None = None) -> None:
        waiting: deque[bytes] = deque()
        while True:
            while (outgoing := self.client.next_outgoing()) is not None:
                limit = self.client.negotiated.server_max_receive_pdu_size
                assert not limit or outgoing.octets[0] in (0x60, 0x62) or len(outgoing.octets) <= limit
                waiting.append(outgoing.octets)
            if not waiting:
                break
            for answer in self.serve(waiting.popleft()):
                limit = self.client.parameters.client_max_receive_pdu_size
                assert not limit or answer[0] in (0x61, 0x63) or len(answer) <= limit
                self.client.receive(answer)
            self.carried += 1
        assert exchange is None or exchange.done
        assert len(self.server.transfers) == 0
        assert self.client.unmatched == 0
        assert not self.client.findings

    def serve(self, octets: bytes) -> list[bytes]:
        processing = self.server.process(octets, 0.0)
        outcome = None
        try:
            while True:
                outcome = self.meter.resolve(processing.send(outcome))
        except StopIteration as stop:
            answers: list[bytes] = stop.value
            return answers

    def do(self, exchange: Exchange[Any]) -> Any:
        self.run(exchange)
        return exchange.result()


def line(client_size: int, server_size: int, *, short_names: bool = True, ciphered: bool = False) -> Line:
    context = ApplicationContext((2 if short_names else 1) + (2 if ciphered else 0))
    facts: dict[str, Any] = {"application_context": context}
    profile: dict[str, Any] = {"application_context": context}
    if short_names:
        profile |= {"conformance": ALL_SERVICES_SN, "short_names": lambda: TABLE}
    if ciphered:
        facts |= {"calling_ap_title": CLIENT_TITLE, "mechanism": AuthenticationMechanism.HLS_MD5}
        profile |= {
            "mechanism": AuthenticationMechanism.HLS_MD5,
            "authenticator": FakeServerHalf,
            "protection": FakeProtection,
            "protected_only": True,
            "system_title": SERVER_TITLE,
        }
    client = ClientAssociation(
        AssociationParameters(client_max_receive_pdu_size=client_size, **facts),
        protection=FakeProtection() if ciphered else None,
        authenticator=FakeClientHalf() if ciphered else None,
    )
    server = ServerAssociation([AssociationProfile(max_receive_pdu_size=server_size, **profile)])
    both = Line(client, server, Meter())
    both.do(client.open())
    assert client.state is server.state is State.ASSOCIATED
    return both


numbers = st.integers(0, OBJECTS - 1)
selections = st.none() | st.builds(
    SelectiveAccessDescriptor, st.integers(0, 255), st.binary(max_size=4).map(OctetString)
)
calls = st.tuples(numbers, st.sampled_from([3, 5]), values)
requests = st.one_of(
    st.tuples(st.just(0), numbers, selections),
    st.tuples(st.just(1), st.lists(st.tuples(numbers, selections), min_size=1, max_size=4)),
    st.tuples(st.just(2), numbers, values),
    st.tuples(st.just(3), st.lists(st.tuples(numbers, values), min_size=1, max_size=4)),
    st.tuples(st.just(4), numbers, st.sampled_from([3, 5]), values | st.just(ABSENT)),
    st.tuples(st.just(5), st.lists(calls, min_size=1, max_size=4)),
)
sizes = st.sampled_from([0, 65535]) | st.integers(64, 400)


def started(client: ClientAssociation, request: tuple[Any, ...]) -> Exchange[Any]:
    """Start a service the same way whichever names the association has."""
    kind, *facts = request
    service: Any = (LN_SERVICES if client.short_names is None else SN_SERVICES)[kind]
    if kind == 0:
        return client.start(lambda context: service(context, attribute(facts[0]), facts[1]))
    if kind == 1:
        return client.start(lambda context: service(context, [(attribute(n), s) for n, s in facts[0]]))
    if kind == 2:
        return client.start(lambda context: service(context, attribute(facts[0]), facts[1]))
    if kind == 3:
        items = [(attribute(number), None) for number, _ in facts[0]]
        return client.start(lambda context: service(context, items, [value for _, value in facts[0]]))
    if kind == 4:
        return client.start(lambda context: service(context, method(facts[0], facts[1]), facts[2]))
    methods = [method(number, method_id) for number, method_id, _ in facts[0]]
    return client.start(lambda context: service(context, methods, [value for *_, value in facts[0]]))


def plain(result: Any) -> Any:
    """Return an answer of ACTION as a pair; nothing and null-data are the same thing to a Read."""
    if type(result) is tuple:
        return tuple(map(plain, result))
    if hasattr(result, "return_parameters"):
        returned = result.return_parameters
        return (result.result, None if returned is ABSENT else returned)
    return result


@settings(max_examples=120)
@given(
    client_size=sizes,
    server_size=sizes,
    ciphered=st.booleans(),
    script=st.lists(requests, min_size=1, max_size=6),
)
def test_a_client_of_short_names_gets_what_one_of_logical_names_gets(
    client_size, server_size, ciphered, script
):
    short = line(client_size, server_size, ciphered=ciphered)
    long = line(0, 0, short_names=False)
    for request in script:
        got = plain(short.do(started(short.client, request)))
        assert alike(got, plain(long.do(started(long.client, request))))
        assert all(alike(short.meter.held[name], long.meter.held[name]) for name in NAMES[:-1])
    assert short.client.short_names.to_text() == TABLE.to_text()
    assert short.do(short.client.release()) is True
    assert short.server.state is short.client.state is State.IDLE


@settings(max_examples=60)
@given(server_size=st.integers(12, 63), request=requests)
def test_a_request_that_cannot_be_cut_small_enough_is_not_sent_and_changes_nothing(server_size, request):
    both = line(64, server_size)
    both.client.set_mapper_table(TABLE)
    before = dict(both.meter.held)
    carried = both.carried
    exchange = started(both.client, request)
    both.run(exchange)
    try:
        exchange.result()
    except (UnsupportedError, ConfigurationError):
        assert both.carried == carried
        assert both.meter.held == before


@settings(max_examples=40)
@given(number=st.integers(0, OBJECTS - 2), value=values, method_id=st.sampled_from([3, 5]))
def test_what_is_unconfirmed_happens_and_is_not_answered(number, value, method_id):
    both = line(0, 0)
    both.client.set_mapper_table(TABLE)
    both.client.send_unconfirmed(lambda context: mapped.set_unconfirmed(context, attribute(number), value))
    both.run()
    assert alike(both.meter.held[NAMES[number]], value)
    both.client.send_unconfirmed(
        lambda context: mapped.action_unconfirmed(context, method(number, method_id), OctetString(b"called"))
    )
    both.run()
    assert alike(both.meter.held[NAMES[number]], value if method_id == 3 else OctetString(b"called"))
    assert not both.client.notifications


def test_unconfirmed_calls_have_the_same_signatures():
    long = line(0, 0, short_names=False)
    long.client.send_unconfirmed(lambda context: set_unconfirmed(context, attribute(1), OctetString(b"1")))
    long.client.send_unconfirmed(lambda context: action_unconfirmed(context, method(2, 5), OctetString(b"2")))
    long.run()
    assert [long.meter.held[NAMES[number]] for number in (1, 2)] == [b"1", b"2"]


@settings(max_examples=40)
@given(held=st.lists(values, min_size=1, max_size=4), ciphered=st.booleans())
def test_reports_arrive_between_request_and_answer(held, ciphered):
    both = line(0, 0, ciphered=ciphered)
    both.client.set_mapper_table(TABLE)
    items = [(attribute(number), value) for number, value in enumerate(held)]
    exchange = started(both.client, (0, 0, None))
    request = both.client.next_outgoing()
    for octets in both.server.information_report(items):
        both.client.receive(octets)
    assert not exchange.done
    for answer in both.serve(request.octets):
        both.client.receive(answer)
    assert exchange.result() is None
    (notification,) = both.client.notifications
    events = event_notifications(TABLE, notification.apdu)
    assert [event.cosem_attribute_descriptor for event in events] == [target for target, _ in items]
    assert all(alike(event.attribute_value, value) for event, value in zip(events, held, strict=True))


@pytest.mark.parametrize("size", range(12, 64))
def test_every_small_size_carries_long_values(size):
    profile = AssociationProfile(
        application_context=ApplicationContext.SN,
        conformance=ALL_SERVICES_SN,
        short_names=lambda: TABLE,
        max_receive_pdu_size=size,
        max_send_pdu_size=size,
    )
    client = ClientAssociation(AssociationParameters(application_context=ApplicationContext.SN))
    server = ServerAssociation([profile])
    both = Line(client, server, Meter())
    both.do(client.open())
    value = Structure((OctetString(bytes(range(256))), None))
    assert both.do(started(client, (2, 1, value))) is DataAccessResult.SUCCESS
    assert both.do(started(client, (0, 1, None))) == value
    assert plain(both.do(started(client, (4, 1, 3, value)))) == (ActionResult.SUCCESS, value)
