"""Read and Write in general blocks: both sides, long requests, long answers, what gets lost, and what is asked twice."""

from __future__ import annotations

from typing import Any

import pytest

from cosem.apdu import decode
from cosem.apdu.variable_access import ParameterizedAccess, VariableName
from cosem.association.client.association import Exchange
from cosem.association.client.blocks import BlockSettings
from cosem.association.client.conversations import mapped
from cosem.association.client.conversations.read import read, read_list
from cosem.association.client.conversations.write import write, write_list
from cosem.association.server.indications import MethodOutcome, WriteAttribute
from cosem.errors import TransportTimeout
from cosem.types.data import OctetString
from cosem.types.enumerations import ActionResult, Conformance, DataAccessResult
from tests.association.client_driver import Client
from tests.association.server_driver import Server
from tests.association.short_names.driver import (
    CAPTURE,
    FIFTY,
    LONG,
    RETURNING,
    TEXT,
    open_request,
    opened_client,
    short_name_profile,
)

GENERAL_BLOCKS = "3C1B20"
"""Every service and feature of short names, with general block transfer."""
WITHOUT_OWN = "3C0320"
"""The same without the blocks of Read and Write."""
VALUE = OctetString(bytes(range(256)))


class Both:
    """A client and a server, and a line that keeps the order and loses what it is told to."""

    def __init__(self, size: int = 40, conformance: str = GENERAL_BLOCKS, **settings: Any) -> None:
        offered = Conformance.from_octets(bytes.fromhex(conformance))
        profile = short_name_profile(conformance=offered, max_receive_pdu_size=size)
        self.server = Server(profile, opened=open_request(conformance, size))
        self.application = self.server.application
        self.client: Client = opened_client(size, conformance, block_transfer=BlockSettings(**settings))
        self.carried: list[bytes] = []
        self.lost: set[int] = set()

    def arrives(self, octets: bytes) -> bool:
        self.carried.append(octets)
        return len(self.carried) not in self.lost

    def answers(self, octets: bytes) -> list[bytes]:
        processing, outcome = self.server.association.process(octets, 0.0), None
        try:
            while True:
                outcome = self.application.resolve(processing.send(outcome))
        except StopIteration as stop:
            return list(stop.value)

    def run(self, conversation: Any) -> Any:
        exchange: Exchange[Any] = self.client.association.start(conversation)
        for _ in range(200):
            sent = [bytes.fromhex(octets) for octets in self.client.sent()]
            if not sent and exchange.done:
                break
            if not sent:
                self.client.association.timed_out(exchange, TransportTimeout("nothing came"))
                continue
            arrived = [octets for octets in sent if self.arrives(octets)]
            answers = [answer for octets in arrived for answer in self.answers(octets)]
            for answer in filter(self.arrives, answers):
                self.client.receive(answer)
        return exchange.result()


@pytest.mark.parametrize("conformance", [GENERAL_BLOCKS, WITHOUT_OWN])
@pytest.mark.parametrize("window", [1, 2, 63])
def test_long_answers_and_long_requests(conformance, window):
    both = Both(conformance=conformance, window=window, peer_window=window, always=True)
    assert both.run(lambda context: read(context, VariableName(0x0100))) == FIFTY
    assert both.run(lambda context: write(context, VariableName(0x0100), VALUE)) is DataAccessResult.SUCCESS
    assert both.application.values["0.0.128.0.0.255", 2] == VALUE
    assert both.run(lambda context: read(context, VariableName(0x0100))) == VALUE
    assert {octets[0] for octets in both.carried} == {0xE0}
    assert all(len(octets) <= 40 for octets in both.carried)
    assert {decode(octets).window for octets in both.carried} >= {window, 8}


def test_lists_parameters_and_methods():
    both = Both()
    both.application.values["1.0.99.1.0.255", 2] = TEXT
    names = [VariableName(0x0100), VariableName(0x0110), VariableName(0x7770)] * 8
    values = both.run(lambda context: read_list(context, names))
    assert values == (FIFTY, TEXT, DataAccessResult.OBJECT_UNDEFINED) * 8
    results = both.run(lambda context: write_list(context, names[:3], [VALUE, TEXT, TEXT]))
    assert results == (DataAccessResult.SUCCESS, DataAccessResult.SUCCESS, DataAccessResult.OBJECT_UNDEFINED)
    selected = ParameterizedAccess(0x1208, 1, VALUE)
    assert both.run(lambda context: read(context, selected)) == TEXT
    assert both.application.seen[-1].selection.access_parameters == VALUE
    assert both.run(lambda context: mapped.get(context, LONG)) == VALUE
    both.application.returns["0.0.40.0.0.255", 3] = MethodOutcome(ActionResult.SUCCESS, VALUE)
    response = both.run(lambda context: mapped.action(context, RETURNING, VALUE))
    assert (response.result, response.return_parameters) == (ActionResult.SUCCESS, VALUE)
    assert both.run(lambda context: mapped.action(context, CAPTURE, VALUE)).result is (
        ActionResult.OBJECT_UNDEFINED
    )
    assert all(len(octets) <= 40 for octets in both.carried)


def test_the_same_request_again_is_answered_anew():
    """It has no invoke-id: octet for octet it is the one before."""
    both = Both(always=True)
    name = "0.0.128.1.0.255", 2
    for number in range(5):
        both.application.values[name] = OctetString(bytes((number,)))
        assert both.run(lambda context: read(context, VariableName(0x0110))) == bytes((number,))
    for number in range(5):
        both.application.values[name] = OctetString(bytes((number,)) * 300)
        assert both.run(lambda context: read(context, VariableName(0x0110))) == bytes((number,)) * 300


@pytest.mark.parametrize("conformance", [GENERAL_BLOCKS, WITHOUT_OWN])
def test_the_server_uses_the_blocks_of_read_for_a_client_that_has_shown_no_others(conformance):
    both = Both(conformance=conformance)
    assert both.run(lambda context: read(context, VariableName(0x0100))) == FIFTY
    tags = {octets[0] for octets in both.carried}
    assert tags == ({0x05, 0x0C} if conformance == GENERAL_BLOCKS else {0x05, 0xE0})


def test_writing_twice_after_a_lost_answer_does_not_happen():
    """Without an answer an association by short names is given up: nothing that comes late could be told from the next."""
    both = Both(always=True)
    both.lost = {2}
    with pytest.raises(TransportTimeout):
        both.run(lambda context: write(context, VariableName(0x0110), TEXT))
    assert len([each for each in both.application.seen if isinstance(each, WriteAttribute)]) == 1
    assert both.client.association.lost_by is not None
