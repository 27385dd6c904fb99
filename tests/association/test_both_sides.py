"""Client against server, in memory: what is read is what the objects hold, and no APDU is too long by an octet."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cosem.apdu.common import CosemAttributeDescriptor, CosemMethodDescriptor, SelectiveAccessDescriptor
from cosem.association.client.association import ClientAssociation, Exchange
from cosem.association.client.conversations.access import (
    AccessOutcome,
    access,
    action_item,
    get_item,
    set_item,
)
from cosem.association.client.conversations.action import action, action_with_list
from cosem.association.client.conversations.get import get, get_with_list
from cosem.association.client.conversations.set import set_attribute, set_with_list
from cosem.association.client.parameters import ALL_SERVICES_LN, AssociationParameters
from cosem.association.control_function import State
from cosem.association.server.association import ServerAssociation
from cosem.association.server.indications import InvokeMethod, MethodOutcome, ReadAttribute, WriteAttribute
from cosem.association.server.profile import AssociationProfile
from cosem.errors import ConfigurationError, UnsupportedError
from cosem.testing.strategies import alike, values
from cosem.types.data import ABSENT, Array, OctetString
from cosem.types.enumerations import (
    ActionResult,
    ApplicationContext,
    AuthenticationMechanism,
    Conformance,
    DataAccessResult,
)
from cosem.types.logical_name import LogicalName
from tests.association.fakes import CLIENT_TITLE, SERVER_TITLE, FakeClientHalf, FakeProtection, FakeServerHalf

OBJECTS = 5


def attribute(number: int) -> CosemAttributeDescriptor:
    return CosemAttributeDescriptor(1, LogicalName(f"0.0.128.{number}.0.255"), 2)


def method(number: int) -> CosemMethodDescriptor:
    return CosemMethodDescriptor(18, LogicalName(f"0.0.128.{number}.0.255"), 1)


@dataclass
class Meter:
    """Objects 0 to 3 hold a value, and return whatever their method is given; there is no object 4."""

    held: dict[int, Any] = field(default_factory=lambda: dict.fromkeys(range(OBJECTS - 1)))

    def resolve(self, indication: Any) -> Any:
        if isinstance(indication, ReadAttribute):
            value = self.held.get(indication.instance_id[3], DataAccessResult.OBJECT_UNDEFINED)
            return (
                value
                if indication.selection is None
                else Array((indication.selection.access_parameters, value))
            )
        if isinstance(indication, WriteAttribute):
            if indication.instance_id[3] not in self.held:
                return DataAccessResult.OBJECT_UNDEFINED
            self.held[indication.instance_id[3]] = indication.value
            return DataAccessResult.SUCCESS
        if isinstance(indication, InvokeMethod):
            if indication.instance_id[3] not in self.held:
                return MethodOutcome(ActionResult.OBJECT_UNDEFINED)
            return MethodOutcome(ActionResult.SUCCESS, indication.parameters)
        return None


class Line:
    """Carries APDUs from one side to the other and measures them."""

    def __init__(self, client: ClientAssociation, server: ServerAssociation, meter: Meter) -> None:
        self.client, self.server, self.meter = client, server, meter
        self.carried = 0

    def run(self, *exchanges: Exchange[Any]) -> None:
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
        assert all(exchange.done for exchange in exchanges)
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


def line(client_size: int, server_size: int, *, ciphered: bool = False, general_blocks: bool = False) -> Line:
    conformance = ALL_SERVICES_LN
    if not general_blocks:
        conformance &= ~Conformance.GENERAL_BLOCK_TRANSFER
    facts: dict[str, Any] = {"conformance": conformance}
    profile: dict[str, Any] = {}
    if ciphered:
        facts |= {
            "application_context": ApplicationContext.LN_CIPHERED,
            "calling_ap_title": CLIENT_TITLE,
            "mechanism": AuthenticationMechanism.HLS_MD5,
        }
        profile = {
            "application_context": ApplicationContext.LN_CIPHERED,
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
lists = st.lists(numbers, min_size=1, max_size=4)
selections = st.none() | st.builds(
    SelectiveAccessDescriptor, st.integers(0, 255), st.binary(max_size=4).map(OctetString)
)
requests = st.one_of(
    st.tuples(st.just("get"), numbers, selections),
    st.tuples(st.just("get list"), st.lists(st.tuples(numbers, st.none()), min_size=1, max_size=4)),
    st.tuples(st.just("set"), numbers, values),
    st.tuples(st.just("set list"), st.lists(st.tuples(numbers, values), min_size=1, max_size=4)),
    st.tuples(st.just("action"), numbers, values | st.just(ABSENT)),
    st.tuples(st.just("action list"), st.lists(st.tuples(numbers, values), min_size=1, max_size=4)),
    st.tuples(
        st.just("access"),
        st.lists(
            st.tuples(st.sampled_from(["get", "set", "action"]), numbers, values), min_size=1, max_size=5
        ),
        st.booleans(),
    ),
)
sizes = st.sampled_from([0, 65535]) | st.integers(64, 400)


def started(client: ClientAssociation, request: tuple[Any, ...]) -> Exchange[Any]:
    kind, *facts = request
    if kind == "get":
        return client.start(lambda context: get(context, attribute(facts[0]), facts[1]))
    if kind == "get list":
        items = [(attribute(number), selection) for number, selection in facts[0]]
        return client.start(lambda context: get_with_list(context, items))
    if kind == "set":
        return client.start(lambda context: set_attribute(context, attribute(facts[0]), facts[1]))
    if kind == "set list":
        items = [(attribute(number), None) for number, _ in facts[0]]
        return client.start(lambda context: set_with_list(context, items, [value for _, value in facts[0]]))
    if kind == "action":
        return client.start(lambda context: action(context, method(facts[0]), facts[1]))
    if kind == "access":
        made = {
            "get": lambda number, _: get_item(attribute(number)),
            "set": lambda number, value: set_item(attribute(number), value),
            "action": lambda number, value: action_item(method(number), value),
        }
        batch = [made[what](number, value) for what, number, value in facts[0]]
        return client.start(lambda context: access(context, batch, break_on_error=facts[1]))
    methods = [method(number) for number, _ in facts[0]]
    return client.start(lambda context: action_with_list(context, methods, [value for _, value in facts[0]]))


def expected(model: dict[int, Any], request: tuple[Any, ...]) -> Any:
    """Return what the request must give, and do to the model what it must do to the objects."""
    undefined = DataAccessResult.OBJECT_UNDEFINED
    kind, *facts = request
    if kind == "get":
        value = model.get(facts[0], undefined)
        return value if facts[1] is None else Array((facts[1].access_parameters, value))
    if kind == "get list":
        return tuple(model.get(number, undefined) for number, _ in facts[0])
    if kind in ("set", "set list"):
        results = []
        for number, value in [tuple(facts)] if kind == "set" else facts[0]:
            if number in model:
                model[number] = value
            results.append(DataAccessResult.SUCCESS if number in model else undefined)
        return results[0] if kind == "set" else tuple(results)
    if kind == "access":
        return tuple(_accessed(model, *facts))
    outcomes = tuple(
        (ActionResult.SUCCESS, value) if number in model else (ActionResult.OBJECT_UNDEFINED, ABSENT)
        for number, value in ([tuple(facts)] if kind == "action" else facts[0])
    )
    return outcomes[0] if kind == "action" else outcomes


def _accessed(model: dict[int, Any], items: list[Any], break_on_error: bool) -> Iterator[Any]:
    broken = False
    for what, number, value in items:
        kind = ActionResult if what == "action" else DataAccessResult
        if broken or number not in model:
            yield None, kind.OTHER_REASON if broken else kind.OBJECT_UNDEFINED
            broken = broken or break_on_error
            continue
        if what == "set":
            model[number] = value
        yield {"get": model[number], "set": None, "action": value}[what], kind.SUCCESS


def plain(result: Any) -> Any:
    """Return an answer of ACTION as a pair."""
    if isinstance(result, AccessOutcome):
        return tuple(result)
    if type(result) is tuple:
        return tuple(map(plain, result))
    if hasattr(result, "return_parameters"):
        return (result.result, result.return_parameters)
    return result


@settings(max_examples=80)
@given(
    client_size=sizes,
    server_size=sizes,
    ciphered=st.booleans(),
    general_blocks=st.booleans(),
    script=st.lists(requests, min_size=1, max_size=6),
)
def test_what_is_read_is_what_the_objects_hold(client_size, server_size, ciphered, general_blocks, script):
    both = line(client_size, server_size, ciphered=ciphered, general_blocks=general_blocks)
    model = dict(both.meter.held)
    for request in script:
        if request[0] == "get" and request[2] is not None and request[1] not in model:
            continue
        if request[0] == "access" and not general_blocks:
            continue  # it has no blocks of its own: what is too long is refused
        wanted = expected(model, request)
        assert alike(plain(both.do(started(both.client, request))), wanted)
        assert all(alike(both.meter.held[number], model[number]) for number in model)
    assert both.do(both.client.release()) is True
    assert both.server.state is both.client.state is State.IDLE


@given(
    client_size=sizes,
    server_size=sizes,
    held=st.lists(values, min_size=4, max_size=4),
    order=st.lists(numbers, min_size=1, max_size=16),
    general_blocks=st.booleans(),
)
def test_requests_at_once_do_not_mix(client_size, server_size, held, order, general_blocks):
    both = line(client_size, server_size, general_blocks=general_blocks)
    both.meter.held = dict(enumerate(held))
    exchanges = [started(both.client, ("get", number, None)) for number in order]
    both.run(*exchanges)
    for number, exchange in zip(order, exchanges, strict=True):
        assert alike(exchange.result(), both.meter.held.get(number, DataAccessResult.OBJECT_UNDEFINED))


@given(server_size=st.integers(12, 63), request=requests.filter(lambda request: request[0] != "access"))
def test_a_request_that_cannot_be_cut_small_enough_is_not_sent_and_changes_nothing(server_size, request):
    both = line(64, server_size)
    before = dict(both.meter.held)
    carried = both.carried
    exchange = started(both.client, request)
    both.run(exchange)
    try:
        result = exchange.result()
    except (UnsupportedError, ConfigurationError):
        assert both.carried == carried
        assert both.meter.held == before
    else:
        assert alike(plain(result), expected(before, request)) or request[1] == OBJECTS - 1


def test_both_learn_the_title_of_the_other():
    both = line(64, 64, ciphered=True)
    assert both.client.negotiated.responding_ap_title == SERVER_TITLE
    assert both.server.context.client_title == CLIENT_TITLE
