"""Both associations with real keys over lines that lose, repeat, delay and reorder: thousands of seeded requests.

A request ends with the value that it asked for, read after it was asked for, or it fails cleanly; a method is called
once at most. What fails leaves the association usable, or given up and said so: then it is opened anew.

General blocks in clear go over lines that keep the order of what they carry; others are neither proposed nor agreed
on. Answers in clear that come after sixteen further requests cannot be told from new ones by anything in them: no
datagram is that late here.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from cosem.apdu.common import CosemAttributeDescriptor, CosemMethodDescriptor
from cosem.association.client.association import ClientAssociation, Exchange
from cosem.association.client.blocks import BlockSettings
from cosem.association.client.parameters import ALL_SERVICES_LN, AssociationParameters
from cosem.association.control_function import State
from cosem.association.server.association import ServerAssociation
from cosem.association.server.indications import InvokeMethod, MethodOutcome, ReadAttribute
from cosem.association.server.profile import AssociationProfile
from cosem.client.operations import services
from cosem.client.session import Session
from cosem.errors import CosemError, TransportTimeout
from cosem.security.counters import VolatileCounterStore
from cosem.server import secured_profile
from cosem.types.data import LongUnsigned, OctetString
from cosem.types.enumerations import ActionResult, AuthenticationMechanism, Conformance, DataAccessResult
from cosem.types.logical_name import LogicalName
from tests.association.test_block_transfer_simulation import Line
from tests.client.secured import KEYS, security

ANSWER = 5.0
"""Seconds that the client waits for an answer."""
REQUESTS = 25
"""How many are made in one run."""
SEEDS = 20
"""How many runs there are of each kind."""
NO_BLOCKS = ALL_SERVICES_LN & ~Conformance.GENERAL_BLOCK_TRANSFER
GENERAL_BLOCKS = ALL_SERVICES_LN & ~Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ


def attribute(number: int) -> CosemAttributeDescriptor:
    return CosemAttributeDescriptor(1, LogicalName(f"0.0.128.{number}.0.255"), 2)


def method(number: int) -> CosemMethodDescriptor:
    return CosemMethodDescriptor(9, LogicalName(f"0.0.10.{number}.0.255"), 1)


class Application:
    """Objects whose values tell when they were read, or are always the same.

    Attributes:
        constant: Whether they are the same.
        read: How many values were read.
        called: How often each method was called.
    """

    def __init__(self, *, constant: bool = False) -> None:
        self.constant = constant
        self.read = 0
        self.called: Counter[int] = Counter()

    def resolve(self, indication: Any) -> Any:
        if isinstance(indication, ReadAttribute):
            self.read += 1
            number = indication.instance_id[3]
            if self.constant:
                return OctetString(b"always the same")
            head = bytes((number,)) + self.read.to_bytes(4, "big")
            return OctetString(head + random.Random(self.read).randbytes(size_of(number)))
        if isinstance(indication, InvokeMethod):
            self.called[indication.instance_id[3]] += 1
            return MethodOutcome(ActionResult.SUCCESS)
        return None


def size_of(number: int) -> int:
    """Return how many octets a value has: some are long, many are short."""
    return 600 if number % 4 == 0 else number


class World:
    """A client, a meter, and the line between them."""

    def __init__(
        self,
        seed: int,
        line: dict[str, Any],
        *,
        ciphered: bool,
        blocks: bool,
        always: bool,
        constant: bool = False,
    ) -> None:
        self.chance = random.Random(seed)
        self.bad = line
        # A request in clear that comes twice is two requests: nothing in it says otherwise.
        self.most_calls = 1 if ciphered or not line.get("repeated") else 2
        self.line = Line(self.chance, loss=0)
        self.ordered = bool(line.get("ordered"))
        self.application = Application(constant=constant)
        self.blocks = BlockSettings(
            window=self.chance.choice((1, 3, 8)), always=always, patience=2.0, repeats=6
        )
        self.conformance = GENERAL_BLOCKS if blocks else NO_BLOCKS
        self.security = security() if ciphered else None
        more: dict[str, Any] = {"max_receive_pdu_size": 128, "conformance": self.conformance}
        if ciphered:
            self.profile = secured_profile(
                AuthenticationMechanism.HLS_GMAC, KEYS, client_sap=16, counters=VolatileCounterStore(), **more
            )
        else:
            self.profile = AssociationProfile(client_sap=16, **more)
        self.outcomes: Counter[str] = Counter()
        self.open()

    def open(self) -> None:
        """Open the association over a line without faults: as over a new connection."""
        self.line = Line(self.chance, loss=0)
        self.line.now = 0.0
        self.server = ServerAssociation([self.profile], client_sap=16, server_sap=1)
        self.server.keeps_order = self.ordered
        parameters = AssociationParameters(
            conformance=self.conformance, client_max_receive_pdu_size=128, keeps_order=self.ordered
        )
        if self.security is None:
            self.client = ClientAssociation(parameters, block_transfer=self.blocks)
        else:
            prepared = self.security.prepare(parameters)
            self.client = ClientAssociation(
                prepared.parameters,
                protection=prepared.protection,
                authenticator=prepared.authenticator,
                block_transfer=self.blocks,
            )
        self.run(self.client.open()).result()
        for name, value in self.bad.items():
            setattr(self.line, name, value)

    def run(self, exchange: Exchange[Any]) -> Exchange[Any]:
        """Do what a transport does, until an exchange has ended."""
        line, client = self.line, self.client
        client.tick(line.now, ANSWER)
        steps, waiting = -1, object()
        while True:
            while (outgoing := client.next_outgoing()) is not None:
                line.send("meter", outgoing.octets)
            if exchange.done:
                return exchange
            if exchange.steps != steps:
                steps, waiting = exchange.steps, object()
                patience = ANSWER if exchange.patience is None else exchange.patience
                line.at(line.now + patience, "timer", waiting)
            event = line.next()
            assert event is not None
            to, what = event
            if to == "meter":
                for answer in self.serve(what):
                    line.send("client", answer)
            elif to == "client":
                client.receive(what, line.now)
            elif what is waiting:
                client.tick(line.now)
                client.timed_out(exchange, TransportTimeout("no answer"))

    def serve(self, octets: bytes) -> list[bytes]:
        processing = self.server.process(octets, self.line.now)
        outcome = None
        try:
            while True:
                outcome = self.application.resolve(processing.send(outcome))
        except StopIteration as stop:
            answers: list[bytes] = stop.value
            return answers

    def read(self, number: int, session: Session) -> None:
        before = self.application.read
        exchange = self.client.start(lambda context: services.read(context, session, attribute(number)))
        value = self.outcome_of(exchange)
        if value is not None and self.application.constant:
            assert value == b"always the same"
        elif value is not None:
            assert value[0] == number
            assert len(value) == 5 + size_of(number)
            moment = int.from_bytes(value[1:5], "big")
            assert before < moment <= self.application.read
            assert value[5:] == random.Random(moment).randbytes(size_of(number))

    def call(self, number: int) -> None:
        """Call three methods by one request; each is called once at most, and once if that is said."""
        numbers = range(number, number + 3)
        exchange = self.client.start(
            lambda context: services.call_list(
                context, Session(), [method(each) for each in numbers], [LongUnsigned(1)] * 3
            )
        )
        responses = self.outcome_of(exchange)
        for place, each in enumerate(numbers):
            assert self.application.called[each] <= self.most_calls
            if responses is not None and getattr(responses[place], "result", None) == ActionResult.SUCCESS:
                assert self.application.called[each]

    def outcome_of(self, exchange: Exchange[Any]) -> Any:
        try:
            value = self.run(exchange).result()
        except CosemError as error:
            self.outcomes[type(error).__name__] += 1
            if self.client.lost_by is not None:
                assert self.client.state is State.IDLE
                self.outcomes["opened anew"] += 1
                self.open()
            return None
        if isinstance(value, DataAccessResult):
            self.outcomes[str(value)] += 1
            return None
        failed = [each for each in value if isinstance(each, CosemError)] if isinstance(value, list) else []
        self.outcomes[type(failed[0]).__name__ if failed else "right"] += 1
        return value

    def use(self) -> Counter[str]:
        """Make requests of all kinds, and return what came of them."""
        session = Session(retries=2)
        for step in range(REQUESTS):
            if step % 5 == 4:
                self.call(3 * step)
            else:
                self.read(self.chance.randrange(1, 13), session)
        return self.outcomes


CLEAR = {"ciphered": False, "blocks": False, "always": False}
CIPHERED = {"ciphered": True, "blocks": False, "always": False}
CLEAR_BLOCKS = {"ciphered": False, "blocks": True, "always": False}
CIPHERED_BLOCKS = {"ciphered": True, "blocks": True, "always": False}
ALL_IN_BLOCKS = {"ciphered": True, "blocks": True, "always": True}
SHORT_ANSWERS = {"ciphered": False, "blocks": False, "always": False, "constant": True}
REPEATED, LATE, LOST = {"repeated": 0.3}, {"late": 0.05}, {"loss": 0.05}
EVERYTHING = {"loss": 0.05, "repeated": 0.2, "late": 0.05}


def total(kind: dict[str, bool], line: dict[str, float]) -> Counter[str]:
    """Return what came of all requests of some runs."""
    outcomes: Counter[str] = Counter()
    ordered = kind["blocks"] and not kind["ciphered"]
    for seed in range(SEEDS):
        outcomes += World(seed, {"loss": 0.0, **line, "ordered": ordered}, **kind).use()
    return outcomes


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        pytest.param(CLEAR, {}, id="clear"),
        pytest.param(CIPHERED, {}, id="ciphered"),
        pytest.param(CIPHERED, REPEATED, id="ciphered, repeated"),
        pytest.param(CLEAR_BLOCKS, {}, id="clear, general blocks"),
        pytest.param(ALL_IN_BLOCKS, {}, id="ciphered, all in general blocks"),
    ],
)
def test_what_comes_twice_or_out_of_order_fails_nothing(kind, line):
    assert total(kind, line) == {"right": SEEDS * REQUESTS}


@pytest.mark.parametrize(
    ("kind", "line", "least"),
    [
        pytest.param(CLEAR, LOST, 90, id="clear, lost"),
        pytest.param(CLEAR, LATE, 90, id="clear, late"),
        # The requests for the blocks of a long value come twice, too, and answers in clear that belong to them.
        pytest.param(CLEAR, REPEATED, 75, id="clear, repeated"),
        pytest.param(CIPHERED, LOST, 85, id="ciphered, lost"),
        pytest.param(CIPHERED, LATE, 95, id="ciphered, late"),
        pytest.param(CIPHERED, EVERYTHING, 85, id="ciphered, everything"),
        pytest.param(CLEAR_BLOCKS, LOST, 90, id="clear, general blocks, lost"),
        pytest.param(CLEAR_BLOCKS, LATE, 90, id="clear, general blocks, late"),
        pytest.param(CIPHERED_BLOCKS, {}, 95, id="ciphered, general blocks"),
        pytest.param(CIPHERED_BLOCKS, LOST, 90, id="ciphered, general blocks, lost"),
        pytest.param(CIPHERED_BLOCKS, REPEATED, 95, id="ciphered, general blocks, repeated"),
        pytest.param(CIPHERED_BLOCKS, LATE, 95, id="ciphered, general blocks, late"),
        pytest.param(CIPHERED_BLOCKS, EVERYTHING, 90, id="ciphered, general blocks, everything"),
        pytest.param(ALL_IN_BLOCKS, LOST, 95, id="ciphered, all in general blocks, lost"),
        pytest.param(ALL_IN_BLOCKS, REPEATED, 90, id="ciphered, all in general blocks, repeated"),
        pytest.param(ALL_IN_BLOCKS, LATE, 90, id="ciphered, all in general blocks, late"),
        pytest.param(ALL_IN_BLOCKS, EVERYTHING, 85, id="ciphered, all in general blocks, everything"),
    ],
)
def test_a_request_ends_with_its_own_value_or_fails_cleanly(kind, line, least):
    outcomes = total(kind, line)
    assert outcomes["right"] >= SEEDS * REQUESTS * least / 100
    assert outcomes["ReplayError"] == outcomes["StateError"] == 0


@pytest.mark.parametrize(("loss", "least"), [(0.05, 99), (0.15, 90)])
def test_values_that_never_change_are_read_as_well_as_others_where_answers_get_lost(loss, least):
    outcomes: Counter[str] = Counter()
    for seed in range(5):
        world = World(seed, {"loss": loss}, **SHORT_ANSWERS)
        session = Session(retries=2)
        for _ in range(200):
            world.read(1, session)
        outcomes += world.outcomes
    assert outcomes["right"] >= 1000 * least / 100
    assert outcomes["opened anew"] == 0
